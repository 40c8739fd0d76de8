//! Ignores in comments: `# keylint: ignore[RULE, RULE] until=2027-01-31 reason`.
//!
//! A comment is about its line and what is indented below it; one that has a line of its own is about the next line and
//! what is indented below that. So it covers a value, a statement, or a resource, whichever it stands at. In Terraform's
//! syntax in JSON the member `"//"` takes the place of a comment, and is about the object that it is a member of.

use keylint_extract::Language;
use keylint_source::{FileId, Location, Span, Spanned};
use keylint_syntax::{Arena, Kind, Node, Tree, json};
use memchr::memmem;

use super::{Ignore, Place, Scope};

/// What every such comment has in it.
const SIGN: &str = "keylint:";

pub(super) fn ignores(file: FileId, path: &str, text: &str) -> Vec<Ignore> {
    let language = Language::of_path(path);
    let extension = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_markdown = matches!(extension.as_str(), "md" | "rst");
    let is_json_of_terraform = language == Some(Language::Terraform { is_json: true });
    let mut found = Vec::new();
    for sign in memmem::find_iter(text.as_bytes(), SIGN) {
        let line_start = text.get(..sign).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let before = text.get(line_start..sign).unwrap_or_default().trim_end();
        let rest = text.get(sign..).unwrap_or_default();
        let rest = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let end = if before.ends_with("<!--") {
            rest.find("-->")
        } else if is_json_of_terraform {
            if !is_comment_of_json(before) {
                continue;
            }
            rest.find('"')
        } else if is_markdown || language == Some(Language::Json) || is_in_string(before, language) {
            // What stands in the code of a text is an example, and what stands in a string is data.
            continue;
        } else if before.ends_with("/*") || (before.trim() == "*" && is_in_block(text, line_start)) {
            rest.find("*/")
        } else if before.ends_with("//") || before.ends_with('#') {
            None
        } else {
            continue;
        };
        let written = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let Some(mut ignore) = directive(file, sign, written) else { continue };
        let place = if is_json_of_terraform {
            object_around(file, text, sign)
        } else {
            let code = before.trim_end_matches(['#', '/', '*', '<', '!', '-']);
            let line =
                if code.trim().is_empty() { next_line(text, line_start, sign) } else { Some(line_start) };
            line.map(|line| Place { file, span: block(text, line), declares: declared(text, line) })
        };
        // Where nothing follows, it is about nothing.
        let nowhere = || Place { file, span: Span::empty(ignore.at.span.end()), declares: None };
        let place = place.unwrap_or_else(nowhere);
        ignore.scope = Scope { place: Some(place), ..Scope::default() };
        found.push(ignore);
    }
    found
}

/// Whether what stands before a text makes it the value of the member `"//"`.
fn is_comment_of_json(before: &str) -> bool {
    let key = before.strip_suffix('"').and_then(|rest| rest.trim_end().strip_suffix(':'));
    key.is_some_and(|key| key.trim_end().ends_with("\"//\""))
}

/// Whether a string is open at the end of a piece of a line.
fn is_in_string(before: &str, language: Option<Language>) -> bool {
    let quotes = |quote: char| {
        let mut is_escaped = false;
        before
            .chars()
            .filter(|character| {
                let counts = *character == quote && !is_escaped;
                is_escaped = *character == '\\' && !is_escaped;
                counts
            })
            .count()
    };
    quotes('"') % 2 == 1 || (language == Some(Language::Yaml) && quotes('\'') % 2 == 1)
}

/// Whether a line is within a comment between `/*` and `*/`.
fn is_in_block(text: &str, line: usize) -> bool {
    let before = text.get(..line).unwrap_or_default();
    before.rfind("/*").is_some_and(|open| before.rfind("*/").is_none_or(|close| close < open))
}

/// What a comment says, if it is about what is to be ignored. `start` is where it begins in its file.
fn directive(file: FileId, start: usize, written: &str) -> Option<Ignore> {
    let span = |from: usize, to: usize| {
        let offset = |at: usize| u32::try_from(start + at).unwrap_or(u32::MAX);
        Span::new(offset(from), offset(to))
    };
    let offset_of = |part: &str| part.as_ptr().addr() - written.as_ptr().addr();
    let after = written.strip_prefix(SIGN)?.trim_start().strip_prefix("ignore")?;
    if after.starts_with(|next: char| next.is_alphanumeric() || next == '-') {
        return None;
    }
    let at = span(0, written.trim_end().len());
    let listed = after.trim_start().strip_prefix('[').and_then(|list| list.split_once(']'));
    let Some((list, rest)) = listed else {
        let at = Location { file, span: at };
        let (rules, scope) = (Vec::new(), Scope::default());
        return Some(Ignore { at, rules, scope, reason: None, expires: None, problem: None });
    };
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rules = names.map(|name| {
        let from = offset_of(name);
        Spanned::new(name.to_owned(), span(from, from + name.len()))
    });
    let rules = rules.collect();
    let (expires, reason) = match day(rest) {
        None => (None, rest.to_owned()),
        Some((from, day, to)) => {
            let at = offset_of(rest);
            let around = [rest.get(..from), rest.get(to..)].map(|part| part.unwrap_or_default().trim());
            (Some(Spanned::new(day.to_owned(), span(at + from, at + to))), around.join(" "))
        }
    };
    let reason = reason.trim().trim_start_matches([':', '-', ' ']).trim();
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    let at = Location { file, span: at };
    Some(Ignore { at, rules, scope: Scope::default(), reason, expires, problem: None })
}

/// Where a reason says until when: from where to where, and the day. Also the word of the configuration is understood,
/// so that no slip of the pen makes an ignore that holds for ever.
fn day(reason: &str) -> Option<(usize, &str, usize)> {
    let lower = reason.to_ascii_lowercase();
    for word in ["until", "expires"] {
        for (from, _) in lower.match_indices(word) {
            let is_word = !lower.get(..from).is_some_and(|before| before.ends_with(char::is_alphanumeric));
            let after = reason.get(from + word.len()..).unwrap_or_default();
            let value = after.trim_start().strip_prefix(['=', ':']).map(str::trim_start);
            let Some(value) = value.filter(|_| is_word) else { continue };
            let day = value.split_whitespace().next().unwrap_or_default();
            let to = reason.len() - value.len() + day.len();
            return Some((from, day, to));
        }
    }
    None
}

/// The start of the next line behind the one that starts here that is neither empty nor a comment alone. `sign` is a place
/// in the comment, which may have more lines.
fn next_line(text: &str, line: usize, sign: usize) -> Option<usize> {
    let before = text.get(line..sign).unwrap_or_default().trim();
    let is_block = before.ends_with("/*") || before == "*";
    let close = text.get(sign..).and_then(|rest| rest.find("*/")).filter(|_| is_block);
    let from = close.map_or(line, |close| {
        let end = sign + close;
        text.get(..end).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
    });
    let mut following = lines(text, from).skip(1);
    let is_code = |content: &str| {
        let content = content.trim();
        !content.is_empty() && !["#", "//", "<!--"].iter().any(|marker| content.starts_with(marker))
    };
    following.find(|(_, content)| is_code(content)).map(|(start, _)| start)
}

/// The bytes of a line, of what is indented below it, and of the bracket that closes it. A line that goes on behind a
/// backslash, and a here-document, belong to where they begin, however they are indented.
fn block(text: &str, line: usize) -> Span {
    let mut all = lines(text, line);
    let Some((start, first)) = all.next() else {
        return Span::empty(u32::try_from(line).unwrap_or(u32::MAX));
    };
    let own = indentation(first);
    // A list may stand as deep as the key that it belongs to.
    let code = first.split(" #").next().unwrap_or(first);
    let opens_list = code.trim_end().ends_with(':') && !code.trim_start().starts_with("- ");
    let mut end = start + first.len();
    let mut goes_on = first.trim_end().ends_with('\\');
    let mut terminator = here_document(first);
    for (start, content) in all {
        let trimmed = content.trim();
        let depth = indentation(content);
        if let Some(word) = terminator {
            end = start + content.len();
            if trimmed == word {
                terminator = None;
            }
            continue;
        }
        if trimmed.is_empty() && !goes_on {
            continue;
        }
        let is_below = goes_on || depth > own || (depth == own && opens_list && trimmed.starts_with("- "));
        let closes = depth == own && trimmed.starts_with(['}', ']', ')']);
        if is_below || closes {
            end = start + content.len();
            terminator = here_document(content);
        }
        if !is_below {
            break;
        }
        goes_on = trimmed.ends_with('\\');
    }
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(offset(start), offset(end))
}

/// The word that ends the here-document which a line opens.
fn here_document(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("<<")?;
    let word = rest.trim_start_matches(['-', '~']).split_whitespace().next()?;
    let word = word.trim_matches(['\'', '"', '\\']);
    (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
        .then_some(word)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The lines from the one that starts here on, each with its start.
fn lines(text: &str, from: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut start = from;
    text.get(from..).unwrap_or_default().split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

/// The address of the resource of Terraform that a line declares.
fn declared(text: &str, line: usize) -> Option<String> {
    let (_, content) = lines(text, line).next()?;
    let mut words = content.trim().trim_end_matches('{').split_whitespace();
    let (kind, first, second) = (words.next()?, words.next()?, words.next());
    let name = |word: &str| word.trim_matches('"').to_owned();
    match (kind, second) {
        ("resource", Some(second)) => Some(format!("{}.{}", name(first), name(second))),
        ("data", Some(second)) => Some(format!("data.{}.{}", name(first), name(second))),
        ("module", None) => Some(format!("module.{}", name(first))),
        _ => None,
    }
}

/// The object of JSON that a place is in, and the resource of Terraform that it declares.
fn object_around(file: FileId, text: &str, at: usize) -> Option<Place> {
    let mut arena = Arena::default();
    json::parse(text, &mut arena, &mut Vec::new());
    let root = Tree::new(text, &arena).root()?;
    let at = u32::try_from(at).ok()?;
    let is_around = |node: Node<'_>| node.span().start() <= at && at < node.span().end();
    let objects = root.descendants().filter(|node| node.kind() == Kind::Object && is_around(*node));
    let span = objects.map(Node::span).min_by_key(|span| span.end() - span.start())?;
    let declared = |kind: &str, prefix: &str| {
        let types = root.get(kind)?.members().find(|member| is_around(member.value))?;
        let resource = types.value.members().find(|member| is_around(member.value))?;
        let (first, second) = (types.key.as_str()?, resource.key.as_str()?);
        Some(format!("{prefix}{first}.{second}"))
    };
    let declares = declared("resource", "").or_else(|| declared("data", "data."));
    Some(Place { file, span, declares })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    /// What each ignore covers, and what it declares.
    fn covered<'t>(path: &str, text: &'t str) -> Vec<(&'t str, Option<String>)> {
        let of = |ignore: Ignore| {
            let place = ignore.scope.place.unwrap();
            (text.get(place.span.range()).unwrap().trim(), place.declares)
        };
        ignores(FileId(0), path, text).into_iter().map(of).collect()
    }

    #[test]
    fn a_comment_says_which_rules_why_and_until_when() {
        let text = "# keylint: ignore[a, b-c] until=2027-01-31 SEC-1: because\n";
        let [ignore] = &ignores(FileId(0), "a.yaml", &format!("{text}x: 1\n"))[..] else { panic!("one") };
        let names: Vec<(&str, &str)> = ignore
            .rules
            .iter()
            .map(|rule| (rule.value.as_str(), text.get(rule.span.range()).unwrap()))
            .collect();
        assert_eq!(names, [("a", "a"), ("b-c", "b-c")]);
        assert_eq!(ignore.reason.as_deref(), Some("SEC-1: because"));
        let expires = ignore.expires.as_ref().unwrap();
        assert_eq!(
            (expires.value.as_str(), text.get(expires.span.range())),
            ("2027-01-31", Some("until=2027-01-31"))
        );
        assert_eq!(text.get(ignore.at.span.range()), Some(text.trim_end().trim_start_matches("# ")));
    }

    #[test]
    fn in_yaml_a_comment_covers_what_is_indented_below() {
        let text = "Statement:\n  # keylint: ignore[a] x\n  - Sid: A\n    Action: b\n  - Sid: B # keylint: ignore[a] x\n    Action:\n    - c\nOther: 1\nList: # keylint: ignore[a] x\n- d\n";
        let found: Vec<&str> = covered("a.yaml", text).into_iter().map(|(text, _)| text).collect();
        assert_eq!(
            found,
            [
                "- Sid: A\n    Action: b",
                "- Sid: B # keylint: ignore[a] x\n    Action:\n    - c",
                "List: # keylint: ignore[a] x\n- d"
            ]
        );
    }

    #[test]
    fn in_terraform_it_covers_a_block_and_the_resource_that_it_declares() {
        let text = "// keylint: ignore[a] x\nresource \"aws_kms_key\" \"k\" {\n  policy = 1 # keylint: ignore[a] x\n}\nlocals {}\n";
        let key = "resource \"aws_kms_key\" \"k\" {\n  policy = 1 # keylint: ignore[a] x\n}";
        assert_eq!(
            covered("a.tf", text),
            [(key, Some("aws_kms_key.k".to_owned())), ("policy = 1 # keylint: ignore[a] x", None)]
        );
        let json = r#"{"resource": {"aws_kms_key": {"k": {"//": "keylint: ignore[a] x", "policy": ""}}}}"#;
        let object = r#"{"//": "keylint: ignore[a] x", "policy": ""}"#;
        assert_eq!(covered("a.tf.json", json), [(object, Some("aws_kms_key.k".to_owned()))]);
    }

    #[test]
    fn lines_that_go_on_and_here_documents_belong_to_where_they_begin() {
        let shell = "# keylint: ignore[a] x\naws kms create-grant \\\n--key-id k\necho\n";
        assert_eq!(covered("a.sh", shell), [("aws kms create-grant \\\n--key-id k", None)]);
        let terraform = "  # keylint: ignore[a] x\n  policy = <<EOT\n{\n}\nEOT\n}\n";
        assert_eq!(covered("a.tf", terraform), [("policy = <<EOT\n{\n}\nEOT", None)]);
        let block = "/*\n * keylint: ignore[a] x\n */\nlocals {}\n/* keylint: ignore[a] x\n*/\nb = 1\n";
        assert_eq!(covered("a.tf", block), [("locals {}", None), ("b = 1", None)]);
        // At the end of a file it is about nothing.
        assert_eq!(covered("a.tf", "a = 1\n# keylint: ignore[a] x"), [("", None)]);
    }

    #[test]
    fn a_day_is_found_wherever_it_stands() {
        for (text, day, reason) in [
            ("until=2027-01-31 x", "2027-01-31", "x"),
            ("SEC-1 until=2027-01-31", "2027-01-31", "SEC-1"),
            ("SEC-1 until: 2027-01-31, or so", "2027-01-31,", "SEC-1 or so"),
            ("- Expires = soon x", "soon", "x"),
        ] {
            let written = format!("keylint: ignore[a] {text}");
            let ignore = directive(FileId(0), 0, &written).unwrap();
            let found = ignore.expires.map(|expires| expires.value);
            assert_eq!((found.as_deref(), ignore.reason.as_deref()), (Some(day), Some(reason)), "{text}");
        }
        let without = directive(FileId(0), 0, "keylint: ignore[a] until the partner moves").unwrap();
        assert_eq!(without.reason.as_deref(), Some("until the partner moves"));
    }

    #[test]
    fn what_is_no_comment_is_no_ignore() {
        for (path, text) in [
            ("a.yaml", "x: 'keylint: ignore[a] x'\ny: 1\n"),
            ("a.yaml", "x: \"a # keylint: ignore[a] x\"\n"),
            ("a.tf.json", "{\"description\": \"keylint: ignore[a] x\"}"),
            ("a.yaml", "# keylint: ignored[a]\ny: 1\n"),
            ("a.yaml", "# keylint: checked\ny: 1\n"),
            ("a.md", "```yaml\n# keylint: ignore[a] x\n```\nz\n"),
            ("a.json", "{\"#\": \"# keylint: ignore[a] x\"}\n"),
        ] {
            assert_eq!(ignores(FileId(0), path, text).len(), 0, "{text}");
        }
        assert_eq!(covered("a.md", "<!-- keylint: ignore[a] x -->\n    aws kms\n").len(), 1);
    }
}
