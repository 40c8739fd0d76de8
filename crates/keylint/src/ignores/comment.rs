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
        let (marker, end) = if before.ends_with("<!--") {
            ("<!--", rest.find("-->"))
        } else if is_json_of_terraform {
            (r#""//": ""#, rest.find('"'))
        } else if is_markdown || language == Some(Language::Json) {
            // What stands in the code of a text is an example.
            continue;
        } else if before.ends_with("/*") {
            ("/*", rest.find("*/"))
        } else if before.ends_with("//") {
            ("//", None)
        } else if before.ends_with('#') {
            ("#", None)
        } else {
            continue;
        };
        let written = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let Some(mut ignore) = directive(file, sign, written) else { continue };
        let place = if is_json_of_terraform {
            object_around(file, text, sign)
        } else {
            let code = before.strip_suffix(marker).unwrap_or(before);
            let is_alone = code.trim_matches(|mark: char| mark.is_whitespace() || mark == '#').is_empty();
            let line = if is_alone { next_line(text, line_start) } else { Some(line_start) };
            line.map(|line| Place { file, span: block(text, line), declares: declared(text, line) })
        };
        let Some(place) = place else { continue };
        ignore.scope = Scope { place: Some(place), ..Scope::default() };
        found.push(ignore);
    }
    found
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
        return Some(Ignore { at, rules: Vec::new(), scope: Scope::default(), reason: None, expires: None });
    };
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let rules = names.map(|name| {
        let from = offset_of(name);
        Spanned::new(name.to_owned(), span(from, from + name.len()))
    });
    let rules = rules.collect();
    let mut rest = rest.trim();
    let mut expires = None;
    if let Some(day) = rest.strip_prefix("until=") {
        let day = day.split_whitespace().next().unwrap_or_default();
        let from = offset_of(rest);
        let length = "until=".len() + day.len();
        expires = Some(Spanned::new(day.to_owned(), span(from, from + length)));
        rest = rest.get(length..).unwrap_or_default();
    }
    let reason = rest.trim_start_matches([':', '-', ' ']).trim();
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    Some(Ignore { at: Location { file, span: at }, rules, scope: Scope::default(), reason, expires })
}

/// The start of the next line behind the one that starts here that is neither empty nor a comment alone.
fn next_line(text: &str, line: usize) -> Option<usize> {
    lines(text, line)
        .skip(1)
        .find(|(_, content)| {
            let content = content.trim();
            !content.is_empty() && !["#", "//", "<!--"].iter().any(|marker| content.starts_with(marker))
        })
        .map(|(start, _)| start)
}

/// The bytes of a line, of what is indented below it, and of the bracket that closes it.
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
    for (start, content) in all {
        let trimmed = content.trim();
        let depth = indentation(content);
        if trimmed.is_empty() {
            continue;
        }
        let is_below = depth > own || (depth == own && opens_list && trimmed.starts_with("- "));
        let closes = depth == own && trimmed.starts_with(['}', ']', ')']);
        if is_below || closes {
            end = start + content.len();
        }
        if !is_below {
            break;
        }
    }
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(offset(start), offset(end))
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
    fn what_is_no_comment_is_no_ignore() {
        for (path, text) in [
            ("a.yaml", "x: 'keylint: ignore[a] x'\ny: 1\n"),
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
