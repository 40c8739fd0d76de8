//! What the text of an `Action` element covers.

use super::operation::{Operation, Operations};
use super::{starts_with, strip_prefix};

/// Whether a text has a `*` or a `?`, and so stands for a set of names.
pub fn is_wildcard(pattern: &str) -> bool {
    first_wildcard(pattern).is_some()
}

impl Operations {
    /// The operations that the text of an `Action` element covers: `kms:Decrypt`, `kms:Re*`, `*`, `k*:?ecrypt`.
    ///
    /// Letter case does not matter. `*` stands for any run of characters and `?` for one, `:` included. What is no
    /// operation of KMS (another service's action, a misspelt name) covers nothing.
    pub fn matching(pattern: &str) -> Self {
        match strip_prefix(pattern, "kms:") {
            Some(name) => matching_names(name),
            // Only a wildcard can stand for the service, and what stands before it is the beginning of `kms:`.
            None if first_wildcard(pattern).is_some_and(|place| {
                pattern.get(..place).is_some_and(|start| starts_with("kms:", start))
            }) =>
            {
                if pattern.bytes().all(|byte| byte == b'*') {
                    Self::ALL
                } else {
                    matching_qualified(pattern)
                }
            }
            None => Self::EMPTY,
        }
    }
}

/// The operations whose name, without `kms:`, matches.
fn matching_names(pattern: &str) -> Operations {
    // No name has a wildcard in it, and most texts are names.
    if let Some(operation) = Operation::from_bare_name(pattern) {
        return Operations::only(operation);
    }
    let Some(place) = first_wildcard(pattern) else { return Operations::EMPTY };
    let (literal, wild) = pattern.split_at_checked(place).unwrap_or_default();
    let family = Operations::beginning_with(literal);
    if wild.bytes().all(|byte| byte == b'*') {
        return family;
    }
    family
        .iter()
        .filter(|operation| {
            strip_prefix(operation.name(), literal)
                .is_some_and(|rest| matches(wild.as_bytes(), rest.as_bytes()))
        })
        .collect()
}

/// The operations whose name with `kms:` matches.
fn matching_qualified(pattern: &str) -> Operations {
    Operation::all()
        .filter(|operation| matches(pattern.as_bytes(), operation.qualified().as_bytes()))
        .collect()
}

fn first_wildcard(pattern: &str) -> Option<usize> {
    pattern.bytes().position(|byte| matches!(byte, b'*' | b'?'))
}

/// Whether the pattern matches the whole of an ASCII name, without regard to case.
///
/// The usual greedy walk: on a mismatch, the last `*` takes one character more.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut in_pattern, mut in_name) = (0, 0);
    let mut last_star = None;
    while let Some(byte) = name.get(in_name) {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                in_pattern += 1;
                last_star = Some((in_pattern, in_name));
            }
            Some(expected) if *expected == b'?' || expected.eq_ignore_ascii_case(byte) => {
                in_pattern += 1;
                in_name += 1;
            }
            _ => {
                let Some((after_star, taken)) = last_star else {
                    return false;
                };
                in_pattern = after_star;
                in_name = taken + 1;
                last_star = Some((after_star, in_name));
            }
        }
    }
    pattern.get(in_pattern..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    fn on_key(pattern: &str) -> Vec<&'static str> {
        Operations::matching(pattern).intersection(Operations::ON_KEY).iter().map(Operation::name).collect()
    }

    #[test]
    fn patterns_expand_to_the_documented_operations_on_a_key() {
        let table: &[(&str, &[&str])] = &[
            ("kms:Re*", &["ReEncryptFrom", "ReEncryptTo", "ReplicateKey", "RetireGrant", "RevokeGrant"]),
            ("kms:ReEncrypt*", &["ReEncryptFrom", "ReEncryptTo"]),
            ("kms:Create*", &["CreateAlias", "CreateGrant"]),
            ("kms:List*", &["ListGrants", "ListKeyPolicies", "ListKeyRotations", "ListResourceTags"]),
            ("kms:Describe*", &["DescribeKey"]),
            (
                "kms:Get*",
                &[
                    "GetKeyLastUsage",
                    "GetKeyPolicy",
                    "GetKeyRotationStatus",
                    "GetParametersForImport",
                    "GetPublicKey",
                ],
            ),
            (
                "kms:GenerateDataKey*",
                &[
                    "GenerateDataKey",
                    "GenerateDataKeyPair",
                    "GenerateDataKeyPairWithoutPlaintext",
                    "GenerateDataKeyWithoutPlaintext",
                ],
            ),
            ("kms:Encrypt*", &["Encrypt"]),
            ("kms:*Grant*", &["CreateGrant", "ListGrants", "RetireGrant", "RevokeGrant"]),
            ("kms:?ecrypt", &["Decrypt"]),
            ("kms:ReEncrypt????", &["ReEncryptFrom"]),
        ];
        for (pattern, expected) in table {
            assert_eq!(on_key(pattern), *expected, "{pattern}");
        }
        assert!(on_key("kms:Generate*").contains(&"GenerateMac"));
    }

    #[test]
    fn everything_has_many_spellings() {
        for pattern in ["*", "**", "kms:*", "KMS:**", "*:*", "k*", "?ms:*", "*m*", "kms*", "km?:*", "kms?*"] {
            assert_eq!(Operations::matching(pattern), Operations::ALL, "{pattern}");
        }
    }

    #[test]
    fn letter_case_does_not_matter() {
        let grant = Operations::only(Operation::CREATE_GRANT);
        for pattern in
            ["kms:CreateGrant", "KMS:CREATEGRANT", "kms:creategrant*", "kMs:cREATEg*", "K*:createGRANT"]
        {
            assert_eq!(Operations::matching(pattern), grant, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_operation_covers_nothing() {
        for pattern in [
            "",
            "kms",
            "kms:",
            "Decrypt",
            "kms:ReEncrypt",
            "kms: Decrypt",
            "kms:Decrypt ",
            "kms:Décrypt",
            "kms:Decryp\u{212a}*",
            "kmſ:*",
            "s3:*",
            "s*:*",
            "kmss:*",
            "kms:kms:*",
            "kms:?",
            "?",
        ] {
            assert_eq!(Operations::matching(pattern), Operations::EMPTY, "{pattern}");
        }
    }

    #[test]
    fn wildcards_are_seen() {
        assert!(is_wildcard("kms:Re*") && is_wildcard("kms:?ecrypt"));
        assert!(!is_wildcard("kms:Decrypt") && !is_wildcard(""));
    }

    /// The plainest possible reading of a pattern.
    fn plain(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|taken| plain(rest, &text[taken..])),
            ['?', rest @ ..] => !text.is_empty() && plain(rest, &text[1..]),
            [one, rest @ ..] => text.first() == Some(one) && plain(rest, &text[1..]),
        }
    }

    /// Texts near the names: a qualified name with characters replaced, inserted or cut, in any case.
    fn near_a_name() -> impl Strategy<Value = String> {
        let change =
            (0_usize..44, prop::sample::select(vec!["*", "?", "", "**", "*?", "e", "K", ":", "é", "s3"]));
        let name =
            (0..Operations::ALL.len(), prop::collection::vec(change, 0..5), any::<bool>(), 0_usize..44);
        name.prop_map(|(number, changes, upper, cut)| {
            let name = Operation::all().nth(number).unwrap().qualified();
            let mut parts: Vec<String> = name.chars().map(String::from).collect();
            for (place, with) in changes {
                if let Some(part) = parts.get_mut(place) {
                    with.clone_into(part);
                }
            }
            if cut > 20 {
                parts.truncate(cut);
                parts.push("*".to_owned());
            }
            let text = parts.concat();
            if upper { text.to_uppercase() } else { text }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_pattern_covers_what_the_plain_reading_says(
            pattern in prop_oneof![
                4 => near_a_name(),
                1 => "[kK*?]{0,2}[mM*]?[sS*?]?:?[a-zA-Z*?]{0,4}",
                1 => ".{0,6}",
            ],
        ) {
            let lower = |text: &str| text.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<char>>();
            let expected: Operations = Operation::all()
                .filter(|operation| plain(&lower(&pattern), &lower(operation.qualified())))
                .collect();
            prop_assert_eq!(Operations::matching(&pattern), expected);
        }
    }
}
