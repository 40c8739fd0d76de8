//! Trying out what is not settled.
//!
//! An answer about a request in which some condition keys are open is found by trying values for them: for every key
//! one value of each kind that the policy's conditions can tell apart. A value that the caller chooses needs to
//! work once; one that the world decides has to work always for a yes, and never for a no.

use std::borrow::Cow;

use super::context::Open;
use super::values::{Moment, number};
use crate::model::Condition;
use crate::operator::Comparison;
use crate::pattern::{has_hole, is_wildcard};
use crate::vocabulary::{ConditionKey, KeyId};

/// A character that no policy contains: with it a text is another than every text of the policy.
const OTHER: &str = "\u{f8fe}";
/// An address that is reserved for documentation, and one of IPv6.
const OTHER_ADDRESSES: [&str; 4] = ["198.51.100.77", "203.0.113.177", "192.0.2.177", "2001:db8:ffff::77"];
/// More combinations than this are not tried; then every open key stays unsettled.
const COMBINATIONS: usize = 512;

/// A key that is open in a request, and the values to try.
#[derive(Debug)]
pub(super) struct Variable<'p> {
    pub(super) key: ConditionKey<'p>,
    pub(super) chosen: bool,
    pub(super) samples: Vec<Sample<'p>>,
}

/// What to try for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sample<'p> {
    Absent,
    Values(Vec<Cow<'p, str>>),
    /// Some other value than those: it stands for the kinds of value that they miss.
    Another,
    /// Some values of which nothing more is assumed.
    Something,
    /// Some value or none.
    Unsettled,
}

impl<'p> Variable<'p> {
    /// The values to try for a key on which these conditions depend.
    pub(super) fn new(key: ConditionKey<'p>, open: Open, conditions: &[&Condition<'p>]) -> Self {
        let (mut values, complete) = match open.values {
            Some(values) => (values.iter().map(|value| Cow::Borrowed(*value)).collect(), true),
            None => kinds_of_value(conditions),
        };
        values.sort_unstable();
        values.dedup();
        let several = key.id.is_some_and(KeyId::multi_valued);
        let every_set = values.len() <= 4;
        let mut samples: Vec<Sample<'p>> = Vec::new();
        if several && every_set {
            // Every set of values but the empty one, which is the same as a key that is absent.
            samples.extend((1..1_usize << values.len()).map(|chosen| {
                let members = values.iter().enumerate().filter(|(index, _)| chosen >> index & 1 == 1);
                Sample::Values(members.map(|(_, value)| value.clone()).collect())
            }));
        } else {
            if several {
                samples.push(Sample::Values(values.clone()));
            }
            samples.extend(values.into_iter().map(|value| Sample::Values(vec![value])));
        }
        if several && !(complete && every_set) {
            samples.push(Sample::Something);
        } else if !complete {
            samples.push(Sample::Another);
        }
        if open.may_be_absent {
            samples.push(Sample::Absent);
        }
        Self { key, chosen: open.chosen, samples }
    }
}

/// One value of every kind that the conditions can tell apart, and whether none is missing.
fn kinds_of_value<'p>(conditions: &[&Condition<'p>]) -> (Vec<Cow<'p, str>>, bool) {
    let mut values: Vec<Cow<'p, str>> = Vec::new();
    let mut complete = true;
    let mut numbers: Vec<f64> = Vec::new();
    let mut moments: Vec<i64> = Vec::new();
    let mut ranges: Vec<&str> = Vec::new();
    let mut patterns: Vec<&str> = Vec::new();
    let mut types: Vec<Type> = Vec::new();
    for condition in conditions {
        let Some(operator) = condition.operator else {
            complete = false;
            continue;
        };
        complete &= !condition.open;
        let of_type = type_of(operator.comparison);
        if of_type != Type::Presence && !types.contains(&of_type) {
            types.push(of_type);
        }
        for value in &condition.values {
            match of_type {
                Type::Presence => {}
                Type::Number => match number(value.text) {
                    Some(number) => numbers.push(number),
                    None => complete = false,
                },
                Type::Moment => match Moment::parse(value.text) {
                    Some(moment) => moments.push(moment.0),
                    None => complete = false,
                },
                Type::Address => ranges.push(value.text),
                _ if has_hole(value.text) => complete = false,
                kind => {
                    if kind == Type::TextIgnoringCase {
                        values.push(Cow::Owned(value.text.to_uppercase()));
                        values.push(Cow::Owned(value.text.to_lowercase()));
                    }
                    if matches!(kind, Type::Pattern | Type::ArnPattern) && is_wildcard(value.text) {
                        patterns.push(value.text);
                    } else {
                        values.push(Cow::Borrowed(value.text));
                    }
                }
            }
        }
    }
    patterns.sort_unstable();
    patterns.dedup();
    for pattern in &patterns {
        values.push(Cow::Owned(pattern.replace(['*', '?'], OTHER)));
        values.push(Cow::Owned(pattern.replace('*', "").replace('?', OTHER)));
    }
    // Of several patterns that overlap in other ways than by their beginnings, some kinds may be missing.
    let beginning =
        |pattern: &&str| pattern.find(['*', '?']) == Some(pattern.len() - 1) && pattern.ends_with('*');
    complete &= patterns.len() <= 1 || patterns.iter().all(beginning);
    // What is equal in one sense and not in another is not among the values either.
    let compared_alike = |kind: &Type| matches!(kind, Type::Text | Type::Pattern);
    let compared_as_arns = |kind: &Type| matches!(kind, Type::Text | Type::ArnPattern);
    complete &= types.len() <= 1 || types.iter().all(compared_alike) || types.iter().all(compared_as_arns);
    around(&mut numbers, &mut values, |number| number.to_string());
    let mut seconds: Vec<f64> = moments.iter().map(|&moment| whole(moment)).collect();
    around(&mut seconds, &mut values, |seconds| format!("{seconds:.0}"));
    if !ranges.is_empty() {
        complete &= ranges.iter().all(|range| *range == ranges.first().copied().unwrap_or_default());
        values.extend(ranges.iter().map(|range| Cow::Borrowed(range.split('/').next().unwrap_or(range))));
        values.extend(OTHER_ADDRESSES.map(Cow::Borrowed));
    }
    let text = types.iter().any(|kind| !matches!(kind, Type::Number | Type::Moment | Type::Address));
    if text || values.is_empty() {
        // One that the pattern `?` does not match.
        let other = if patterns.contains(&"?") { Cow::Owned(OTHER.repeat(2)) } else { Cow::Borrowed(OTHER) };
        values.push(other);
    }
    (values, complete)
}

/// Below, at, between and above the given numbers.
fn around(numbers: &mut [f64], values: &mut Vec<Cow<'_, str>>, text: impl Fn(f64) -> String) {
    numbers.sort_unstable_by(f64::total_cmp);
    let mut previous: Option<f64> = None;
    for &number in numbers.iter() {
        let below = previous.map_or(number - 10.0, |previous| f64::midpoint(previous, number));
        values.extend([below, number].map(|number| Cow::Owned(text(number))));
        previous = Some(number);
    }
    values.extend(previous.map(|last| Cow::Owned(text(last + 10.0))));
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
fn whole(moment: i64) -> f64 {
    moment as f64
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Presence,
    Number,
    Moment,
    Address,
    Text,
    TextIgnoringCase,
    Pattern,
    ArnPattern,
}

fn type_of(comparison: Comparison) -> Type {
    use Comparison as C;
    match comparison {
        C::Null => Type::Presence,
        C::NumericEquals
        | C::NumericNotEquals
        | C::NumericLessThan
        | C::NumericLessThanEquals
        | C::NumericGreaterThan
        | C::NumericGreaterThanEquals => Type::Number,
        C::DateEquals
        | C::DateNotEquals
        | C::DateLessThan
        | C::DateLessThanEquals
        | C::DateGreaterThan
        | C::DateGreaterThanEquals => Type::Moment,
        C::IpAddress | C::NotIpAddress => Type::Address,
        C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => Type::TextIgnoringCase,
        C::StringLike | C::StringNotLike => Type::Pattern,
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => Type::ArnPattern,
        C::StringEquals | C::StringNotEquals | C::Bool | C::BinaryEquals => Type::Text,
    }
}

/// Gives up on trying where there would be too many combinations: then nothing is assumed of any key.
pub(super) fn bound(variables: &mut [Variable<'_>]) {
    let combinations = variables.iter().try_fold(1_usize, |all, v| all.checked_mul(v.samples.len()));
    if combinations.is_none_or(|combinations| combinations > COMBINATIONS) {
        for variable in variables {
            variable.samples = vec![Sample::Unsettled];
        }
    }
}

/// Whether some of these keys hang together.
pub(super) fn entangled<'v, 'p: 'v>(variables: impl Iterator<Item = &'v Variable<'p>> + Clone) -> bool {
    let mut rest = variables;
    while let Some(left) = rest.next() {
        if rest.clone().any(|right| correlated(&left.key, &right.key)) {
            return true;
        }
    }
    false
}

/// Whether the values of two keys hang together, so that they cannot be chosen each by itself.
pub(super) fn correlated(left: &ConditionKey<'_>, right: &ConditionKey<'_>) -> bool {
    let group = |key: &ConditionKey<'_>| match key.id? {
        KeyId::VIA_SERVICE
        | KeyId::VIA_AWS_SERVICE
        | KeyId::CALLED_VIA
        | KeyId::CALLED_VIA_FIRST
        | KeyId::CALLED_VIA_LAST
        | KeyId::GRANT_IS_FOR_AWS_RESOURCE => Some(0),
        KeyId::ENCRYPTION_CONTEXT | KeyId::ENCRYPTION_CONTEXT_KEYS => Some(1),
        KeyId::SOURCE_VPC
        | KeyId::SOURCE_VPCE
        | KeyId::VPCE_ACCOUNT
        | KeyId::VPCE_ORG_ID
        | KeyId::VPCE_ORG_PATHS
        | KeyId::SOURCE_IP
        | KeyId::VPC_SOURCE_IP => Some(2),
        KeyId::PRINCIPAL_ORG_ID | KeyId::PRINCIPAL_ORG_PATHS => Some(3),
        KeyId::MULTI_FACTOR_AUTH_PRESENT | KeyId::MULTI_FACTOR_AUTH_AGE => Some(4),
        KeyId::CURRENT_TIME | KeyId::EPOCH_TIME => Some(5),
        _ => None,
    };
    // Two names of the encryption context are as free as two keys.
    left.id != right.id && group(left).is_some_and(|left| group(right) == Some(left))
}
