//! IAM policies: what they allow on keys.

use keylint_policy::arn::Arn;
use keylint_policy::model::{Effect, Text};
use keylint_policy::pattern::{has_hole, is_wildcard};
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::Severity;

use crate::finding::{Finding, operation_list, place};
use crate::identity_policy::HeldPolicy;
use crate::rule::Place;

/// The operations by which data can be read, and those that give keys for new data.
const READING: [Operation; 2] = [Operation::DECRYPT, Operation::RE_ENCRYPT_FROM];
const DATA_KEYS: [Operation; 4] = [
    Operation::GENERATE_DATA_KEY,
    Operation::GENERATE_DATA_KEY_PAIR,
    Operation::GENERATE_DATA_KEY_PAIR_WITHOUT_PLAINTEXT,
    Operation::GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,
];
/// The operations by which a key, or the data under it, is lost or given away.
const ADMINISTRATION: [Operation; 5] = [
    Operation::PUT_KEY_POLICY,
    Operation::SCHEDULE_KEY_DELETION,
    Operation::DISABLE_KEY,
    Operation::DELETE_IMPORTED_KEY_MATERIAL,
    Operation::REVOKE_GRANT,
];
/// The operations whose resource is an alias, beside the key that it belongs to.
const OF_ALIASES: [Operation; 3] =
    [Operation::CREATE_ALIAS, Operation::DELETE_ALIAS, Operation::UPDATE_ALIAS];

/// Statements that allow the use of every key.
///
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html>
pub(super) fn use_of_all<'p>(held: &HeldPolicy<'p>, severity: Severity) -> Vec<Finding<'p>> {
    let among = READING.into_iter().chain(DATA_KEYS).collect();
    on_all_keys(held, among, |operations| {
        let reads = READING.iter().any(|operation| operations.contains(*operation));
        // Whoever only makes new data keys reads nothing with them that is there.
        if reads { severity } else { severity.min(Severity::Note) }
    })
}

/// Statements that allow the administration of every key.
pub(super) fn administration_of_all<'p>(held: &HeldPolicy<'p>, severity: Severity) -> Vec<Finding<'p>> {
    on_all_keys(held, ADMINISTRATION.into_iter().collect(), |_| severity)
}

fn on_all_keys<'p>(
    held: &HeldPolicy<'p>,
    among: Operations,
    severity: impl Fn(Operations) -> Severity,
) -> Vec<Finding<'p>> {
    let finding = |statement| {
        let (operations, resource) = held.on_all_keys(statement, among)?;
        let listed: Vec<Operation> = operations.iter().collect();
        let mut finding = Finding::at(severity(operations), resource.span()).in_statement(statement);
        finding.related.push(place(statement, Place::Action, &listed));
        finding.about.1 = operations;
        if statement.actions.negated {
            finding.words.insert("element", "NotAction".to_owned());
        }
        Some(finding.with("operations", operation_list(&listed)).with("value", resource.as_str()))
    };
    held.allowing().filter_map(finding).collect()
}

/// Statements whose resource is an alias although their operations work on keys: there they neither allow nor deny.
pub(super) fn aliases<'p>(held: &HeldPolicy<'p>, severity: Severity) -> Vec<Finding<'p>> {
    let of_aliases: Operations = OF_ALIASES.into_iter().collect();
    let is_alias = |item: &&Text<'_>| {
        let arn = Arn::parse(item.as_str());
        arn.is_some_and(|arn| arn.service == "kms" && arn.resource.starts_with("alias/"))
            || item.as_str().starts_with("alias/")
    };
    let mut findings = Vec::new();
    for statement in &held.policy.statements {
        let (actions, resources) = (&statement.actions, &statement.resources);
        let without_effect = statement.operations.certain.intersection(Operations::ON_KEY);
        let without_effect = without_effect.difference(of_aliases);
        // Whoever manages aliases needs them as a resource, beside the key.
        let manages = !statement.operations.perhaps.intersection(of_aliases).is_empty();
        // What belongs to another service is the resource of other actions of the statement.
        let is_of_other_service = |item: &&Text<'_>| {
            let service = Arn::parse(item.as_str()).map(|arn| arn.service);
            service.is_some_and(|service| service != "kms" && !is_wildcard(service) && !has_hole(service))
        };
        let others = resources.items.iter().filter(|item| !is_alias(item));
        let mut others = others.filter(|item| !is_of_other_service(item)).peekable();
        let has_others = others.peek().is_some() || resources.open;
        // Beside every key an alias does no harm.
        let is_every_key = |item: &&Text<'_>| {
            let arn = Arn::parse(item.as_str());
            item.as_str() == "*" || arn.is_some_and(|arn| matches!(arn.resource, "*" | "key/*"))
        };
        let is_needless = has_others && (manages || resources.open || others.any(|item| is_every_key(&item)));
        if actions.negated || resources.negated || without_effect.is_empty() || is_needless {
            continue;
        }
        let listed: Vec<Operation> = without_effect.iter().collect();
        let mut named = resources.items.iter().filter(is_alias);
        let Some(first) = named.next() else { continue };
        let severity = if has_others { severity.min(Severity::Warning) } else { severity };
        let mut finding = Finding::at(severity, first.span())
            .in_statement(statement)
            .with("value", first.as_str())
            .with("operations", operation_list(&listed));
        if has_others {
            finding.words.insert("conditional", String::new());
        } else if statement.effect == Some(Effect::Deny) {
            finding.words.insert("denied", String::new());
        }
        let is_pattern = is_wildcard(first.as_str());
        let operator = if is_pattern { "ForAnyValue:StringLike" } else { "ForAnyValue:StringEquals" };
        finding.words.insert("operator", operator.to_owned());
        let name = first.as_str().rsplit_once(":alias/").map_or(first.as_str(), |(_, name)| name);
        finding.words.insert("expected", format!("alias/{}", name.trim_start_matches("alias/")));
        finding.related.extend(named.map(|item| item.span()));
        findings.push(finding);
    }
    findings
}
