//! What rules may want to know of a grant.

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, same_account};
use keylint_policy::grant::{Given, Grant};
use keylint_policy::model::{Identity, Principal, Text};
use keylint_policy::pattern::has_hole;
use keylint_policy::vocabulary::Operation;

use crate::rule::Service;
use crate::rule_set::KeyKnowledge;

/// A grant, and what is known of its key.
pub(crate) struct GrantFacts<'p> {
    pub(crate) grant: &'p Grant<'p>,
    /// The grants of the same file.
    pub(crate) others: &'p [Grant<'p>],
    /// What the user, or the module, says of the key.
    pub(crate) known: &'p KeyKnowledge<'p>,
}

impl<'p> GrantFacts<'p> {
    /// The account that owns the key.
    pub(crate) fn key_account(&self) -> Option<&'p str> {
        let by_arn = self.grant.key.text().and_then(|text| key_arn(text.as_str())).map(|arn| arn.account);
        by_arn.or_else(|| self.known.arn.and_then(Arn::parse).map(|arn| arn.account)).or(self.known.account)
    }

    /// The user or role that is given the permission.
    pub(crate) fn grantee(&self) -> Option<Identity<'p>> {
        grantee(self.grant)
    }

    /// The service whose role is given the permission, if such a role needs a grant at all.
    pub(crate) fn service<'s>(&self, services: &'s [Service]) -> Option<&'s Service> {
        let role = self.grantee()?;
        services.iter().find(|service| !service.grant.is_empty() && service.is_role_of(&role))
    }

    /// Whether the grantee is of another account than the key.
    pub(crate) fn is_across_accounts(&self) -> Answer {
        match (self.key_account(), self.grantee()) {
            (Some(owner), Some(grantee)) => !same_account(owner, grantee.account),
            _ => Answer::Maybe,
        }
    }

    /// The operations that a service needs and that no grant of the file gives its role for this key; none if one of
    /// them may list more.
    pub(crate) fn lacking(&self, service: &Service) -> Vec<Operation> {
        lacking(self.grant, self.others, service)
    }
}

/// The user or role that a grant gives permission to.
pub(crate) fn grantee<'p>(grant: &Grant<'p>) -> Option<Identity<'p>> {
    match Principal::parse_aws(grant.grantee.text()?.as_str()) {
        Principal::Identity(identity) => Some(identity),
        _ => None,
    }
}

/// The operations that a service needs and that neither a grant nor others for the same key and grantee give.
pub(crate) fn lacking(grant: &Grant<'_>, others: &[Grant<'_>], service: &Service) -> Vec<Operation> {
    let alike = || std::iter::once(grant).chain(others.iter().filter(|other| is_for_same(grant, other)));
    if alike().any(|one| one.operations.open) {
        return Vec::new();
    }
    let given = |operation: &Operation| alike().any(|one| one.meant().contains(*operation));
    service.grant.iter().copied().filter(|operation| !given(operation)).collect()
}

/// Whether two grants are for the same key and grantee, as far as their texts tell.
pub(crate) fn is_for_same(left: &Grant<'_>, right: &Grant<'_>) -> bool {
    let same = |left: Given<'_>, right: Given<'_>| match (left, right) {
        (Given::Is(left), Given::Is(right)) => left.as_str() == right.as_str(),
        _ => false,
    };
    let both_absent = |left: Given<'_>, right: Given<'_>| left.is_absent() && right.is_absent();
    let grantee =
        same(left.grantee, right.grantee) && both_absent(left.grantee_service, right.grantee_service);
    let service =
        same(left.grantee_service, right.grantee_service) && both_absent(left.grantee, right.grantee);
    let provider = same(left.provider, right.provider) || both_absent(left.provider, right.provider);
    same(left.key, right.key) && provider && (grantee || service)
}

/// The ARN of a key, as far as it is one: it may have holes.
pub(crate) fn key_arn(text: &str) -> Option<Arn<'_>> {
    Arn::parse(text).filter(|arn| arn.service == "kms" && arn.resource.starts_with("key/"))
}

/// Whether a text is the bare id of a key.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/concepts-key-id.html>
pub(crate) fn is_key_id(text: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_uuid = || {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        lengths == [8, 4, 4, 4, 12] && parts.into_iter().all(is_hex)
    };
    text.strip_prefix("mrk-").is_some_and(|rest| rest.len() == 32 && is_hex(rest)) || is_uuid()
}

/// Whether a key is named by an alias, which a grant does not take.
pub(crate) fn is_alias(text: &str) -> bool {
    let of_arn = Arn::parse(text).filter(|arn| arn.service == "kms").map(|arn| arn.resource);
    of_arn.unwrap_or(text).starts_with("alias/")
}

/// The Region that a call names and the one of the key's ARN, where they certainly differ.
pub(crate) fn regions_differ<'p>(grant: &Grant<'p>) -> Option<(Text<'p>, &'p str)> {
    let region = grant.region.known()?;
    let of_key = key_arn(grant.key.text()?.as_str())?.region;
    (!has_hole(of_key) && !of_key.is_empty() && of_key != region.as_str()).then_some((region, of_key))
}

/// What kind of principal a grantee is that cannot be one, because there is no such account or because it is of another
/// partition than the key.
pub(crate) fn misplaced_grantee(grant: &Grant<'_>) -> Option<&'static str> {
    let arn = Arn::parse(grant.grantee.text()?.as_str())?;
    let is_number = !arn.account.is_empty() && arn.account.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && arn.account.len() != 12 {
        return Some("a principal of an account whose id has not 12 digits");
    }
    let of_key = key_arn(grant.key.text()?.as_str())?.partition;
    let is_known = !has_hole(arn.partition) && !has_hole(of_key);
    (is_known && arn.partition != of_key).then_some("a principal of another partition than the key's")
}
