//! Whether a condition's operator goes with its key.

use keylint_policy::model::{Condition, Effect, Statement};
use keylint_policy::operator::{Comparison, Operator, SetOperator};
use keylint_policy::vocabulary::{KeyId, ValueType};
use keylint_source::Severity;

use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// Every condition whose operator exists, with its statement.
pub(super) fn conditions<'p>(
    facts: &Facts<'p>,
) -> impl Iterator<Item = (&'p Statement<'p>, &'p Condition<'p>, Operator)> {
    let statements = facts.policy().statements.iter();
    statements.flat_map(|statement| {
        let conditions = statement.conditions.iter();
        conditions.filter_map(move |condition| Some((statement, condition, condition.operator?)))
    })
}

/// Operators that compare values of another type than the key has.
pub(super) fn type_mismatch<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mismatched = |(statement, condition, operator)| {
        let (key_type, compared) = mismatch(condition, operator)?;
        let meant = Operator { comparison: counterpart(operator.comparison, key_type), ..operator };
        let finding = about(severity, statement, condition);
        Some(
            finding
                .with("kind", plural(compared))
                .with("expected", singular(key_type))
                .with("suggestion", meant.to_string()),
        )
    };
    conditions(facts).filter_map(mismatched).collect()
}

/// The type of a condition's key, and the type that its operator compares, where the two do not go together.
pub(super) fn mismatch(condition: &Condition<'_>, operator: Operator) -> Option<(ValueType, ValueType)> {
    use ValueType as T;
    let key = condition.key.id?;
    let compared = operator.comparison.value_type()?;
    // What is in a tag or in the encryption context is up to whoever puts it there.
    let holds_anything = key.takes_parameter();
    let holds_arns = matches!(key, KeyId::GRANTEE_PRINCIPAL | KeyId::RETIRING_PRINCIPAL);
    let fits = match (compared, key.value_type()) {
        (T::Binary, _) | (T::String, T::Arn) => true,
        // AWS writes both as numbers: `"kms:ValidTo": "1545263999.0"`.
        (T::Numeric, T::Date) => matches!(key, KeyId::EPOCH_TIME | KeyId::VALID_TO),
        (T::Arn, T::String) => holds_anything || holds_arns,
        (_, T::String) if holds_anything => true,
        (compared, of_key) => compared == of_key,
    };
    (!fits).then_some((key.value_type(), compared))
}

/// The comparison of another type that asks the same.
fn counterpart(comparison: Comparison, value_type: ValueType) -> Comparison {
    let negated = comparison.is_negated();
    let family = match value_type {
        ValueType::Bool => return Comparison::Bool,
        ValueType::IpAddress if negated => return Comparison::NotIpAddress,
        ValueType::IpAddress => return Comparison::IpAddress,
        ValueType::Binary => return Comparison::BinaryEquals,
        ValueType::String => "String",
        ValueType::Numeric => "Numeric",
        ValueType::Date => "Date",
        ValueType::Arn => "Arn",
    };
    let name = comparison.name();
    let kind = ["String", "Numeric", "Date", "Arn"]
        .iter()
        .find_map(|own| name.strip_prefix(own))
        .unwrap_or("Equals");
    let plain = if negated { "NotEquals" } else { "Equals" };
    let named = |kind: &str| Comparison::named(&format!("{family}{kind}"));
    named(kind).or_else(|| named(plain)).unwrap_or(comparison)
}

fn singular(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "a text",
        ValueType::Bool => "`true` or `false`",
        ValueType::Numeric => "a number",
        ValueType::Date => "a point in time",
        ValueType::Arn => "an ARN",
        ValueType::IpAddress => "an IP address",
        ValueType::Binary => "a run of bytes",
    }
}

fn plural(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "texts",
        ValueType::Bool => "`true` and `false`",
        ValueType::Numeric => "numbers",
        ValueType::Date => "points in time",
        ValueType::Arn => "ARNs",
        ValueType::IpAddress => "IP addresses",
        ValueType::Binary => "bytes",
    }
}

/// Keys that can have several values, compared as if they had one.
pub(super) fn missing_set_operator<'p>(
    facts: &Facts<'p>,
    _: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let lacks = |(statement, condition, operator): (_, &'p Condition<'p>, Operator)| {
        let multi_valued = condition.key.id.is_some_and(KeyId::multi_valued);
        let plain = operator.set == SetOperator::None && operator.comparison != Comparison::Null;
        (multi_valued && plain).then(|| about(severity, statement, condition))
    };
    conditions(facts).filter_map(lacks).collect()
}

/// `ForAllValues:` and `ForAnyValue:` where there is one value at most.
pub(super) fn needless_set_operator<'p>(facts: &Facts<'p>, _: &[Service], _: Severity) -> Vec<Finding<'p>> {
    let needless = |(statement, condition, operator): (&'p Statement<'p>, &'p Condition<'p>, Operator)| {
        let key = condition.key.id.filter(|key| !key.multi_valued())?;
        if operator.set == SetOperator::None || operator.comparison == Comparison::Null {
            return None;
        }
        let plain = Operator { set: SetOperator::None, ..operator };
        let for_all = operator.set == SetOperator::ForAllValues;
        let rejected = for_all && matches!(key, KeyId::ENCRYPTION_CONTEXT | KeyId::REQUEST_TAG);
        let open = for_all && statement.effect == Some(Effect::Allow) && !is_required(statement, condition);
        let severity = match (rejected, open) {
            (true, _) => Severity::Error,
            (_, true) => Severity::Warning,
            _ => Severity::Note,
        };
        let finding = about(severity, statement, condition).with("suggestion", plain.to_string());
        Some(match (rejected, open) {
            (true, _) => finding.with("rejected", ""),
            (_, true) => finding.with("always", ""),
            _ => finding,
        })
    };
    conditions(facts).filter_map(needless).collect()
}

/// Whether another condition of the statement asks for the key to be there.
fn is_required(statement: &Statement<'_>, condition: &Condition<'_>) -> bool {
    statement.conditions.iter().any(|other| {
        let is_null = other.operator.is_some_and(|operator| operator.comparison == Comparison::Null);
        let asks = other.open || other.values.iter().all(|value| !value.text.eq_ignore_ascii_case("true"));
        is_null && asks && other.key.same_as(&condition.key)
    })
}

/// A finding about a condition's operator, with the key beside it.
fn about<'p>(severity: Severity, statement: &'p Statement<'p>, condition: &'p Condition<'p>) -> Finding<'p> {
    let mut finding = Finding::at(severity, condition.operator_text.span()).in_statement(statement);
    finding.related.push(condition.key_text.span());
    finding.about.1 = statement.operations.certain;
    finding.with("operator", condition.operator_text.as_str()).with("key", condition.key_text.as_str())
}
