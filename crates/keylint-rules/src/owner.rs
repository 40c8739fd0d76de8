//! Whose key it is.

use std::borrow::Cow;

use keylint_policy::arn::Arn;
use keylint_policy::evaluate::Key;
use keylint_policy::model::{Effect, Policy, Principal, Statement};
use keylint_policy::pattern;
use keylint_policy::vocabulary::Operation;

use crate::facts::principals;

/// The account that owns a key, as far as the user or the policy tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'t> {
    /// The user says so, or it is the one account that the policy lets manage the key: `kms:PutKeyPolicy` does not
    /// work across accounts.
    Known(&'t str),
    /// The policy lets several accounts manage the key, and this is most likely the one that can. What rests on it
    /// says so.
    Assumed(&'t str),
    /// The policy lets nobody manage the key.
    Open,
}

/// The key that a policy belongs to, and how its owner is known.
pub fn key_of<'t>(
    policy: &Policy<'t>,
    account: Option<&'t str>,
    arn: Option<&'t str>,
) -> (Key<'t>, Owner<'t>) {
    let of_key = arn.and_then(Arn::parse).into_iter();
    let mut arns = of_key.chain(principals(policy).filter_map(|(_, item)| Arn::parse(item.text.as_str())));
    let partition = arns.find(|arn| !pattern::has_hole(arn.partition)).map_or("aws", |arn| arn.partition);
    let said = account.or_else(|| arn.and_then(Arn::parse).map(|arn| arn.account));
    let owner = said.map_or_else(|| inferred(policy), Owner::Known);
    let account = match owner {
        Owner::Known(account) | Owner::Assumed(account) => Some(Cow::Borrowed(account)),
        Owner::Open => None,
    };
    let key =
        Key { account, partition: Cow::Borrowed(partition), arn: arn.map(Cow::Borrowed), organization: None };
    (key, owner)
}

fn inferred<'t>(policy: &Policy<'t>) -> Owner<'t> {
    let managers = || {
        principals(policy)
            .filter(|(statement, _)| manages(statement))
            .filter_map(|(statement, item)| Some((statement, &item.principal, item.principal.account()?)))
    };
    let Some((_, _, first)) = managers().next() else { return Owner::Open };
    if managers().all(|(_, _, account)| account == first) {
        return Owner::Known(first);
    }
    // The statement of AWS's default policy, by the name that the console gives it; then the account whose
    // service-linked roles the policy names, because those work in their own account alone; then the first.
    let is_default = |statement: &Statement<'_>, principal: &Principal<'_>| {
        let named =
            statement.sid.is_some_and(|sid| sid.as_str().to_ascii_lowercase().starts_with("enable iam"));
        named && matches!(principal, Principal::Account(_))
    };
    let by_name =
        only(managers().filter(|(s, principal, _)| is_default(s, principal)).map(|(_, _, account)| account));
    let of_roles = || {
        let roles = principals(policy).filter_map(|(_, item)| item.principal.service_linked_role());
        only(roles.map(|role| role.account))
            .filter(|account| managers().any(|(_, _, manager)| manager == *account))
    };
    Owner::Assumed(by_name.or_else(of_roles).unwrap_or(first))
}

fn manages(statement: &Statement<'_>) -> bool {
    statement.effect == Some(Effect::Allow)
        && !statement.principals.negated
        && statement.operations.certain.contains(Operation::PUT_KEY_POLICY)
}

/// The one value of all; nothing if there are several, or none.
fn only<'t>(mut accounts: impl Iterator<Item = &'t str>) -> Option<&'t str> {
    let first = accounts.next()?;
    accounts.all(|account| account == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylint_syntax::{Arena, Tree, json};
    use pretty_assertions::assert_eq;

    fn owner(statements: &str) -> String {
        let text = format!(r#"{{"Statement": [{statements}]}}"#);
        let mut arena = Arena::default();
        json::parse(&text, &mut arena, &mut Vec::new());
        let policy = keylint_policy::lower(Tree::new(&text, &arena).root().unwrap());
        format!("{:?}", key_of(&policy, None, None).1)
    }

    fn allow(sid: &str, principal: &str, action: &str) -> String {
        format!(
            r#"{{"Sid": "{sid}", "Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, "Action": "{action}"}}"#
        )
    }

    #[test]
    fn the_owner_is_who_may_manage_the_key() {
        let one = [allow("", "111122223333", "kms:*"), allow("", "444455556666", "kms:Decrypt")].join(",");
        assert_eq!(owner(&one), r#"Known("111122223333")"#);
        assert_eq!(
            owner(&allow("", "arn:aws:iam::${account}:role/admin", "kms:Put*")),
            r#"Known("${account}")"#
        );
        assert_eq!(owner(&allow("", "444455556666", "kms:Decrypt")), "Open");
    }

    #[test]
    fn where_several_accounts_may_the_likeliest_is_assumed() {
        let first = allow("", "444455556666", "kms:*");
        let named = allow("Enable IAM User Permissions", "111122223333", "kms:*");
        assert_eq!(owner(&[first.clone(), named].join(",")), r#"Assumed("111122223333")"#);
        let second = allow("", "111122223333", "kms:*");
        assert_eq!(owner(&[first.clone(), second.clone()].join(",")), r#"Assumed("444455556666")"#);
        let role = "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
        let with_role = [first, second, allow("", role, "kms:Decrypt")].join(",");
        assert_eq!(owner(&with_role), r#"Assumed("111122223333")"#);
    }
}
