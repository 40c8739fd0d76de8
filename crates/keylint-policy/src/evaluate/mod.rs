//! May this principal make this request? An exact model of KMS authorization, with three answers.
//!
//! The model, in short: a `Deny` that applies wins. An `Allow` that names the caller (or everyone) allows directly
//! in the key's own account; one that names the caller's account delegates to that account's identity policies;
//! across accounts an `Allow` of any form only delegates, and only some operations work at all.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>
//!
//! [`Evaluator::may`] is the evaluator that rules use. `tests/decide` holds another one, the plainest reading of the
//! documentation, and tests hold the two against each other.

mod caller;
mod choices;
mod condition;
mod context;
mod values;

use std::borrow::Cow;

pub use caller::{Caller, CallerKind, Named, names, principal_names};
pub use context::{Context, State};

use self::choices::{Sample, Variable};
use self::condition::{Found, holds};
use self::context::{Standing, standing_of};
use crate::Answer;
use crate::arn::{resource_matches, same_account};
use crate::model::{Condition, Effect, Policy, Statement};
use crate::pattern;
use crate::vocabulary::{ConditionKey, Operation, Operations};

/// What is known of the key that a policy belongs to.
#[derive(Clone, Debug)]
pub struct Key<'k> {
    /// The account that owns it: twelve digits or the text of a hole.
    pub account: Option<Cow<'k, str>>,
    /// Its partition: `aws`, unless the policy's own ARNs say otherwise.
    pub partition: Cow<'k, str>,
    /// Its ARN.
    pub arn: Option<Cow<'k, str>>,
}

impl Default for Key<'_> {
    fn default() -> Self {
        Self { account: None, partition: Cow::Borrowed("aws"), arn: None }
    }
}

/// The answer to a question, with what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the caller may.
    pub answer: Answer,
    /// Whether it might if there were no `Deny`.
    pub without_denials: Answer,
    /// The `Allow` statement that allows, or would allow but for a `Deny`.
    pub allowed_by: Option<usize>,
    /// The `Deny` statement that takes it away.
    pub denied_by: Option<usize>,
    /// Whether the identity policies of the caller's account are what allows.
    pub delegated: bool,
}

impl Verdict {
    const NO: Self = Self {
        answer: Answer::No,
        without_denials: Answer::No,
        allowed_by: None,
        denied_by: None,
        delegated: false,
    };
}

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

/// Answers questions about one policy and its key.
#[derive(Debug)]
pub struct Evaluator<'p> {
    policy: &'p Policy<'p>,
    key: &'p Key<'p>,
    /// For each statement, whether its resources are the key.
    on_this_key: Vec<Answer>,
}

/// A statement that matters to a request, and how far it applies before its conditions are looked at.
struct Relevant<'p> {
    statement: &'p Statement<'p>,
    /// It names the caller itself.
    directly: Answer,
    /// It names the caller's account.
    by_account: Answer,
}

impl<'p> Evaluator<'p> {
    /// Prepares a policy for questions.
    pub fn new(policy: &'p Policy<'p>, key: &'p Key<'p>) -> Self {
        let on_this_key = policy.statements.iter().map(|statement| is_this_key(statement, key)).collect();
        Self { policy, key, on_this_key }
    }

    /// The policy that is asked about.
    pub fn policy(&self) -> &'p Policy<'p> {
        self.policy
    }

    /// What is known of the key.
    pub fn key(&self) -> &'p Key<'p> {
        self.key
    }

    /// Whether the resources of a statement are this key. A statement that does not exist has none.
    pub fn resource_answer(&self, statement: usize) -> Answer {
        self.on_this_key.get(statement).copied().unwrap_or(Answer::No)
    }

    /// The operations that some statement may allow a caller, whatever its conditions: a quick upper bound.
    pub fn reach(&self, caller: &Caller<'_>) -> Operations {
        let allowing = self.policy.statements.iter().filter(|s| s.effect != Some(Effect::Deny));
        allowing.filter(|s| names(&s.principals, caller).at_all() != Answer::No).fold(
            Operations::EMPTY,
            |all, statement| match self.resource_answer(statement.index) {
                Answer::No => all,
                _ => all.union(statement.operations.perhaps),
            },
        )
    }

    /// Whether a caller may call an operation on the key.
    pub fn may(&self, caller: &Caller<'_>, operation: Operation, context: &Context<'_>) -> Verdict {
        self.ask(caller, operation, context, |_| true)
    }

    /// Whether a caller may call an operation on the key if this statement alone allowed anything.
    pub fn may_through(
        &self,
        statement: usize,
        caller: &Caller<'_>,
        operation: Operation,
        context: &Context<'_>,
    ) -> Verdict {
        self.ask(caller, operation, context, |other| {
            other.index == statement || other.effect == Some(Effect::Deny)
        })
    }

    fn ask(
        &self,
        caller: &Caller<'_>,
        operation: Operation,
        context: &Context<'_>,
        counts: impl Fn(&Statement<'_>) -> bool,
    ) -> Verdict {
        if !operation.on_key() {
            return Verdict::NO;
        }
        let own_account = self.in_own_account(caller);
        if own_account == Answer::No && !operation.across_accounts() {
            return Verdict::NO;
        }
        let mut relevant = self.relevant(caller, operation);
        relevant.retain(|relevant| counts(relevant.statement));
        let request =
            Request { evaluator: self, caller, operation, context, own_account, relevant: &relevant };
        request.verdict()
    }

    /// Why the `Allow` statements that name a caller or its account do not allow an operation: each statement with what is in the
    /// way for certain. A statement with nothing certain in its way is left out.
    pub fn obstacles(
        &self,
        caller: &Caller<'_>,
        operation: Operation,
        context: &Context<'_>,
    ) -> Vec<(usize, Obstacle)> {
        let mut obstacles = Vec::new();
        let allowing = self.policy.statements.iter().filter(|s| s.effect == Some(Effect::Allow));
        for statement in allowing.filter(|s| names(&s.principals, caller).at_all() != Answer::No) {
            let obstacle = if !statement.operations.perhaps.contains(operation) {
                Some(Obstacle::Action)
            } else if self.resource_answer(statement.index) == Answer::No {
                Some(Obstacle::Resource)
            } else {
                let alone = [Relevant { statement, directly: Answer::Yes, by_account: Answer::No }];
                let own_account = self.in_own_account(caller);
                let request =
                    Request { evaluator: self, caller, operation, context, own_account, relevant: &alone };
                let never = |condition: &Condition<'p>| request.can_hold(condition) == Answer::No;
                statement.conditions.iter().position(never).map(Obstacle::Condition)
            };
            obstacles.extend(obstacle.map(|obstacle| (statement.index, obstacle)));
        }
        obstacles
    }

    fn in_own_account(&self, caller: &Caller<'_>) -> Answer {
        match (&self.key.account, caller.kind) {
            (_, CallerKind::Service) => Answer::Yes,
            // An outsider's account is another one by definition.
            _ if caller.outsider => Answer::No,
            (Some(account), _) => same_account(account, &caller.account),
            (None, _) => Answer::Maybe,
        }
    }

    fn relevant(&self, caller: &Caller<'_>, operation: Operation) -> Vec<Relevant<'p>> {
        let mut relevant = Vec::new();
        for statement in &self.policy.statements {
            if !statement.operations.perhaps.contains(operation) {
                continue;
            }
            let covered =
                if statement.operations.certain.contains(operation) { Answer::Yes } else { Answer::Maybe };
            let base = covered.and(self.resource_answer(statement.index));
            let named = names(&statement.principals, caller);
            let (directly, by_account) = (named.directly.and(base), named.by_account.and(base));
            if directly.or(by_account) != Answer::No {
                relevant.push(Relevant { statement, directly, by_account });
            }
        }
        relevant
    }
}

/// Whether the resources of a statement are the key itself. In a key policy `*` means this key.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>
fn is_this_key(statement: &Statement<'_>, key: &Key<'_>) -> Answer {
    let account = key.account.as_deref().filter(|account| !pattern::has_hole(account));
    let arn = match &key.arn {
        Some(arn) => Cow::Borrowed(arn.as_ref()),
        // What is not known of the key's ARN is a hole.
        None => Cow::Owned(format!(
            "arn:${{partition}}:kms:${{region}}:{}:key/${{key}}",
            account.unwrap_or("${account}")
        )),
    };
    let resources = &statement.resources;
    let listed =
        Answer::any(resources.items.iter().map(|item| {
            if item.as_str() == "*" { Answer::Yes } else { resource_matches(item.as_str(), &arn) }
        }));
    let listed = if resources.open { listed.or(Answer::Maybe) } else { listed };
    if resources.negated { !listed } else { listed }
}

/// One question, with all that is needed to answer it.
struct Request<'q, 'p> {
    evaluator: &'q Evaluator<'p>,
    caller: &'q Caller<'q>,
    operation: Operation,
    context: &'q Context<'q>,
    own_account: Answer,
    relevant: &'q [Relevant<'p>],
}

/// What was chosen for the open keys: for each variable the sample that is tried.
type Assignment<'a, 'p> = &'a [Tried<'a, 'p>];
/// An open key, and what is tried for it.
type Tried<'a, 'p> = (&'a ConditionKey<'p>, &'a Sample<'p>);

impl<'p> Request<'_, 'p> {
    fn verdict(&self) -> Verdict {
        if self.relevant.iter().all(|relevant| relevant.statement.conditions.is_empty()) {
            return self.decide(&[]);
        }
        let mut variables = self.variables();
        choices::bound(&mut variables);
        let (chosen, given): (Vec<_>, Vec<_>) = variables.iter().partition(|variable| variable.chosen);
        let entangled = chosen.iter().enumerate().any(|(index, left)| {
            chosen.iter().skip(index + 1).any(|right| choices::correlated(&left.key, &right.key))
        });
        let mut result: Option<Verdict> = None;
        each_combination(&given, &mut Vec::new(), &mut |world| {
            let mut best = Verdict::NO;
            let mut assignment = world.to_vec();
            each_combination(&chosen, &mut assignment, &mut |all| {
                best = better(best, self.decide(all));
            });
            if entangled {
                // Whether these values can be chosen together is not known.
                best.answer = best.answer.and(Answer::Maybe);
                best.without_denials = best.without_denials.and(Answer::Maybe);
            }
            result = Some(match result {
                Some(before) => agreed(before, best),
                None => best,
            });
        });
        result.unwrap_or(Verdict::NO)
    }

    /// The keys that the conditions of the relevant statements depend on and that are open.
    fn variables(&self) -> Vec<Variable<'p>> {
        let mut variables: Vec<Variable<'p>> = Vec::new();
        let conditions = || self.relevant.iter().flat_map(|relevant| &relevant.statement.conditions);
        for condition in conditions() {
            if variables.iter().any(|variable| variable.key.same_as(&condition.key)) {
                continue;
            }
            if let Standing::Open(open) = self.standing(&condition.key) {
                let on_it: Vec<_> = conditions().filter(|other| other.key.same_as(&condition.key)).collect();
                variables.push(Variable::new(condition.key, open, &on_it));
            }
        }
        variables
    }

    fn standing(&self, key: &ConditionKey<'_>) -> Standing<'_> {
        let account = self.evaluator.key.account.as_deref();
        standing_of(key, self.context, self.caller, self.operation, account)
    }

    /// The decision when every open key is settled.
    fn decide(&self, assignment: Assignment<'_, 'p>) -> Verdict {
        let (mut directly, mut by_account, mut denied) = (Answer::No, Answer::No, Answer::No);
        let (mut allowing, mut denying) = (None, None);
        for relevant in self.relevant {
            let statement = relevant.statement;
            let conditions = self.conditions_hold(statement, assignment);
            if conditions == Answer::No {
                continue;
            }
            let (direct, account) = (relevant.directly.and(conditions), relevant.by_account.and(conditions));
            let strongest = direct.or(account);
            let may_be = |effect| match statement.effect {
                Some(known) if known == effect => Some(Answer::Yes),
                Some(_) => None,
                None => Some(Answer::Maybe),
            };
            if let Some(sure) = may_be(Effect::Allow) {
                directly = directly.or(direct.and(sure));
                by_account = by_account.or(account.and(sure));
                let by_itself = self.own_account.and(direct).and(sure);
                let by_identity_policies = strongest.and(sure).and(self.caller.identity_policies);
                stronger(&mut allowing, (by_itself.or(by_identity_policies), by_itself), statement.index);
            }
            if let Some(sure) = may_be(Effect::Deny) {
                denied = denied.or(strongest.and(sure));
                stronger(&mut denying, (strongest.and(sure), Answer::No), statement.index);
            }
        }
        let by_key_policy = self.own_account.and(directly);
        let by_identity_policies = directly.or(by_account).and(self.caller.identity_policies);
        let works = if self.operation.across_accounts() { Answer::Yes } else { self.own_account };
        let allowed = by_key_policy.or(by_identity_policies).and(works);
        Verdict {
            answer: allowed.and(!denied),
            without_denials: allowed,
            allowed_by: allowing.map(|(_, index)| index),
            denied_by: denying.map(|(_, index)| index),
            delegated: by_key_policy < by_identity_policies,
        }
    }

    fn conditions_hold(&self, statement: &Statement<'p>, assignment: Assignment<'_, 'p>) -> Answer {
        let known =
            Answer::all(statement.conditions.iter().map(|condition| self.holds(condition, assignment)));
        if statement.conditions_open { known.and(Answer::Maybe) } else { known }
    }

    fn holds(&self, condition: &Condition<'p>, assignment: Assignment<'_, 'p>) -> Answer {
        let variables = self.evaluator.policy.variables;
        let tried = assignment.iter().find(|(key, _)| key.same_as(&condition.key));
        let value_of = |name: &str| {
            let key = ConditionKey::parse(name);
            match self.standing(&key) {
                _ if key.id.is_none() => condition::Variable::Placeholder,
                Standing::Absent => condition::Variable::Absent,
                Standing::Is(values) => match values.as_ref() {
                    [value] => condition::Variable::Is(value.to_string()),
                    // AWS does not say what a variable with several values stands for.
                    _ => condition::Variable::Open,
                },
                Standing::Open(_) => condition::Variable::Open,
            }
        };
        let found = |found: Found<'_>| holds(condition, found, variables, &value_of);
        match tried {
            Some((_, Sample::Absent)) => found(Found::Absent),
            Some((_, Sample::Values(values))) => found(Found::Values(values)),
            Some((_, Sample::Another)) => found(Found::Another),
            Some((_, Sample::Something)) => found(Found::Something),
            Some((_, Sample::Unsettled)) => found(Found::Unsettled),
            None => match self.standing(&condition.key) {
                Standing::Absent => found(Found::Absent),
                Standing::Is(values) => found(Found::Values(&values)),
                Standing::Open(_) => found(Found::Unsettled),
            },
        }
    }

    /// Whether a condition holds for at least one value of its key.
    fn can_hold(&self, condition: &Condition<'p>) -> Answer {
        match self.standing(&condition.key) {
            Standing::Open(open) => {
                let variable = Variable::new(condition.key, open, &[condition]);
                Answer::any(variable.samples.iter().map(|s| self.holds(condition, &[(&variable.key, s)])))
            }
            _ => self.holds(condition, &[]),
        }
    }
}

/// Calls `each` with every combination of samples, added to what `assignment` already holds.
fn each_combination<'a, 'p>(
    variables: &[&'a Variable<'p>],
    assignment: &mut Vec<Tried<'a, 'p>>,
    each: &mut dyn FnMut(&[Tried<'a, 'p>]),
) {
    let Some((first, rest)) = variables.split_first() else { return each(assignment) };
    for sample in &first.samples {
        assignment.push((&first.key, sample));
        each_combination(rest, assignment, each);
        assignment.pop();
    }
}

/// What a statement does to a request, and as far as it allows, how much of that needs no identity policy.
type Strength = (Answer, Answer);

/// Keeps the index of the strongest statement, the first of equals.
fn stronger(kept: &mut Option<(Strength, usize)>, strength: Strength, index: usize) {
    if strength.0 != Answer::No && kept.is_none_or(|(before, _)| before < strength) {
        *kept = Some((strength, index));
    }
}

/// What a caller gets who may choose between two.
fn better(left: Verdict, right: Verdict) -> Verdict {
    let best = if (right.answer, right.without_denials) > (left.answer, left.without_denials) {
        right
    } else {
        left
    };
    Verdict { without_denials: left.without_denials.or(right.without_denials), ..best }
}

/// What is certain when the world may be in either of two ways.
fn agreed(left: Verdict, right: Verdict) -> Verdict {
    Verdict {
        answer: left.answer.agreed(right.answer),
        without_denials: left.without_denials.agreed(right.without_denials),
        allowed_by: left.allowed_by.or(right.allowed_by),
        denied_by: left.denied_by.or(right.denied_by),
        delegated: left.delegated || right.delegated,
    }
}
