//! Questions about one caller.

use super::caller::{Caller, CallerKind, Named, named_by};
use super::context::Context;
use super::request::{Relevant, Request};
use super::{Evaluator, Verdict};
use crate::Answer;
use crate::arn::same_account;
use crate::model::{Condition, Effect, Statement};
use crate::vocabulary::{Operation, Operations};

/// Why an `Allow` statement that could have allowed does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Its actions do not cover the operation.
    Action,
    /// Its resource is not this key.
    Resource,
    /// This condition is false, by its index in the statement.
    Condition(usize),
}

/// Something that is not known, on which it depends whether a statement applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled<'p> {
    /// Whom it names.
    Principal,
    /// Which operations it covers.
    Action,
    /// Which key it is about.
    Resource,
    /// A condition that could not be read.
    Condition,
    /// A condition key, or what it is compared with.
    Key(&'p str),
}

/// Answers questions about one caller, whose place in the policy is looked up once.
#[derive(Debug)]
pub struct About<'a, 'p> {
    evaluator: &'a Evaluator<'p>,
    caller: &'a Caller<'a>,
    /// Whether the caller is of the key's account.
    own_account: Answer,
    /// The statements that may name the caller or its account.
    naming: Vec<(&'p Statement<'p>, Named)>,
}

impl<'a, 'p> About<'a, 'p> {
    pub(super) fn new(evaluator: &'a Evaluator<'p>, caller: &'a Caller<'a>) -> Self {
        let named = evaluator.policy.statements.iter().map(|s| (s, named_by(s, caller)));
        let own_account = match (&evaluator.key.account, caller.kind) {
            (_, CallerKind::Service) => Answer::Yes,
            // An outsider's account is another one by definition.
            _ if caller.outsider => Answer::No,
            (Some(account), _) => same_account(account, &caller.account),
            (None, _) => Answer::Maybe,
        };
        let naming = named.filter(|(_, named)| named.at_all() != Answer::No).collect();
        Self { evaluator, caller, own_account, naming }
    }

    /// Questions about a policy that belongs to the caller: it names no principals, and all of it is about the caller.
    pub(super) fn holding(evaluator: &'a Evaluator<'p>, caller: &'a Caller<'a>) -> Self {
        let all = evaluator.policy.statements.iter();
        let naming = all.map(|statement| (statement, Named::directly(Answer::Yes))).collect();
        Self { evaluator, caller, own_account: Answer::Yes, naming }
    }

    /// Whether the caller is of the key's account.
    pub fn own_account(&self) -> Answer {
        self.own_account
    }

    /// Whether a statement may name the caller or its account.
    pub fn may_be_named_by(&self, statement: usize) -> bool {
        self.naming.binary_search_by_key(&statement, |(statement, _)| statement.index).is_ok()
    }

    /// The operations that some statement may allow, whatever its conditions: a quick upper bound.
    pub fn reach(&self) -> Operations {
        let allowing = self.naming.iter().filter(|(statement, _)| {
            statement.effect != Some(Effect::Deny)
                && self.evaluator.resource_answer(statement.index) != Answer::No
        });
        allowing.fold(Operations::EMPTY, |all, (statement, _)| all.union(statement.operations.perhaps))
    }

    /// Whether the conditions of a statement keep the caller from all of these operations: one of them is about a key
    /// that all of their requests have, and never holds.
    pub fn is_kept_out(
        &self,
        statement: &Statement<'p>,
        operations: Operations,
        context: &Context<'_>,
    ) -> bool {
        let Some(first) = operations.iter().next() else { return true };
        let request = self.request(first, context, &[]);
        statement.conditions.iter().any(|condition| {
            let in_all = condition.key.id.is_some_and(|id| operations.difference(id.operations()).is_empty());
            in_all && request.can_hold(condition) == Answer::No
        })
    }

    /// Operations that the caller may call whatever the context: a quick lower bound.
    pub fn certain(&self) -> Operations {
        self.certainly_allowed().difference(self.deniable())
    }

    /// Operations that the caller may call whatever the context if no `Deny` takes them away: a quick lower bound.
    pub fn certainly_allowed(&self) -> Operations {
        let mut allowed = Operations::EMPTY;
        for (statement, named) in &self.naming {
            let always = statement.effect == Some(Effect::Allow)
                && statement.conditions.is_empty()
                && !statement.conditions_open
                && self.evaluator.resource_answer(statement.index) == Answer::Yes;
            let by_key_policy = self.own_account.and(named.directly);
            let by_any_policy = by_key_policy.or(named.at_all().and(self.caller.identity_policies));
            if always && by_any_policy == Answer::Yes {
                allowed = allowed.union(statement.operations.certain);
            }
        }
        let works =
            if self.own_account == Answer::Yes { Operations::ON_KEY } else { Operations::ACROSS_ACCOUNTS };
        allowed.intersection(works)
    }

    /// Operations that some statement may take away from the caller: a quick upper bound.
    pub fn deniable(&self) -> Operations {
        let denying = self.naming.iter().filter(|(statement, _)| statement.effect != Some(Effect::Allow));
        denying.fold(Operations::EMPTY, |all, (statement, _)| all.union(statement.operations.perhaps))
    }

    /// Whether some statement can allow an operation to the caller, if no `Deny` takes it away. It is a no exactly where
    /// [`Verdict::without_denials`] is one, and found without trying the open keys together.
    pub fn can_be_allowed(&self, operation: Operation, context: &Context<'_>) -> bool {
        self.works(operation)
            && self.naming.iter().any(|(statement, named)| {
                let by_key_policy = self.own_account.and(named.directly);
                let by_any_policy = by_key_policy.or(named.at_all().and(self.caller.identity_policies));
                statement.effect != Some(Effect::Deny)
                    && by_any_policy != Answer::No
                    && self.can_apply(statement.index, operation, context) != Answer::No
            })
    }

    /// Whether a `Deny` can be certain to take an operation away: one applies to every such request, or several depend
    /// on one key and may do so between them.
    pub fn can_be_denied_for_certain(&self, operation: Operation, context: &Context<'_>) -> bool {
        let denying = || {
            self.naming.iter().map(|(statement, _)| *statement).filter(|statement| {
                statement.effect != Some(Effect::Allow) && statement.operations.perhaps.contains(operation)
            })
        };
        let between_them = || {
            denying().enumerate().any(|(index, one)| {
                let keys = |other: &Statement<'_>| {
                    let same = |c: &Condition<'_>| one.conditions.iter().any(|mine| mine.key.same_as(&c.key));
                    other.conditions.iter().any(same)
                };
                denying().skip(index + 1).any(keys)
            })
        };
        denying().any(|one| self.applies(one.index, operation, context).at_all() == Answer::Yes)
            || between_them()
    }

    fn works(&self, operation: Operation) -> bool {
        operation.on_key() && (self.own_account != Answer::No || operation.across_accounts())
    }

    /// Whether the caller may call an operation on the key.
    pub fn may(&self, operation: Operation, context: &Context<'_>) -> Verdict {
        self.ask(operation, context, |_| true)
    }

    /// Whether the caller may call an operation on the key if this statement alone allowed anything.
    pub fn may_through(&self, statement: usize, operation: Operation, context: &Context<'_>) -> Verdict {
        self.ask(operation, context, |other| other.index == statement || other.effect == Some(Effect::Deny))
    }

    /// Whether a statement applies to at least one request of the caller for an operation, whatever the other
    /// statements say. Every open key may be as the statement wants it, whoever decides it. A no says that the
    /// statement applies to none of these requests.
    pub fn can_apply(&self, statement: usize, operation: Operation, context: &Context<'_>) -> Answer {
        let found = self.naming.iter().find(|(named, _)| named.index == statement);
        let Some((statement, named)) = found.filter(|_| operation.on_key()) else { return Answer::No };
        let relevant = [self.relevant(statement, *named, operation)];
        let [Relevant { directly, by_account, .. }] = &relevant;
        let applies = directly.or(*by_account);
        if applies == Answer::No {
            return Answer::No;
        }
        applies.and(self.request(operation, context, &relevant).can_all_hold(statement))
    }

    /// Whether a statement applies to the caller's requests for an operation, whatever the other statements say: yes if
    /// to every one, no if to none.
    pub fn applies(&self, statement: usize, operation: Operation, context: &Context<'_>) -> Named {
        let found = self.naming.iter().find(|(named, _)| named.index == statement);
        let Some((statement, named)) = found.filter(|_| operation.on_key()) else { return Named::NOT };
        let relevant = [self.relevant(statement, *named, operation)];
        let [Relevant { directly, by_account, .. }] = &relevant;
        let conditions = self.request(operation, context, &relevant).always_hold(statement);
        Named { directly: directly.and(conditions), by_account: by_account.and(conditions) }
    }

    /// What it depends on whether a statement applies to a request, in the order of the statement.
    pub fn depends_on(
        &self,
        statement: usize,
        operation: Operation,
        context: &Context<'_>,
    ) -> Vec<Unsettled<'p>> {
        let found = self.naming.iter().find(|(named, _)| named.index == statement);
        let Some((statement, named)) = found else { return Vec::new() };
        let certain = [
            (named.at_all() == Answer::Yes, Unsettled::Principal),
            (statement.operations.certain.contains(operation), Unsettled::Action),
            (self.evaluator.resource_answer(statement.index) == Answer::Yes, Unsettled::Resource),
            (!statement.conditions_open, Unsettled::Condition),
        ];
        let open = certain.into_iter().filter(|(certain, _)| !certain).map(|(_, what)| what);
        let relevant = [self.relevant(statement, *named, operation)];
        let request = self.request(operation, context, &relevant);
        let conditions = statement.conditions.iter().filter(|condition| request.depends_on(condition));
        open.chain(conditions.map(|condition| Unsettled::Key(condition.key.text))).collect()
    }

    /// Why the `Allow` statements that name the caller or its account do not allow an operation: each statement with
    /// what is in the way for certain. A statement with nothing certain in its way is left out.
    pub fn obstacles(&self, operation: Operation, context: &Context<'_>) -> Vec<(usize, Obstacle)> {
        let mut obstacles = Vec::new();
        for (statement, _) in self.naming.iter().filter(|(s, _)| s.effect == Some(Effect::Allow)) {
            let obstacle = if !statement.operations.perhaps.contains(operation) {
                Some(Obstacle::Action)
            } else if self.evaluator.resource_answer(statement.index) == Answer::No {
                Some(Obstacle::Resource)
            } else {
                let request = self.request(operation, context, &[]);
                let never = |condition: &Condition<'p>| request.can_hold(condition) == Answer::No;
                statement.conditions.iter().position(never).map(Obstacle::Condition)
            };
            obstacles.extend(obstacle.map(|obstacle| (statement.index, obstacle)));
        }
        obstacles
    }

    fn ask(
        &self,
        operation: Operation,
        context: &Context<'_>,
        counts: impl Fn(&Statement<'_>) -> bool,
    ) -> Verdict {
        if !self.works(operation) {
            return Verdict::NO;
        }
        let relevant: Vec<Relevant<'p>> = self
            .naming
            .iter()
            .filter(|(statement, _)| statement.operations.perhaps.contains(operation) && counts(statement))
            .map(|(statement, named)| self.relevant(statement, *named, operation))
            .filter(|relevant| relevant.directly.or(relevant.by_account) != Answer::No)
            .collect();
        self.request(operation, context, &relevant).verdict()
    }

    /// How far a statement applies before its conditions are looked at.
    fn relevant(&self, statement: &'p Statement<'p>, named: Named, operation: Operation) -> Relevant<'p> {
        let covered = if statement.operations.certain.contains(operation) {
            Answer::Yes
        } else {
            Answer::from(statement.operations.perhaps.contains(operation)).and(Answer::Maybe)
        };
        let base = covered.and(self.evaluator.resource_answer(statement.index));
        Relevant { statement, directly: named.directly.and(base), by_account: named.by_account.and(base) }
    }

    fn request<'q>(
        &'q self,
        operation: Operation,
        context: &'q Context<'q>,
        relevant: &'q [Relevant<'p>],
    ) -> Request<'q, 'p> {
        Request {
            variables: self.evaluator.policy.variables,
            key: self.evaluator.key,
            caller: self.caller,
            operation,
            context,
            own_account: self.own_account,
            relevant,
        }
    }
}
