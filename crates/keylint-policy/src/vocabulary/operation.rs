//! Operations of KMS, one by one and as sets.

use std::fmt;

use super::condition_key::KeyId;
use super::tables::{self, OPERATION_LOOKUP, OPERATIONS, OperationFacts};
use super::{starts_with, strip_prefix};

/// An operation of KMS as policies name it: `ReEncryptFrom` and `ReEncryptTo`, not the API's `ReEncrypt`.
///
/// There is a constant for each, such as [`Operation::CREATE_GRANT`]. The order is that of the names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation(pub(super) u8);

impl Operation {
    /// Every operation, in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Operations::ALL.iter()
    }

    /// The operation of that name, with or without `kms:`, in any letter case. Wildcards are not looked at.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_bare_name(strip_prefix(name, "kms:").unwrap_or(name))
    }

    /// The operation of that name, without `kms:`, in any letter case.
    pub(super) fn from_bare_name(name: &str) -> Option<Self> {
        let place = OPERATION_LOOKUP.place(name)?;
        let facts = OPERATIONS.get(usize::from(place))?;
        facts.name.eq_ignore_ascii_case(name).then_some(Self(place))
    }

    /// The name as AWS writes it: `Decrypt`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The name with its service, as a policy has it: `kms:Decrypt`.
    pub fn qualified(self) -> &'static str {
        self.facts().qualified
    }

    /// Whether it works on a key, so that a key policy can allow it. The others work on the account (`CreateKey`,
    /// `ListKeys`, custom key stores, …) and are a matter of IAM policies alone.
    pub fn on_key(self) -> bool {
        Operations::ON_KEY.contains(self)
    }

    /// Whether a principal of another account can be given it.
    pub fn across_accounts(self) -> bool {
        Operations::ACROSS_ACCOUNTS.contains(self)
    }

    /// Whether a grant can list it.
    pub fn in_grants(self) -> bool {
        Operations::IN_GRANTS.contains(self)
    }

    /// The kinds of key it works on. Empty for an operation that works on no key.
    pub fn key_types(self) -> &'static [KeyType] {
        self.facts().key_types
    }

    /// Whether it works on a key of this spec (`RSA_4096`) and usage (`SIGN_VERIFY`). What is not given may be any.
    pub fn works_on(self, spec: Option<&str>, usage: Option<&str>) -> bool {
        let fits = |pattern: &str, value: Option<&str>| match pattern.strip_suffix('*') {
            Some(start) => value.is_none_or(|value| value.starts_with(start)),
            None => value.is_none_or(|value| value == pattern),
        };
        self.key_types().iter().any(|of_key| fits(of_key.spec, spec) && fits(of_key.usage, usage))
    }

    /// Whether KMS can send the condition key with this operation; see [`KeyId::operations`].
    pub fn sends(self, key: KeyId) -> bool {
        key.operations().contains(self)
    }

    /// Whether [`Operation::sends`] is documented. Where it is not (operations that are newer than AWS's table), the
    /// keys that are probably sent count as sent, and neither answer is certain.
    pub fn condition_keys_known(self) -> bool {
        Operations(tables::CONDITION_KEYS_KNOWN).contains(self)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "only this module makes operations, from places of the table"
    )]
    fn facts(self) -> &'static OperationFacts {
        &OPERATIONS[usize::from(self.0)]
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A kind of key: which specs, for which use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyType {
    /// The key spec, `SYMMETRIC_DEFAULT`; a `*` at the end stands for all that begin so, `RSA_*`.
    pub spec: &'static str,
    /// The key usage, `ENCRYPT_DECRYPT`, or `*` for any.
    pub usage: &'static str,
}

/// A set of operations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Operations(pub(super) u64);

impl Operations {
    /// No operation.
    pub const EMPTY: Self = Self(0);
    /// Every operation.
    pub const ALL: Self = Self(tables::ALL);
    /// Those that a key policy can allow; see [`Operation::on_key`].
    pub const ON_KEY: Self = Self(tables::ON_KEY);
    /// Those that work on a key of another account.
    pub const ACROSS_ACCOUNTS: Self = Self(tables::ACROSS_ACCOUNTS);
    /// Those that a grant can list.
    pub const IN_GRANTS: Self = Self(tables::IN_GRANTS);

    /// The set of one operation.
    pub const fn only(operation: Operation) -> Self {
        Self(1 << operation.0)
    }

    /// The operations whose name begins with this text, in any letter case.
    pub(super) fn beginning_with(text: &str) -> Self {
        let Some(first) = text.bytes().next() else { return Self::ALL };
        let letter = first.to_ascii_lowercase().wrapping_sub(b'a');
        let of_letter = tables::OPERATIONS_BY_LETTER.get(usize::from(letter)).copied().map(Self);
        let begins = |operation: &Operation| starts_with(operation.name(), text);
        of_letter.unwrap_or_default().iter().filter(begins).collect()
    }

    /// Whether the operation is in the set.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & 1 << operation.0 != 0
    }

    /// What is in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every operation of the other set is in this one.
    pub const fn contains_all(self, other: Self) -> bool {
        other.difference(self).is_empty()
    }

    /// Whether the set has no operation.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many operations the set has.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The operations of the set, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Operation> + Clone {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let place = u8::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0)?;
            rest &= rest - 1;
            Some(Operation(place))
        })
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        operations.into_iter().fold(Self::EMPTY, |set, operation| set.union(Self::only(operation)))
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn names(operations: Operations) -> Vec<&'static str> {
        operations.iter().map(Operation::name).collect()
    }

    #[test]
    fn every_operation_is_found_by_its_name_in_any_spelling() {
        for operation in Operation::all() {
            let name = operation.name();
            for spelling in [
                name.to_owned(),
                name.to_lowercase(),
                name.to_uppercase(),
                operation.qualified().to_owned(),
                format!("KMS:{name}"),
            ] {
                assert_eq!(Operation::from_name(&spelling), Some(operation), "{spelling}");
            }
            assert_eq!(operation.qualified(), format!("kms:{name}"));
        }
        for none in ["", "kms:", "kms:kms:Decrypt", "Decryp", "DecryptX", "s3:Decrypt", "kms:Decrypt*", "ﬁ"]
        {
            assert_eq!(Operation::from_name(none), None, "{none}");
        }
    }

    #[test]
    fn the_constants_are_the_operations_they_name() {
        assert_eq!(Operation::CREATE_GRANT.name(), "CreateGrant");
        assert_eq!(Operation::CANCEL_KEY_DELETION.name(), "CancelKeyDeletion");
        assert_eq!(Operation::RE_ENCRYPT_FROM.name(), "ReEncryptFrom");
        assert_eq!(Operation::VERIFY_MAC.name(), "VerifyMac");
    }

    #[test]
    fn operations_are_in_the_order_of_their_names() {
        let all: Vec<&str> = Operation::all().map(Operation::name).collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        assert_eq!(all, sorted);
        assert!(Operation::CREATE_GRANT < Operation::REVOKE_GRANT);
    }

    /// The sizes that the KMS documentation gives; a refresh of the tables must look at each that moves.
    #[test]
    fn the_tables_have_the_documented_sizes() {
        assert_eq!(Operations::ALL.len(), 58);
        assert_eq!(Operations::ON_KEY.len(), 47);
        assert_eq!(Operations::IN_GRANTS.len(), 19);
        assert_eq!(Operations::ACROSS_ACCOUNTS.len(), 22);
    }

    #[test]
    fn account_operations_cannot_be_allowed_by_a_key_policy() {
        assert_eq!(
            names(Operations::ALL.difference(Operations::ON_KEY)),
            [
                "ConnectCustomKeyStore",
                "CreateCustomKeyStore",
                "CreateKey",
                "DeleteCustomKeyStore",
                "DescribeCustomKeyStores",
                "DisconnectCustomKeyStore",
                "GenerateRandom",
                "ListAliases",
                "ListKeys",
                "ListRetirableGrants",
                "UpdateCustomKeyStore",
            ]
        );
    }

    #[test]
    fn another_account_can_use_a_key_but_not_manage_it() {
        let use_and_grants = Operations::IN_GRANTS;
        let others = [Operation::GET_KEY_ROTATION_STATUS, Operation::LIST_GRANTS, Operation::REVOKE_GRANT];
        assert_eq!(Operations::ACROSS_ACCOUNTS, use_and_grants.union(others.into_iter().collect()));
        assert!(!Operation::PUT_KEY_POLICY.across_accounts());
        assert!(!Operation::REVOKE_GRANT.in_grants() && Operation::RETIRE_GRANT.in_grants());
        assert!(Operation::CREATE_GRANT.on_key());
    }

    #[test]
    fn an_operation_works_on_a_key_exactly_when_it_names_kinds_of_key() {
        for operation in Operation::all() {
            assert_eq!(!operation.key_types().is_empty(), operation.on_key(), "{operation:?}");
        }
        assert_eq!(
            Operation::GENERATE_DATA_KEY.key_types(),
            [KeyType { spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT" }]
        );
        assert_eq!(Operation::PUT_KEY_POLICY.key_types(), [KeyType { spec: "*", usage: "*" }]);
    }

    #[test]
    fn an_operation_works_on_keys_of_its_kinds() {
        let sign = |spec, usage| Operation::SIGN.works_on(spec, usage);
        assert!(sign(Some("RSA_4096"), None) && sign(None, Some("SIGN_VERIFY")) && sign(None, None));
        assert!(!sign(Some("SYMMETRIC_DEFAULT"), None) && !sign(Some("RSA_4096"), Some("ENCRYPT_DECRYPT")));
        assert!(Operation::PUT_KEY_POLICY.works_on(Some("HMAC_256"), Some("GENERATE_VERIFY_MAC")));
    }

    #[test]
    fn sets_are_sets() {
        let first: Operations =
            [Operation::ENCRYPT, Operation::DECRYPT, Operation::ENCRYPT].into_iter().collect();
        let second = Operations::only(Operation::DECRYPT);
        assert_eq!(names(first), ["Decrypt", "Encrypt"]);
        assert_eq!(names(first.intersection(second)), ["Decrypt"]);
        assert_eq!(names(first.difference(second)), ["Encrypt"]);
        assert_eq!(first.union(second), first);
        assert_eq!((first.len(), first.is_empty(), Operations::EMPTY.is_empty()), (2, false, true));
        assert!(first.contains(Operation::ENCRYPT) && !second.contains(Operation::ENCRYPT));
        assert_eq!(format!("{first:?}"), "{Decrypt, Encrypt}");
        assert_eq!(Operations::beginning_with(""), Operations::ALL);
        assert_eq!(names(Operations::beginning_with("reencryptf")), ["ReEncryptFrom"]);
    }
}
