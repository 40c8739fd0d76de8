//! What a misspelt action or condition key was probably meant to be.

use keylint_source::did_you_mean;

use super::condition_key::{ConditionKey, KeyId, KeyOrigin, KeyStanding, split_parameter, standing};
use super::operation::{Operation, Operations};
use super::service::is_service_prefix;
use super::starts_with;

/// Beginnings that policies usually follow with `*`.
const FAMILIES: [&str; 19] = [
    "ReEncrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "Generate",
    "Cancel",
    "Create",
    "Delete",
    "Describe",
    "Disable",
    "Enable",
    "Get",
    "Import",
    "List",
    "Put",
    "Revoke",
    "Schedule",
    "Tag",
    "Untag",
    "Update",
];

/// Names of the API, or such as other services have, that are no permission, and what a policy wants instead.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("ReEncrypt", "ReEncrypt*"),
    ("DeleteKey", "ScheduleKeyDeletion"),
    ("GenerateKey", "GenerateDataKey"),
    ("ListTagsForResource", "ListResourceTags"),
    ("RotateKey", "RotateKeyOnDemand"),
];

/// What the text of an `Action` element that covers no operation was probably meant to be, as a policy wants it:
/// `kms:Decrypt` for `Decrypt`, `kms:ReEncrypt*` for `kms:ReEncrypt`.
///
/// Nothing when no name is near, when the text is an action of another service, or when it does cover an operation.
pub fn suggest_action(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let name = match trimmed.split_once(|mark: char| !mark.is_alphanumeric()) {
        Some((prefix, name)) if may_be_kms(prefix) => name,
        _ if trimmed.contains([':', '.']) => return None,
        _ => trimmed,
    };
    if !Operations::matching(text).is_empty() {
        return None;
    }
    let stem = name.trim_end_matches('*');
    let operations = Operation::all().map(Operation::name);
    let meant = if stem != name {
        let near = nearest(stem, FAMILIES.into_iter().chain(operations))?;
        if FAMILIES.contains(&near) { format!("{near}*") } else { near.to_owned() }
    } else if let Some(family) = FAMILIES.iter().find(|family| family.eq_ignore_ascii_case(name))
        && Operation::from_name(name).is_none()
    {
        format!("{family}*")
    } else {
        let near = nearest(name, operations.chain(OTHER_NAMES.into_iter().map(|(other, _)| other)))?;
        OTHER_NAMES.iter().find(|(other, _)| *other == near).map_or(near, |(_, instead)| instead).to_owned()
    };
    Some(format!("kms:{meant}"))
}

/// Whether what stands before a mark may be a slip of `kms`, and is not a service of its own.
fn may_be_kms(prefix: &str) -> bool {
    prefix.eq_ignore_ascii_case("kms")
        || (!is_service_prefix(prefix) && did_you_mean(prefix, ["kms"]).is_some())
}

/// The `kms:` or `aws:` key that an unknown condition key was probably meant to be: `kms:ViaService` for `ViaService`,
/// `kms:EncryptionContext:foo` for `kms:EncryptionCtx:foo`, `aws:SourceArn` for `kms:SourceArn`.
///
/// Nothing when no key is near, when only the parameter is missing or only a number is wrong, and for a key that is
/// known or another service's.
pub fn suggest_condition_key(text: &str) -> Option<String> {
    if standing(&ConditionKey::parse(text)) != KeyStanding::Unknown {
        return None;
    }
    if let Some((start, parameter)) = split_parameter(text)
        && let Some(key) = nearest_key(own_name(start), true)
    {
        return Some(format!("{}{parameter}", key.name()));
    }
    let name = own_name(text);
    if candidates(true).any(|key| own_name(key.name()).eq_ignore_ascii_case(name)) {
        return None;
    }
    let key = nearest_key(name, false)?;
    let meant = own_name(key.name());
    let only_a_number =
        !meant.eq_ignore_ascii_case(name) && unnumbered(meant).eq_ignore_ascii_case(unnumbered(name));
    (!only_a_number).then(|| key.name().to_owned())
}

/// A name without the digits at its end.
fn unnumbered(name: &str) -> &str {
    name.trim_end_matches(|mark: char| mark.is_ascii_digit())
}

/// The key with a name near to this one, which is without its service.
fn nearest_key(name: &str, with_parameter: bool) -> Option<KeyId> {
    let near = nearest(name, candidates(with_parameter).map(|key| own_name(key.name())))?;
    candidates(with_parameter).find(|key| own_name(key.name()) == near)
}

/// The keys that may have been meant, with a parameter or without.
fn candidates(with_parameter: bool) -> impl Iterator<Item = KeyId> + Clone {
    KeyId::all()
        .filter(move |key| key.takes_parameter() == with_parameter && key.origin() != KeyOrigin::CrossService)
}

/// A condition key without its service, and without the mark that goes before a parameter.
fn own_name(key: &str) -> &str {
    key.split_once(':').map_or(key, |(_, name)| name).trim_end_matches([':', '/'])
}

/// The candidate nearest to a word; among equally near ones, one that the word begins.
fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str> + Clone) -> Option<&'c str> {
    let begun = candidates.clone().filter(|candidate| starts_with(candidate, word));
    did_you_mean(word, begun.chain(candidates))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn misspelt_actions_are_corrected() {
        let table = [
            ("kms:ReEncrypt", Some("kms:ReEncrypt*")),
            ("kms:reencrypt", Some("kms:ReEncrypt*")),
            ("kms:ReEncrpt", Some("kms:ReEncrypt*")),
            ("kms:ReEncrpt*", Some("kms:ReEncrypt*")),
            ("kms:ReEncypt*", Some("kms:ReEncrypt*")),
            ("kms:Re-Encrypt*", Some("kms:ReEncrypt*")),
            ("kms:GenerateDatKey", Some("kms:GenerateDataKey")),
            ("kms:GenerateDatKey*", Some("kms:GenerateDataKey*")),
            ("kms:GenerateDataKeys*", Some("kms:GenerateDataKey*")),
            ("kms:Decribe*", Some("kms:Describe*")),
            ("kms:Lists*", Some("kms:List*")),
            ("kms:Decrpt*", Some("kms:Decrypt")),
            ("Decrypt", Some("kms:Decrypt")),
            ("kms.Decrypt", Some("kms:Decrypt")),
            ("ksm:Decrypt", Some("kms:Decrypt")),
            ("kms:Decrypt ", Some("kms:Decrypt")),
            ("kms: Decrypt", Some("kms:Decrypt")),
            ("kms:DescribeKeys", Some("kms:DescribeKey")),
            ("kms:CreateGrants", Some("kms:CreateGrant")),
            ("kms:DeleteKey", Some("kms:ScheduleKeyDeletion")),
            ("ReEncrypt*", Some("kms:ReEncrypt*")),
            ("kms:GenerateKey", Some("kms:GenerateDataKey")),
            ("kms:Describe", Some("kms:Describe*")),
            ("kms:generatedatakey ", Some("kms:GenerateDataKey")),
            (" kms:Decrypt", Some("kms:Decrypt")),
            ("kms::Decrypt", Some("kms:Decrypt")),
            ("kms/Decrypt", Some("kms:Decrypt")),
            ("Re-Encrypt*", Some("kms:ReEncrypt*")),
        ];
        for (text, expected) in table {
            assert_eq!(suggest_action(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_made_up_for_actions() {
        for text in
            ["", "*", "kms:", "kms:*", "kms:Re*", "kms:Decrypt", "kms:Xyz", "kms:*Grnt*", "s3:Decrypt", "foo"]
        {
            assert_eq!(suggest_action(text), None, "{text}");
        }
    }

    #[test]
    fn every_name_with_a_letter_missing_leads_to_an_operation() {
        for operation in Operation::all() {
            for place in "kms:".len()..operation.qualified().len() {
                let mut slip = operation.qualified().to_owned();
                slip.remove(place);
                for slip in [slip.clone(), slip + "*"] {
                    let suggestion = suggest_action(&slip);
                    let covered = Operations::matching(suggestion.as_deref().unwrap_or(&slip));
                    assert!(!covered.is_empty(), "{slip}: {suggestion:?}");
                }
            }
        }
        for family in FAMILIES {
            assert!(!Operations::matching(&format!("kms:{family}*")).is_empty(), "{family}");
        }
        for (other, instead) in OTHER_NAMES {
            assert_eq!(Operation::from_name(other), None);
            assert!(!Operations::matching(&format!("kms:{instead}")).is_empty(), "{instead}");
        }
    }

    #[test]
    fn misspelt_condition_keys_are_corrected() {
        let table = [
            ("ViaService", Some("kms:ViaService")),
            ("kms:ViaServices", Some("kms:ViaService")),
            ("aws:ViaService", Some("kms:ViaService")),
            ("kmss:ViaService", Some("kms:ViaService")),
            ("kms:GrantIsForAWSResources", Some("kms:GrantIsForAWSResource")),
            ("kms:GrantForAWSResource", Some("kms:GrantIsForAWSResource")),
            ("kms:SourceArn", Some("aws:SourceArn")),
            ("aws:SourceAcount", Some("aws:SourceAccount")),
            ("aws:PrincipleArn", Some("aws:PrincipalArn")),
            ("kms:EncryptionCtx:foo", Some("kms:EncryptionContext:foo")),
            ("kms:EncryptionContext/foo", Some("kms:EncryptionContext:foo")),
            ("kms:EncryptionContxt:aws:s3:arn", Some("kms:EncryptionContext:aws:s3:arn")),
            ("aws:PrincipalTags/team", Some("aws:PrincipalTag/team")),
            ("aws:ResourceTag:team", Some("aws:ResourceTag/team")),
            ("kms:ResourceTag/team", Some("aws:ResourceTag/team")),
            ("kms:RecipientAttestation:ImagSha384", Some("kms:RecipientAttestation:ImageSha384")),
            ("aws:PrincipalOrg", Some("aws:PrincipalOrgID")),
            ("kms:EncryptionContextKey", Some("kms:EncryptionContextKeys")),
        ];
        for (text, expected) in table {
            assert_eq!(suggest_condition_key(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_made_up_for_condition_keys() {
        for text in [
            "",
            "kms:",
            "kms:Xyz",
            "kms:ViaService",
            "s3:prefix",
            "saml:aud",
            "kms:EncryptionContext",
            "aws:ResourceTag/",
        ] {
            assert_eq!(suggest_condition_key(text), None, "{text}");
        }
    }
}
