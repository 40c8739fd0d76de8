//! The core schema of YAML 1.2 (section 10.3 of its specification): what a plain scalar is.

use crate::Kind;

/// What a plain scalar stands for.
pub(super) fn kind(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        _ if is_number(text) => Kind::Number,
        _ => Kind::String,
    }
}

fn is_number(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |byte| matches!(byte, b'0'..=b'7'));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['-', '+']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    has_digits && is_digits(whole) && is_digits(fraction) && all(exponent, |byte| byte.is_ascii_digit())
}

fn all(text: &str, is_right: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for text in
            ["0", "012", "-1", "+1", "0x1F", "0o17", "1.", ".5", "1.5e-3", "1e5", ".inf", "-.INF", ".nan"]
        {
            assert_eq!(kind(text), Kind::Number, "{text}");
        }
        for text in [
            "yes",
            "no",
            "on",
            "nUll",
            "tRue",
            "1e",
            ".",
            "-",
            "+",
            "e5",
            "0x",
            "0o8",
            "1_000",
            "1:30",
            "2012-10-17",
        ] {
            assert_eq!(kind(text), Kind::String, "{text}");
        }
    }
}
