//! Values of conditions that no request has.

mod network;
mod tables;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, is_account};
use keylint_policy::evaluate::values::{Moment, Range, number};
use keylint_policy::model::{Condition, Value};
use keylint_policy::operator::{Comparison, Operator, SetOperator};
use keylint_policy::pattern::{self, Reading};
use keylint_policy::vocabulary::{ConditionKey, KeyId, Operation, ValueType};
use keylint_source::{Severity, did_you_mean};

use super::condition::{conditions, mismatch};
use super::placeholder::is_placeholder;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// Why a value never matches, and what would.
struct Fault {
    kind: String,
    expected: String,
    suggestion: Option<String>,
    /// Whether it is certain; else it is only worth a note.
    certain: bool,
}

impl Fault {
    fn new(kind: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { kind: kind.into(), expected: expected.into(), suggestion: None, certain: true }
    }

    fn meaning(self, suggestion: Option<impl Into<String>>) -> Self {
        Self { suggestion: suggestion.map(Into::into), ..self }
    }
}

/// Values that the operator or the key can never have.
pub(super) fn invalid<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (statement, condition, operator) in conditions(facts) {
        // An operator that compares another type is a mistake of its own.
        if mismatch(condition, operator).is_some() {
            continue;
        }
        let about = |finding: Finding<'p>| {
            let mut finding = finding.in_statement(statement);
            finding.related.push(condition.key_text.span());
            finding.with("key", condition.key_text.as_str())
        };
        for value in condition.values.iter().filter(|value| !pattern::has_hole(value.text)) {
            let Some(fault) = fault(condition, operator, value.text) else { continue };
            let finding = about(Finding::at(severity, value.span));
            findings.push(told(finding, value, fault, condition, operator));
        }
        findings.extend(network::findings(condition, operator).into_iter().map(about));
    }
    findings
}

fn told<'p>(
    finding: Finding<'p>,
    value: &Value<'_>,
    fault: Fault,
    condition: &Condition<'_>,
    operator: Operator,
) -> Finding<'p> {
    let finding = finding.with("value", value.text).with("kind", fault.kind).with("expected", fault.expected);
    let mut finding = match fault.suggestion {
        Some(suggestion) => finding.with("suggestion", suggestion),
        None => finding,
    };
    if fault.certain {
        let alone = condition.values.len() == 1 && !condition.open;
        return if alone { outcome(finding, operator) } else { finding };
    }
    finding.severity = Severity::Note;
    finding.words.remove("key");
    finding
}

/// Says what becomes of a condition of which no value matches.
fn outcome(finding: Finding<'_>, operator: Operator) -> Finding<'_> {
    let negated = operator.comparison.is_negated();
    // A key that is missing makes these true.
    let passes = operator.if_exists || operator.set == SetOperator::ForAllValues;
    if negated && operator.set == SetOperator::None {
        finding.with("always", "")
    } else if negated || passes || operator.comparison == Comparison::Null {
        finding
    } else {
        finding.with("never", "")
    }
}

fn fault(condition: &Condition<'_>, operator: Operator, text: &str) -> Option<Fault> {
    use Comparison as C;
    let comparison = operator.comparison;
    let literal = matches!(
        comparison,
        C::StringEquals | C::StringNotEquals | C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase
    );
    if literal && pattern::is_wildcard(text) {
        return literal_wildcard(&condition.key, operator, text);
    }
    match comparison.value_type() {
        None | Some(ValueType::Bool) => boolean_fault(text),
        Some(ValueType::Numeric) => {
            number(text).is_none().then(|| Fault::new("it is no number", "write a number, such as `30`"))
        }
        Some(ValueType::Date) => (!is_date(text))
            .then(|| Fault::new("it is no date", "write a date of ISO 8601, such as `2026-11-23T10:00:00Z`")),
        Some(ValueType::IpAddress) => (Range::parse(text).is_none() && !is_placeholder(text)).then(|| {
            Fault::new(
                "it is no IP address and no range",
                "write an address or a range, such as `203.0.113.0/24`",
            )
        }),
        Some(ValueType::Binary) => None,
        Some(ValueType::Arn) => arn_fault(text),
        Some(ValueType::String) => of_key(condition.key.id?, comparison, text),
    }
    .filter(|_| !text.is_empty())
}

fn boolean_fault(text: &str) -> Option<Fault> {
    let lower = text.to_ascii_lowercase();
    let meant = match lower.as_str() {
        "true" | "false" => return None,
        "yes" | "1" | "on" | "y" => Some("true"),
        "no" | "0" | "off" | "n" => Some("false"),
        word => did_you_mean(word, ["true", "false"]),
    };
    let fault = Fault::new("it is neither `true` nor `false`", "write `true` or `false`").meaning(meant);
    (meant.is_some() || !is_placeholder(text)).then_some(fault)
}

/// A date in a form that IAM may read: whether it takes a time without its zone, or a month alone, is not documented.
fn is_date(text: &str) -> bool {
    let with = |rest: &str| Moment::parse(&format!("{text}{rest}")).is_some();
    Moment::parse(text).is_some()
        || number(text).is_some()
        || with("Z")
        || with("-01")
        || is_placeholder(text)
}

/// Keys whose values are up to whoever sets them, so that there may be a `*` in one.
const FREE: &[KeyId] = &[
    KeyId::ENCRYPTION_CONTEXT_KEYS,
    KeyId::PRINCIPAL_TAG,
    KeyId::REQUEST_TAG,
    KeyId::RESOURCE_TAG,
    KeyId::TAG_KEYS,
    KeyId::REFERER,
    KeyId::USER_AGENT,
    KeyId::FEDERATED_PROVIDER,
];

/// `*` and `?` under an operator that reads them as they are.
fn literal_wildcard(key: &ConditionKey<'_>, operator: Operator, text: &str) -> Option<Fault> {
    // What AWS services put into an encryption context has no such characters; what others do is theirs to say.
    let of_aws = key.parameter.is_some_and(|parameter| parameter.starts_with("aws:"));
    let key = key.id?;
    let in_context = key == KeyId::ENCRYPTION_CONTEXT;
    if FREE.contains(&key) || (in_context && Arn::parse(text).is_none()) {
        return None;
    }
    let negated = operator.comparison.is_negated();
    let comparison = match (key.value_type(), negated) {
        (ValueType::Arn, false) => Comparison::ArnLike,
        (ValueType::Arn, true) => Comparison::ArnNotLike,
        (_, false) => Comparison::StringLike,
        (_, true) => Comparison::StringNotLike,
    };
    let meant = Operator { comparison, ..operator };
    let kind = format!("`{operator}` reads `*` and `?` as they are");
    let fault = Fault::new(kind, format!("use `{meant}` for a pattern"));
    Some(Fault { certain: !in_context || of_aws, ..fault })
}

/// What no ARN can be like.
fn arn_fault(text: &str) -> Option<Fault> {
    const EXPECTED: &str =
        "write an ARN, such as `arn:aws:iam::111122223333:role/example`; `*` stands for any text";
    let wildcard = text.find(['*', '?']);
    let start = text.get(..wildcard.unwrap_or(text.len())).unwrap_or(text);
    if start.starts_with("arn:") {
        let short =
            wildcard.is_none() && Arn::parse(text).is_none() && !text.contains("...") && !text.contains('<');
        return short.then(|| {
            Fault::new(
                "an ARN has six parts",
                "write `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`; a part can be empty, its colon stays",
            )
        });
    }
    if wildcard.is_some() && "arn:".starts_with(start) {
        return None;
    }
    if is_account(text) {
        return Some(Fault::new("it is an account id and no ARN", EXPECTED));
    }
    (!is_placeholder(start)).then(|| Fault::new("it is no ARN", EXPECTED))
}

/// What a text can be is up to the key.
fn of_key(key: KeyId, comparison: Comparison, text: &str) -> Option<Fault> {
    let like = matches!(comparison, Comparison::StringLike | Comparison::StringNotLike);
    let pattern = like && pattern::is_wildcard(text);
    match key {
        KeyId::VIA_SERVICE => return network::via_service(text, pattern),
        KeyId::GRANT_OPERATIONS => return grant_operation(comparison, text),
        KeyId::REQUEST_ALIAS | KeyId::RESOURCE_ALIASES => return alias(text),
        _ if key.value_type() == ValueType::Arn => return arn_fault(text),
        _ => {}
    }
    if let Some((_, values)) = tables::VALUES.iter().find(|(keys, _)| keys.contains(&key)) {
        let fault = Fault::new(
            format!("`{}` has no such value", key.name()),
            format!("the values are {}", keylint_source::quoted_list(values)),
        );
        return among(comparison, text, values, fault);
    }
    // A pattern can be short of anything.
    if pattern || text.is_empty() {
        return None;
    }
    match key {
        KeyId::CALLER_ACCOUNT
        | KeyId::PRINCIPAL_ACCOUNT
        | KeyId::SOURCE_ACCOUNT
        | KeyId::RESOURCE_ACCOUNT
        | KeyId::VPCE_ACCOUNT => account(text),
        KeyId::PRINCIPAL_ORG_ID | KeyId::SOURCE_ORG_ID | KeyId::RESOURCE_ORG_ID | KeyId::VPCE_ORG_ID => {
            organization(text)
        }
        KeyId::SOURCE_VPC => network::endpoint(text, "vpc-"),
        KeyId::SOURCE_VPCE => network::endpoint(text, "vpce-"),
        _ => None,
    }
}

/// A value that has to be one of a few.
fn among(comparison: Comparison, text: &str, values: &[&str], fault: Fault) -> Option<Fault> {
    use Comparison as C;
    let reading = Reading {
        wildcards: matches!(comparison, C::StringLike | C::StringNotLike),
        case: !matches!(comparison, C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase),
    };
    let known = values.iter().any(|value| pattern::matches(text, value, reading) != Answer::No);
    let as_written = values.iter().find(|value| value.eq_ignore_ascii_case(text)).copied();
    // A constant in capitals may be a placeholder; one of two letters off is a mistake.
    let meant = as_written.or_else(|| did_you_mean(text, values.iter().copied()));
    let placeholder = meant.is_none() && is_placeholder(text) && !text.contains(|c: char| c.is_ascii_digit());
    (!known && !placeholder).then(|| fault.meaning(meant))
}

fn grant_operation(comparison: Comparison, text: &str) -> Option<Fault> {
    let names: Vec<&str> = Operation::all().filter(|o| o.in_grants()).map(Operation::name).collect();
    let bare = text.strip_prefix("kms:").unwrap_or(text);
    let expected = "write the operations of the grant without `kms:`, such as `Decrypt`";
    let exists = Operation::from_name(bare).filter(|operation| !operation.in_grants());
    let kind = match exists {
        Some(_) => "no grant can allow this operation",
        None if bare != text => "operations of grants have no `kms:` before them",
        None => "no operation of a grant has this name",
    };
    let fault = Fault::new(kind, expected);
    // `kms:Decrypt` is `Decrypt`; `kms:ReEncrypt*` is no name but a pattern.
    let whole = names.iter().find(|name| name.eq_ignore_ascii_case(bare)).map(|name| (*name).to_owned());
    let fault = among(comparison, text, &names, fault)?;
    Some(Fault { suggestion: whole.or(fault.suggestion), ..fault })
}

fn account(text: &str) -> Option<Fault> {
    let expected = "write the 12 digits of the account, as a string";
    if let Some(arn) = Arn::parse(text) {
        let meant = Some(arn.account).filter(|account| is_account(account));
        return Some(Fault::new("it is an ARN and no account id", expected).meaning(meant));
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let numeric =
        !digits.is_empty() && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' ' | '.'));
    let meant = Some(digits).filter(|digits| is_account(digits));
    (numeric && !is_account(text)).then(|| Fault::new("an account id has 12 digits", expected).meaning(meant))
}

fn organization(text: &str) -> Option<Fault> {
    let expected = "write the id of an organization: `o-` and 10 to 32 lower-case letters or digits";
    let kind = if text.contains('/') {
        "it is a path and no organization id"
    } else if text.starts_with("ou-") {
        "it is the id of an organizational unit and of no organization"
    } else if is_account(text) {
        "it is an account id and no organization id"
    } else {
        let id = text.strip_prefix("o-")?;
        let plain = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_placeholder(text) || !plain || (10..=32).contains(&id.len()) {
            return None;
        }
        "an organization id has 10 to 32 characters behind `o-`"
    };
    (!text.contains(['<', '>'])).then(|| {
        let meant = text.split_once('/').map(|(id, _)| id).filter(|id| id.starts_with("o-"));
        Fault::new(kind, expected).meaning(meant)
    })
}

fn alias(text: &str) -> Option<Fault> {
    let arn = Arn::parse(text).filter(|arn| arn.service == "kms");
    if let Some(arn) = arn.filter(|arn| arn.resource.starts_with("alias/")) {
        return Some(
            Fault::new(
                "it is an ARN, and this key has the name of the alias alone",
                "write the name, which begins with `alias/`",
            )
            .meaning(Some(arn.resource)),
        );
    }
    let start = text.split(['*', '?']).next().unwrap_or_default();
    let plain = start == text && !text.starts_with("alias/") && !is_placeholder(text);
    plain.then(|| {
        Fault::new("the name of an alias begins with `alias/`", "write the name, which begins with `alias/`")
            .meaning(Some(format!("alias/{text}")).filter(|_| !text.contains(['/', ':'])))
    })
}
