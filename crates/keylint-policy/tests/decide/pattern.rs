//! Wildcards, and policy variables.

use super::Context;
use super::reading::Reading::{self, Open};

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Literal(char),
    AnyCharacter,
    AnyCharacters,
}

/// A value of a policy after its policy variables are filled in.
#[derive(Clone, Debug)]
pub(super) enum Filled {
    Pattern(Vec<Glyph>),
    /// A variable has no value: "the value is effectively null. There is no equal or like value."
    Null,
    Undocumented,
}

/// `*` stands for any characters, `?` for one; letter case matters.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    matches(&wildcards(pattern), &text.chars().collect::<Vec<_>>())
}

pub(super) fn matches(pattern: &[Glyph], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([Glyph::AnyCharacters, rest @ ..], _) => {
            matches(rest, text) || (!text.is_empty() && matches(pattern, &text[1..]))
        }
        ([Glyph::AnyCharacter, pattern @ ..], [_, text @ ..]) => matches(pattern, text),
        ([Glyph::Literal(expected), pattern @ ..], [found, text @ ..]) => {
            expected == found && matches(pattern, text)
        }
        _ => false,
    }
}

/// "Each of the six colon-delimited components of the ARN is checked separately."
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
pub(super) fn arn_segments(pattern: &str, text: &str) -> Reading {
    arn_matches(&wildcards(pattern), text)
}

pub(super) fn arn_matches(pattern: &[Glyph], text: &str) -> Reading {
    let pattern: Vec<&[Glyph]> = pattern.splitn(6, |glyph| *glyph == Glyph::Literal(':')).collect();
    let text: Vec<&str> = text.splitn(6, ':').collect();
    if pattern.len() < 6 || text.len() < 6 {
        // What is no ARN has no six components.
        return Open;
    }
    let same = |(pattern, text): (&&[Glyph], &&str)| matches(pattern, &text.chars().collect::<Vec<_>>());
    Reading::from(pattern.iter().zip(&text).all(same))
}

pub(super) fn literals(text: &str) -> Vec<Glyph> {
    text.chars().map(Glyph::Literal).collect()
}

pub(super) fn wildcards(text: &str) -> Vec<Glyph> {
    text.chars()
        .map(|character| match character {
            '*' => Glyph::AnyCharacters,
            '?' => Glyph::AnyCharacter,
            other => Glyph::Literal(other),
        })
        .collect()
}

/// Fills in the policy variables of a value.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
pub(super) fn fill(value: &str, read: fn(&str) -> Vec<Glyph>, context: &Context) -> Filled {
    let Some((before, rest)) = value.split_once("${") else {
        return Filled::Pattern(read(value));
    };
    let Some((variable, after)) = rest.split_once('}') else {
        return Filled::Undocumented;
    };
    let middle = match variable {
        // "Use ${*}, ${?} and ${$} where the characters themselves are meant."
        "*" | "?" | "$" => Filled::Pattern(literals(variable)),
        _ => value_of(variable, context),
    };
    match (middle, fill(after, read, context)) {
        (Filled::Pattern(middle), Filled::Pattern(after)) => {
            Filled::Pattern([read(before), middle, after].concat())
        }
        (Filled::Undocumented, _) | (_, Filled::Undocumented) => Filled::Undocumented,
        _ => Filled::Null,
    }
}

/// `${key}`, or `${key, 'default'}`.
fn value_of(variable: &str, context: &Context) -> Filled {
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => {
            (key.trim(), default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\'')))
        }
        None => (variable, None),
    };
    if !key.contains(':') || key.contains("::") {
        return Filled::Undocumented;
    }
    match (context.get(&key.to_lowercase()).map(Vec::as_slice), default) {
        // Whether a wildcard in the value of a variable is one in the pattern is not documented, nor whether a colon
        // separates.
        (Some([one]), _) if one.contains(['*', '?', ':', '$']) => Filled::Undocumented,
        (Some([one]), _) => Filled::Pattern(literals(one)),
        (Some(_), _) => Filled::Undocumented,
        (None, Some(default)) => Filled::Pattern(literals(default)),
        (None, None) => Filled::Null,
    }
}
