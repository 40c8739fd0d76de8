//! Every rule keeps its word: alone, it finds exactly what its bad examples mark, and nothing in its good ones.

// Clippy knows tests by this, and lets their helpers unwrap.
#![cfg(test)]

mod examples;

use keylint::lint::Scratch;
use keylint_source::{Diagnostic, FileId};
use keylint_syntax::Node;
use pretty_assertions::assert_eq;

use examples::{Example, each_example};

/// What one rule alone finds in an example, and the text it was found in: the example's policy as JSON.
fn found(rule: &str, example: &Example<'_>) -> (Vec<Diagnostic>, String) {
    let text = match example.node.get("text").and_then(Node::as_str) {
        Some(text) => text.to_owned(),
        // Every example is a key policy, also one that could be taken for a policy of another kind.
        None => keylint_syntax::to_json(example.node.get("policy").unwrap()),
    };
    let linter = example.linter("example.json", &[rule]);
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

/// What is to be compared of an example: its name, and for each finding what is underlined and what is said.
type Seen = (String, Vec<(Vec<String>, String, String)>);

#[test]
fn bad_examples_give_one_finding_at_their_marks() {
    let (mut seen, mut wanted): (Vec<Seen>, Vec<Seen>) = (Vec::new(), Vec::new());
    each_example(|kind, rule, example| {
        if kind == "good" {
            return;
        }
        let (diagnostics, text) = found(rule, &example);
        let listed = |key| example.node.get(key).into_iter().flat_map(Node::items).filter_map(Node::as_str);
        let marked: Vec<String> = listed("marks").map(plain).collect();
        assert!(!marked.is_empty(), "{} has no marks", example.name);
        let said = |key: &str| example.node.get(key).and_then(Node::as_str);
        let of_finding = |diagnostic: &Diagnostic| {
            assert_eq!(diagnostic.rule, rule, "{}", example.name);
            // The first mark is the cause. Further ones, where an example names them, are the other places.
            let shown = if marked.len() == 1 { 1 } else { usize::MAX };
            let marks = marks(diagnostic, &text).into_iter().take(shown).collect();
            let message = said("message").map_or("", |_| diagnostic.message.as_str());
            let severity = said("severity").map_or("", |_| diagnostic.severity.as_str());
            (marks, message.to_owned(), severity.to_owned())
        };
        let one = |key| said(key).unwrap_or_default().to_owned();
        seen.push((example.name.clone(), diagnostics.iter().map(of_finding).collect()));
        wanted.push((example.name.clone(), vec![(marked.clone(), one("message"), one("severity"))]));
    });
    let differing = |all: &[Seen], others: &[Seen]| -> Vec<Seen> {
        all.iter().zip(others).filter(|(one, other)| one != other).map(|(one, _)| one.clone()).collect()
    };
    assert_eq!(differing(&seen, &wanted), differing(&wanted, &seen));
}

#[test]
fn good_examples_give_none() {
    let mut seen = Vec::new();
    each_example(|kind, rule, example| {
        if kind == "good" {
            let said = found(rule, &example).0.into_iter().map(|diagnostic| diagnostic.message);
            seen.extend(said.map(|message| (example.name.clone(), message)));
        }
    });
    assert_eq!(seen, []);
}

#[test]
fn sentences_are_complete() {
    each_example(|kind, rule, example| {
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
