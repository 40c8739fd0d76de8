//! One question: the verdict on a caller, an operation and a context.

use super::caller::Caller;
use super::choices::{self, Sample, Variable};
use super::condition::{self, Found, holds};
use super::context::{Context, Standing, standing_of};
use super::{Key, Verdict};
use crate::Answer;
use crate::arn::Arn;
use crate::model::{Condition, Effect, Statement, Variables};
use crate::operator::Comparison;
use crate::pattern;
use crate::vocabulary::{ConditionKey, Operation};

/// One question, with all that is needed to answer it.
pub(super) struct Request<'q, 'p> {
    pub(super) variables: Variables,
    pub(super) key: &'q Key<'q>,
    pub(super) caller: &'q Caller<'q>,
    pub(super) operation: Operation,
    pub(super) context: &'q Context<'q>,
    /// Whether the caller is of the key's account.
    pub(super) own_account: Answer,
    /// The statements that can matter.
    pub(super) relevant: &'q [Relevant<'p>],
}

/// A statement that matters to a request, and how far it applies before its conditions are looked at.
pub(super) struct Relevant<'p> {
    pub(super) statement: &'p Statement<'p>,
    /// It names the caller itself.
    pub(super) directly: Answer,
    /// It names the caller's account.
    pub(super) by_account: Answer,
}

/// What was chosen for the open keys: for each variable the sample that is tried.
type Assignment<'a, 'p> = &'a [Tried<'a, 'p>];
/// An open key, and what is tried for it.
type Tried<'a, 'p> = (&'a ConditionKey<'p>, &'a Sample<'p>);

impl<'p> Request<'_, 'p> {
    pub(super) fn verdict(&self) -> Verdict {
        // What is certain although nothing is tried needs no trying.
        let at_once = self.decide(&[]);
        if at_once.answer != Answer::Maybe && at_once.without_denials != Answer::Maybe {
            return at_once;
        }
        let mut variables = self.open_keys();
        choices::bound(&mut variables);
        let (chosen, given): (Vec<_>, Vec<_>) = variables.iter().partition(|variable| variable.chosen);
        let entangled = choices::entangled(chosen.iter().copied());
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
    fn open_keys(&self) -> Vec<Variable<'p>> {
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
        standing_of(key, self.context, self.caller, self.operation, self.key)
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
        // AWS requires a set operator where a key has several values. Without one nothing matches, by what is known;
        // the documentation does not say it, so that no rule rests on it.
        let several = if self.context.complete { Answer::No } else { Answer::Maybe };
        let found = |found: Found<'_>| holds(condition, found, self.variables, &value_of, several);
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

    /// Whether all conditions of the statement that matters hold for at least one setting of the open keys.
    pub(super) fn can_all_hold(&self, statement: &Statement<'p>) -> Answer {
        if self.can_hold_at_a_glance(statement) {
            return Answer::Yes;
        }
        let known = self.all_hold(statement, Answer::or);
        // Whether values of keys that hang together can come together is not known.
        if known != Answer::No && choices::entangled(self.open_keys().iter()) {
            known.and(Answer::Maybe)
        } else {
            known
        }
    }

    /// Whether each condition is on an open key of its own and holds for the value that it names: the usual case. A no
    /// says nothing.
    fn can_hold_at_a_glance(&self, statement: &Statement<'p>) -> bool {
        let has_value = |condition: &Condition<'p>| {
            let (Some(operator), Some(value)) = (condition.operator, condition.values.first()) else {
                return false;
            };
            let Standing::Open(open) = self.standing(&condition.key) else { return false };
            let is_text = || open.values.is_none() && !pattern::has_hole(value.text);
            match operator.comparison {
                Comparison::StringEquals | Comparison::StringLike => is_text(),
                Comparison::ArnEquals | Comparison::ArnLike => is_text() && Arn::parse(value.text).is_some(),
                Comparison::Bool => matches!(value.text, "true" | "false"),
                _ => false,
            }
        };
        let by_itself = |(index, condition): (usize, &Condition<'p>)| {
            let mut others = statement.conditions.iter().skip(index + 1);
            others.all(|other| {
                !other.key.same_as(&condition.key) && !choices::correlated(&other.key, &condition.key)
            })
        };
        !statement.conditions_open
            && statement.conditions.iter().all(has_value)
            && statement.conditions.iter().enumerate().all(by_itself)
    }

    /// Whether all conditions of the statement that matters hold for every setting of the open keys: a no if for none.
    pub(super) fn always_hold(&self, statement: &Statement<'p>) -> Answer {
        self.all_hold(statement, Answer::agreed)
    }

    fn all_hold(&self, statement: &Statement<'p>, over_samples: fn(Answer, Answer) -> Answer) -> Answer {
        // What is settled and does not hold needs no trying of the rest.
        let fails = |condition: &Condition<'p>| {
            !matches!(self.standing(&condition.key), Standing::Open(_))
                && self.holds(condition, &[]) == Answer::No
        };
        if statement.conditions.iter().any(fails) {
            return Answer::No;
        }
        let variables = self.open_keys();
        let is_open = |condition: &&Condition<'p>| {
            variables.iter().any(|variable| variable.key.same_as(&condition.key))
        };
        let all = |conditions: &[&Condition<'p>], assignment: Assignment<'_, 'p>| {
            Answer::all(conditions.iter().map(|condition| self.holds(condition, assignment)))
        };
        let (open, settled): (Vec<_>, Vec<_>) = statement.conditions.iter().partition(is_open);
        let of_each_key = variables.iter().map(|variable| {
            let on_it: Vec<_> = open.iter().copied().filter(|one| one.key.same_as(&variable.key)).collect();
            let tried = variable.samples.iter().map(|sample| all(&on_it, &[(&variable.key, sample)]));
            tried.reduce(over_samples).unwrap_or(Answer::Maybe)
        });
        let known = all(&settled, &[]).and(Answer::all(of_each_key));
        if statement.conditions_open { known.and(Answer::Maybe) } else { known }
    }

    /// Whether a condition holds for some values of its key, or may hold for one, and not for others.
    pub(super) fn depends_on(&self, condition: &Condition<'p>) -> bool {
        let single = [condition];
        match self.standing(&condition.key) {
            Standing::Open(open) => {
                let variable = Variable::new(condition.key, open, &single);
                let tried = variable.samples.iter().map(|s| self.holds(condition, &[(&variable.key, s)]));
                tried.reduce(Answer::agreed) == Some(Answer::Maybe)
            }
            _ => self.holds(condition, &[]) == Answer::Maybe,
        }
    }

    /// Whether a condition holds for at least one value of its key.
    pub(super) fn can_hold(&self, condition: &Condition<'p>) -> Answer {
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
