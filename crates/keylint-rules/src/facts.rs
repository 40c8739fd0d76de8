//! What every rule may want to know of a policy: whose key it is, and whom the policy speaks of.

use std::cell::OnceCell;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, is_account, same_account};
use keylint_policy::evaluate::{Caller, Context, Evaluator, Key};
use keylint_policy::model::{Effect, Identity, Policy, Principal, PrincipalItem, Statement};
use keylint_policy::pattern;
use keylint_policy::vocabulary::{KeyId, Operation, Operations};

use crate::ask::Party;
use crate::owner::Owner;
use crate::rule::Who;
use crate::rule_set::KeyKnowledge;

/// The operations by which another account uses a key: what a key that is shared is shared for.
const USE: &[Operation] = &[
    Operation::DECRYPT,
    Operation::ENCRYPT,
    Operation::GENERATE_DATA_KEY,
    Operation::GENERATE_DATA_KEY_WITHOUT_PLAINTEXT,
    Operation::RE_ENCRYPT_FROM,
    Operation::RE_ENCRYPT_TO,
    Operation::CREATE_GRANT,
    Operation::SIGN,
    Operation::VERIFY,
    Operation::GENERATE_MAC,
    Operation::VERIFY_MAC,
    Operation::DERIVE_SHARED_SECRET,
];

/// What is found out once for each kind of party.
pub(crate) struct PerParty<T> {
    strangers: OnceCell<T>,
    service_linked_roles: OnceCell<T>,
    other_accounts: OnceCell<T>,
    untrusted_accounts: OnceCell<T>,
    own_principals: OnceCell<T>,
    no_party: OnceCell<T>,
}

impl<T> Default for PerParty<T> {
    fn default() -> Self {
        Self {
            strangers: OnceCell::new(),
            service_linked_roles: OnceCell::new(),
            other_accounts: OnceCell::new(),
            untrusted_accounts: OnceCell::new(),
            own_principals: OnceCell::new(),
            no_party: OnceCell::new(),
        }
    }
}

impl<T> PerParty<T> {
    /// What is known of one kind. Those about whom questions are asked in another way share an answer.
    pub(crate) fn of(&self, who: Who) -> &OnceCell<T> {
        match who {
            Who::Strangers => &self.strangers,
            Who::ServiceLinkedRoles => &self.service_linked_roles,
            Who::OtherAccounts => &self.other_accounts,
            Who::UntrustedAccounts => &self.untrusted_accounts,
            Who::OwnPrincipals => &self.own_principals,
            Who::Owner
            | Who::OwnerIdentities
            | Who::UnnamedIdentities
            | Who::ServicePrincipals
            | Who::Services => &self.no_party,
        }
    }
}

/// What rules ask about.
pub(crate) struct Facts<'p> {
    pub(crate) evaluator: Evaluator<'p>,
    /// The accounts that the policy names, in principals or in conditions, without the owner.
    pub(crate) other_accounts: Vec<&'p str>,
    /// The users, roles, sessions and services that the policy names.
    pub(crate) named: Vec<Caller<'p>>,
    /// The service-linked roles that an `Allow` names, in its principals or in a condition.
    pub(crate) service_linked_roles: Vec<Identity<'p>>,
    /// Identities of the owner that conditions speak of and that no principal names.
    in_conditions: OnceCell<Vec<Caller<'p>>>,
    shared: OnceCell<bool>,
    reach: PerParty<Operations>,
    pub(crate) parties: PerParty<Vec<Party<'p>>>,
    unnamed_may: OnceCell<Operations>,
    /// The owner's account, where it is assumed rather than known.
    pub(crate) assumed_owner: Option<&'p str>,
    /// What the user says of the key.
    pub(crate) known: &'p KeyKnowledge<'p>,
}

impl<'p> Facts<'p> {
    pub(crate) fn new(
        policy: &'p Policy<'p>,
        key: &'p Key<'p>,
        owner: Owner<'p>,
        known: &'p KeyKnowledge<'p>,
    ) -> Self {
        let assumed_owner = if let Owner::Assumed(account) = owner { Some(account) } else { None };
        let evaluator = Evaluator::new(policy, key);
        let mut named: Vec<Caller<'p>> = Vec::new();
        let mut accounts: Vec<&'p str> = Vec::new();
        let mut roles: Vec<Identity<'p>> = Vec::new();
        let mut add_role = |identity: &Identity<'p>, effect| {
            if effect == Some(Effect::Allow) && !roles.contains(identity) {
                roles.push(*identity);
            }
        };
        for (statement, item) in principals(policy) {
            accounts.extend(item.principal.account());
            if let Some(identity) = item.principal.service_linked_role() {
                add_role(identity, statement.effect);
            }
            let is_new = |caller: &Caller<'_>| {
                !named.iter().any(|known| known.arn == caller.arn && known.session == caller.session)
            };
            named.extend(Caller::named(&item.principal).filter(is_new));
        }
        for statement in &policy.statements {
            for condition in &statement.conditions {
                match condition.key.id {
                    Some(KeyId::PRINCIPAL_ARN) => {
                        for value in &condition.values {
                            let principal = Principal::parse_aws(value.text);
                            accounts.extend(Arn::parse(value.text).map(|arn| arn.account));
                            // Who is only an exception is named to be kept out.
                            let is_exception =
                                condition.operator.is_some_and(|operator| operator.comparison.is_negated());
                            if let Some(identity) = principal.service_linked_role().filter(|_| !is_exception)
                            {
                                add_role(identity, statement.effect);
                            }
                        }
                    }
                    Some(KeyId::PRINCIPAL_ACCOUNT | KeyId::CALLER_ACCOUNT) => {
                        accounts.extend(condition.values.iter().map(|value| value.text));
                    }
                    _ => {}
                }
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        let owner = key.account.as_deref();
        let other = |account: &&str| {
            is_account(account) && owner.is_some_and(|owner| same_account(owner, account) == Answer::No)
        };
        Self {
            evaluator,
            other_accounts: accounts.into_iter().filter(other).collect(),
            named,
            service_linked_roles: roles,
            in_conditions: OnceCell::new(),
            shared: OnceCell::new(),
            reach: PerParty::default(),
            parties: PerParty::default(),
            unnamed_may: OnceCell::new(),
            assumed_owner,
            known,
        }
    }

    pub(crate) fn policy(&self) -> &'p Policy<'p> {
        self.evaluator.policy()
    }

    pub(crate) fn key(&self) -> &'p Key<'p> {
        self.evaluator.key()
    }

    /// Identities of accounts that appear nowhere. They can have any name that a condition asks for.
    pub(crate) fn strangers(&self) -> Vec<Caller<'p>> {
        let fresh = pattern::FRESH.to_string();
        let partition = &self.key().partition;
        let mut strangers =
            vec![Caller::role_of(fresh.clone(), partition), Caller::root_user_of(fresh.clone(), partition)];
        strangers.extend(self.arn_patterns().filter_map(|pattern| identity_like(pattern, &fresh, partition)));
        strangers.extend(self.accounts_by_pattern().map(|account| Caller::role_of(account, partition)));
        strangers.into_iter().map(Caller::as_outsider).collect()
    }

    /// Accounts that appear nowhere and that a pattern of account ids in a condition matches.
    fn accounts_by_pattern(&self) -> impl Iterator<Item = String> + '_ {
        let conditions = self.policy().statements.iter().flat_map(|statement| &statement.conditions);
        let on_account = conditions.filter(|condition| {
            matches!(condition.key.id, Some(KeyId::CALLER_ACCOUNT | KeyId::PRINCIPAL_ACCOUNT))
        });
        let patterns = on_account.flat_map(|condition| &condition.values).map(|value| value.text);
        patterns.filter(|text| pattern::is_wildcard(text)).filter_map(|text| {
            let filled = text.replace('?', "7");
            let missing = 12_usize.saturating_sub(filled.replace('*', "").len());
            let account = filled.replacen('*', &"7".repeat(missing), 1).replace('*', "");
            is_account(&account).then_some(account)
        })
    }

    fn in_conditions(&self) -> &[Caller<'p>] {
        self.in_conditions.get_or_init(|| {
            self.key().account.as_deref().map(|owner| self.like_conditions(owner)).unwrap_or_default()
        })
    }

    /// Identities of an account that conditions speak of.
    fn like_conditions(&self, account: &str) -> Vec<Caller<'p>> {
        let partition = &self.key().partition;
        self.arn_patterns().filter_map(|pattern| identity_like(pattern, account, partition)).collect()
    }

    /// Those whom the policy speaks of and whose account is perhaps this one: a parameter, say.
    pub(crate) fn perhaps_in<'f>(&'f self, account: &'f str) -> impl Iterator<Item = Caller<'p>> + 'f {
        let spoken_of = self.arn_patterns().filter_map(|pattern| {
            let own = Arn::parse(pattern)?.account;
            (same_account(own, account) == Answer::Maybe)
                .then(|| identity_like(pattern, own, &self.key().partition))?
        });
        let named =
            self.named.iter().filter(|caller| same_account(&caller.account, account) == Answer::Maybe);
        let named = named.cloned().chain(spoken_of);
        named.map(|caller| caller.with_identity_policies(Answer::Yes))
    }

    /// The values of conditions on `aws:PrincipalArn`.
    pub(crate) fn arn_patterns(&self) -> impl Iterator<Item = &'p str> {
        let conditions = self.policy().statements.iter().flat_map(|statement| &statement.conditions);
        let on_arn = conditions.filter(|condition| condition.key.id == Some(KeyId::PRINCIPAL_ARN));
        on_arn.flat_map(|condition| &condition.values).map(|value| value.text)
    }

    /// Somebody in an account: a role that the policy does not name, its root user, and all whom it does name.
    pub(crate) fn somebody_in<'f>(&'f self, account: &'f str) -> impl Iterator<Item = Caller<'p>> + 'f {
        let partition = &self.key().partition;
        let role = std::iter::once_with(move || Caller::role_of(account.to_owned(), partition));
        let root_user = std::iter::once_with(move || Caller::root_user_of(account.to_owned(), partition));
        // Whose key it is may not be known: then every account has its turn.
        let turn = if self.key().account.is_none() { self.like_conditions(account) } else { Vec::new() };
        let named = self.named.iter().chain(self.in_conditions());
        let named = named.filter(move |caller| same_account(&caller.account, account) == Answer::Yes);
        let named = named.cloned().chain(turn);
        role.chain(root_user).chain(named.map(|caller| caller.with_identity_policies(Answer::Yes)))
    }

    /// Whoever there may be in another account: somebody, a user, and anyone whom a condition asks for.
    pub(crate) fn anyone_in<'f>(&'f self, account: &'f str) -> impl Iterator<Item = Caller<'p>> + 'f {
        let partition = &self.key().partition;
        let user = std::iter::once_with(move || Caller::user_of(account.to_owned(), partition));
        let others = self.like_conditions(account).into_iter().chain(self.perhaps_in(account));
        self.somebody_in(account).chain(user).chain(others)
    }

    /// The operations that some statement may allow to a kind of party: a quick upper bound, by the form of its
    /// principals alone.
    pub(crate) fn reach_of(&self, who: Who) -> Operations {
        *self.reach.of(who).get_or_init(|| self.find_reach_of(who))
    }

    fn find_reach_of(&self, who: Who) -> Operations {
        let owner = self.key().account.as_deref();
        let is_own = |item: &PrincipalItem<'_>| {
            let account = item.principal.account();
            owner.zip(account).is_some_and(|(owner, account)| same_account(owner, account) == Answer::Yes)
        };
        let of_others = matches!(who, Who::OtherAccounts | Who::UntrustedAccounts);
        let may_name = |item: &PrincipalItem<'_>| match item.principal {
            Principal::Service(_) => false,
            Principal::Account(_) => of_others && !is_own(item),
            Principal::Identity(_) => match who {
                Who::Strangers => false,
                _ if of_others => !is_own(item),
                _ => true,
            },
            _ => true,
        };
        let allowing = self.policy().statements.iter().filter(|s| s.effect != Some(Effect::Deny));
        let reaching = allowing.filter(|statement| {
            let principals = &statement.principals;
            principals.negated || principals.open || principals.items.iter().any(may_name)
        });
        reaching.fold(Operations::EMPTY, |all, statement| all.union(statement.operations.perhaps))
    }

    /// What a policy that denies nothing leaves to an account for certain: most have a statement that says so without
    /// conditions, and nobody need be asked about it.
    fn delegated_to(&self, account: &str) -> Operations {
        let names_account = |item: &PrincipalItem<'_>| match item.principal {
            Principal::Anyone => true,
            Principal::Account(named) => named == account,
            _ => false,
        };
        let delegates = |statement: &Statement<'_>| {
            statement.conditions.is_empty()
                && !statement.conditions_open
                && !statement.principals.negated
                && self.evaluator.resource_answer(statement.index) == Answer::Yes
                && statement.principals.items.iter().any(names_account)
        };
        let statements = &self.policy().statements;
        if statements.iter().any(|statement| statement.effect != Some(Effect::Allow)) {
            return Operations::EMPTY;
        }
        let delegating = statements.iter().filter(|statement| delegates(statement));
        let all =
            delegating.fold(Operations::EMPTY, |all, statement| all.union(statement.operations.certain));
        all.intersection(Operations::ON_KEY)
    }

    /// The operations of administration that a role of the owner may certainly call although no principal names it.
    /// Nearly every key has one that may.
    pub(crate) fn unnamed_may(&self) -> Operations {
        *self.unnamed_may.get_or_init(|| {
            let Some(owner) = self.key().account.as_deref() else { return Operations::EMPTY };
            let delegated = self.delegated_to(owner);
            if delegated.contains(Operation::PUT_KEY_POLICY) {
                return delegated;
            }
            let caller = Caller::role_of(owner, &self.key().partition);
            let about = self.evaluator.about(&caller);
            let certain = about.certain();
            let manages = Operation::PUT_KEY_POLICY;
            let may = certain.contains(manages) || about.may(manages, &Context::open()).answer == Answer::Yes;
            if may { certain.union(Operations::only(manages)) } else { certain }
        })
    }

    /// Whether another account uses the key for certain: one that the policy names, or everyone.
    pub(crate) fn is_shared(&self) -> bool {
        let may_use = |caller: Caller<'_>| {
            let about = self.evaluator.about(&caller);
            let uses = USE.iter().copied().collect::<Operations>();
            if !about.certain().intersection(uses).is_empty() {
                return true;
            }
            let reach = about.reach().intersection(uses);
            let context = Context::open();
            reach.iter().any(|operation| about.may(operation, &context).answer == Answer::Yes)
        };
        let by = |account: &&str| self.somebody_in(account).any(&may_use);
        *self.shared.get_or_init(|| self.other_accounts.iter().any(by))
    }
}

/// An identity of an account whose ARN a pattern of `aws:PrincipalArn` matches; `None` if there is none.
pub fn identity_like<'r>(pattern: &str, account: &str, partition: &str) -> Option<Caller<'r>> {
    let arn = Arn::parse(pattern)?;
    let wild = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    if !(wild(arn.account) || same_account(arn.account, account) == Answer::Yes) {
        return None;
    }
    let partition = if wild(arn.partition) { partition } else { arn.partition };
    let name = arn.resource.replace(['*', '?'], "x");
    let name = if wild(arn.resource) { "role/x" } else { &name };
    Caller::with_arn(account.to_owned(), format!("arn:{partition}:iam::{account}:{name}"))
}

/// Every principal of a policy, with its statement.
pub(crate) fn principals<'p, 't>(
    policy: &'p Policy<'t>,
) -> impl Iterator<Item = (&'p Statement<'t>, &'p PrincipalItem<'t>)> {
    policy
        .statements
        .iter()
        .flat_map(|statement| statement.principals.items.iter().map(move |item| (statement, item)))
}
