//! The page of a rule, which `keylint explain` prints, and all of them in one document.

use std::fmt::Write as _;

use keylint_source::RuleInfo;
use keylint_syntax::{Arena, Node, Tree, yaml};

/// The page of a rule. `text` is its file.
pub(crate) fn page(info: &RuleInfo, text: &str) -> String {
    let mut page = format!("{} ({}, {})\n\n{}\n", info.name, info.severity, info.group, info.summary);
    for (heading, body) in sections(info) {
        let _ = write!(page, "\n{heading}\n{}", indented(body));
    }
    examples(text, |heading, why, example| {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let _ = write!(page, "\n{heading}{why}\n{}", indented(example));
    });
    if !info.references.is_empty() {
        page.push_str("\nReferences\n");
        for reference in &info.references {
            let _ = writeln!(page, "  {reference}");
        }
    }
    page
}

/// The pages of all rules as one document in Markdown, with a table of contents by group.
pub(crate) fn reference<'r>(groups: &[&str], rules: &[(&'r RuleInfo, &'r str)]) -> String {
    let mut page = "# The rules of keylint\n".to_owned();
    let of = |group: &str| rules.iter().filter(move |(info, _)| info.group == group).collect::<Vec<_>>();
    let groups: Vec<&str> = groups.iter().copied().filter(|group| !of(group).is_empty()).collect();
    for group in &groups {
        let _ = writeln!(page, "\n- {group}");
        for (info, _) in of(group) {
            let _ = writeln!(page, "  - [{0}](#{0}): {1}", info.name, info.summary);
        }
    }
    for group in groups {
        let _ = writeln!(page, "\n## {group}");
        for (info, text) in of(group) {
            section(info, text, &mut page);
        }
    }
    page
}

fn section(info: &RuleInfo, text: &str, page: &mut String) {
    let _ = write!(page, "\n### {}\n\n{} ({})\n", info.name, info.summary, info.severity);
    for (heading, body) in sections(info) {
        let _ = write!(page, "\n**{heading}.** {}\n", body.trim_end());
    }
    examples(text, |heading, why, example| {
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        let _ = write!(page, "\n{heading}{why}:\n\n```json\n{}\n```\n", example.trim_end());
    });
    if !info.references.is_empty() {
        page.push_str("\nReferences:\n\n");
        for reference in &info.references {
            let _ = writeln!(page, "- <{reference}>");
        }
    }
}

fn sections(info: &RuleInfo) -> impl Iterator<Item = (&'static str, &str)> {
    let all = [("Why", info.why.as_str()), ("What to do", info.help.as_str())];
    all.into_iter().filter(|(_, body)| !body.is_empty())
}

/// The most lines of an example that a page shows.
const LINES: usize = 60;

/// The first example of each kind: its heading, what it shows, and its text.
fn examples(text: &str, mut each: impl FnMut(&str, Option<&str>, &str)) {
    let mut arena = Arena::default();
    yaml::parse(text, &mut arena, &mut Vec::new());
    let examples = Tree::new(text, &arena).root().and_then(|root| root.get("examples"));
    for (kind, heading) in [("bad", "Reported"), ("good", "Not reported")] {
        let first = examples.and_then(|examples| examples.get(kind)).and_then(|list| list.items().next());
        let Some(example) = first else { continue };
        let Some(text) = content(example) else { continue };
        let shown: Vec<&str> = text.lines().take(LINES).collect();
        let cut = if text.lines().nth(LINES).is_some() { "\n…" } else { "" };
        let mut why = example.get("why").and_then(Node::as_str).map(str::to_owned);
        if let Some(config) = example.get("config").map(keylint_syntax::to_json) {
            let config = config.split_whitespace().collect::<Vec<_>>().join(" ");
            why = why.map(|why| format!("{why} (keylint.yaml: {config})"));
        }
        each(heading, why.as_deref(), &format!("{}{cut}", shown.join("\n")));
    }
}

/// What an example shows: one document, or several files with their names.
fn content(example: Node<'_>) -> Option<String> {
    let of = |node: Node<'_>| match node.as_string() {
        Some(text) => text.to_owned(),
        None => keylint_syntax::to_json(node),
    };
    let Some(files) = example.get("files") else {
        let alone = ["policy", "grant", "identity-policy", "text"].iter().find_map(|key| example.get(key));
        return alone.map(of);
    };
    let file = |file: keylint_syntax::Member<'_>| {
        format!("# {}\n{}", file.key.as_str().unwrap_or_default(), of(file.value).trim_end())
    };
    Some(files.members().map(file).collect::<Vec<_>>().join("\n\n"))
}

fn indented(text: &str) -> String {
    text.trim_end().lines().fold(String::new(), |mut page, line| {
        let _ = writeln!(page, "  {line}");
        page
    })
}
