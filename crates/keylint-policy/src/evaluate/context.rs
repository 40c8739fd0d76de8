//! What is known of a request beside its caller and its operation: the condition keys.
//!
//! The tables say which keys KMS sends with which operation; the caller settles the keys that describe it. What
//! remains open is the caller's own choice, or a fact of the world that no file tells.

use std::borrow::Cow;

use super::Key;
use super::caller::{Caller, CallerKind};
use crate::arn::same_account;
use crate::pattern::FRESH;
use crate::vocabulary::{ConditionKey, KeyId, KeyStanding, Operation, ValueType, standing};

/// What is known of a request's condition keys.
#[derive(Clone, Debug, Default)]
pub struct Context<'r> {
    /// What is known of particular keys. The first entry for a key counts.
    pub entries: Vec<(ConditionKey<'r>, State<'r>)>,
    /// Whether a key without an entry is absent from the request. Else it is derived from the tables and the caller.
    pub complete: bool,
    /// Whether the request has no encryption context: no key `kms:EncryptionContext:NAME`, whatever the name.
    pub no_encryption_context: bool,
}

/// What is known of one condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State<'r> {
    /// The request does not have it.
    Absent,
    /// The request has it with these values.
    Is(Vec<Cow<'r, str>>),
    /// The caller chooses: any value, or none.
    Free,
    /// It is not known: any value, or none.
    Unknown,
}

impl<'r> Context<'r> {
    /// Nothing is known but what follows from the tables and the caller.
    pub fn open() -> Self {
        Self::default()
    }

    /// The same context, with one more key known.
    #[must_use]
    pub fn with(mut self, key: &'r str, state: State<'r>) -> Self {
        self.entries.push((ConditionKey::parse(key), state));
        self
    }

    /// The same context, of a request without an encryption context.
    #[must_use]
    pub fn without_encryption_context(mut self) -> Self {
        self.no_encryption_context = true;
        self
    }

    /// The same context, with one more key known to have one value.
    #[must_use]
    pub fn with_value(self, key: &'r str, value: impl Into<Cow<'r, str>>) -> Self {
        self.with(key, State::Is(vec![value.into()]))
    }
}

/// What a key of a request can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing<'r> {
    Absent,
    Is(Cow<'r, [Cow<'r, str>]>),
    Open(Open),
}

/// A key whose value is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// Whether the caller chooses the value. Else the world does, and we do not know it.
    pub(super) chosen: bool,
    /// Whether the request may lack the key.
    pub(super) may_be_absent: bool,
    /// The values it can have, where they are few.
    pub(super) values: Option<&'static [&'static str]>,
}

/// The two values of a Boolean key.
const BOOLEAN: &[&str] = &["true", "false"];
/// The organization of an outsider: no policy names it.
const FRESH_ORGANIZATION: &[&str] = &["o-\u{f8ff}"];
const FRESH_ORGANIZATION_PATH: &[&str] = &["o-\u{f8ff}/r-\u{f8ff}/"];
/// A network of an outsider.
const FRESH_VPC: &[&str] = &["vpc-\u{f8ff}"];
const FRESH_VPC_ENDPOINT: &[&str] = &["vpce-\u{f8ff}"];
/// The ARN of whom no policy names.
const FRESH_NAME: &[&str] = &["arn:\u{f8ff}:\u{f8ff}:\u{f8ff}:\u{f8ff}:\u{f8ff}"];
const FRESH_ACCOUNT: &[&str] = &["\u{f8ff}"];
/// The address of an outsider: no policy names it, because nobody has it, but every range of all addresses holds it.
const FRESH_ADDRESS: &[&str] = &["240.0.0.1"];

/// What a condition key can be in a request.
pub(super) fn standing_of<'r>(
    key: &ConditionKey<'_>,
    context: &'r Context<'_>,
    caller: &'r Caller<'_>,
    operation: Operation,
    of_key: &'r Key<'_>,
) -> Standing<'r> {
    if let Some((_, state)) = context.entries.iter().find(|(known, _)| known.same_as(key)) {
        let any = |chosen| Open { chosen, may_be_absent: true, values: values_of(key) };
        return match state {
            State::Absent => Standing::Absent,
            State::Is(values) => Standing::Is(Cow::Borrowed(values)),
            State::Free => Standing::Open(any(true)),
            State::Unknown => Standing::Open(any(false)),
        };
    }
    let is_of_context = key.id == Some(KeyId::ENCRYPTION_CONTEXT);
    if context.complete || (context.no_encryption_context && is_of_context) {
        return Standing::Absent;
    }
    let unknown = Standing::Open(Open { chosen: false, may_be_absent: true, values: values_of(key) });
    let Some(id) = key.id else {
        // A misspelt key is absent from every request, but it is a mistake of its own and what was meant is not
        // known; a key of another service may come with it or not.
        debug_assert!(standing(key) != KeyStanding::Known);
        return unknown;
    };
    if !operation.sends(id) {
        return if operation.condition_keys_known() { Standing::Absent } else { unknown };
    }
    of_the_caller(id, caller, of_key).unwrap_or_else(|| of_the_request(id, key, caller, unknown))
}

/// The keys that describe the caller.
fn of_the_caller<'r>(id: KeyId, caller: &'r Caller<'_>, of_key: &'r Key<'_>) -> Option<Standing<'r>> {
    let service = caller.kind == CallerKind::Service;
    let one = |value: &'r str| Standing::Is(Cow::Owned(vec![Cow::Borrowed(value)]));
    let open = |chosen, may_be_absent, values| Standing::Open(Open { chosen, may_be_absent, values });
    let outsider = caller.outsider;
    Some(match id {
        KeyId::PRINCIPAL_IS_AWS_SERVICE => one(if service { "true" } else { "false" }),
        KeyId::PRINCIPAL_SERVICE_NAME => {
            if service {
                one(&caller.arn)
            } else {
                Standing::Absent
            }
        }
        KeyId::PRINCIPAL_SERVICE_NAMES_LIST if !service => Standing::Absent,
        // AWS gives these only when a service calls as itself for a resource.
        KeyId::SOURCE_ARN | KeyId::SOURCE_ACCOUNT | KeyId::SOURCE_ORG_ID | KeyId::SOURCE_ORG_PATHS
            if !service =>
        {
            Standing::Absent
        }
        KeyId::PRINCIPAL_ARN if !service => one(&caller.arn),
        // Whether a service has one is not documented; that it is no user's and no role's is certain.
        KeyId::PRINCIPAL_ARN => open(false, true, Some(FRESH_NAME)),
        KeyId::PRINCIPAL_ACCOUNT | KeyId::CALLER_ACCOUNT if !service => one(&caller.account),
        KeyId::PRINCIPAL_ORG_ID | KeyId::PRINCIPAL_ORG_PATHS if service => Standing::Absent,
        KeyId::PRINCIPAL_ORG_ID | KeyId::VPCE_ORG_ID if outsider => {
            open(true, true, Some(FRESH_ORGANIZATION))
        }
        KeyId::PRINCIPAL_ORG_PATHS | KeyId::VPCE_ORG_PATHS if outsider => {
            open(true, true, Some(FRESH_ORGANIZATION_PATH))
        }
        KeyId::SOURCE_IP if outsider => open(true, true, Some(FRESH_ADDRESS)),
        // A statement that is for keys of another kind is for no caller at all; one that is for this key is for an
        // outsider as well. So it is with the time, which comes.
        KeyId::KEY_SPEC
        | KeyId::KEY_USAGE
        | KeyId::KEY_ORIGIN
        | KeyId::MULTI_REGION
        | KeyId::CURRENT_TIME
        | KeyId::EPOCH_TIME
            if outsider =>
        {
            let values = (id == KeyId::MULTI_REGION).then_some(BOOLEAN);
            open(true, false, values)
        }
        KeyId::SOURCE_VPC if outsider => open(true, true, Some(FRESH_VPC)),
        KeyId::SOURCE_VPCE if outsider => open(true, true, Some(FRESH_VPC_ENDPOINT)),
        KeyId::VPCE_ACCOUNT if outsider => open(true, true, Some(FRESH_ACCOUNT)),
        KeyId::PRINCIPAL_TYPE => match caller.kind {
            CallerKind::RootUser => one("Account"),
            CallerKind::User => one("User"),
            CallerKind::FederatedUser => one("FederatedUser"),
            CallerKind::Role | CallerKind::Session | CallerKind::ServiceLinkedRole => one("AssumedRole"),
            CallerKind::Service => return None,
        },
        // Whoever is of the key's account is of its organization.
        KeyId::PRINCIPAL_ORG_ID => {
            let account = of_key.account.as_deref()?;
            let is_own = same_account(account, &caller.account) == crate::Answer::Yes;
            one(of_key.organization.as_deref().filter(|_| is_own)?)
        }
        KeyId::RESOURCE_ORG_ID => one(of_key.organization.as_deref()?),
        KeyId::RESOURCE_ACCOUNT => one(of_key.account.as_deref()?),
        _ => return None,
    })
}

/// The keys that describe the request, the key and the network.
fn of_the_request<'r>(
    id: KeyId,
    key: &ConditionKey<'_>,
    caller: &Caller<'_>,
    unknown: Standing<'r>,
) -> Standing<'r> {
    let open = |chosen, may_be_absent| Standing::Open(Open { chosen, may_be_absent, values: values_of(key) });
    match id {
        KeyId::GRANT_IS_FOR_AWS_RESOURCE
        | KeyId::SECURE_TRANSPORT
        | KeyId::VIA_AWS_SERVICE
        | KeyId::BYPASS_POLICY_LOCKOUT_SAFETY_CHECK
        | KeyId::REQUESTED_REGION => open(caller.chooses, false),
        // The world decides these: the clock, the address, and the key itself.
        KeyId::CURRENT_TIME
        | KeyId::EPOCH_TIME
        | KeyId::KEY_SPEC
        | KeyId::KEY_USAGE
        | KeyId::KEY_ORIGIN
        | KeyId::MULTI_REGION => open(false, false),
        KeyId::SOURCE_IP
        | KeyId::VPC_SOURCE_IP
        | KeyId::MULTI_REGION_KEY_TYPE
        | KeyId::RESOURCE_ALIASES
        | KeyId::RESOURCE_TAG
        | KeyId::RESOURCE_ORG_ID
        | KeyId::RESOURCE_ORG_PATHS
        | KeyId::RESOURCE_ACCOUNT
        | KeyId::PRINCIPAL_ORG_ID
        | KeyId::PRINCIPAL_ORG_PATHS
        | KeyId::SOURCE_VPC
        | KeyId::SOURCE_VPCE
        | KeyId::VPCE_ACCOUNT
        | KeyId::VPCE_ORG_ID
        | KeyId::VPCE_ORG_PATHS
        | KeyId::SOURCE_ARN
        | KeyId::SOURCE_ACCOUNT
        | KeyId::SOURCE_ORG_ID
        | KeyId::SOURCE_ORG_PATHS
        | KeyId::SOURCE_OWNER
        // What a trusted computer proves of itself is not the caller's choice.
        | KeyId::RECIPIENT_ATTESTATION_IMAGE_SHA384 => unknown,
        _ if id.name().starts_with("kms:RecipientAttestation:") => unknown,
        // A user's or role's tags are given by its account; whoever may do anything there can give them.
        KeyId::PRINCIPAL_TAG => {
            let own = caller.chooses && caller.identity_policies == crate::Answer::Yes;
            if own { open(true, true) } else { unknown }
        }
        _ => open(caller.chooses, true),
    }
}

/// The values that a key of a type can have, where they are few.
fn values_of(key: &ConditionKey<'_>) -> Option<&'static [&'static str]> {
    key.id.filter(|id| id.value_type() == ValueType::Bool).map(|_| BOOLEAN)
}

const _: () = assert!(FRESH as u32 == 0xf8ff, "the fresh names above are spelled with this character");
