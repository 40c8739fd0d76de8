//! The page of a rule: what `keylint explain` prints.

use std::fmt::Write as _;

use keylint_source::RuleInfo;
use keylint_syntax::{Arena, Node, Tree, yaml};

/// The page of a rule. `text` is its file.
pub(crate) fn page(info: &RuleInfo, text: &str) -> String {
    let mut page = format!("{} ({}, {})\n\n{}\n", info.name, info.severity, info.group, info.summary);
    for (heading, body) in [("Why", &info.why), ("What to do", &info.help)] {
        if !body.is_empty() {
            let _ = write!(page, "\n{heading}\n{}", indented(body));
        }
    }
    let mut arena = Arena::default();
    yaml::parse(text, &mut arena, &mut Vec::new());
    let examples = Tree::new(text, &arena).root().and_then(|root| root.get("examples"));
    for (kind, heading) in [("bad", "Reported"), ("good", "Not reported")] {
        let first = examples.and_then(|examples| examples.get(kind)).and_then(|list| list.items().next());
        if let Some(example) = first {
            example_text(heading, example, &mut page);
        }
    }
    if !info.references.is_empty() {
        page.push_str("\nReferences\n");
        for reference in &info.references {
            let _ = writeln!(page, "  {reference}");
        }
    }
    page
}

fn example_text(heading: &str, example: Node<'_>, page: &mut String) {
    let why = example.get("why").and_then(Node::as_str);
    let _ = writeln!(page, "\n{heading}{}", why.map(|why| format!(": {why}")).unwrap_or_default());
    match (example.get("policy"), example.get("text").and_then(Node::as_str)) {
        (Some(policy), _) => page.push_str(&indented(&keylint_syntax::to_json(policy))),
        (None, Some(text)) => page.push_str(&indented(text)),
        (None, None) => {}
    }
}

fn indented(text: &str) -> String {
    text.trim_end().lines().fold(String::new(), |mut page, line| {
        let _ = writeln!(page, "  {line}");
        page
    })
}
