//! The same policy gives the same findings in every container, at the bytes that say the same there.

// Clippy knows tests by this, and lets their helpers unwrap.
#![cfg(test)]

#[path = "../examples/mod.rs"]
mod examples;
mod forms;
mod others;

use keylint::lint::{FIRST_INPUT, Linter, Scratch};
use keylint_extract::in_words_of_blocks;
use keylint_source::Diagnostic;
use keylint_syntax::{Arena, Node, Tree, json};
use pretty_assertions::assert_eq;

use examples::{Example, each_example};
use forms::{Form, forms};
use others::{grant_forms, identity_policy_forms};

/// What is compared of a finding: everything but places, and of those the text, where it is the same.
type Seen = (String, Vec<String>);

fn seen(found: &Diagnostic, text: &str, is_in_blocks: bool) -> Seen {
    let cut = |label: &keylint_source::Label| {
        let cut = text.get(label.at.span.range()).unwrap_or_else(|| panic!("{:?} of {text}", label.at));
        comparable(cut, is_in_blocks)
    };
    let places = std::iter::once(&found.primary).chain(&found.related).map(cut).collect();
    let words =
        |text: &str| if is_in_blocks { text.to_owned() } else { in_words_of_blocks(text).into_owned() };
    let mut said = vec![format!("{} {} {}", found.rule, found.severity, words(&found.message))];
    // What is said of a file of its own is not said of a template.
    let notes = found.notes.iter().filter(|note| !note.starts_with("the file is"));
    said.extend(found.help.iter().chain(notes).map(|text| words(text)));
    (said.join(" | "), places)
}

/// The text of a place, if it is a string of the policy: lists and objects look otherwise in each language.
fn comparable(cut: &str, is_in_blocks: bool) -> String {
    let plain = cut.trim_matches(['"', '\'']);
    let is_element = [
        "Statement",
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Version",
        "Id",
        "EncryptionContextSubset",
        "encryption_context_subset",
    ]
    .contains(&plain);
    let is_text = !plain.contains(['{', '}', '[', ']', '\n', '\\', ',', '=']) && !cut.is_empty();
    if is_text && !(is_element || is_in_blocks && plain.contains(' ')) {
        plain.to_owned()
    } else {
        String::new()
    }
}

fn found(linter: &Linter, path: &str, text: &str) -> (Vec<Diagnostic>, u32) {
    let linted = linter.lint(FIRST_INPUT, path, text, &mut Scratch::default());
    let mut found = linted.diagnostics;
    // Blanks count in a document that is sent as it is written; what is put together is sent without.
    found.retain(|found| !found.message.contains("as it stands"));
    // A placeholder of a policy is put into templates as it is.
    found.retain(|found| found.rule != "missing-substitution");
    (found, linted.policies + linted.grants + linted.identity_policies)
}

/// The findings that the policy of an example has in a container, and those that it should have there: the lines in
/// which they differ.
fn differences(linter: &Linter, form: &Form, expected: &[Seen]) -> Vec<String> {
    let (diagnostics, policies) = found(linter, form.path, &form.text);
    if policies != 1 {
        return vec![format!("{policies} policies found: {diagnostics:?}")];
    }
    let mut expected = expected.to_vec();
    let mut actual: Vec<Seen> =
        diagnostics.iter().map(|found| seen(found, &form.text, form.is_in_blocks)).collect();
    actual.sort();
    // Whole lists and objects, and what stands in for an element that a document does not have, differ.
    for (actual, expected) in actual.iter_mut().zip(&mut expected) {
        for (actual, expected) in actual.1.iter_mut().zip(&mut expected.1) {
            if actual.is_empty() || expected.is_empty() {
                actual.clear();
                expected.clear();
            }
        }
    }
    let lines = |of: &[Seen], without: &[Seen], sign: &str| -> Vec<String> {
        of.iter().filter(|one| !without.contains(one)).map(|one| format!("{sign} {one:.300?}")).collect()
    };
    [lines(&expected, &actual, "-"), lines(&actual, &expected, "+")].concat()
}

/// The containers of a document, and those in which it is found otherwise than by itself.
fn compare(
    example: &Example<'_>,
    raw: &str,
    forms: impl Fn(Node<'_>) -> Vec<Form>,
    differing: &mut Vec<(String, Vec<String>)>,
) -> usize {
    let linter = example.linter("example.*", &[]);
    let (expected, documents) = found(&linter, "example.json", raw);
    if documents == 0 {
        return 0;
    }
    let mut expected: Vec<Seen> = expected.iter().map(|found| seen(found, raw, false)).collect();
    expected.sort();
    let mut arena = Arena::default();
    json::parse(raw, &mut arena, &mut Vec::new());
    let forms = forms(Tree::new(raw, &arena).root().unwrap());
    for form in &forms {
        let lines = differences(&linter, form, &expected);
        if !lines.is_empty() {
            differing.push((format!("{} in {}", example.name, form.name), lines));
        }
    }
    forms.len()
}

/// A member of what the configuration of an example says of its key.
fn of_key<'t>(example: &Example<'t>, name: &str) -> Option<&'t str> {
    let key = example.node.get("config")?.get("keys")?.items().next()?;
    key.get("policy").filter(|policy| policy.as_str() == Some("example.json"))?;
    key.get(name).and_then(Node::as_str)
}

#[test]
fn every_example_of_every_rule_is_the_same_in_every_container() {
    let mut differing: Vec<(String, Vec<String>)> = Vec::new();
    let (mut count, mut documents) = (0, 0);
    each_example(|_, _, example| {
        let Some(policy) = example.node.get("policy") else { return };
        let raw = keylint_syntax::to_json(policy);
        let all = |policy: Node<'_>| forms(policy, of_key(&example, "spec"), of_key(&example, "usage"));
        count += compare(&example, &raw, all, &mut differing);
        // A policy document always has a version.
        if policy.get("Version").is_none() {
            let with_version = raw.replacen('{', "{\n  \"Version\": \"2012-10-17\",", 1);
            let in_blocks = |policy: Node<'_>| {
                all(policy).into_iter().filter(|form| form.is_in_blocks).collect::<Vec<_>>()
            };
            documents += compare(&example, &with_version, in_blocks, &mut differing);
        }
    });
    assert!(count > 3_000 && documents > 200, "{count} policies and {documents} documents were compared");
    assert_eq!(differing, []);
}

#[test]
fn grants_and_iam_policies_are_the_same_in_every_container() {
    let mut differing: Vec<(String, Vec<String>)> = Vec::new();
    let (mut grants, mut policies) = (0, 0);
    each_example(|_, _, example| {
        if let Some(grant) = example.node.get("grant") {
            grants += compare(&example, &keylint_syntax::to_json(grant), grant_forms, &mut differing);
        }
        if let Some(policy) = example.node.get("identity-policy") {
            let raw = keylint_syntax::to_json(policy);
            policies += compare(&example, &raw, identity_policy_forms, &mut differing);
        }
    });
    assert!(grants > 150 && policies > 150, "{grants} grants and {policies} IAM policies were compared");
    assert_eq!(differing, []);
}
