//! Policy variables: `${aws:username}` and its like, and what is wrong with them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::ops::Range;

use keylint_policy::model::{Statement, Text, Version};
use keylint_policy::vocabulary::{ConditionKey, ValueType, suggest_condition_key};
use keylint_source::{Severity, Span};

use super::condition::conditions;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// What stands at a `${`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Variable {
    /// A variable that IAM reads.
    Valid,
    /// `${}`.
    Empty,
    /// What was meant as one: what is wrong with it, and what was probably meant.
    Wrong(&'static str, Option<String>),
}

/// Names with the prefix of a service that are placeholders of templates and no condition keys.
const OF_TEMPLATES: &[&str] =
    &["aws:accountid", "aws:region", "aws:partition", "aws:stackname", "aws:urlsuffix"];

/// The policy variables in a text, and what was meant as one. Placeholders of templates are none.
fn variables(text: &str) -> Vec<(Range<usize>, Variable)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find("${")).map(|at| from + at) {
        let after = text.get(start + 2..).unwrap_or_default();
        let Some(length) = after.find('}') else {
            if is_of_aws(after.trim_start()) {
                found.push((start..text.len(), Variable::Wrong("its closing brace is missing", None)));
            }
            break;
        };
        from = start + 2 + length + 1;
        found.extend(after.get(..length).and_then(variable).map(|variable| (start..from, variable)));
    }
    found
}

fn is_of_aws(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let named = ["aws:", "kms:"].iter().any(|prefix| lower.starts_with(prefix)) && !lower.contains("::");
    named && !OF_TEMPLATES.iter().any(|name| lower.starts_with(name))
}

/// What stands between `${` and `}`; nothing for what is no variable and not meant as one.
fn variable(inside: &str) -> Option<Variable> {
    if inside.trim().is_empty() {
        return Some(Variable::Empty);
    }
    let (name, default) =
        inside.split_once(',').map_or((inside, None), |(name, default)| (name, Some(default.trim())));
    let squeezed: String = name.chars().filter(|character| !character.is_whitespace()).collect();
    if ConditionKey::parse(name.trim()).id.is_some() || (is_of_aws(&squeezed) && is_key(&squeezed)) {
        if name.trim() != name || ConditionKey::parse(name).id.is_none() {
            let default = default.map(|default| format!(", {default}")).unwrap_or_default();
            return Some(Variable::Wrong(
                "there is a blank inside",
                Some(format!("${{{squeezed}{default}}}")),
            ));
        }
        return Some(match default {
            Some(default) if !is_quoted(default) => Variable::Wrong(
                "its default is not in single quotation marks",
                Some(format!("${{{name}, '{default}'}}")),
            ),
            _ => Variable::Valid,
        });
    }
    if !is_of_aws(&squeezed) {
        return None;
    }
    let meant = suggest_condition_key(&squeezed)?;
    Some(Variable::Wrong("no request has such a condition key", Some(format!("${{{meant}}}"))))
}

fn is_key(text: &str) -> bool {
    ConditionKey::parse(text).id.is_some()
}

fn is_quoted(text: &str) -> bool {
    text.strip_prefix('\'').is_some_and(|rest| rest.ends_with('\''))
}

/// Policy variables that IAM cannot read, or that stand where it does not look for them.
pub(super) fn invalid<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        let (principals, actions) = (&statement.principals, &statement.actions);
        let misplaced = principals.items.iter().map(|item| ("Principal", principals.negated, item.text));
        let misplaced =
            misplaced.chain(actions.items.iter().map(|item| ("Action", actions.negated, item.text)));
        for (element, negated, text) in misplaced {
            for (place, _) in variables(text.as_str()) {
                let element = format!("{}{element}", if negated { "Not" } else { "" });
                findings.push(about(severity, statement, text, place).with("element", element));
            }
        }
        for text in &statement.resources.items {
            for (place, variable) in variables(text.as_str()) {
                findings.extend(wrong(about(severity, statement, *text, place), variable));
            }
        }
    }
    for (statement, condition, operator) in conditions(facts) {
        let replaced = matches!(operator.comparison.value_type(), Some(ValueType::String | ValueType::Arn));
        for value in &condition.values {
            for (place, variable) in variables(value.text) {
                let finding = at(severity, statement, value.span, value.text, place);
                if variable == Variable::Valid && !replaced {
                    findings.push(finding.with("operator", condition.operator_text.as_str()));
                } else {
                    findings.extend(wrong(finding, variable));
                }
            }
        }
    }
    findings
}

/// Policy variables that are plain text because the policy has no `Version` that knows them.
pub(super) fn needs_version<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let policy = facts.policy();
    let (place, written) = match policy.version {
        Version::Absent => (policy.heading, None),
        Version::Is(text) if text.as_str() == "2008-10-17" => (text.span(), Some(text.as_str())),
        Version::Is(_) | Version::Unknown => return Vec::new(),
    };
    let mut findings = Vec::new();
    for statement in &policy.statements {
        for text in &statement.resources.items {
            let valid =
                variables(text.as_str()).into_iter().filter(|(_, variable)| *variable == Variable::Valid);
            findings.extend(valid.map(|(place, _)| about(severity, statement, *text, place)));
        }
    }
    for (statement, condition, operator) in conditions(facts) {
        if !matches!(operator.comparison.value_type(), Some(ValueType::String | ValueType::Arn)) {
            continue;
        }
        for value in &condition.values {
            let valid =
                variables(value.text).into_iter().filter(|(_, variable)| *variable == Variable::Valid);
            findings.extend(valid.map(|(place, _)| at(severity, statement, value.span, value.text, place)));
        }
    }
    for finding in &mut findings {
        finding.related.push(place);
        if let Some(written) = written {
            finding.words.insert("expected", written.to_owned());
        }
    }
    findings
}

/// A finding in the words for what was meant as a variable and is none; nothing for a variable.
fn wrong(mut finding: Finding<'_>, variable: Variable) -> Option<Finding<'_>> {
    match variable {
        Variable::Valid => None,
        Variable::Empty => {
            finding.words.remove("value");
            Some(finding)
        }
        Variable::Wrong(kind, None) => Some(finding.with("kind", kind)),
        Variable::Wrong(kind, Some(meant)) => Some(finding.with("kind", kind).with("suggestion", meant)),
    }
}

fn about<'p>(
    severity: Severity,
    statement: &'p Statement<'p>,
    text: Text<'p>,
    place: Range<usize>,
) -> Finding<'p> {
    at(severity, statement, text.part(place.clone()), text.as_str(), place)
}

fn at<'p>(
    severity: Severity,
    statement: &'p Statement<'p>,
    span: Span,
    text: &str,
    place: Range<usize>,
) -> Finding<'p> {
    let written = text.get(place).unwrap_or_default();
    Finding::at(severity, span).in_statement(statement).with("value", written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn variables_are_told_from_placeholders() {
        let one = |text: &str| {
            variables(text)
                .into_iter()
                .map(|(place, found)| (text.get(place).unwrap().to_owned(), found))
                .next()
        };
        let wrong = |text: &str| match one(text) {
            Some((_, Variable::Wrong(kind, meant))) => (kind, meant.unwrap_or_default()),
            other => unreachable!("{text}: {other:?}"),
        };
        for text in [
            "${account_id}",
            "${AWS::AccountId}",
            "${var.x}",
            "${aws:region}",
            "${ssm:/a/b}",
            "${*}",
            "$${x",
            "${x",
        ] {
            assert_eq!(one(text), None, "{text}");
        }
        for text in ["${aws:username}", "${AWS:PrincipalTag/team, 'x y'}", "${kms:ViaService}"] {
            assert_eq!(one(text), Some((text.to_owned(), Variable::Valid)));
        }
        assert_eq!(wrong("a${aws:username").0, "its closing brace is missing");
        assert_eq!(one("${}"), Some(("${}".to_owned(), Variable::Empty)));
        assert_eq!(wrong("${aws: username}").1, "${aws:username}");
        assert_eq!(wrong("${ aws:username }").1, "${aws:username}");
        assert_eq!(wrong("${aws:PrincipalTag/team, x}").1, "${aws:PrincipalTag/team, 'x'}");
        assert_eq!(wrong("${aws:usernme}").1, "${aws:username}");
    }
}
