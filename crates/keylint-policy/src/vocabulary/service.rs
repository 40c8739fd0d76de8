//! The services of AWS, by the prefix of their actions and condition keys.

use super::order;
use super::tables::{CONDITION_KEY_PREFIXES, SERVICE_PREFIXES};

/// The prefixes of every AWS service's actions (`autoscaling`, `ec2`, `kms`, …), sorted, in lower case. Services that
/// AWS has closed are among them: their actions are out of date, but not misspelt.
pub fn service_prefixes() -> &'static [&'static str] {
    &SERVICE_PREFIXES
}

/// Whether AWS has, or had, a service whose actions begin with this prefix and a colon. Letter case does not matter.
pub fn is_service_prefix(prefix: &str) -> bool {
    has(&SERVICE_PREFIXES, prefix)
}

/// Whether condition keys of somebody else than KMS can begin with this prefix and a colon: a service, or an identity
/// provider, which is `saml` or named by its host.
pub(super) fn is_condition_key_prefix(prefix: &str) -> bool {
    has(&SERVICE_PREFIXES, prefix) || has(&CONDITION_KEY_PREFIXES, prefix) || prefix.contains('.')
}

fn has(sorted: &[&str], prefix: &str) -> bool {
    sorted.binary_search_by(|candidate| order(candidate, prefix)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_their_prefix() {
        for prefix in ["kms", "KMS", "ec2", "autoscaling", "xray", "a2c", "elastic-inference"] {
            assert!(is_service_prefix(prefix), "{prefix}");
        }
        for prefix in ["", "km", "kmss", "aws", "saml", "*", "ec2.amazonaws.com"] {
            assert!(!is_service_prefix(prefix), "{prefix}");
        }
    }

    #[test]
    fn the_list_is_one_that_can_be_searched() {
        assert!(service_prefixes().len() > 450);
        assert!(service_prefixes().is_sorted_by(|left, right| left < right));
        assert!(service_prefixes().iter().all(|prefix| *prefix == prefix.to_lowercase()));
    }

    #[test]
    fn identity_providers_have_condition_keys_of_their_own() {
        for prefix in ["saml", "accounts.google.com", "oidc.eks.eu-west-1.amazonaws.com/id/AB", "s3"] {
            assert!(is_condition_key_prefix(prefix), "{prefix}");
        }
        assert!(!is_condition_key_prefix("kmss") && !is_condition_key_prefix(""));
    }
}
