//! Every rule keeps its word: alone, it finds exactly what its bad examples mark, and nothing in its good ones.

// Clippy knows tests by this, and lets their helpers unwrap.
#![cfg(test)]

mod examples;

use std::collections::BTreeMap;

use keylint::lint::{FIRST_INPUT, OfUse, Scratch};
use keylint_source::{Diagnostic, FileId};
use keylint_syntax::{Member, Node};
use pretty_assertions::assert_eq;

use examples::{Example, each_example};

/// The files of an example by their names: one for a document that stands alone.
fn files(example: &Example<'_>) -> Vec<(String, String)> {
    let content = |node: Node<'_>| match node.as_string() {
        Some(text) => text.to_owned(),
        None => keylint_syntax::to_json(node),
    };
    if let Some(files) = example.node.get("files") {
        let file = |member: Member<'_>| (member.key.as_str().unwrap().to_owned(), content(member.value));
        return files.members().map(file).collect();
    }
    let alone = ["text", "policy", "grant", "identity-policy"].iter().find_map(|key| example.node.get(key));
    vec![("example.json".to_owned(), content(alone.unwrap()))]
}

/// What one rule alone finds in an example, and the texts of its files by their ids.
fn found(rule: &str, example: &Example<'_>) -> (Vec<Diagnostic>, BTreeMap<FileId, String>) {
    let files = files(example);
    let linter = example.linter("example.json", &[rule]);
    let id = |index: usize| FileId(FIRST_INPUT.0 + u32::try_from(index).unwrap());
    let mut diagnostics = Vec::new();
    for (index, (path, text)) in files.iter().enumerate() {
        diagnostics.extend(linter.lint(id(index), path, text, &mut Scratch::default()).diagnostics);
    }
    let of_use: Vec<OfUse<'_>> =
        files.iter().enumerate().map(|(index, (path, text))| OfUse { file: id(index), path, text }).collect();
    // A document that stands alone is only a part of what its configuration speaks of.
    if example.node.get("files").is_some() {
        diagnostics.extend(linter.lint_uses(&of_use, &|_| None, id(files.len())).diagnostics);
    }
    diagnostics.sort_by(Diagnostic::order);
    let mut texts: BTreeMap<FileId, String> =
        files.into_iter().enumerate().map(|(index, (_, text))| (id(index), text)).collect();
    texts.extend(example.config("example.json").map(|text| (FileId(0), text)));
    (diagnostics, texts)
}

/// The text that is underlined, with the blanks of lists as the example writes them.
fn marks(diagnostic: &Diagnostic, texts: &BTreeMap<FileId, String>) -> Vec<String> {
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.related);
    labels.map(|label| plain(texts[&label.at.file].get(label.at.span.range()).unwrap())).collect()
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
        let (diagnostics, texts) = found(rule, &example);
        let listed = |key| example.node.get(key).into_iter().flat_map(Node::items).filter_map(Node::as_str);
        let marked: Vec<String> = listed("marks").map(plain).collect();
        assert!(!marked.is_empty(), "{} has no marks", example.name);
        let said = |key: &str| example.node.get(key).and_then(Node::as_str);
        let of_finding = |diagnostic: &Diagnostic| {
            assert_eq!(diagnostic.rule, rule, "{}", example.name);
            // The first mark is the cause. Further ones, where an example names them, are the other places.
            let shown = if marked.len() == 1 { 1 } else { usize::MAX };
            let marks = marks(diagnostic, &texts).into_iter().take(shown).collect();
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
