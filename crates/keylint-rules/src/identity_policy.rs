//! What rules may want to know of an IAM policy: what it allows its holder on a key that it does not single out.

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::arn::Arn;
use keylint_policy::evaluate::{Caller, Context, Evaluator, Key, State};
use keylint_policy::model::{Effect, Policy, Statement, Text};
use keylint_policy::pattern::{self, FRESH};
use keylint_policy::vocabulary::{KeyId, Operation, Operations};

use crate::finding::Finding;

/// The patterns of resources that are looked at in a statement.
const PATTERNS: usize = 8;

/// An IAM policy that is attached to a user, a group, or a role.
pub(crate) struct HeldPolicy<'p> {
    pub(crate) policy: &'p Policy<'p>,
}

impl<'p> HeldPolicy<'p> {
    pub(crate) fn new(policy: &'p Policy<'p>) -> Self {
        Self { policy }
    }

    /// The `Allow` statements that speak of KMS, rather than of everything.
    pub(crate) fn allowing(&self) -> impl Iterator<Item = &'p Statement<'p>> {
        let names_kms = |statement: &&Statement<'_>| {
            statement.actions.items.iter().any(|item| {
                let service = item.text.as_str().split(':').next().unwrap_or_default();
                service.eq_ignore_ascii_case("kms")
            })
        };
        let statements = self.policy.statements.iter();
        statements.filter(|one| one.effect == Some(Effect::Allow)).filter(names_kms)
    }

    /// The operations that a statement allows for certain on every key: on one of which nothing is known but what the
    /// statement's own ARNs say, which has no alias and no tag, and which is called directly.
    ///
    /// Returned with the resource that says so.
    pub(crate) fn on_all_keys(
        &self,
        statement: &'p Statement<'p>,
        among: Operations,
    ) -> Option<(Operations, Text<'p>)> {
        if statement.resources.negated {
            return None;
        }
        let among = among.intersection(statement.operations.certain);
        // An ARN without a wildcard in its last part is one key's, however many are listed.
        let is_pattern = |text: &str| Arn::parse(text).is_none_or(|arn| pattern::is_wildcard(arn.resource));
        let resource = |item: &Text<'p>| {
            let key = any_key_of(item.as_str())?;
            let evaluator = Evaluator::new(self.policy, &key);
            let account = key.account.clone().unwrap_or_default();
            let holder = Caller::role_of(account, &key.partition);
            let about = evaluator.about_holder(&holder);
            let statements = &self.policy.statements;
            let context = statements.iter().fold(Context::open(), of_direct_call);
            let may = |operation: &Operation| {
                about.may_through(statement.index, *operation, &context).answer == Answer::Yes
            };
            let allowed: Operations = among.iter().filter(may).collect();
            (!allowed.is_empty()).then_some((allowed, *item))
        };
        let patterns = statement.resources.items.iter().filter(|item| is_pattern(item.as_str()));
        patterns.take(PATTERNS).find_map(resource)
    }
}

/// Whether a finding is about KMS: the policy speaks of other services too, which is none of keylint's business.
pub(crate) fn is_about_kms(finding: &Finding<'_>) -> bool {
    let named = ["action", "key"].into_iter().find_map(|word| finding.words.get(word));
    let is_of_kms = |text: &str| text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("kms:"));
    let speaks_of_kms =
        |statement: &Statement<'_>| statement.actions.items.iter().any(|item| is_of_kms(item.text.as_str()));
    match named {
        Some(text) => is_of_kms(text),
        None => finding.statement.is_some_and(speaks_of_kms),
    }
}

/// A key of which nothing is known but what a resource says that stands for keys as such: `*`, `arn:…:key/*`.
fn any_key_of<'k>(resource: &str) -> Option<Key<'k>> {
    let fresh = FRESH.to_string();
    let part = |text: &str| if pattern::is_wildcard(text) { fresh.clone() } else { text.to_owned() };
    let (partition, region, account) = match Arn::parse(resource) {
        Some(arn) => (arn.partition, part(arn.region), part(arn.account)),
        None if pattern::is_wildcard(resource) => ("aws", fresh.clone(), fresh.clone()),
        None => return None,
    };
    let partition = if pattern::is_wildcard(partition) { "aws" } else { partition };
    let arn = format!("arn:{partition}:kms:{region}:{account}:key/{fresh}");
    Some(Key {
        account: Some(Cow::Owned(account)),
        partition: Cow::Owned(partition.to_owned()),
        arn: Some(Cow::Owned(arn)),
        organization: None,
    })
}

/// A direct call for a key without aliases and tags, by whoever holds the policy.
fn of_direct_call<'c>(context: Context<'c>, statement: &'c Statement<'_>) -> Context<'c> {
    const ABSENT: [KeyId; 7] = [
        KeyId::REQUEST_ALIAS,
        KeyId::VIA_SERVICE,
        KeyId::CALLED_VIA,
        KeyId::CALLED_VIA_FIRST,
        KeyId::CALLED_VIA_LAST,
        KeyId::RESOURCE_ALIASES,
        KeyId::RESOURCE_TAG,
    ];
    // What is to be decrypted is as particular as a key.
    const DATA: [KeyId; 2] = [KeyId::ENCRYPTION_CONTEXT, KeyId::ENCRYPTION_CONTEXT_KEYS];
    let keys = statement.conditions.iter().filter_map(|condition| Some((condition, condition.key.id?)));
    let direct = keys.fold(context, |context, (condition, id)| {
        let key = condition.key_text.as_str();
        match id {
            _ if ABSENT.contains(&id) => context.with(key, State::Absent),
            _ if DATA.contains(&id) => context.with(key, State::Unknown),
            KeyId::VIA_AWS_SERVICE | KeyId::GRANT_IS_FOR_AWS_RESOURCE => context.with_value(key, "false"),
            _ => context,
        }
    });
    of_unknown_holder(direct, statement)
}

/// A call of whoever holds a policy with this statement: nothing is known of them.
pub(crate) fn of_unknown_holder<'c>(context: Context<'c>, statement: &'c Statement<'_>) -> Context<'c> {
    const OF_HOLDER: [KeyId; 5] =
        [KeyId::PRINCIPAL_ARN, KeyId::PRINCIPAL_TYPE, KeyId::PRINCIPAL_TAG, KeyId::USERNAME, KeyId::USERID];
    let is_of_holder = |id: KeyId| OF_HOLDER.contains(&id);
    let keys = statement.conditions.iter().filter(|condition| condition.key.id.is_some_and(is_of_holder));
    keys.fold(context, |context, condition| context.with(condition.key_text.as_str(), State::Unknown))
}
