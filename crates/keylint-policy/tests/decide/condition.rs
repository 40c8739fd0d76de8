//! Conditions.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use serde_json::Value;

use super::pattern::{self, Filled, Glyph, literals, wildcards};
use super::reading::Reading::{self, No, Open, Yes};
use super::{Request, texts, values};

/// "Multiple operators and multiple keys are evaluated using a logical AND."
pub(super) fn all_hold(conditions: &Value, variables: bool, request: Request<'_>) -> Reading {
    let empty = serde_json::Map::new();
    let operators = match conditions {
        Value::Object(operators) => operators,
        Value::Null => &empty,
        _ => return Open,
    };
    Reading::all(operators.iter().flat_map(|(operator, keys)| {
        keys.as_object().into_iter().flatten().map(move |(key, expected)| {
            // "Condition key names are not case-sensitive."
            let found = request.context.get(&key.to_lowercase()).map(Vec::as_slice);
            let question = Question { operator, expected: &texts(expected), variables, request };
            question.holds(found)
        })
    }))
}

struct Question<'q> {
    operator: &'q str,
    expected: &'q [String],
    variables: bool,
    request: Request<'q>,
}

impl Question<'_> {
    fn holds(&self, found: Option<&[String]>) -> Reading {
        let (set, rest) = match self.operator.split_once(':') {
            Some((set, rest)) => (Some(set), rest),
            None => (None, self.operator),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        if !is_operator(name) || self.expected.is_empty() {
            return Open;
        }
        if name == "Null" {
            let plain = set.is_none() && !if_exists;
            return if plain { self.null(found) } else { Open };
        }
        match (set, found) {
            // "IfExists: if the key is not present, evaluate the condition element as true."
            (_, None) if if_exists => Yes,
            // "If the key is not present, the values do not match and the condition is false"; a negated one is true.
            (None, None) => Reading::from(is_negated(name)),
            (None, Some([one])) => self.matches(name, one),
            // "ForAllValues also returns true if there are no keys in the request."
            (Some("ForAllValues"), None) => Yes,
            (Some("ForAllValues"), Some(all)) => Reading::all(all.iter().map(|one| self.matches(name, one))),
            // "For no matching key ForAnyValue returns false." And "set operators are required for keys with several
            // values": without one nothing matches.
            (Some("ForAnyValue"), None) | (None, Some(_)) => No,
            (Some("ForAnyValue"), Some(all)) => Reading::any(all.iter().map(|one| self.matches(name, one))),
            _ => Open,
        }
    }

    /// "Null: true if the key must be absent, false if it must be there."
    fn null(&self, found: Option<&[String]>) -> Reading {
        Reading::any(self.expected.iter().map(|expected| match expected.as_str() {
            "true" => Reading::from(found.is_none()),
            "false" => Reading::from(found.is_some()),
            _ => Open,
        }))
    }

    /// "Multiple values are evaluated using a logical OR"; "for a negated operator using a logical NOR".
    fn matches(&self, name: &str, found: &str) -> Reading {
        let any = Reading::any(self.expected.iter().map(|expected| self.compare(name, expected, found)));
        if is_negated(name) { !any } else { any }
    }

    /// Compares one value of the policy with one of the request; for a negated operator as its opposite would.
    fn compare(&self, name: &str, expected: &str, found: &str) -> Reading {
        let known = |answer: Option<bool>| answer.map_or(Open, Reading::from);
        let numbers = |compare: fn(f64, f64) -> bool| {
            known(
                values::number(found)
                    .zip(values::number(expected))
                    .map(|(found, expected)| compare(found, expected)),
            )
        };
        let times = |compare: fn(i64, i64) -> bool| {
            known(
                values::time(found)
                    .zip(values::time(expected))
                    .map(|(found, expected)| compare(found, expected)),
            )
        };
        match name {
            "StringEquals" | "StringNotEquals" => self.text(expected, found, literals),
            "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => self.text_in_any_case(expected, found),
            "StringLike" | "StringNotLike" => self.text(expected, found, wildcards),
            "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => self.arn(expected, found),
            #[expect(clippy::float_cmp, reason = "what is written must be the same")]
            "NumericEquals" | "NumericNotEquals" => numbers(|found, expected| found == expected),
            "NumericLessThan" => numbers(|found, expected| found < expected),
            "NumericLessThanEquals" => numbers(|found, expected| found <= expected),
            "NumericGreaterThan" => numbers(|found, expected| found > expected),
            "NumericGreaterThanEquals" => numbers(|found, expected| found >= expected),
            "DateEquals" | "DateNotEquals" => times(|found, expected| found == expected),
            "DateLessThan" => times(|found, expected| found < expected),
            "DateLessThanEquals" => times(|found, expected| found <= expected),
            "DateGreaterThan" => times(|found, expected| found > expected),
            "DateGreaterThanEquals" => times(|found, expected| found >= expected),
            "Bool" if [expected, found].iter().all(|text| ["true", "false"].contains(text)) => {
                Reading::from(expected == found)
            }
            // Variables cannot be used with it; what is then compared is not said.
            "BinaryEquals" if expected.contains("${") => Open,
            "BinaryEquals" => Reading::from(expected == found),
            "IpAddress" | "NotIpAddress" => known(values::in_range(expected, found)),
            _ => Open,
        }
    }

    fn text(&self, expected: &str, found: &str, read: fn(&str) -> Vec<Glyph>) -> Reading {
        let found: Vec<_> = found.chars().collect();
        match self.filled(expected, read) {
            Filled::Pattern(pattern) => Reading::from(pattern::matches(&pattern, &found)),
            Filled::Null => No,
            Filled::Undocumented => Open,
        }
    }

    fn text_in_any_case(&self, expected: &str, found: &str) -> Reading {
        let text = |glyph: &Glyph| if let Glyph::Literal(character) = glyph { *character } else { ' ' };
        match self.filled(expected, literals) {
            Filled::Pattern(pattern) => {
                let expected: String = pattern.iter().map(text).collect();
                Reading::from(expected.to_lowercase() == found.to_lowercase())
            }
            Filled::Null => No,
            Filled::Undocumented => Open,
        }
    }

    fn arn(&self, expected: &str, found: &str) -> Reading {
        match self.filled(expected, wildcards) {
            Filled::Pattern(pattern) => pattern::arn_matches(&pattern, found),
            Filled::Null => No,
            Filled::Undocumented => Open,
        }
    }

    /// "In version 2008-10-17 policy variables are treated as literal strings."
    fn filled(&self, expected: &str, read: fn(&str) -> Vec<Glyph>) -> Filled {
        if self.variables {
            pattern::fill(expected, read, self.request.context)
        } else {
            Filled::Pattern(read(expected))
        }
    }
}

fn is_negated(name: &str) -> bool {
    name.contains("Not")
}

fn is_operator(name: &str) -> bool {
    let any =
        |prefix: &str, names: &[&str]| name.strip_prefix(prefix).is_some_and(|rest| names.contains(&rest));
    let order = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"];
    any("String", &["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"])
        || any("Arn", &["Equals", "NotEquals", "Like", "NotLike"])
        || any("Numeric", &order)
        || any("Date", &order)
        || ["Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"].contains(&name)
}
