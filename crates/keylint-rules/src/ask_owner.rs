//! Rules about those who should be able to call an operation: the owner of the key, and the AWS services it serves.

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, is_account};
use keylint_policy::evaluate::{Caller, CallerKind, Context, Obstacle};
use keylint_policy::model::{Effect, Statement};
use keylint_policy::vocabulary::{Operation, Operations};

use crate::ask::context;
use crate::facts::Facts;
use crate::finding::{Finding, operation_list, place};
use crate::rule::{Expectation, Place, Question, Who};

/// Asks the questions that say what the owner of the key, or a service in its own name, should be able to do.
pub(crate) fn ask_owner<'p>(questions: &[Question], facts: &Facts<'p>) -> Vec<Finding<'p>> {
    let mut findings: Vec<Finding<'p>> = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        let found = match question.who {
            Who::Owner | Who::OwnerIdentities => of_the_owner(question, facts),
            Who::UnnamedIdentities => of_the_owner(question, facts).filter(|_| {
                // What nobody at all can do is a mistake of its own.
                let anybody = Question { who: Who::Owner, ..question.clone() };
                of_the_owner(&anybody, facts).is_none_or(|nobody| nobody.certain != Answer::Yes)
            }),
            Who::ServicePrincipals => denied_to_services(question, facts),
            _ => None,
        };
        // What nobody can do, nobody can do on some condition either.
        let is_new = |finding: &Finding<'p>| {
            let says_it = |known: &Finding<'p>| {
                known.primary == finding.primary || !known.about.1.intersection(finding.about.1).is_empty()
            };
            !findings.iter().any(|known| says_it(known) && known.certain == Answer::Yes)
        };
        findings.extend(found.filter(is_new).map(|finding| Finding { question: Some(index), ..finding }));
    }
    findings
}

/// The first operation that nobody in the key's account can call.
fn of_the_owner<'p>(question: &Question, facts: &Facts<'p>) -> Option<Finding<'p>> {
    let asked = worth_asking(question, facts);
    if asked.is_empty() || (question.with.is_empty() && facts.unnamed_may().contains_all(asked)) {
        return None;
    }
    let context = context(&question.with);
    asked.iter().find_map(|operation| owner_cannot(operation, question, facts, &context))
}

/// The operations of a question that can be lost: to a `Deny` that covers them, where that is asked, and for a
/// request with particular condition keys only where a statement depends on one of those.
fn worth_asking(question: &Question, facts: &Facts<'_>) -> Operations {
    let depends = |statement: &Statement<'_>| {
        let on =
            |key: &str| statement.conditions.iter().any(|c| c.key_text.as_str().eq_ignore_ascii_case(key));
        statement.conditions_open || question.with.iter().any(|(key, _)| on(key))
    };
    if question.expect != Expectation::Undenied {
        let asked = question.with.is_empty() || facts.policy().statements.iter().any(depends);
        return if asked { question.may } else { Operations::EMPTY };
    }
    let denying = facts.policy().statements.iter().filter(|statement| {
        statement.effect != Some(Effect::Allow) && (question.with.is_empty() || depends(statement))
    });
    denying
        .fold(Operations::EMPTY, |all, statement| all.union(statement.operations.perhaps))
        .intersection(question.may)
}

fn owner_cannot<'p>(
    operation: Operation,
    question: &Question,
    facts: &Facts<'p>,
    context: &Context<'_>,
) -> Option<Finding<'p>> {
    let accounts: Vec<Cow<'_, str>> = match &facts.key().account {
        Some(owner) => vec![Cow::Borrowed(owner)],
        // The key may belong to any account: one that the policy names, or another.
        None => {
            let named = facts.named.iter().map(|caller| Cow::Borrowed(caller.account.as_ref()));
            let delegated =
                crate::facts::principals(facts.policy()).filter_map(|(_, item)| item.principal.account());
            let unnamed = std::iter::once(Cow::Owned(keylint_policy::pattern::FRESH.to_string()));
            let spoken_of = facts.arn_patterns().filter_map(Arn::parse).map(|arn| arn.account);
            let spoken_of = spoken_of.filter(|account| is_account(account));
            let delegated = delegated.chain(spoken_of).map(Cow::Borrowed);
            let mut accounts: Vec<_> = named.chain(delegated).chain(unnamed).collect();
            accounts.sort_unstable();
            accounts.dedup();
            accounts
        }
    };
    let is_named = |caller: &Caller<'_>| facts.named.iter().any(|named| named.arn == caller.arn);
    let counts = |caller: &Caller<'_>| match question.who {
        // Who cannot be told to do something manages nothing.
        _ if matches!(caller.kind, CallerKind::Service | CallerKind::ServiceLinkedRole) => false,
        Who::OwnerIdentities => caller.kind != CallerKind::RootUser,
        Who::UnnamedIdentities => caller.kind != CallerKind::RootUser && !is_named(caller),
        _ => true,
    };
    let callers = || accounts.iter().flat_map(|account| facts.somebody_in(account)).filter(counts);
    let mut denied = None;
    let (mut unallowed, mut lost) = (Answer::Yes, Answer::Yes);
    for caller in callers() {
        let about = facts.evaluator.about(&caller);
        if about.certain().contains(operation) {
            return None;
        }
        let verdict = about.may(operation, context);
        lost = lost.and(!verdict.answer);
        unallowed = unallowed.and(!verdict.without_denials);
        let settled = if question.expect == Expectation::Undenied { lost } else { unallowed };
        if settled == Answer::No {
            return None;
        }
        if verdict.without_denials == Answer::Yes && verdict.answer != Answer::Yes && denied.is_none() {
            denied = verdict.denied_by.zip(verdict.allowed_by);
        }
    }
    // Who is perhaps of the account can perhaps do it.
    for caller in accounts.iter().flat_map(|account| facts.perhaps_in(account)).filter(counts) {
        let verdict = facts.evaluator.about(&caller).may(operation, context);
        lost = lost.and(!verdict.answer.min(Answer::Maybe));
        unallowed = unallowed.and(!verdict.without_denials.min(Answer::Maybe));
    }
    let statement = |index: usize| facts.policy().statements.get(index);
    let mut finding = Finding::at(question.severity, facts.policy().heading);
    finding.about.1 = Operations::only(operation);
    finding.words.insert("operations", operation_list(&[operation]));
    if facts.known.bypasses_lockout_check {
        finding.words.insert("unchecked", String::new());
    }
    if facts.known.is_written_out {
        finding.words.insert("whole", String::new());
    }
    if question.expect == Expectation::Undenied {
        let (deny, allow) = denied.and_then(|(deny, allow)| statement(deny).zip(statement(allow)))?;
        finding.certain = lost;
        finding.primary = place(deny, Place::Action, &[operation]);
        finding.related.push(place(allow, Place::Action, &[operation]));
        return Some(finding.in_statement(deny));
    }
    finding.certain = unallowed;
    let obstacles = callers().flat_map(|caller| facts.evaluator.about(&caller).obstacles(operation, context));
    for (index, obstacle) in obstacles {
        let Some(statement) = statement(index) else { continue };
        let (primary, element) = match obstacle {
            Obstacle::Action => continue,
            Obstacle::Resource => (place(statement, Place::Resource, &[]), "Resource"),
            Obstacle::Condition(index) => match statement.conditions.get(index) {
                Some(condition) => (condition.key_text.span(), "Condition"),
                None => continue,
            },
        };
        finding.primary = primary;
        return Some(finding.in_statement(statement).with("element", element));
    }
    Some(finding)
}

/// The operations that a statement allows to a service in its own name, and a `Deny` takes away: the first such pair
/// of statements.
fn denied_to_services<'p>(question: &Question, facts: &Facts<'p>) -> Option<Finding<'p>> {
    let context = context(&question.with);
    let services = facts.named.iter().filter(|caller| caller.kind == CallerKind::Service);
    let statements = &facts.policy().statements;
    services.into_iter().find_map(|caller| {
        let about = facts.evaluator.about(caller);
        let allowed = about.reach().intersection(question.may);
        let denied_by = |denial: &Statement<'p>| -> Operations {
            let (mut lost, mut left) = (Operations::EMPTY, allowed.intersection(denial.operations.certain));
            if denial.effect != Some(Effect::Deny) || !about.may_be_named_by(denial.index) {
                return lost;
            }
            while let Some(first) = left.iter().next() {
                let alike = denial.alike(first, left);
                if about.applies(denial.index, first, &context).at_all() == Answer::Yes {
                    lost = lost.union(alike);
                }
                left = left.difference(alike);
            }
            lost
        };
        let (denial, lost) =
            statements.iter().map(|denial| (denial, denied_by(denial))).find(|(_, lost)| !lost.is_empty())?;
        let allowance = statements.iter().find(|statement| {
            statement.effect == Some(Effect::Allow)
                && about.may_be_named_by(statement.index)
                && !statement.operations.perhaps.intersection(lost).is_empty()
        })?;
        let operations: Vec<Operation> = lost.iter().collect();
        let primary = place(denial, Place::Action, &operations);
        let mut finding = Finding::at(question.severity, primary).in_statement(denial);
        finding.related.push(place(allowance, Place::Action, &operations));
        finding.about.1 = lost;
        Some(finding.with("service", caller.arn.to_string()).with("operations", operation_list(&operations)))
    })
}
