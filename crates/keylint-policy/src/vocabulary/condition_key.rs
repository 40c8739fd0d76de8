//! Condition keys: the `kms:` keys, the global `aws:` keys, and those of other services that go with any request.

use std::fmt;

use super::operation::Operations;
use super::service::is_condition_key_prefix;
use super::tables::{CONDITION_KEY_LOOKUP, CONDITION_KEYS, KeyFacts};

/// A condition key of the tables.
///
/// There is a constant for each, such as [`KeyId::GRANT_IS_FOR_AWS_RESOURCE`]. A key that takes a parameter
/// (`kms:EncryptionContext:NAME`, `aws:ResourceTag/NAME`) is one key here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) u8);

/// The type of a condition key's values, which says which operators work on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Text.
    String,
    /// `true` or `false`.
    Bool,
    /// A number.
    Numeric,
    /// A point in time. `aws:EpochTime` is also given to numeric operators, as seconds since 1970.
    Date,
    /// An Amazon resource name.
    Arn,
    /// An IPv4 or IPv6 address.
    IpAddress,
    /// Bytes.
    Binary,
}

/// Who defines a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOrigin {
    /// KMS: `kms:…`.
    Kms,
    /// AWS at large: `aws:…`.
    Global,
    /// Another service, for the requests that come out of it to any service: `ec2:SourceInstanceArn`.
    CrossService,
}

impl KeyId {
    /// Every key, in the order of their names in lower case.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        (0..CONDITION_KEYS.len()).filter_map(|place| u8::try_from(place).ok()).map(Self)
    }

    /// The name as AWS writes it, `kms:ViaService`. That of a key with a parameter ends where the parameter begins:
    /// `kms:EncryptionContext:`, `aws:ResourceTag/`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Whether the name goes on with a parameter.
    pub fn takes_parameter(self) -> bool {
        self.name().ends_with([':', '/'])
    }

    /// The type of its values.
    pub fn value_type(self) -> ValueType {
        self.facts().value_type
    }

    /// Whether a request can have several values for it, so that `ForAnyValue:` and `ForAllValues:` make sense.
    pub fn multi_valued(self) -> bool {
        self.facts().multi_valued
    }

    /// Who defines it.
    pub fn origin(self) -> KeyOrigin {
        self.facts().origin
    }

    /// The operations with which KMS can send the key. With any other operation it is never in the request.
    ///
    /// Global keys go with every operation, save those of tags in the request. That a key *can* be sent does not say
    /// that it is: `aws:MultiFactorAuthAge` needs a principal who signed in so. For operations that are newer than
    /// AWS's table see [`Operation::condition_keys_known`](super::Operation::condition_keys_known).
    pub fn operations(self) -> Operations {
        self.facts().operations
    }

    /// The key of exactly that name in any letter case: without a parameter, or up to where it begins.
    fn named(name: &str) -> Option<Self> {
        let place = CONDITION_KEY_LOOKUP.place(name)?;
        let facts = CONDITION_KEYS.get(usize::from(place))?;
        facts.name.eq_ignore_ascii_case(name).then_some(Self(place))
    }

    #[expect(clippy::indexing_slicing, reason = "only this module makes keys, from places of the table")]
    fn facts(self) -> &'static KeyFacts {
        &CONDITION_KEYS[usize::from(self.0)]
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A condition key as a policy names it.
#[derive(Clone, Copy, Debug)]
pub struct ConditionKey<'t> {
    /// The key it is, or nothing when the tables do not have it.
    pub id: Option<KeyId>,
    /// The text of the policy.
    pub text: &'t str,
    /// The name in the encryption context, or of the tag; nothing for a key without a parameter.
    pub parameter: Option<&'t str>,
}

impl<'t> ConditionKey<'t> {
    /// Reads a condition key, in any letter case. A parameter is everything behind its beginning and not empty.
    pub fn parse(text: &'t str) -> Self {
        if let Some(id) = KeyId::named(text).filter(|id| !id.takes_parameter()) {
            return Self { id: Some(id), text, parameter: None };
        }
        let with_parameter = split_parameter(text).and_then(|(name, parameter)| {
            let id = KeyId::named(name)?;
            Some(Self { id: Some(id), text, parameter: Some(parameter) })
        });
        with_parameter.unwrap_or(Self { id: None, text, parameter: None })
    }

    /// Whether two texts name the same key. Letter case does not matter, in a parameter neither.
    pub fn same_as(&self, other: &ConditionKey<'_>) -> bool {
        match (self.id, other.id) {
            (Some(mine), Some(others)) => {
                mine == others
                    && match (self.parameter, other.parameter) {
                        (Some(mine), Some(others)) => mine.eq_ignore_ascii_case(others),
                        (mine, others) => mine == others,
                    }
            }
            (None, None) => self.text.eq_ignore_ascii_case(other.text),
            _ => false,
        }
    }
}

/// Splits `aws:ResourceTag/NAME` into `aws:ResourceTag/` and `NAME`. Nothing when there is no such mark after the
/// service, or nothing behind it.
pub(super) fn split_parameter(text: &str) -> Option<(&str, &str)> {
    let service = text.find(':')? + 1;
    let mark = text.get(service..)?.find([':', '/'])?;
    text.split_at_checked(service + mark + 1).filter(|(_, parameter)| !parameter.is_empty())
}

/// What keylint can say about a condition key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// The tables have it.
    Known,
    /// It belongs to another service or to an identity provider, whose keys the tables do not list.
    OtherService,
    /// Nobody has such a key: no request ever carries it.
    Unknown,
}

/// Whether a condition key is known, somebody else's, or a mistake: a `kms:` or `aws:` key that does not exist, a key
/// without a service, or of a service that does not exist.
pub fn standing(key: &ConditionKey<'_>) -> KeyStanding {
    if key.id.is_some() {
        return KeyStanding::Known;
    }
    match key.text.split_once(':') {
        Some((prefix, name))
            if !name.is_empty() && !prefix.eq_ignore_ascii_case("kms") && is_condition_key_prefix(prefix) =>
        {
            KeyStanding::OtherService
        }
        _ => KeyStanding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Operation;
    use pretty_assertions::assert_eq;

    #[test]
    fn keys_are_read_in_any_spelling() {
        let table = [
            ("kms:ViaService", Some(KeyId::VIA_SERVICE), None),
            ("KMS:viaservice", Some(KeyId::VIA_SERVICE), None),
            ("AWS:SourceARN", Some(KeyId::SOURCE_ARN), None),
            ("aws:PrincipalOrgId", Some(KeyId::PRINCIPAL_ORG_ID), None),
            ("ec2:SourceInstanceARN", Some(KeyId::EC2_SOURCE_INSTANCE_ARN), None),
            ("kms:EncryptionContextKeys", Some(KeyId::ENCRYPTION_CONTEXT_KEYS), None),
            ("kms:EncryptionContext:AppName", Some(KeyId::ENCRYPTION_CONTEXT), Some("AppName")),
            ("kms:encryptioncontext:aws:s3:arn", Some(KeyId::ENCRYPTION_CONTEXT), Some("aws:s3:arn")),
            ("kms:EncryptionContext:a/b", Some(KeyId::ENCRYPTION_CONTEXT), Some("a/b")),
            ("kms:EncryptionContext:日", Some(KeyId::ENCRYPTION_CONTEXT), Some("日")),
            ("aws:ResourceTag/k8s.io/role", Some(KeyId::RESOURCE_TAG), Some("k8s.io/role")),
            ("aws:PrincipalTag/dp:exclude:x", Some(KeyId::PRINCIPAL_TAG), Some("dp:exclude:x")),
            ("aws:requesttag/team", Some(KeyId::REQUEST_TAG), Some("team")),
            ("kms:RecipientAttestation:PCR0", Some(KeyId::RECIPIENT_ATTESTATION_PCR0), None),
            ("kms:RecipientAttestation:pcr31", Some(KeyId::RECIPIENT_ATTESTATION_PCR31), None),
            (
                "kms:RecipientAttestation:NitroTPMPCR23",
                Some(KeyId::RECIPIENT_ATTESTATION_NITRO_TPMPCR23),
                None,
            ),
            ("kms:RecipientAttestation:PCR32", None, None),
            ("kms:RecipientAttestation:NitroTPMPCR24", None, None),
            ("kms:EncryptionContext", None, None),
            ("kms:EncryptionContext:", None, None),
            ("kms:EncryptionContext/a", None, None),
            ("aws:ResourceTag", None, None),
            ("aws:ResourceTag/", None, None),
            ("aws:ResourceTag:a", None, None),
            ("kms:ViaService:x", None, None),
            ("ViaService", None, None),
            ("kms:", None, None),
            (":", None, None),
            ("", None, None),
        ];
        for (text, id, parameter) in table {
            let key = ConditionKey::parse(text);
            assert_eq!((key.id, key.parameter, key.text), (id, parameter, text));
        }
    }

    #[test]
    fn every_key_is_found_by_its_own_name() {
        for id in KeyId::all() {
            let name = id.name();
            let text = if id.takes_parameter() { format!("{name}x") } else { name.to_owned() };
            assert_eq!(ConditionKey::parse(&text.to_uppercase()).id, Some(id), "{text}");
        }
    }

    #[test]
    fn the_same_key_can_be_written_in_different_ways() {
        let same = |left, right| ConditionKey::parse(left).same_as(&ConditionKey::parse(right));
        assert!(same("kms:ViaService", "KMS:VIASERVICE"));
        assert!(same("kms:EncryptionContext:App", "kms:encryptioncontext:APP"));
        assert!(same("s3:prefix", "S3:Prefix"));
        assert!(!same("kms:EncryptionContext:App", "kms:EncryptionContext:Apps"));
        assert!(!same("aws:RequestTag/a", "aws:ResourceTag/a"));
        assert!(!same("kms:ViaService", "ViaService"));
    }

    #[test]
    fn only_keys_that_nobody_has_are_unknown() {
        let table = [
            ("kms:ViaService", KeyStanding::Known),
            ("aws:ResourceTag/a", KeyStanding::Known),
            ("lambda:SourceFunctionArn", KeyStanding::Known),
            ("s3:prefix", KeyStanding::OtherService),
            ("EC2:Owner", KeyStanding::OtherService),
            ("saml:aud", KeyStanding::OtherService),
            ("accounts.google.com:sub", KeyStanding::OtherService),
            ("oidc.eks.us-west-2.amazonaws.com/id/AB12:sub", KeyStanding::OtherService),
            ("identitycenter:InstanceArn", KeyStanding::OtherService),
            ("kms:EncryptionContext", KeyStanding::Unknown),
            ("KMS:ViaServices", KeyStanding::Unknown),
            ("aws:SourceArns", KeyStanding::Unknown),
            ("ViaService", KeyStanding::Unknown),
            ("kmss:ViaService", KeyStanding::Unknown),
            ("kms.ViaService", KeyStanding::Unknown),
            ("s3:", KeyStanding::Unknown),
            ("", KeyStanding::Unknown),
        ];
        for (text, expected) in table {
            assert_eq!(standing(&ConditionKey::parse(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_key_goes_with_the_documented_operations() {
        let grants: Operations =
            [Operation::CREATE_GRANT, Operation::LIST_GRANTS, Operation::REVOKE_GRANT].into_iter().collect();
        assert_eq!(KeyId::GRANT_IS_FOR_AWS_RESOURCE.operations(), grants);
        assert_eq!(
            KeyId::POLICY_NAME.operations(),
            [Operation::GET_KEY_POLICY, Operation::PUT_KEY_POLICY].into_iter().collect()
        );
        let counts = [
            (KeyId::CALLER_ACCOUNT, 53),
            (KeyId::VIA_SERVICE, 47),
            (KeyId::REQUEST_ALIAS, 17),
            (KeyId::ENCRYPTION_CONTEXT, 10),
            (KeyId::RECIPIENT_ATTESTATION_PCR0, 5),
            (KeyId::REQUEST_TAG, 2),
            (KeyId::TAG_KEYS, 3),
        ];
        for (key, count) in counts {
            assert_eq!(key.operations().len(), count, "{key:?}");
        }
    }

    #[test]
    fn keys_of_the_resource_go_with_every_operation_on_a_key() {
        let and_create = Operations::ON_KEY.union(Operations::only(Operation::CREATE_KEY));
        for key in [
            KeyId::KEY_ORIGIN,
            KeyId::KEY_SPEC,
            KeyId::KEY_USAGE,
            KeyId::CUSTOMER_MASTER_KEY_SPEC,
            KeyId::MULTI_REGION,
            KeyId::MULTI_REGION_KEY_TYPE,
            KeyId::RESOURCE_TAG,
        ] {
            assert_eq!(key.operations(), and_create, "{key:?}");
        }
        assert_eq!(KeyId::RESOURCE_ALIASES.operations(), Operations::ON_KEY);
    }

    #[test]
    fn global_keys_go_with_everything_and_kms_keys_with_something() {
        for key in KeyId::all() {
            match key.origin() {
                KeyOrigin::Kms => assert!(!key.operations().is_empty(), "{key:?}"),
                KeyOrigin::Global if key.name().contains("Tag") && key != KeyId::PRINCIPAL_TAG => {
                    assert!(key.operations() != Operations::ALL, "{key:?}");
                }
                KeyOrigin::Global | KeyOrigin::CrossService => {
                    assert_eq!(key.operations(), Operations::ALL, "{key:?}");
                }
            }
        }
        let of = |origin| KeyId::all().filter(|key| key.origin() == origin).count();
        assert_eq!((of(KeyOrigin::Kms), of(KeyOrigin::Global), of(KeyOrigin::CrossService)), (96, 53, 9));
    }

    #[test]
    fn an_operation_sends_its_own_keys_and_no_others() {
        assert!(Operation::DECRYPT.sends(KeyId::ENCRYPTION_CONTEXT));
        assert!(!Operation::DECRYPT.sends(KeyId::GRANT_IS_FOR_AWS_RESOURCE));
        assert!(!Operation::DESCRIBE_KEY.sends(KeyId::ENCRYPTION_CONTEXT));
        assert!(!Operation::LIST_KEYS.sends(KeyId::CALLER_ACCOUNT));
    }

    #[test]
    fn a_guess_is_marked() {
        let guessed: Vec<Operation> =
            Operation::all().filter(|operation| !operation.condition_keys_known()).collect();
        assert_eq!(guessed, [Operation::DECAPSULATE, Operation::ENCAPSULATE]);
        assert!(guessed.iter().all(|operation| operation.sends(KeyId::VIA_SERVICE)));
    }

    #[test]
    fn values_have_the_documented_types() {
        let table = [
            (KeyId::GRANT_IS_FOR_AWS_RESOURCE, ValueType::Bool, false),
            (KeyId::GRANT_OPERATIONS, ValueType::String, true),
            (KeyId::PRINCIPAL_ARN, ValueType::Arn, false),
            (KeyId::PRINCIPAL_ORG_PATHS, ValueType::String, true),
            (KeyId::SOURCE_IP, ValueType::IpAddress, false),
            (KeyId::VALID_TO, ValueType::Date, false),
            (KeyId::ROTATION_PERIOD_IN_DAYS, ValueType::Numeric, false),
            (KeyId::CALLER_ACCOUNT, ValueType::String, false),
        ];
        for (key, value_type, multi_valued) in table {
            assert_eq!((key.value_type(), key.multi_valued()), (value_type, multi_valued), "{key:?}");
        }
    }
}
