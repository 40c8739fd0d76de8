//! Conditions that always hold, or hold whenever a caller wants them to.

use keylint_policy::model::{ActionItem, Condition, Effect, Principal, Statement};
use keylint_policy::operator::{Comparison, SetOperator};
use keylint_policy::vocabulary::{KeyId, KeyOrigin, Operation, Operations};
use keylint_source::Severity;

use super::applicability::{is_positive, with_operations};
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// Conditions on a key that an action of the statement does not send, and that are true without it.
pub(super) fn not_for_action<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        for condition in &statement.conditions {
            // `…IfExists` and `Null` are written for requests without the key.
            let negated = condition.operator.is_some_and(|operator| {
                operator.comparison.is_negated() && !operator.if_exists && operator.set == SetOperator::None
            });
            let is_of_some = |id: &KeyId| id.origin() == KeyOrigin::Kms || id.operations() != Operations::ALL;
            let Some(id) = condition.key.id.filter(|id| negated && is_of_some(id)) else {
                continue;
            };
            let unaffected = |item: &&ActionItem<'p>| {
                let on_key = item.operations.intersection(Operations::ON_KEY);
                !on_key.is_empty()
                    && on_key.iter().all(|operation| !operation.sends(id) && operation.condition_keys_known())
            };
            if let Some(item) =
                statement.actions.items.iter().filter(|_| !statement.actions.negated).find(unaffected)
            {
                let operations: Vec<Operation> =
                    item.operations.intersection(Operations::ON_KEY).iter().collect();
                let mut finding = Finding::at(severity, item.text.span()).in_statement(statement);
                finding.related.push(condition.key_text.span());
                finding = finding.with("key", condition.key_text.as_str()).with("action", item.text.as_str());
                finding = with_operations(finding, &operations);
                if statement.effect == Some(Effect::Deny) {
                    finding = finding.with("denied", "");
                }
                findings.push(finding);
            }
        }
    }
    findings
}

/// Conditions that let every request pass, or every request that leaves a key out.
pub(super) fn vacuous<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        for condition in &statement.conditions {
            let Some(why) = why_vacuous(statement, condition) else { continue };
            let at = match why {
                Vacuous::Value(_) => condition.values_span,
                Vacuous::WithoutKey => condition.operator_text.span(),
            };
            let mut finding = Finding::at(severity, at).in_statement(statement);
            finding.related.push(condition.key_text.span());
            finding.about.1 = statement.operations.certain;
            finding = finding
                .with("key", condition.key_text.as_str())
                .with("operator", condition.operator_text.as_str());
            findings.push(match why {
                Vacuous::Value(kind) => finding.with("kind", kind),
                Vacuous::WithoutKey => finding,
            });
        }
    }
    findings
}

/// Why a condition restricts nothing.
enum Vacuous {
    /// Its value is met by every request: in words.
    Value(&'static str),
    /// A caller can leave the key out, and passes.
    WithoutKey,
}

fn why_vacuous(statement: &Statement<'_>, condition: &Condition<'_>) -> Option<Vacuous> {
    use Comparison as C;
    let (operator, id) = (condition.operator?, condition.key.id?);
    if condition.open || statement.effect != Some(Effect::Allow) {
        return None;
    }
    let any = |test: fn(&str) -> bool| condition.values.iter().any(|value| test(value.text));
    let is_star = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    let positive = !operator.comparison.is_negated();
    match operator.comparison {
        C::StringLike | C::ArnLike | C::ArnEquals if any(is_star) && positive => {
            return Some(Vacuous::Value(if is_always_there(id) {
                "its pattern matches every value"
            } else {
                "it asks only whether the request has the key"
            }));
        }
        C::IpAddress if any(|text| text.ends_with("/0")) => {
            return Some(Vacuous::Value("its range holds every address"));
        }
        C::Bool
            if any(|text| text.eq_ignore_ascii_case("true"))
                && any(|text| text.eq_ignore_ascii_case("false")) =>
        {
            return Some(Vacuous::Value("it accepts both values"));
        }
        _ => {}
    }
    let passes_without = operator.if_exists || operator.set == SetOperator::ForAllValues;
    let sent = statement.operations.perhaps.intersection(id.operations()).intersection(Operations::ON_KEY);
    let services = statement
        .principals
        .items
        .iter()
        .any(|item| matches!(item.principal, Principal::Service(_)) && !statement.principals.negated);
    let guarded = statement.conditions.iter().any(|other| {
        let needs_it = other.key.same_as(&condition.key)
            // Whoever sends a pair of an encryption context sends its key with it.
            || (id == KeyId::ENCRYPTION_CONTEXT_KEYS && other.key.id == Some(KeyId::ENCRYPTION_CONTEXT));
        needs_it && (is_positive(other) || demands_presence(other))
    });
    let leaves_out =
        passes_without && positive && !sent.is_empty() && !services && !guarded && may_be_left_out(id);
    leaves_out.then_some(Vacuous::WithoutKey)
}

/// Whether every request of a user or role has a key.
fn is_always_there(id: KeyId) -> bool {
    matches!(
        id,
        KeyId::PRINCIPAL_ARN
            | KeyId::PRINCIPAL_ACCOUNT
            | KeyId::PRINCIPAL_TYPE
            | KeyId::CALLER_ACCOUNT
            | KeyId::REQUESTED_REGION
            | KeyId::USERID
    )
}

/// `"Null": {key: "false"}`.
fn demands_presence(condition: &Condition<'_>) -> bool {
    condition.operator.is_some_and(|operator| operator.comparison == Comparison::Null)
        && condition.values.iter().all(|value| value.text.eq_ignore_ascii_case("false"))
}

/// Whether it is the caller's own choice that its requests have a key.
fn may_be_left_out(id: KeyId) -> bool {
    matches!(
        id,
        KeyId::VIA_SERVICE
            | KeyId::CALLED_VIA
            | KeyId::CALLED_VIA_FIRST
            | KeyId::CALLED_VIA_LAST
            | KeyId::ENCRYPTION_CONTEXT
            | KeyId::ENCRYPTION_CONTEXT_KEYS
            | KeyId::MULTI_FACTOR_AUTH_PRESENT
            | KeyId::MULTI_FACTOR_AUTH_AGE
            | KeyId::SOURCE_VPC
            | KeyId::SOURCE_VPCE
            | KeyId::REQUEST_ALIAS
            | KeyId::GRANT_CONSTRAINT_TYPE
            | KeyId::RETIRING_PRINCIPAL
    ) || id.name().starts_with("kms:RecipientAttestation:")
}
