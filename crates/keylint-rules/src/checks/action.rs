//! Actions that do nothing where they stand.

use keylint_policy::Answer;
use keylint_policy::arn::same_account;
use keylint_policy::model::{ActionItem, Condition, Effect, PrincipalItem, Statement};
use keylint_policy::operator::{Comparison, SetOperator};
use keylint_policy::pattern;
use keylint_policy::vocabulary::{KeyId, Operation, Operations, is_service_prefix, suggest_action};
use keylint_source::{Severity, quoted_list};

use crate::facts::Facts;
use crate::finding::{Finding, operation_list};
use crate::rule::Service;

/// Every action of a policy, with its statement.
pub(super) fn action_items<'p>(
    facts: &Facts<'p>,
) -> impl Iterator<Item = (&'p Statement<'p>, &'p ActionItem<'p>)> {
    let statements = facts.policy().statements.iter();
    statements.flat_map(|statement| statement.actions.items.iter().map(move |item| (statement, item)))
}

/// The actions that cover no operation of KMS, as far as is known: few, and all that a mistake can be in.
pub(super) fn unmatched_items<'p>(
    facts: &Facts<'p>,
) -> impl Iterator<Item = (&'p Statement<'p>, &'p ActionItem<'p>)> {
    action_items(facts).filter(|(_, item)| item.operations.is_empty() && !item.open)
}

/// Patterns of KMS actions that match no operation.
pub(super) fn matching_nothing<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in action_items(facts) {
        if item.operations.is_empty() && !item.open && is_pattern_of_kms(item.text.as_str()) {
            let finding = Finding::at(severity, item.text.span()).in_statement(statement);
            let finding = finding.with("action", item.text.as_str());
            findings.push(match suggest_action(item.text.as_str()) {
                Some(meant) => finding.with("suggestion", meant),
                None => finding,
            });
        }
    }
    findings
}

/// Whether a text is a pattern of actions of KMS.
pub(super) fn is_pattern_of_kms(text: &str) -> bool {
    let name = text.split_once(':').filter(|(prefix, _)| prefix.eq_ignore_ascii_case("kms"));
    name.is_some_and(|(_, name)| pattern::is_wildcard(name))
}

/// Actions of other services than KMS.
pub(super) fn foreign<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in unmatched_items(facts) {
        let Some((prefix, _)) = item.text.as_str().split_once(':') else { continue };
        if prefix.eq_ignore_ascii_case("kms") {
            continue;
        }
        if is_service_prefix(prefix) {
            let finding = Finding::at(severity, item.text.span()).in_statement(statement);
            findings.push(
                finding.with("action", item.text.as_str()).with("service", prefix.to_ascii_lowercase()),
            );
        }
    }
    findings
}

/// Actions that stand for operations on no key, and for nothing else.
pub(super) fn account_level<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, item) in action_items(facts) {
        let on_key = item.operations.intersection(Operations::ON_KEY);
        if item.operations.is_empty() || !on_key.is_empty() || statement.actions.negated {
            continue;
        }
        // AWS's own policies for enclaves list it.
        let in_enclave = item.operations == Operations::only(Operation::GENERATE_RANDOM);
        let severity = if in_enclave { Severity::Note } else { severity };
        let operations: Vec<Operation> = item.operations.iter().collect();
        let finding = Finding::at(severity, item.text.span()).in_statement(statement);
        findings
            .push(finding.with("action", item.text.as_str()).with("operations", operation_list(&operations)));
    }
    findings
}

/// Actions that do not work on a key of the kind that this one is known to be.
pub(super) fn not_for_key<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        // A spec or usage that no key has is a mistake of its own.
        let exists = |spec: Option<&str>, usage: Option<&str>| {
            let is_particular = |operation: &Operation| !operation.works_on(Some(""), Some(""));
            Operation::all().filter(is_particular).any(|operation| operation.works_on(spec, usage))
        };
        let demanded = |key| only_value(statement, key);
        let spec =
            facts.known.spec.or_else(|| demanded(KeyId::KEY_SPEC).filter(|spec| exists(Some(spec), None)));
        let usage = facts
            .known
            .usage
            .or_else(|| demanded(KeyId::KEY_USAGE).filter(|usage| exists(None, Some(usage))));
        if (spec.is_none() && usage.is_none()) || statement.actions.negated {
            continue;
        }
        for item in &statement.actions.items {
            let mut on_key = item.operations.intersection(Operations::ON_KEY).iter().peekable();
            if on_key.peek().is_some() && on_key.all(|operation| !operation.works_on(spec, usage)) {
                let kind: Vec<&str> = spec.into_iter().chain(usage).collect();
                let finding = Finding::at(severity, item.text.span()).in_statement(statement);
                findings.push(finding.with("action", item.text.as_str()).with("kind", quoted_list(&kind)));
            }
        }
    }
    findings
}

/// The value that a statement demands of a key, where it is one.
fn only_value<'p>(statement: &Statement<'p>, key: KeyId) -> Option<&'p str> {
    let demands = |condition: &&Condition<'p>| {
        condition.key.id == Some(key)
            && !condition.open
            && condition.operator.is_some_and(|operator| {
                operator.comparison == Comparison::StringEquals
                    && operator.set == SetOperator::None
                    && !operator.if_exists
            })
    };
    let condition = statement.conditions.iter().find(demands)?;
    match condition.values.as_slice() {
        [only] if !pattern::has_hole(only.text) => Some(only.text),
        _ => None,
    }
}

/// Operations that administer a key: to have them is to decide about the key.
const ADMINISTRATION: [Operation; 16] = [
    Operation::CANCEL_KEY_DELETION,
    Operation::CREATE_ALIAS,
    Operation::DELETE_ALIAS,
    Operation::DELETE_IMPORTED_KEY_MATERIAL,
    Operation::DISABLE_KEY,
    Operation::DISABLE_KEY_ROTATION,
    Operation::ENABLE_KEY,
    Operation::ENABLE_KEY_ROTATION,
    Operation::IMPORT_KEY_MATERIAL,
    Operation::PUT_KEY_POLICY,
    Operation::REPLICATE_KEY,
    Operation::SCHEDULE_KEY_DELETION,
    Operation::TAG_RESOURCE,
    Operation::UNTAG_RESOURCE,
    Operation::UPDATE_ALIAS,
    Operation::UPDATE_KEY_DESCRIPTION,
];

/// Operations that do not work across accounts, allowed to principals of another account alone.
pub(super) fn external_administration<'p>(
    facts: &Facts<'p>,
    _: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let Some(owner) = facts.key().account.as_deref() else { return Vec::new() };
    let is_other = |item: &PrincipalItem<'_>| {
        item.principal.account().is_some_and(|account| same_account(owner, account) == Answer::No)
    };
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        let principals = &statement.principals;
        if statement.effect != Some(Effect::Allow) || principals.negated || statement.actions.negated {
            continue;
        }
        // The owner's principals in the same list can use what the others cannot.
        let Some(principal) = principals.items.iter().find(|item| is_other(item)) else { continue };
        if principals.open || !principals.items.iter().all(is_other) {
            continue;
        }
        // `kms:Get*` for another account is AWS's own spelling, and harmless; what a pattern covers beside what it is
        // meant for is no mistake.
        let meant = |item: &ActionItem<'_>| {
            let without_effect =
                item.operations.intersection(Operations::ON_KEY).difference(Operations::ACROSS_ACCOUNTS);
            if !pattern::is_wildcard(item.text.as_str()) {
                without_effect
            } else if item.operations.intersection(Operations::ACROSS_ACCOUNTS).is_empty() {
                ADMINISTRATION.into_iter().filter(|operation| without_effect.contains(*operation)).collect()
            } else {
                Operations::EMPTY
            }
        };
        let mut items = statement.actions.items.iter().filter(|item| !meant(item).is_empty());
        let Some(first) = items.next() else { continue };
        let all = items.fold(meant(first), |all, item| all.union(meant(item)));
        let operations: Vec<Operation> = all.iter().collect();
        let mut finding = Finding::at(severity, first.text.span()).in_statement(statement);
        finding.related.push(principal.text.span());
        finding.about.1 = all;
        let account = principal.principal.account().unwrap_or_default();
        finding =
            finding.with("account", format!("`{account}`")).with("operations", operation_list(&operations));
        if let Some(assumed) = facts.assumed_owner {
            finding = finding.with("assumed", assumed);
        }
        findings.push(finding);
    }
    findings
}
