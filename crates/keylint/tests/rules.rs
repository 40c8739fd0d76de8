//! Every rule keeps its word: alone, it finds exactly what its bad examples mark, and nothing in its good ones.

// Clippy knows tests by this, and lets their helpers unwrap.
#![cfg(test)]

use keylint::lint::{Linter, Scratch, Settings};
use keylint_source::{Diagnostic, FileId};
use keylint_syntax::{Arena, Node, Tree, yaml};
use pretty_assertions::assert_eq;

/// What an example says, and where in the rule file it says so.
struct Example<'t> {
    name: String,
    node: Node<'t>,
}

fn examples(mut each: impl FnMut(&str, &str, Example<'_>)) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    for path in files {
        let rule = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        yaml::parse(&text, &mut arena, &mut problems);
        assert_eq!(problems, [], "{rule}");
        let root = Tree::new(&text, &arena).root().unwrap();
        for kind in ["bad", "good"] {
            let list = root.get("examples").and_then(|examples| examples.get(kind));
            let nodes: Vec<Node<'_>> = list.into_iter().flat_map(Node::items).collect();
            let keeps_itself = root.get("raised-by").is_some_and(|by| by.as_str() != Some("grammar"));
            assert!(!nodes.is_empty() || keeps_itself, "{rule} has no {kind} example");
            for node in nodes {
                let why = node.get("why").and_then(Node::as_str).unwrap_or("?");
                each(kind, &rule, Example { name: format!("{rule}: {why}"), node });
            }
        }
    }
}

/// What one rule alone finds in an example, and the text it was found in: the example's policy as JSON.
fn found(rule: &str, example: &Example<'_>) -> (Vec<Diagnostic>, String) {
    let text = match example.node.get("text").and_then(Node::as_str) {
        Some(text) => text.to_owned(),
        // Every example is a key policy, also one that could be taken for a policy of another kind.
        None => keylint_syntax::to_json(example.node.get("policy").unwrap()),
    };
    let services = example.node.get("services").into_iter().flat_map(Node::items);
    let settings = Settings {
        account: example.node.get("account").and_then(Node::as_str).map(str::to_owned),
        services: services.filter_map(Node::as_str).map(str::to_owned).collect(),
        select: vec![rule.to_owned()],
        ..Settings::default()
    };
    let (linter, problems, _) = Linter::new(&settings, &|_| unreachable!("no file is named")).unwrap();
    assert_eq!(problems, []);
    let mut diagnostics = linter.lint(FileId(0), "example.json", &text, &mut Scratch::default()).diagnostics;
    diagnostics.sort_by(Diagnostic::order);
    (diagnostics, text)
}

/// The text that is underlined, with the blanks of lists as the example writes them.
fn marks(diagnostic: &Diagnostic, text: &str) -> Vec<String> {
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.related);
    labels.map(|label| plain(text.get(label.at.span.range()).unwrap())).collect()
}

/// A text without the quotation marks and blanks in which JSON and an example may differ.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && *character != '"').collect()
}

#[test]
fn bad_examples_give_one_finding_at_their_marks() {
    examples(|kind, rule, example| {
        if kind == "good" {
            return;
        }
        let (diagnostics, text) = found(rule, &example);
        let [diagnostic] = diagnostics.as_slice() else { panic!("{}: {diagnostics:#?}", example.name) };
        assert_eq!(diagnostic.rule, rule, "{}", example.name);
        let wanted = example.node.get("marks").into_iter().flat_map(Node::items);
        let wanted: Vec<String> = wanted.filter_map(Node::as_str).map(plain).collect();
        assert!(!wanted.is_empty(), "{} has no marks", example.name);
        let marks = marks(diagnostic, &text);
        // The first mark is the cause. Further ones, where an example names them, are the other places.
        let shown = if wanted.len() == 1 { marks.into_iter().take(1).collect() } else { marks };
        assert_eq!(shown, wanted, "{}", example.name);
        if let Some(message) = example.node.get("message").and_then(Node::as_str) {
            assert_eq!(diagnostic.message, message, "{}", example.name);
        }
        if let Some(severity) = example.node.get("severity").and_then(Node::as_str) {
            assert_eq!(diagnostic.severity.as_str(), severity, "{}", example.name);
        }
    });
}

#[test]
fn good_examples_give_none() {
    examples(|kind, rule, example| {
        if kind == "good" {
            let (diagnostics, _) = found(rule, &example);
            assert_eq!(diagnostics, [], "{}", example.name);
        }
    });
}

#[test]
fn sentences_are_complete() {
    examples(|kind, rule, example| {
        if kind == "bad" {
            let (diagnostics, _) = found(rule, &example);
            for diagnostic in diagnostics {
                let texts = [diagnostic.message.as_str(), diagnostic.help.as_deref().unwrap_or("x")];
                for text in texts.into_iter().chain(diagnostic.notes.iter().map(String::as_str)) {
                    assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text}", example.name);
                    assert!(!text.contains("{}") && !text.contains("``"), "{}: {text}", example.name);
                }
                assert!(diagnostic.help.is_some(), "{}: no help", example.name);
            }
        }
    });
}
