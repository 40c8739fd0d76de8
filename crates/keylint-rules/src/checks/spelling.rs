//! Names that AWS does not know, with what was probably meant.

use keylint_policy::model::{Principal, Statement, Text};
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

/// Services that do not exist: in the prefix of an action, or as a principal.
pub(super) fn services<'p>(facts: &Facts<'p>, services: &[Service], severity: Severity) -> Vec<Finding<'p>> {
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
        findings.push(finding.with("kind", "action"));
    }
    for (statement, item) in crate::facts::principals(facts.policy()) {
        let Principal::Service(name) = item.principal else { continue };
        if let Some(meant) = misspelt_service_principal(name, services) {
            let finding = misspelt(severity, statement, item.text, "service", Some(meant));
            findings.push(finding.with("kind", "principal"));
        }
    }
    findings
}

/// The service principal that was meant, where a name is none and one letter or two make it one.
pub(super) fn misspelt_service_principal(name: &str, services: &[Service]) -> Option<String> {
    const SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];
    let suffix = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix));
    let Some(suffix) = suffix else {
        // `autoscaling.amazonaws.con`: the beginning is right and the end is not.
        let (label, _) = name.split_once('.')?;
        let end = did_you_mean(name.get(label.len()..)?, SUFFIXES)?;
        return is_known_label(label, services).then(|| format!("{label}{end}"));
    };
    let label = name.strip_suffix(suffix)?;
    // Labels of several parts (`logs.eu-west-1`, `delivery.logs`) are too many to know.
    if label.contains('.') || label.len() < 5 || is_known_label(label, services) {
        return None;
    }
    let known = service_labels(services);
    did_you_mean(label, known.iter().map(String::as_str))
        .filter(|meant| meant.len() >= 5 && meant.len().abs_diff(label.len()) <= 2)
        .map(|meant| format!("{meant}{suffix}"))
}

/// Services that act as principals under a name that is no prefix of actions.
const PRINCIPALS: &[&str] = &[
    "apigateway",
    "autoscaling",
    "backup",
    "cloudfront",
    "cloudtrail",
    "cloudwatch",
    "codebuild",
    "codecommit",
    "config",
    "delivery",
    "dnssec-route53",
    "dynamodb",
    "ec2",
    "ec2fleet",
    "ecs",
    "ecs-tasks",
    "eks",
    "elasticfilesystem",
    "events",
    "firehose",
    "glue",
    "guardduty",
    "imagebuilder",
    "inspector",
    "inspector2",
    "lambda",
    "logs",
    "macie",
    "organizations",
    "rds",
    "redshift",
    "s3",
    "sagemaker",
    "scheduler",
    "secretsmanager",
    "ses",
    "sns",
    "spot",
    "spotfleet",
    "sqs",
    "ssm",
    "states",
    "storage-lens",
    "timestream",
    "transfer",
    "workmail",
    "workspaces",
];

fn service_labels(services: &[Service]) -> Vec<String> {
    let of_files = services.iter().filter_map(|s| s.role.service.strip_suffix(".amazonaws.com"));
    PRINCIPALS.iter().copied().chain(of_files).map(str::to_owned).collect()
}

fn is_known_label(label: &str, services: &[Service]) -> bool {
    is_service_prefix(label) || service_labels(services).iter().any(|known| known == label)
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
