//! Condition operators.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::fmt;

use crate::vocabulary::ValueType;

/// A condition operator: a comparison, with `ForAllValues:` or `ForAnyValue:` before it and `IfExists` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operator {
    /// What is compared, and how.
    pub comparison: Comparison,
    /// How many of the request's values must match.
    pub set: SetOperator,
    /// Whether a key that is not in the request makes the condition true.
    pub if_exists: bool,
}

/// How several values in the request are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// The request has one value.
    None,
    /// Every value of the request must match; true if there is none.
    ForAllValues,
    /// At least one must match; false if there is none.
    ForAnyValue,
}

macro_rules! comparisons {
    ($($name:ident: $doc:literal),+ $(,)?) => {
        /// What is compared, and how.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Comparison { $(#[doc = $doc] $name),+ }

        impl Comparison {
            const ALL: &'static [(&'static str, Self)] = &[$((stringify!($name), Self::$name)),+];
        }
    };
}

comparisons! {
    StringEquals: "The same text.",
    StringNotEquals: "Not the same text.",
    StringEqualsIgnoreCase: "The same text but for letter case.",
    StringNotEqualsIgnoreCase: "Not the same text, whatever the letter case.",
    StringLike: "A pattern with `*` and `?`.",
    StringNotLike: "A pattern that must not match.",
    NumericEquals: "The same number.",
    NumericNotEquals: "Another number.",
    NumericLessThan: "A number below.",
    NumericLessThanEquals: "A number not above.",
    NumericGreaterThan: "A number above.",
    NumericGreaterThanEquals: "A number not below.",
    DateEquals: "The same time.",
    DateNotEquals: "Another time.",
    DateLessThan: "A time before.",
    DateLessThanEquals: "A time not after.",
    DateGreaterThan: "A time after.",
    DateGreaterThanEquals: "A time not before.",
    Bool: "True or false.",
    BinaryEquals: "The same bytes, in base 64.",
    IpAddress: "An address in a range.",
    NotIpAddress: "An address in none of the ranges.",
    ArnEquals: "An ARN pattern; the same as `ArnLike`.",
    ArnLike: "An ARN pattern.",
    ArnNotEquals: "An ARN pattern that must not match; the same as `ArnNotLike`.",
    ArnNotLike: "An ARN pattern that must not match.",
    Null: "Whether the key is absent.",
}

impl Comparison {
    /// The name, without what stands before and behind it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, comparison)| *comparison == self).map_or("", |(name, _)| name)
    }

    /// The type of the values that it compares; nothing for `Null`, which compares none.
    pub fn value_type(self) -> Option<ValueType> {
        let name = self.name();
        let begins = |start: &str| name.starts_with(start);
        match self {
            Self::Null => None,
            Self::Bool => Some(ValueType::Bool),
            Self::BinaryEquals => Some(ValueType::Binary),
            Self::IpAddress | Self::NotIpAddress => Some(ValueType::IpAddress),
            _ if begins("Numeric") => Some(ValueType::Numeric),
            _ if begins("Date") => Some(ValueType::Date),
            _ if begins("Arn") => Some(ValueType::Arn),
            _ => Some(ValueType::String),
        }
    }

    /// Whether `${…}` in a value stands for a condition key. With the other operators a variable "cannot be used",
    /// and what happens if it is used all the same is not documented.
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
    pub fn takes_variables(self) -> bool {
        matches!(self.value_type(), Some(ValueType::String | ValueType::Arn))
    }

    /// The comparison of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, comparison)| *comparison)
    }

    /// Whether the comparison is true when no value matches: several values are then nor-ed, and a key that is not
    /// in the request makes it true.
    pub fn is_negated(self) -> bool {
        matches!(
            self,
            Self::StringNotEquals
                | Self::StringNotEqualsIgnoreCase
                | Self::StringNotLike
                | Self::NumericNotEquals
                | Self::DateNotEquals
                | Self::NotIpAddress
                | Self::ArnNotEquals
                | Self::ArnNotLike
        )
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.set {
            SetOperator::None => "",
            SetOperator::ForAllValues => "ForAllValues:",
            SetOperator::ForAnyValue => "ForAnyValue:",
        })?;
        formatter.write_str(self.comparison.name())?;
        formatter.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

impl Operator {
    /// Reads an operator. `None` if there is no operator of this name; letter case matters.
    pub fn parse(text: &str) -> Option<Self> {
        let (set, rest) = if let Some(rest) = text.strip_prefix("ForAllValues:") {
            (SetOperator::ForAllValues, rest)
        } else if let Some(rest) = text.strip_prefix("ForAnyValue:") {
            (SetOperator::ForAnyValue, rest)
        } else {
            (SetOperator::None, text)
        };
        let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
        let comparison = Comparison::ALL.iter().find(|(known, _)| *known == name)?.1;
        let exists = !(if_exists && comparison == Comparison::Null);
        exists.then_some(Self { comparison, set, if_exists })
    }

    /// The operator that was probably meant, in the form that a policy wants.
    pub fn suggest(text: &str) -> Option<String> {
        let (prefix, rest) = match text.split_once(':') {
            Some((prefix, rest)) => {
                let set = keylint_source::did_you_mean(prefix, ["ForAllValues", "ForAnyValue"])?;
                (format!("{set}:"), rest)
            }
            None => (String::new(), text),
        };
        let lower = rest.to_ascii_lowercase();
        let (name, suffix) = match lower.strip_suffix("ifexists") {
            Some(name) => (name.to_owned(), "IfExists"),
            None => (lower, ""),
        };
        let names = Comparison::ALL.iter().map(|(known, _)| *known);
        let name = keylint_source::did_you_mean(&name, names)?;
        let suffix = if name == "Null" { "" } else { suffix };
        Some(format!("{prefix}{name}{suffix}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn operators_have_a_prefix_and_a_suffix() {
        let operator = Operator::parse("ForAllValues:StringLikeIfExists").unwrap();
        assert_eq!(operator.comparison, Comparison::StringLike);
        assert_eq!(operator.set, SetOperator::ForAllValues);
        assert!(operator.if_exists);
        assert_eq!(operator.to_string(), "ForAllValues:StringLikeIfExists");
        assert!(Operator::parse("Bool").is_some());
        for unknown in ["bool", "NullIfExists", "StringEqual", "ForSomeValues:Bool", ""] {
            assert_eq!(Operator::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn misspelt_operators_have_a_suggestion() {
        assert_eq!(Operator::suggest("StringEqual").as_deref(), Some("StringEquals"));
        assert_eq!(Operator::suggest("bool").as_deref(), Some("Bool"));
        assert_eq!(Operator::suggest("stringlikeifexists").as_deref(), Some("StringLikeIfExists"));
        assert_eq!(
            Operator::suggest("ForAnyValues:StringEquals").as_deref(),
            Some("ForAnyValue:StringEquals")
        );
        assert_eq!(Operator::suggest("NullIfExists").as_deref(), Some("Null"));
        assert_eq!(Operator::suggest("Matches"), None);
    }
}
