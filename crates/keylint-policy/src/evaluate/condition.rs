//! Whether a condition holds, given what the request has for its key.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::borrow::Cow;
use std::net::IpAddr;

use super::values::{Moment, Range};
use crate::Answer;
use crate::arn::arn_matches;
use crate::model::{Condition, Value, Variables};
use crate::operator::{Comparison, Operator, SetOperator};
use crate::pattern::{self, Piece, Reading};

/// What a request has for a condition key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'f> {
    /// Nothing.
    Absent,
    /// These values.
    Values(&'f [Cow<'f, str>]),
    /// One value, which is none of those that conditions ask for with `StringEquals`.
    Another,
    /// Something, of which nothing more is known.
    Something,
    /// Something or nothing.
    Unsettled,
}

/// What stands for `${…}` in a value.
#[derive(Clone, Debug)]
pub(super) enum Variable {
    /// The value of a condition key.
    Is(String),
    /// A condition key that is not in the request.
    Absent,
    /// A condition key whose value is not known.
    Open,
    /// No condition key: a placeholder of a template.
    Placeholder,
}

/// Whether a condition holds.
///
/// `variable` gives the value of a policy variable, where it is known; `several` is what a plain operator says of
/// several values.
pub(super) fn holds(
    condition: &Condition<'_>,
    found: Found<'_>,
    variables: Variables,
    variable: &dyn Fn(&str) -> Variable,
    several: Answer,
) -> Answer {
    // An operator that does not exist is a mistake of its own.
    let Some(operator) = condition.operator else { return Answer::Maybe };
    let answer = match found {
        Found::Absent => absent(condition, operator),
        Found::Another if is_exact(condition, operator) => Answer::from(operator.comparison.is_negated()),
        Found::Another | Found::Something if operator.comparison == Comparison::Null => {
            is_null(condition, Answer::No)
        }
        Found::Another | Found::Something | Found::Unsettled => Answer::Maybe,
        Found::Values(values) => present(condition, operator, values, variables, variable, several),
    };
    match operator.comparison {
        _ if !condition.open => answer,
        Comparison::Null => Answer::Maybe,
        _ if matches!(found, Found::Absent) => answer,
        // More values can only make a plain comparison true, and a negated one false.
        comparison if comparison.is_negated() => answer.and(Answer::Maybe),
        _ => answer.or(Answer::Maybe),
    }
}

/// Whether a condition asks for the very texts that it lists.
fn is_exact(condition: &Condition<'_>, operator: Operator) -> bool {
    matches!(operator.comparison, Comparison::StringEquals | Comparison::StringNotEquals)
        && !condition.values.iter().any(|value| pattern::has_hole(value.text))
}

fn absent(condition: &Condition<'_>, operator: Operator) -> Answer {
    match (operator.comparison, operator.set) {
        (Comparison::Null, _) => is_null(condition, Answer::Yes),
        (_, SetOperator::ForAllValues) => Answer::Yes,
        // "If the key is not present, evaluate the condition element as true", of any operator but `Null`.
        (_, SetOperator::ForAnyValue) => Answer::from(operator.if_exists),
        (comparison, SetOperator::None) => Answer::from(operator.if_exists || comparison.is_negated()),
    }
}

/// `"Null": {"key": "true"}` holds if the key is absent, `"false"` if it is there.
fn is_null(condition: &Condition<'_>, absent: Answer) -> Answer {
    Answer::any(condition.values.iter().map(|value| match boolean(value.text) {
        Some(true) => absent,
        Some(false) => !absent,
        None => Answer::Maybe,
    }))
}

fn present(
    condition: &Condition<'_>,
    operator: Operator,
    found: &[Cow<'_, str>],
    variables: Variables,
    variable: &dyn Fn(&str) -> Variable,
    several: Answer,
) -> Answer {
    if operator.comparison == Comparison::Null {
        return is_null(condition, Answer::No);
    }
    let one = |found: &Cow<'_, str>| {
        let matching = condition.values.iter().map(|expected| {
            if !operator.comparison.takes_variables() && pattern::has_hole(expected.text) {
                return Answer::Maybe;
            }
            resolved(expected, variables, variable)
                .map_or(Answer::No, |expected| compare(operator.comparison, &expected, found))
        });
        let any = Answer::any(matching);
        if operator.comparison.is_negated() { !any } else { any }
    };
    match operator.set {
        SetOperator::ForAllValues => Answer::all(found.iter().map(one)),
        SetOperator::ForAnyValue => Answer::any(found.iter().map(one)),
        SetOperator::None => match found {
            [] => absent(condition, operator),
            [value] => one(value),
            _ => several,
        },
    }
}

/// The text of a value, with its policy variables replaced where their values are known. Nothing when one of them
/// has no value: then there is nothing that the text could be equal to or like.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value>
fn resolved<'v>(
    value: &Value<'v>,
    variables: Variables,
    variable: &dyn Fn(&str) -> Variable,
) -> Option<Cow<'v, str>> {
    if !pattern::has_hole(value.text) {
        return Some(Cow::Borrowed(value.text));
    }
    let mut text = String::new();
    for piece in pattern::pieces(value.text) {
        let hole = match piece {
            Piece::Literal(literal) => {
                text.push_str(literal);
                continue;
            }
            Piece::Hole(hole) => hole,
        };
        let (name, default) =
            hole.split_once(',').map_or((hole, None), |(name, default)| (name, Some(default)));
        let default = default.and_then(|default| default.trim().strip_prefix('\'')?.strip_suffix('\''));
        match (variable(name.trim()), variables) {
            // The special characters have this spelling in the later version only.
            (Variable::Placeholder, Variables::Resolved) => text.extend(["${", hole, "}"]),
            (Variable::Placeholder, _) if !matches!(hole, "*" | "?" | "$") => text.extend(["${", hole, "}"]),
            // The text `${…}` itself.
            (_, Variables::Literal) => text.extend(["${$}{", hole, "}"]),
            // What a variable stands for is literal: its `*` matches `*` alone.
            (Variable::Is(value), _) => text.extend(value.chars().flat_map(literal_in_pattern)),
            (Variable::Absent, _) => text.extend(default?.chars().flat_map(literal_in_pattern)),
            (Variable::Open, _) => text.extend(["${", hole, "}"]),
        }
    }
    Some(Cow::Owned(text))
}

fn literal_in_pattern(character: char) -> impl Iterator<Item = char> {
    let escaped = matches!(character, '*' | '?' | '$').then(|| ['$', '{', character, '}']);
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

/// Whether one value of the request matches one value of the policy, before any negation.
fn compare(comparison: Comparison, expected: &str, found: &str) -> Answer {
    use Comparison as C;
    let ignoring_case = Reading { wildcards: false, case: false };
    match comparison {
        C::StringEquals | C::StringNotEquals | C::BinaryEquals => {
            pattern::matches(expected, found, Reading::EXACT)
        }
        C::StringEqualsIgnoreCase | C::StringNotEqualsIgnoreCase => {
            pattern::matches(expected, found, ignoring_case)
        }
        C::StringLike | C::StringNotLike => pattern::matches(expected, found, Reading::LIKE),
        C::ArnEquals | C::ArnLike | C::ArnNotEquals | C::ArnNotLike => arn_matches(expected, found),
        C::Bool => both(boolean(expected), boolean(found), |expected, found| expected == found),
        C::IpAddress | C::NotIpAddress => {
            both(Range::parse(expected), found.parse::<IpAddr>().ok(), |range, address| {
                range.contains(address)
            })
        }
        C::NumericEquals | C::NumericNotEquals => numbers(expected, found, |e, f| e.total_cmp(&f).is_eq()),
        C::NumericLessThan => numbers(expected, found, |e, f| f < e),
        C::NumericLessThanEquals => numbers(expected, found, |e, f| f <= e),
        C::NumericGreaterThan => numbers(expected, found, |e, f| f > e),
        C::NumericGreaterThanEquals => numbers(expected, found, |e, f| f >= e),
        C::DateEquals | C::DateNotEquals => moments(expected, found, |e, f| e == f),
        C::DateLessThan => moments(expected, found, |e, f| f < e),
        C::DateLessThanEquals => moments(expected, found, |e, f| f <= e),
        C::DateGreaterThan => moments(expected, found, |e, f| f > e),
        C::DateGreaterThanEquals => moments(expected, found, |e, f| f >= e),
        C::Null => Answer::Maybe,
    }
}

/// What cannot be read as the type that the operator compares gives maybe: AWS does not say what it does then.
fn both<A, B>(expected: Option<A>, found: Option<B>, test: impl Fn(A, B) -> bool) -> Answer {
    match (expected, found) {
        (Some(expected), Some(found)) => Answer::from(test(expected, found)),
        _ => Answer::Maybe,
    }
}

fn numbers(expected: &str, found: &str, test: impl Fn(f64, f64) -> bool) -> Answer {
    both(super::values::number(expected), super::values::number(found), test)
}

fn moments(expected: &str, found: &str, test: impl Fn(Moment, Moment) -> bool) -> Answer {
    both(Moment::parse(expected), Moment::parse(found), test)
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
