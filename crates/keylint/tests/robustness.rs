//! Whatever the input: keylint answers, in bounded time, with places that exist.

#![cfg(test)]

mod cases;

use std::fmt::Write as _;
use std::sync::LazyLock;

use keylint::lint::{ConfigFile, FIRST_INPUT, Linter, OfUse, Settings};
use keylint_report::{Format, Report, Style, Summary};
use keylint_source::{Diagnostic, FileId, SourceFile, Sources};
use proptest::prelude::*;

use cases::{Case, cases, lint};

/// What is checked, by all rules, in each configuration that the files have.
fn linters() -> &'static [(Case, Linter)] {
    static LINTERS: LazyLock<Vec<(Case, Linter)>> = LazyLock::new(|| {
        let with_linter = |case: Case| {
            let linter = case.linter(&["all"]);
            (case, linter)
        };
        cases().into_iter().map(with_linter).collect()
    });
    &LINTERS
}

/// Checks a text, sees that every place exists, and writes what was found in every format.
fn survives(linter: &Linter, path: &str, text: &str) -> Vec<Diagnostic> {
    let diagnostics = lint(linter, path, text);
    for diagnostic in &diagnostics {
        for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.related) {
            assert!(text.get(label.at.span.range()).is_some(), "{:?} in {text:?}", label.at.span);
        }
        assert!(!diagnostic.message.is_empty());
    }
    let mut sources = Sources::default();
    sources.insert(FIRST_INPUT, SourceFile::new(path, text));
    let summary = Summary::default();
    let report = Report::new(&sources, &diagnostics, &summary);
    for (format, width) in [(Format::Full, 0), (Format::Full, 80), (Format::Concise, 0), (Format::Json, 0)] {
        let mut out = Vec::new();
        let style = Style { color: width > 0, width, unicode: width == 0 };
        keylint_report::write(format, &report, style, &mut out).unwrap();
        assert_eq!(out.is_empty(), diagnostics.is_empty() && format != Format::Json);
    }
    diagnostics
}

/// Every file of every container: its path, and its text.
fn files() -> &'static [(String, String)] {
    static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
        let mut files = Vec::new();
        let mut folders = vec![cases::folder().parent().unwrap().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if !name.ends_with(".expected") && !name.ends_with(".keylint.yaml") {
                    files.push((name, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        files.sort();
        files
    });
    &FILES
}

/// The files of a declared use: its configuration, and the three documents.
fn use_files() -> Vec<(String, String)> {
    let folder = cases::folder().parent().unwrap().join("uses/three-documents");
    let names = ["keylint.yaml", "kms/ebs.json", "scripts/grant-asg.sh", "iam/grant-creator.json"];
    let read = |name: &str| (name.to_owned(), std::fs::read_to_string(folder.join(name)).unwrap());
    names.into_iter().map(read).collect()
}

/// The offset of a character's start at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&offset| text.is_char_boundary(offset)).unwrap_or(0)
}

/// What is put into files in the wrong places.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "'",
    "//",
    "/*",
    "null",
    "true",
    "-",
    "1e999",
    "\n",
    "\r",
    "\t",
    "\u{feff}",
    "\u{0}",
    "é",
    "日",
    "😀",
    "*",
    "?",
    "${",
    "${aws:username}",
    "kms:",
    "arn:aws:iam::",
    ":root",
    "Statement",
    "\"AWS\":",
    "\"Condition\":",
    "\"Null\":",
    "ForAllValues:",
    "IfExists",
    "default",
    "${AWS::AccountId}",
    "!Sub ",
    "!If [a, b, ",
    "!Ref AWS::NoValue",
    "\n  - ",
    "<<: *a",
    "&a ",
    "*a",
    "|\n",
    "#",
    "jsonencode(",
    "concat(",
    ")",
    "<<-EOT\n",
    "\nEOT\n",
    "%{ for x in var.y ~}",
    "%{ endfor }",
    " ? [] : ",
    "[for x in local.y : x]",
    "=",
    "data.aws_iam_policy_document.key.json",
    "dynamic \"statement\" { for_each = var.x content {} }",
    "aws kms create-grant --key-id ",
    " --operations ",
    " --cli-input-json '",
    " --constraints a={b=",
    "$(",
    "`",
    "\\\n",
    "\"Operations\": [",
    "\"GranteePrincipal\": ",
    "\"Resource\": \"arn:aws:kms:*:*:key/*\"",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>(), words in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        let (case, linter) = &linters()[0];
        survives(linter, &case.path(), &text);
        let words = words.concat();
        survives(linter, &case.path(), &format!("{{\"Statement\": [{{\"Action\": \"kms:*\", \"Principal\": {words}{text}"));
        survives(linter, &case.path(), &format!("{{\"Statement\": {{\"Action\": \"kms:*\", \"Principal\": \"{words}{text}\"}}}}"));
    }

    #[test]
    fn files_with_accidents_are_answered(
        index in any::<prop::sample::Index>(),
        accidents in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(PIECES)), 1..5),
    ) {
        let (case, linter) = &linters()[index.index(linters().len())];
        let mut text = case.text.clone();
        for (at, removed, piece) in accidents {
            let start = boundary(&text, at.index(text.len() + 1));
            let end = boundary(&text, start + removed).max(start);
            text.replace_range(start..end, piece);
        }
        survives(linter, &case.path(), &text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn containers_with_accidents_are_answered(
        index in any::<prop::sample::Index>(),
        accidents in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(PIECES)), 1..5),
    ) {
        let (path, text) = &files()[index.index(files().len())];
        let mut text = text.clone();
        for (at, removed, piece) in accidents {
            let start = boundary(&text, at.index(text.len() + 1));
            let end = boundary(&text, start + removed).max(start);
            text.replace_range(start..end, piece);
        }
        survives(&linters()[0].1, path, &text);
    }

    #[test]
    fn documents_of_a_use_with_accidents_are_answered(
        which in any::<prop::sample::Index>(),
        accidents in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, prop::sample::select(PIECES)), 1..5),
    ) {
        let mut files = use_files();
        let (_, text) = &mut files[which.index(4)];
        for (at, removed, piece) in accidents {
            let start = boundary(text, at.index(text.len() + 1));
            let end = boundary(text, start + removed).max(start);
            text.replace_range(start..end, piece);
        }
        let (path, config) = files.remove(0);
        let settings = Settings { config: Some(ConfigFile { path, text: config.clone() }), ..Settings::default() };
        if let Ok((linter, ..)) = Linter::new(&settings, &|_| Err(std::io::ErrorKind::NotFound.into())) {
            let id = |index: usize| FileId(FIRST_INPUT.0 + u32::try_from(index).unwrap());
            let of_use: Vec<OfUse<'_>> = files
                .iter()
                .enumerate()
                .map(|(index, (path, text))| OfUse { file: id(index), path, text })
                .collect();
            let linted = linter.lint_uses(&of_use, &|_| None, id(files.len()));
            let text_of = |file: FileId| match of_use.iter().find(|of_use| of_use.file == file) {
                Some(of_use) => of_use.text,
                None => &config,
            };
            let labels = linted.diagnostics.iter().flat_map(|found| std::iter::once(&found.primary).chain(&found.related));
            let links = linted.chains.iter().flat_map(|chain| &chain.links).filter_map(|link| link.at);
            for at in labels.map(|label| label.at).chain(links) {
                assert!(text_of(at.file).get(at.span.range()).is_some(), "{at:?}");
            }
        }
    }

    #[test]
    fn any_text_is_answered_in_every_language(text in any::<String>(), words in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let (_, linter) = &linters()[0];
        let words = words.concat();
        let key = "resource \"aws_kms_key\" \"k\" {\n  policy = ";
        survives(linter, "a.tf", &format!("{key}{words}{text}"));
        survives(linter, "a.sh", &format!("aws kms create-grant {words}{text}"));
        survives(linter, "a.md", &format!("{text}\n aws kms create-grant --key-id k {words}"));
        survives(linter, "a.tf", &format!("{key}jsonencode({{ Statement = [{words}] }})\n}}\n"));
        survives(linter, "a.tf", &format!("{key}<<EOT\n{{\"Statement\": [{words}{text}]}}\nEOT\n}}\n"));
        let key = "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy:";
        survives(linter, "a.yaml", &format!("{key} {words}{text}"));
        survives(linter, "a.yaml", &format!("{key}\n        Statement: [{words}]\n"));
        survives(linter, "a.yaml", &format!("{key} !Sub |\n        {{\"Statement\": [{words}]}}\n"));
    }
}

#[test]
fn containers_that_are_cut_off_are_answered() {
    let (_, linter) = &linters()[0];
    for (path, text) in files().iter().filter(|(path, _)| !cases().iter().any(|case| case.path() == *path)) {
        for length in (0..=text.len()).step_by(29).filter(|&length| text.is_char_boundary(length)) {
            survives(linter, path, text.get(..length).unwrap());
        }
    }
}

/// What refers to what refers to what: twice as much with every line, did nothing stop it.
#[test]
fn references_that_multiply_are_bounded() {
    let (_, linter) = &linters()[0];
    let key = "resource \"aws_kms_key\" \"k\" {\n  policy = jsonencode({ Statement = local.a0, Version = \"kms\" })\n}\n";
    for form in [
        "[local.A, local.A]",
        "\"${local.A}${local.A}\"",
        "concat(local.A, local.A)",
        "{ x = local.A, y = local.A }",
    ] {
        let line = |index: usize| format!("  a{index} = {}\n", form.replace('A', &format!("a{}", index + 1)));
        let lines: String = (0..60).map(line).collect();
        survives(linter, "a.tf", &format!("locals {{\n{lines}  a60 = [\"kms:*\"]\n}}\n{key}"));
    }
    let line = |index: usize| format!("  a{index}: &a{index} [*a{0}, *a{0}]\n", index + 1);
    let lines: String = (0..60).rev().map(line).collect();
    let bomb = format!("Metadata:\n  a60: &a60 [kms]\n{lines}");
    let key = "Resources:\n  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: *a0\n";
    let found = survives(linter, "a.yaml", &(bomb + key));
    assert_eq!(found.iter().map(|found| &*found.rule).collect::<Vec<_>>(), ["invalid-syntax"]);
}

#[test]
fn conditions_that_multiply_are_bounded() {
    let (_, linter) = &linters()[0];
    let statement = |index: usize| {
        format!(
            "var.c{index} ? {{ Effect = \"Allow\", Principal = \"*\", Action = \"kms:{index}\", Resource = \"*\" }} : null"
        )
    };
    let statements: Vec<String> = (0..60).map(statement).collect();
    let text = format!(
        "resource \"aws_kms_key\" \"k\" {{\n  policy = jsonencode({{ Statement = [{}] }})\n}}\n",
        statements.join(", ")
    );
    let found = survives(linter, "a.tf", &text);
    assert_eq!(found.iter().filter(|found| found.rule == "unknown-action").count(), 60);
}

#[test]
fn templates_and_modules_of_many_resources_are_answered() {
    let (_, linter) = &linters()[0];
    let resource = |index: usize| {
        format!(
            "  R{index}:\n    Type: AWS::SNS::Topic\n    Properties: {{ KmsMasterKeyId: !Ref Key, Name: !Sub \"${{AWS::StackName}}-{index}\" }}\n"
        )
    };
    let key = |index: usize| {
        format!(
            "  Key{index}:\n    Type: AWS::KMS::Key\n    Properties:\n      KeyPolicy: {{ Version: 2012-10-17, Statement: {{ Effect: Allow, Principal: {{ AWS: !Ref AWS::AccountId }}, Action: [kms:*, !Ref Action, kms:Decript], Resource: \"*\" }} }}\n"
        )
    };
    let template: String =
        (0..10_000).map(|index| if index % 100 == 0 { key(index) } else { resource(index) }).collect();
    let found =
        lint(linter, "a.yaml", &format!("Parameters:\n  Action: {{ Type: String }}\nResources:\n{template}"));
    assert_eq!(found.iter().filter(|found| found.rule == "unknown-action").count(), 100);

    let resource = |index: usize| {
        format!("resource \"aws_sns_topic\" \"t{index}\" {{\n  name = \"${{local.prefix}}-{index}\"\n}}\n")
    };
    let key = |index: usize| {
        format!(
            "resource \"aws_kms_key\" \"k{index}\" {{\n  policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Principal = {{ AWS = local.root }}, Action = [\"kms:*\", \"kms:Decript\"], Resource = \"*\" }}] }})\n}}\n"
        )
    };
    let module: String =
        (0..10_000).map(|index| if index % 100 == 0 { key(index) } else { resource(index) }).collect();
    let found = lint(linter, "a.tf", &format!("locals {{\n  root = \"111122223333\"\n}}\n{module}"));
    assert_eq!(found.iter().filter(|found| found.rule == "unknown-action").count(), 100);
}

#[test]
fn files_that_are_cut_off_are_answered() {
    for (case, linter) in linters() {
        for length in (0..=case.text.len()).step_by(7).filter(|&length| case.text.is_char_boundary(length)) {
            survives(linter, &case.path(), case.text.get(..length).unwrap());
        }
        survives(linter, &case.path(), &case.text);
    }
}

#[test]
fn depth_is_bounded() {
    let (case, linter) = &linters()[0];
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{\"Statement\": [{\"kms\": ", "}]}")] {
        for text in [
            open.repeat(100_000),
            format!("{}\"kms:Statement\"{}", open.repeat(100_000), close.repeat(100_000)),
        ] {
            let text = format!("{{\"Statement\": {text}");
            let found = survives(linter, &case.path(), &text);
            assert!(!found.is_empty(), "{open}");
        }
    }
}

/// A policy with this many statements, of which every tenth has something wrong with it.
fn large(statements: usize) -> String {
    let mut text = String::from("{\"Version\": \"2012-10-17\", \"Statement\": [\n");
    text.push_str(
        r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}"#,
    );
    for index in 1..statements {
        let account = 200_000_000_000 + index % 7;
        let action = if index % 10 == 0 { "kms:Decript" } else { "kms:Decrypt" };
        write!(
            text,
            ",\n{{\"Sid\": \"statement {index}\", \"Effect\": \"Allow\", \"Principal\": {{\"AWS\": \"arn:aws:iam::{account}:role/role-{index}\"}}, \
             \"Action\": [\"{action}\", \"kms:GenerateDataKey*\"], \"Resource\": \"*\", \
             \"Condition\": {{\"StringEquals\": {{\"kms:ViaService\": \"s3.eu-west-1.amazonaws.com\"}}}}}}"
        )
        .unwrap();
    }
    text.push_str("\n]}\n");
    text
}

/// Were the work to grow with the square of the statements, this would be noticed by whoever waits for it; the
/// benchmark measures.
/// Without a statement for the account, whose key it is has to be found out from the principals.
#[test]
fn a_policy_of_many_principals_and_no_owner_is_answered() {
    let statement = |index: usize| {
        format!(
            r#"{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::111122223333:role/{index}"}}, "Action": "kms:Decrypt", "Resource": "*"}}"#
        )
    };
    let statements: Vec<String> = (0..400).map(statement).collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
    let (_, linter) = &linters()[0];
    let found = lint(linter, "roles.json", &text);
    let rules: Vec<&str> = found.iter().map(|found| &*found.rule).collect();
    assert_eq!(rules, ["oversized-policy", "unmanageable-key"]);
}

#[test]
fn a_policy_of_many_statements_is_answered() {
    let (case, linter) = &linters()[0];
    let found = lint(linter, &case.path(), &large(8_000));
    assert_eq!(found.iter().filter(|found| found.rule == "unknown-action").count(), 799);
}

/// Tried one with the other, the values of so many keys would take for ever.
#[test]
fn many_conditions_do_not_multiply() {
    let keys = [
        "kms:ViaService",
        "kms:EncryptionContextKeys",
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
        "aws:SourceVpce",
        "aws:SourceIp",
        "aws:PrincipalTag/team",
        "aws:RequestedRegion",
        "kms:EncryptionContext:a",
        "kms:EncryptionContext:b",
        "kms:RequestAlias",
        "aws:PrincipalArn",
        "kms:GrantOperations",
        "aws:SourceArn",
    ];
    let condition = |operator: &str| {
        let of_key = |key: &&str| format!("\"{key}\": [\"1*\", \"2*\", \"*3\", \"4?5\", \"6\"]");
        let keys: Vec<String> = keys.iter().map(of_key).collect();
        format!("\"{operator}\": {{{}}}", keys.join(", "))
    };
    let operators = [
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "ForAnyValue:StringLike",
        "ForAllValues:StringNotLike",
    ];
    let (case, linter) = &linters()[0];
    for count in 1..=operators.len() {
        let conditions: Vec<String> = operators[..count].iter().map(|operator| condition(operator)).collect();
        let conditions = conditions.join(", ");
        let statement = |effect: &str| {
            format!(
                "{{\"Effect\": \"{effect}\", \"Principal\": \"*\", \"Action\": \"kms:*\", \"Resource\": \"*\", \"Condition\": {{{conditions}}}}}"
            )
        };
        let text = format!(
            "{{\"Statement\": [{}, {}, {}]}}",
            statement("Allow"),
            statement("Deny"),
            statement("Allow")
        );
        survives(linter, &case.path(), &text);
    }
}
