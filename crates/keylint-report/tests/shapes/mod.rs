//! Diagnostics of every shape, and the files they are about.

use keylint_report::Unknown;
use keylint_source::{
    Diagnostic, FileId, Label, Location, RuleInfo, Severity, SourceFile, Sources, Span, StatementId,
};

/// A set of diagnostics with its files.
pub(crate) struct Shapes {
    /// The files.
    pub(crate) sources: Sources,
    /// The diagnostics; the rule of each names its shape.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What two of the rules say of themselves.
    pub(crate) rules: Vec<RuleInfo>,
    /// Values that are not known.
    pub(crate) unknown: Vec<Unknown>,
    files: u32,
}

impl Shapes {
    /// One diagnostic of each shape.
    pub(crate) fn all() -> Self {
        let mut all = Self::none();
        all.ordinary();
        all.far_apart();
        all.at_the_edges();
        all.without_text();
        all.long_lines();
        all.many_lines();
        all.characters();
        all.of_a_template();
        all
    }

    /// Only the diagnostics of one shape.
    pub(crate) fn only(mut self, rule: &str) -> Self {
        self.diagnostics.retain(|diagnostic| diagnostic.rule == rule);
        self
    }

    /// One diagnostic with two labels, in bytes that need not lie in the text.
    pub(crate) fn of_two_places(text: &str, first: (u32, u32), second: (u32, u32)) -> Self {
        let mut shapes = Self::none();
        let file = shapes.file("x.json", text);
        let at = |(start, end)| Location { file, span: Span::new(start, end) };
        let mut diagnostic = Diagnostic::new("place", Severity::Error, "two places", at(first));
        diagnostic.primary.text = "the first".to_owned();
        diagnostic.related.push(Label::new(at(second), "the second"));
        shapes.diagnostics.push(diagnostic);
        shapes
    }

    fn none() -> Self {
        let rule = |name: &str, group: &str, severity| RuleInfo {
            name: name.to_owned(),
            summary: "something is wrong".to_owned(),
            severity,
            group: group.to_owned(),
            why: "It fails in production.".to_owned(),
            help: "Mend it.".to_owned(),
            references: vec!["https://docs.aws.amazon.com/kms/".to_owned()],
        };
        let rules = vec![
            rule("several-near", "services", Severity::Error),
            rule("several-in-a-line", "security", Severity::Warning),
            rule("no-label-text", "pedantic", Severity::Note),
        ];
        Self { sources: Sources::default(), diagnostics: Vec::new(), rules, unknown: Vec::new(), files: 0 }
    }

    fn file(&mut self, path: &str, text: &str) -> FileId {
        let id = FileId(self.files);
        self.files += 1;
        self.sources.insert(id, SourceFile::new(path, text));
        id
    }

    fn add(
        &mut self,
        rule: &'static str,
        severity: Severity,
        message: &str,
        at: Location,
    ) -> &mut Diagnostic {
        self.diagnostics.push(Diagnostic::new(rule, severity, message, at));
        self.diagnostics.last_mut().unwrap()
    }

    /// The one place in the file that reads so.
    fn place(&self, file: FileId, text: &str) -> Location {
        let whole = self.sources.get(file).unwrap().text();
        let mut found = whole.match_indices(text);
        let (start, _) = found.next().unwrap();
        assert!(found.next().is_none(), "{text} is there twice");
        span(file, start, start + text.len())
    }

    fn ordinary(&mut self) {
        let key = self.file("kms/asg-key.json", POLICY);
        let role = self.place(key, "AWSServiceRoleForAutoScaling");
        let actions = self.place(key, r#"["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"]"#);
        let found = self.add("several-near", Severity::Error, "`kms:ReEncryptFrom` is not allowed", actions);
        found.primary.text = "not here, nor in any other statement".to_owned();
        found.related.push(Label::new(role, "this role launches the instances"));
        found.notes.push("the statement for the account root does not help".to_owned());
        found.notes.push("assumed: the key is in account `111122223333`".to_owned());
        found.help = Some("add `kms:ReEncrypt*` to this statement,\nor remove it".to_owned());
        found.statement = Some(StatementId { index: 1, sid: Some("AllowUse".to_owned()) });

        let effect = self.place(key, r#""Effect""#);
        let found = self.add("no-label-text", Severity::Note, "a place, and no words beside it", effect);
        found.statement = Some(StatementId { index: 1, sid: None });

        let encrypt = self.place(key, "kms:Encrypt");
        let decrypt = self.place(key, "kms:Decrypt");
        let describe = self.place(key, "kms:DescribeKey");
        let found = self.add("several-in-a-line", Severity::Warning, "three places in one line", decrypt);
        found.primary.text = "the second".to_owned();
        found.related.push(Label::new(encrypt, "the first"));
        found.related.push(Label::new(describe, ""));

        let found = self.add("one-in-another", Severity::Warning, "one place in another", actions);
        found.primary.text = "all of them".to_owned();
        found.related.push(Label::new(decrypt, "this one"));
        found.related.push(Label::new(decrypt, "this one again"));
    }

    fn far_apart(&mut self) {
        let middle: Vec<String> = (0..900).map(|number| format!("    \"filler {number}\",\n")).collect();
        let middle = middle.concat();
        let text = format!("[\n  \"Allow\",\n{middle}  \"Deny\"\n]\n");
        let long = self.file("kms/long.json", &text);
        let other = self.file("kms/other key.json", "{\n  \"Statement\": []\n}\n");
        let deny = self.place(long, "Deny");
        let allow = self.place(long, "Allow");
        let statement = self.place(other, "[]");
        let found =
            self.add("far-apart", Severity::Error, "labels far apart in one file, and in another", deny);
        found.primary.text = "taken away here".to_owned();
        found.related.push(Label::new(allow, "allowed here"));
        found.related.push(Label::new(statement, "and not here"));
        found.help = Some("remove one of them".to_owned());
    }

    fn at_the_edges(&mut self) {
        let cut_off = self.file("cut-off.json", "{\n  \"Version\": \"2012-10-17\"");
        let end = self.sources.get(cut_off).unwrap().text().len();
        let found =
            self.add("empty-at-the-end", Severity::Error, "the file ends early", span(cut_off, end, end));
        found.primary.text = "expected `,` or `}`".to_owned();

        let complete = self.file("complete.json", "{\n}\n");
        let found =
            self.add("empty-behind-last-line", Severity::Error, "a last line end", span(complete, 4, 4));
        found.primary.text = "here".to_owned();

        let found = self.add(
            "past-the-end",
            Severity::Error,
            "there is no such place",
            span(cut_off, end + 1, end + 9),
        );
        found.primary.text = "moved to the end".to_owned();

        let found =
            self.add("empty-in-a-line", Severity::Error, "something is missing", span(cut_off, 13, 13));
        found.primary.text = "before the colon".to_owned();

        let open = self.file("open-string.json", "{ \"Sid\": \"a\r\n}\r\n");
        let found =
            self.add("over-the-line-end", Severity::Error, "a line end in a string", span(open, 9, 13));
        found.primary.text = "this string is not closed".to_owned();
    }

    fn without_text(&mut self) {
        let empty = self.file("empty.json", "");
        let found = self.add("empty-file", Severity::Error, "the file is empty", span(empty, 0, 0));
        found.primary.text = "expected a policy".to_owned();
        let unreadable = self.file("unreadable.json", "");
        self.add(
            "unreadable-file",
            Severity::Error,
            "cannot be read: permission denied",
            span(unreadable, 0, 0),
        );
        self.add(
            "missing-file",
            Severity::Error,
            "a file that was not kept",
            span(FileId(u32::MAX), 70, 80),
        )
        .primary
        .text = "it is not known".to_owned();
    }

    fn long_lines(&mut self) {
        let statement = |number: usize| {
            format!(r#"{{"Sid":"S{number}","Effect":"Allow","Action":"kms:Action{number}x","Resource":"*"}}"#)
        };
        let statements: Vec<String> = (0..400).map(statement).collect();
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
        assert!(text.len() > 25_000, "{}", text.len());
        let line = self.file("one-line.json", &text);
        let (first, second) = (self.place(line, "kms:Action200x"), self.place(line, "kms:Action7x"));
        let found = self.add("one-line-policy", Severity::Error, "a policy without line ends", first);
        found.primary.text = "this one".to_owned();
        found.related.push(Label::new(second, "and this one"));

        let all = span(line, text.find('[').unwrap() + 1, text.len() - 2);
        let found = self.add("long-label", Severity::Error, "a label longer than the terminal is wide", all);
        found.primary.text = "all of it".to_owned();
    }

    fn many_lines(&mut self) {
        let key = self.file("kms/lines.json", POLICY);
        let condition =
            self.place(key, "{\n        \"Bool\": {\"kms:GrantIsForAWSResource\": \"false\"}\n      }");
        let resource = self.place(key, "\"Resource\"");
        let found = self.add("several-lines", Severity::Error, "a place of several lines", condition);
        found.primary.text = "this condition".to_owned();
        found.related.push(Label::new(resource, "of this"));
        let whole = span(key, 0, POLICY.trim_end().len());
        let found = self.add("too-many-lines", Severity::Error, "a place too long to be shown", whole);
        found.primary.text = "this policy".to_owned();
    }

    /// A template has resources, and values that are not known.
    fn of_a_template(&mut self) {
        let file = self.file("key.yaml", "Key:\n  Policy: !Ref Policy\n");
        let at = |start, end| Location { file, span: Span::new(start, end) };
        let mut diagnostic = Diagnostic::new("resource", Severity::Error, "a key of a template", at(7, 13));
        diagnostic.resource = Some("Key".to_owned());
        self.diagnostics.push(diagnostic.clone());
        // In one file with the other: then one line has to say of which it speaks.
        diagnostic.resource = Some("OtherKey".to_owned());
        self.diagnostics.push(diagnostic);
        for default in [Some("{}".to_owned()), None] {
            let resource = default.as_ref().map(|_| "Key".to_owned());
            self.unknown.push(Unknown { at: at(15, 26), name: "Policy".to_owned(), default, resource });
        }
    }

    fn characters(&mut self) {
        let text = "{\n  \"Description\": \"é 日 😀\", \"Action\": \"kms:Decrypt\"\n}\n";
        let wide = self.file("wide é日.json", text);
        let action = self.place(wide, "kms:Decrypt");
        self.add("multi-byte", Severity::Error, "é 日 😀 stand before the place", action).primary.text =
            "é 日 😀".to_owned();

        let windows = self.file("windows.json", "\u{feff}{ \"A\": 1,\r\n\t\"B\":\t[2],\r\n  \"C\": 3 }\r\n");
        let first = self.place(windows, "\"A\"");
        let second = self.place(windows, "[2]");
        let third = self.place(windows, "3");
        let found = self.add("bom-tabs-crlf", Severity::Error, "a byte order mark, tabs and CR LF", second);
        found.primary.text = "behind two tabs".to_owned();
        found.related.push(Label::new(first, "behind the byte order mark"));
        found.related.push(Label::new(third, "in the last line"));

        let hostile = self.file(
            "\u{1b}]8;;http://x\u{7}evil\n\u{202e}nosj.json",
            "{\n\u{1b}[2J\u{202e}\"\u{9b}31m\u{200b}\": \"kms:*\", \r\"\u{0}\": 1\n}\n::error::owned\n##[error]owned\n",
        );
        let star = self.place(hostile, "kms:*");
        let found = self.add("hostile", Severity::Error, "\u{1b}[31mred\nerror: \u{202e}forged", star);
        found.primary.text = "\u{1b}[0m\nlabel".to_owned();
        found.notes.push("\u{1b}[1mbold\r".to_owned());
        found.help = Some("\u{9b}1m\u{2066}help".to_owned());
        found.statement = Some(StatementId { index: 0, sid: Some("\u{1b}c".to_owned()) });

        let text = "{ \"##[error]a]b;c,d|e'f<g>%h\": 1 }\n";
        let commands = self.file("::error::a,b=c;d]%|'<e>&`.json", text);
        let name = self.place(commands, "##[error]a]b;c,d|e'f<g>%h");
        let message = "`##[error]a]b;c,d|e'f<g>%h` ##vso[task.x]y ##teamcity[z] [link](http://x) <b>`&";
        let found = self.add("commands", Severity::Error, message, name);
        found.primary.text = "::error::forged".to_owned();
        found.notes.push("::error::forged".to_owned());
        found.help = Some("a\n::error::forged\n##[error]forged".to_owned());
    }
}

fn span(file: FileId, start: usize, end: usize) -> Location {
    Location { file, span: Span::new(u32::try_from(start).unwrap(), u32::try_from(end).unwrap()) }
}

const POLICY: &str = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"},
      "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"],
      "Resource": "*",
      "Condition": {
        "Bool": {"kms:GrantIsForAWSResource": "false"}
      }
    }
  ]
}
"#;
