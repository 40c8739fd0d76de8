//! The typed policy: what rules and the evaluator see instead of JSON.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::ops::Range;

use keylint_source::{Span, StatementId};
use keylint_syntax::Node;

use crate::arn::Arn;
use crate::operator::Operator;
use crate::vocabulary::{ConditionKey, Operation, Operations};

/// A key policy.
#[derive(Clone, Debug)]
pub struct Policy<'t> {
    /// The whole object.
    pub span: Span,
    /// The character that the object begins with.
    pub start: Span,
    /// The word `Statement`, the best place for what is said of the policy as a whole. Without it, the start.
    pub heading: Span,
    /// The `Version` as it is written.
    pub version: Version<'t>,
    /// The `Version`, as far as it decides how values are read.
    pub variables: Variables,
    /// The statements, in their order.
    pub statements: Vec<Statement<'t>>,
}

/// The `Version` of a policy.
#[derive(Clone, Copy, Debug)]
pub enum Version<'t> {
    /// There is none.
    Absent,
    /// A text that is there, and where.
    Is(Text<'t>),
    /// Not known: a placeholder, or no string.
    Unknown,
}

/// Whether `${…}` in a condition's value is a policy variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variables {
    /// Version `2012-10-17`: it is.
    Resolved,
    /// Version `2008-10-17`, or none: it is literal text.
    Literal,
}

/// A statement. An element that is missing or cannot be read is open: it may be anything.
#[derive(Clone, Debug)]
pub struct Statement<'t> {
    /// Which one, from 0.
    pub index: usize,
    /// The whole object.
    pub span: Span,
    /// The `Sid`.
    pub sid: Option<Text<'t>>,
    /// The `Effect`; `None` if it is not known.
    pub effect: Option<Effect>,
    /// `Principal` or `NotPrincipal`.
    pub principals: Listed<PrincipalItem<'t>>,
    /// `Action` or `NotAction`.
    pub actions: Listed<ActionItem<'t>>,
    /// `Resource` or `NotResource`.
    pub resources: Listed<Text<'t>>,
    /// `Condition`: all of these must hold.
    pub conditions: Vec<Condition<'t>>,
    /// Whether there may be conditions that could not be read.
    pub conditions_open: bool,
    /// The operations that the actions certainly cover, and those that they may cover.
    pub operations: Covered,
}

impl Statement<'_> {
    /// Of some operations, those whose requests have the same of this statement's condition keys as this one: for the
    /// statement they are all alike.
    pub fn alike(&self, operation: Operation, among: Operations) -> Operations {
        let as_sure = |other: &Operation| other.condition_keys_known() == operation.condition_keys_known();
        let keys = self.conditions.iter().filter_map(|condition| condition.key.id);
        keys.fold(among.iter().filter(as_sure).collect(), |alike: Operations, id| {
            if operation.sends(id) {
                alike.intersection(id.operations())
            } else {
                alike.difference(id.operations())
            }
        })
    }

    /// Names the statement in terms that outlive reformatting.
    pub fn id(&self) -> StatementId {
        StatementId {
            index: u32::try_from(self.index).unwrap_or(u32::MAX),
            sid: self.sid.map(|sid| sid.as_str().to_owned()),
        }
    }
}

/// `Allow` or `Deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allow.
    Allow,
    /// Deny.
    Deny,
}

/// An element and its `Not…` form: the same list, read plainly or reversed.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The element's name. For an element that is missing, the statement's first byte.
    pub key: Span,
    /// The element's value.
    pub value: Span,
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// What it lists.
    pub items: Vec<T>,
    /// Whether it may list more: something in it could not be read, or is not known before deployment.
    pub open: bool,
}

/// Operations that are covered for certain, and those that may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// For certain.
    pub certain: Operations,
    /// Perhaps: these and all that are certain.
    pub perhaps: Operations,
}

/// One principal, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct PrincipalItem<'t> {
    /// The text.
    pub text: Text<'t>,
    /// What it names.
    pub principal: Principal<'t>,
}

/// Whom a principal names.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'t> {
    /// `*`: everyone.
    Anyone,
    /// An account, by its id or its root ARN: it delegates to that account's IAM policies.
    Account(&'t str),
    /// A user, a role, or a session of one.
    Identity(Identity<'t>),
    /// An AWS service.
    Service(&'t str),
    /// An identity provider.
    Federated(&'t str),
    /// What can name no caller of KMS: a canonical user id, a group, an ARN with a wildcard.
    Nobody,
    /// What is not known: a placeholder, a deleted principal's id, a form we do not know.
    Unknown,
}

/// A user, a role, or a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'t> {
    /// Which of them.
    pub kind: IdentityKind,
    /// Its account.
    pub account: &'t str,
    /// Its name, with the path before it. For a session: of the role.
    pub name: &'t str,
    /// The whole ARN.
    pub arn: &'t str,
}

/// The kinds of identity that a key policy can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// An IAM user.
    User,
    /// An IAM role, and with it every session of the role.
    Role,
    /// One session of a role.
    Session,
    /// A federated user session.
    FederatedUser,
}

impl<'t> Identity<'t> {
    /// The name without its path.
    pub fn simple_name(&self) -> &'t str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }

    /// The service in the path of a service-linked role: `role/aws-service-role/SERVICE/NAME`.
    pub fn service_linked_to(&self) -> Option<&'t str> {
        let rest = self.name.strip_prefix("aws-service-role/")?;
        let (service, name) = rest.split_once('/')?;
        let linked = self.kind == IdentityKind::Role && !name.contains('/') && !name.is_empty();
        linked.then_some(service)
    }
}

/// One action, and what it matches.
#[derive(Clone, Copy, Debug)]
pub struct ActionItem<'t> {
    /// The text.
    pub text: Text<'t>,
    /// The operations it matches.
    pub operations: Operations,
    /// For a misspelt action, the operations that were probably meant: a rule must not report their absence again.
    pub meant: Operations,
    /// Whether the text has a hole in it.
    pub open: bool,
}

/// A condition: an operator, a key, and the values it compares the key with.
#[derive(Clone, Debug)]
pub struct Condition<'t> {
    /// The operator as it is written.
    pub operator_text: Text<'t>,
    /// The operator; `None` if there is none of this name.
    pub operator: Option<Operator>,
    /// The key as it is written.
    pub key_text: Text<'t>,
    /// The key.
    pub key: ConditionKey<'t>,
    /// The values.
    pub values: Vec<Value<'t>>,
    /// The bytes of all the values.
    pub values_span: Span,
    /// Whether there may be more values than these.
    pub open: bool,
}

/// A value of a condition. Booleans and numbers are read as their text: `true` and `"true"` are the same.
#[derive(Clone, Copy, Debug)]
pub struct Value<'t> {
    /// The text.
    pub text: &'t str,
    /// Where it stands.
    pub span: Span,
}

/// A string of the policy, with the way back to its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    node: Node<'t>,
}

impl<'t> Text<'t> {
    /// The text of a string node. Another node gives the empty text.
    pub fn new(node: Node<'t>) -> Self {
        Self { node }
    }

    /// The decoded text.
    pub fn as_str(self) -> &'t str {
        self.node.as_str().unwrap_or_default()
    }

    /// The bytes of the text, without quotation marks.
    pub fn span(self) -> Span {
        self.node.content_span()
    }

    /// The bytes that a range of the decoded text came from.
    pub fn part(self, range: Range<usize>) -> Span {
        self.node.text_span(range)
    }
}

impl<'t> Principal<'t> {
    /// Reads an entry of `"AWS"`.
    pub fn parse_aws(text: &'t str) -> Self {
        if text == "*" {
            return Self::Anyone;
        }
        if crate::arn::is_account(text) || crate::arn::is_own_account(text) {
            return Self::Account(text);
        }
        let Some(arn) = Arn::parse(text) else {
            // A hole alone may be an account, an ARN, or a whole list.
            return Self::Unknown;
        };
        let wildcard = |text: &str| crate::pattern::is_wildcard(text);
        if wildcard(text) {
            return Self::Nobody;
        }
        let (form, name) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        let kind = match (arn.service, form) {
            ("iam", "root") if name.is_empty() => return Self::Account(arn.account),
            ("iam", "group") => return Self::Nobody,
            ("iam", "user") => IdentityKind::User,
            ("iam", "role") => IdentityKind::Role,
            ("sts", "assumed-role") => IdentityKind::Session,
            ("sts", "federated-user") => IdentityKind::FederatedUser,
            _ => return Self::Unknown,
        };
        let name = match kind {
            // role-name/session-name
            IdentityKind::Session => name.split_once('/').map_or(name, |(role, _)| role),
            _ => name,
        };
        if name.is_empty() {
            return Self::Unknown;
        }
        Self::Identity(Identity { kind, account: arn.account, name, arn: text })
    }

    /// The account it belongs to, where it belongs to one.
    pub fn account(&self) -> Option<&'t str> {
        match self {
            Self::Account(account) => Some(account),
            Self::Identity(identity) => Some(identity.account),
            _ => None,
        }
    }

    /// The role, if it is a service-linked role.
    pub fn service_linked_role(&self) -> Option<&Identity<'t>> {
        match self {
            Self::Identity(identity) if identity.service_linked_to().is_some() => Some(identity),
            _ => None,
        }
    }
}

impl<'t> Listed<ActionItem<'t>> {
    /// The item that covers an operation: the most particular one, which is the one to point at.
    pub fn item_for(&self, operation: Operation) -> Option<&ActionItem<'t>> {
        let covering = self.items.iter().filter(|item| item.operations.contains(operation));
        covering.min_by_key(|item| item.operations.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn principals_are_read_as_iam_reads_them() {
        let account = Principal::Account("111122223333");
        assert_eq!(Principal::parse_aws("111122223333"), account);
        assert_eq!(Principal::parse_aws("arn:aws:iam::111122223333:root"), account);
        assert_eq!(Principal::parse_aws("*"), Principal::Anyone);
        assert_eq!(Principal::parse_aws("arn:aws:iam::111122223333:group/x"), Principal::Nobody);
        assert_eq!(Principal::parse_aws("arn:aws:iam::111122223333:role/*"), Principal::Nobody);
        assert_eq!(Principal::parse_aws("AROAEXAMPLE"), Principal::Unknown);
        assert_eq!(Principal::parse_aws("${var.roles}"), Principal::Unknown);
        for own in ["${AWS::AccountId}", "${data.aws_caller_identity.this.account_id}"] {
            assert_eq!(Principal::parse_aws(own), Principal::Account(own));
        }
        assert_eq!(Principal::parse_aws("arn:aws:iam::${A}:root"), Principal::Account("${A}"));
        let Principal::Identity(session) =
            Principal::parse_aws("arn:aws:sts::111122223333:assumed-role/app/i-1")
        else {
            unreachable!("an assumed role is an identity")
        };
        assert_eq!((session.kind, session.name), (IdentityKind::Session, "app"));
    }

    #[test]
    fn a_service_linked_role_is_known_by_its_path() {
        let of = |arn| Principal::parse_aws(arn).service_linked_role().and_then(Identity::service_linked_to);
        let role = "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
        assert_eq!(of(role), Some("autoscaling.amazonaws.com"));
        assert_eq!(of("arn:aws:iam::111122223333:role/AWSServiceRoleForAutoScaling"), None);
        assert_eq!(of("arn:aws:iam::111122223333:role/service-role/x"), None);
    }
}
