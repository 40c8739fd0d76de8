//! The words of `aws_iam_policy_document` for the elements of a policy.
//!
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>

use std::borrow::Cow;

use keylint_syntax::{Arena, Tree, json};

const ELEMENTS: [(&str, &str); 11] = [
    ("Version", "version"),
    ("Id", "policy_id"),
    ("Statement", "statement"),
    ("Sid", "sid"),
    ("Effect", "effect"),
    ("Principal", "principals"),
    ("NotPrincipal", "not_principals"),
    ("Action", "actions"),
    ("NotAction", "not_actions"),
    ("Resource", "resources"),
    ("NotResource", "not_resources"),
];

/// A sentence about a policy, in the words of a policy document: what it names in backticks, and conditions that it
/// quotes.
pub fn in_words_of_blocks(sentence: &str) -> Cow<'_, str> {
    if !sentence.contains('`') {
        return Cow::Borrowed(sentence);
    }
    let mut changed = false;
    let parts: Vec<Cow<'_, str>> = sentence
        .split('`')
        .enumerate()
        .map(|(index, part)| {
            let word = if index % 2 == 1 { translated(part) } else { None };
            changed |= word.is_some();
            word.map_or(Cow::Borrowed(part), Cow::Owned)
        })
        .collect();
    if changed { Cow::Owned(parts.join("`")) } else { Cow::Borrowed(sentence) }
}

fn translated(quoted: &str) -> Option<String> {
    if let Some((_, word)) = ELEMENTS.iter().find(|(element, _)| *element == quoted) {
        return Some((*word).to_owned());
    }
    match quoted {
        "Condition" => Some("condition".to_owned()),
        _ if quoted.starts_with('"') && quoted.contains(": {") => conditions(quoted),
        _ => None,
    }
}

/// `"Bool": {"key": "value"}` as the arguments of the blocks that say it.
fn conditions(quoted: &str) -> Option<String> {
    let text = format!("{{{quoted}}}");
    let mut arena = Arena::default();
    let mut problems = Vec::new();
    json::parse(&text, &mut arena, &mut problems);
    let root = Tree::new(&text, &arena).root().filter(|_| problems.is_empty())?;
    let mut blocks = Vec::new();
    for operator in root.members() {
        for key in operator.value.members() {
            let [test, variable, value] =
                [operator.key.as_string(), key.key.as_string(), key.value.as_string()];
            let (test, variable, value) = (test?, variable?, value?);
            blocks.push(format!("test = \"{test}\", variable = \"{variable}\", values = [\"{value}\"]"));
        }
    }
    (!blocks.is_empty()).then(|| blocks.join("` and `"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn elements_and_conditions_have_the_words_of_blocks() {
        for (sentence, expected) in [
            (
                "this statement has no `Action` and `Resource`",
                "this statement has no `actions` and `resources`",
            ),
            ("`Action: kms:*` stays", "`Action: kms:*` stays"),
            ("no backticks, no Action", "no backticks, no Action"),
            (
                "add the condition `\"Bool\": {\"kms:GrantIsForAWSResource\": \"true\"}`",
                "add the condition `test = \"Bool\", variable = \"kms:GrantIsForAWSResource\", values = [\"true\"]`",
            ),
        ] {
            assert_eq!(in_words_of_blocks(sentence), expected);
        }
    }
}
