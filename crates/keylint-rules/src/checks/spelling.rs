//! Names that AWS does not know, with what was probably meant.

use keylint_policy::model::{Statement, Text};
use keylint_policy::operator::Operator;
use keylint_policy::pattern;
use keylint_policy::vocabulary::{
    KeyStanding, is_service_prefix, service_prefixes, standing, suggest_action, suggest_condition_key,
};
use keylint_source::{Severity, did_you_mean};

use super::action::{is_pattern_of_kms, unmatched_items};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// Actions of KMS that match no operation.
pub(super) fn actions<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in unmatched_items(facts) {
        let text = item.text.as_str();
        let of_kms = match text.split_once(':') {
            Some((prefix, _)) => prefix.eq_ignore_ascii_case("kms"),
            // Without a service it is no action at all, and what follows is what was meant.
            None => text != "*" && !text.is_empty(),
        };
        if of_kms && !is_pattern_of_kms(text) {
            let mut finding = misspelt(severity, statement, item.text, "action", suggest_action(text));
            finding = finding.with(
                "kind",
                if text.contains(':') {
                    "KMS has no such operation"
                } else {
                    "an action starts with the name of its service, `kms:`"
                },
            );
            findings.push(finding);
        }
    }
    findings
}

/// Services that do not exist, in the prefix of an action.
pub(super) fn services<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in unmatched_items(facts) {
        let text = item.text.as_str();
        let Some((prefix, name)) = text.split_once(':') else { continue };
        if prefix.eq_ignore_ascii_case("kms") {
            continue;
        }
        if pattern::is_wildcard(prefix) || is_service_prefix(prefix) {
            continue;
        }
        // In a key policy the service that was meant is KMS, wherever KMS has the operation.
        let of_kms = format!("kms:{name}");
        let exists = !keylint_policy::vocabulary::Operations::matching(&of_kms).is_empty();
        let near = did_you_mean(prefix, service_prefixes().iter().copied());
        let suggestion = if exists { Some(of_kms) } else { near.map(|near| format!("{near}:{name}")) };
        let mut finding = misspelt(severity, statement, item.text, "service", suggestion);
        finding.primary = item.text.part(0..prefix.len());
        finding.words.insert("service", prefix.to_owned());
        findings.push(finding);
    }
    findings
}

/// Condition keys that no request has.
pub(super) fn condition_keys<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        for condition in &statement.conditions {
            let text = condition.key_text.as_str();
            if standing(&condition.key) == KeyStanding::Unknown && !pattern::has_hole(text) {
                let suggestion = suggest_condition_key(text);
                let mut finding = misspelt(severity, statement, condition.key_text, "key", suggestion);
                finding.related.push(condition.operator_text.span());
                if let Some(operator) = condition.operator {
                    let passes = operator.if_exists || operator.comparison.is_negated();
                    finding = finding.with("kind", if passes { "true" } else { "false" });
                }
                findings.push(finding);
            }
        }
    }
    findings
}

/// Condition operators that do not exist. Several keys under one operator are one mistake.
pub(super) fn operators<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings: Vec<Finding<'p>> = Vec::new();
    for statement in &facts.policy().statements {
        for condition in statement.conditions.iter().filter(|condition| condition.operator.is_none()) {
            let text = condition.operator_text;
            if findings.iter().any(|known| known.primary == text.span()) || pattern::has_hole(text.as_str()) {
                continue;
            }
            let suggestion = Operator::suggest(text.as_str());
            findings.push(misspelt(severity, statement, text, "operator", suggestion));
        }
    }
    findings
}

fn misspelt<'p>(
    severity: Severity,
    statement: &'p Statement<'p>,
    text: Text<'p>,
    word: &'static str,
    suggestion: Option<String>,
) -> Finding<'p> {
    let finding = Finding::at(severity, text.span()).in_statement(statement).with(word, text.as_str());
    match suggestion {
        Some(suggestion) => finding.with("suggestion", suggestion),
        None => finding,
    }
}
