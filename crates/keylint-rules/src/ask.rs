//! Rules that ask the evaluator: may they, and should they?

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::evaluate::{About, Caller, CallerKind, Context, State, principal_names};
use keylint_policy::model::{Effect, Principal, Statement};
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::{Span, quoted_list};

use crate::facts::{Facts, PerParty};
use crate::finding::{Finding, operation_list, place};
use crate::rule::{Expectation, Place, Question, Who};
use crate::text::Words;

/// One party that a question is about, and all who act for it.
pub(crate) struct Party<'p> {
    who: Who,
    callers: Vec<Caller<'p>>,
}

impl Party<'_> {
    /// How messages name it, and its account: as the first of its callers says, since all are of one account.
    fn name_and_account(&self) -> (String, Option<String>) {
        let Some(caller) = self.callers.first().filter(|_| self.who != Who::Strangers) else {
            return ("anyone".to_owned(), None);
        };
        let name = match self.who {
            Who::ServiceLinkedRoles => caller.arn.rsplit('/').next().unwrap_or_default(),
            Who::OwnPrincipals => short_name(&caller.arn),
            _ => &caller.account,
        };
        (name.to_owned(), Some(caller.account.to_string()))
    }
}

/// A party, ready to be asked about.
struct Asked<'f, 'p> {
    party: &'f Party<'p>,
    abouts: Vec<About<'f, 'p>>,
    /// What all of them together may reach at most.
    reach: Operations,
    /// What one of them or another may certainly call.
    certain: Operations,
}

impl Asked<'_, '_> {
    fn may_not(&self, operation: Operation, context: &Context<'_>) -> bool {
        !self.reach.contains(operation)
            || !self.certain.contains(operation)
                && self.abouts.iter().all(|about| about.may(operation, context).answer == Answer::No)
    }

    fn may(&self, operation: Operation, context: &Context<'_>) -> bool {
        self.certain.contains(operation)
            || self.reach.contains(operation)
                && self.abouts.iter().any(|about| about.may(operation, context).answer == Answer::Yes)
    }
}

/// The parties of a policy, which are looked up in it once for all rules.
pub(crate) struct Asking<'f, 'p> {
    facts: &'f Facts<'p>,
    asked: PerParty<Vec<Asked<'f, 'p>>>,
}

impl<'f, 'p> Asking<'f, 'p> {
    pub(crate) fn new(facts: &'f Facts<'p>) -> Self {
        Self { facts, asked: PerParty::default() }
    }

    fn of(&self, who: Who) -> &[Asked<'f, 'p>] {
        self.asked.of(who).get_or_init(|| {
            let asked = |party: &'f Party<'p>| {
                let abouts: Vec<About<'f, 'p>> =
                    party.callers.iter().map(|caller| self.facts.evaluator.about(caller)).collect();
                let reach = abouts.iter().fold(Operations::EMPTY, |all, about| all.union(about.reach()));
                let certain = abouts.iter().fold(Operations::EMPTY, |all, about| all.union(about.certain()));
                Asked { party, abouts, reach, certain }
            };
            let parties = self.facts.parties.of(who).get_or_init(|| parties(who, self.facts));
            parties.iter().map(asked).collect()
        })
    }
}

/// A statement by which parties may do what they should not.
struct Violation<'p> {
    statement: &'p Statement<'p>,
    question: usize,
    operations: Operations,
    certain: Answer,
    parties: Vec<(String, Option<String>)>,
    principals: Vec<Span>,
}

/// Asks the questions of a rule that say what should not be. Of several questions, the first that finds something
/// about a party and a statement counts.
pub(crate) fn ask<'p>(questions: &'p [Question], asking: &Asking<'_, 'p>) -> Vec<Finding<'p>> {
    let facts = asking.facts;
    let mut violations: Vec<Violation<'p>> = Vec::new();
    let mut first_index = 0;
    // Questions about the same parties stand side by side: who they are need be found out only once.
    for group in questions.chunk_by(|one, next| one.who == next.who && one.when_shared == next.when_shared) {
        let asked = group.first().filter(|first| {
            let may = group.iter().fold(Operations::EMPTY, |all, question| all.union(question.may));
            !facts.reach_of(first.who).intersection(may).is_empty()
                && (!first.when_shared || facts.is_shared())
        });
        for asked in asked.map(|question| asking.of(question.who)).unwrap_or_default() {
            ask_about(asked, group, first_index, facts, &mut violations);
        }
        first_index += group.len();
    }
    let questions = |violation: &Violation<'p>| questions.get(violation.question);
    violations.iter().filter_map(|violation| Some(finding(violation, questions(violation)?, facts))).collect()
}

/// Asks several questions about one party.
fn ask_about<'p>(
    asked: &Asked<'_, 'p>,
    questions: &'p [Question],
    first_index: usize,
    facts: &Facts<'p>,
    violations: &mut Vec<Violation<'p>>,
) {
    let open = Context::open();
    let mut found: Vec<usize> = Vec::new();
    for (index, question) in questions.iter().enumerate() {
        let is_asked = question.expect == Expectation::No
            && !asked.reach.intersection(question.may).is_empty()
            && question.unless_may.iter().all(|operation| asked.may_not(operation, &open))
            && (question.if_may.is_empty()
                || question.if_may.iter().any(|operation| asked.may(operation, &open)));
        if !is_asked {
            continue;
        }
        let mut known = None;
        let allowing = facts.policy().statements.iter().filter(|statement| {
            statement.effect == Some(Effect::Allow)
                && !statement.operations.perhaps.intersection(question.may).is_empty()
        });
        for statement in allowing {
            // What everyone in the account may is said of nobody in particular.
            let of_everyone = || statement.principals.items.iter().any(|i| i.principal == Principal::Anyone);
            if found.contains(&statement.index) || (question.who == Who::OwnPrincipals && of_everyone()) {
                continue;
            }
            let context = known.get_or_insert_with(|| context(&question.with));
            if let Some((operations, certain)) = allowed(question, &asked.abouts, statement, context) {
                if certain == Answer::Yes {
                    found.push(statement.index);
                }
                add(violations, first_index + index, statement, operations, certain, asked.party);
            }
        }
    }
}

/// The parties that a question can be about.
fn parties<'p>(who: Who, facts: &Facts<'p>) -> Vec<Party<'p>> {
    match who {
        Who::Strangers => {
            vec![Party { who, callers: facts.strangers() }]
        }
        Who::ServiceLinkedRoles => facts
            .service_linked_roles
            .iter()
            .filter_map(|role| {
                let caller = Caller::named(&Principal::Identity(*role))?;
                Some(Party { who, callers: vec![caller] })
            })
            .collect(),
        Who::OtherAccounts | Who::UntrustedAccounts => facts
            .other_accounts
            .iter()
            .filter(|account| {
                let trusted = |known: &[String]| known.iter().any(|trusted| trusted == *account);
                who == Who::OtherAccounts || facts.known.trusted_accounts.is_some_and(|known| !trusted(known))
            })
            .map(|account| {
                let callers = facts.somebody_in(account);
                let callers = callers.filter(|caller| caller.kind != CallerKind::ServiceLinkedRole).collect();
                Party { who, callers }
            })
            .collect(),
        Who::OwnPrincipals => {
            let Some(owner) = &facts.key().account else { return Vec::new() };
            let own = facts.named.iter().filter(|caller| {
                !matches!(caller.kind, CallerKind::Service | CallerKind::ServiceLinkedRole)
                    && caller.account == *owner
            });
            own.map(|caller| Party { who, callers: vec![caller.clone().with_identity_policies(Answer::No)] })
                .collect()
        }
        Who::Owner
        | Who::OwnerIdentities
        | Who::UnnamedIdentities
        | Who::ServicePrincipals
        | Who::Services => Vec::new(),
    }
}

/// The operations that a statement lets a party call although it should not, and how sure that is.
fn allowed<'p>(
    question: &Question,
    abouts: &[About<'_, 'p>],
    statement: &'p Statement<'p>,
    context: &Context<'_>,
) -> Option<(Operations, Answer)> {
    let asked = question.may.intersection(statement.operations.perhaps);
    let (mut certain, mut perhaps) = (Operations::EMPTY, Operations::EMPTY);
    if asked.is_empty() {
        return None;
    }
    let may_apply = |about: &&About<'_, 'p>| {
        about.may_be_named_by(statement.index) && !about.is_kept_out(statement, asked, context)
    };
    for about in abouts.iter().filter(may_apply) {
        for operation in asked.difference(certain).iter() {
            match about.may_through(statement.index, operation, context).answer {
                Answer::Yes => certain = certain.union(Operations::only(operation)),
                Answer::Maybe => perhaps = perhaps.union(Operations::only(operation)),
                Answer::No => {}
            }
        }
    }
    if !certain.is_empty() {
        Some((certain, Answer::Yes))
    } else if !perhaps.is_empty() {
        Some((perhaps, Answer::Maybe))
    } else {
        None
    }
}

/// Adds a violation, or the party to the one that is the same but for the party.
fn add<'p>(
    violations: &mut Vec<Violation<'p>>,
    question: usize,
    statement: &'p Statement<'p>,
    operations: Operations,
    certain: Answer,
    party: &Party<'_>,
) {
    let is_party = |item: &keylint_policy::model::PrincipalItem<'_>| {
        party.callers.iter().any(|caller| principal_names(&item.principal, caller).at_all() == Answer::Yes)
    };
    let principals =
        statement.principals.items.iter().filter(|item| is_party(item)).map(|item| item.text.span());
    let known = violations.iter_mut().find(|known| {
        known.question == question
            && known.statement.index == statement.index
            && known.operations == operations
            && known.certain == certain
    });
    let party_name = party.name_and_account();
    match known {
        Some(known) => {
            known.parties.push(party_name);
            for span in principals {
                if !known.principals.contains(&span) {
                    known.principals.push(span);
                }
            }
        }
        None => violations.push(Violation {
            statement,
            question,
            operations,
            certain,
            parties: vec![party_name],
            principals: principals.collect(),
        }),
    }
}

fn finding<'p>(violation: &Violation<'p>, question: &Question, facts: &Facts<'p>) -> Finding<'p> {
    let statement = violation.statement;
    let operations: Vec<Operation> = violation.operations.iter().collect();
    let at_principal = question.at == Place::Principal;
    let action = place(statement, Place::Action, &operations);
    let (primary, related) = match violation.principals.split_first() {
        Some((first, _)) if at_principal => (*first, vec![action]),
        _ if at_principal => (statement.principals.value, vec![action]),
        _ => (place(statement, question.at, &operations), violation.principals.clone()),
    };
    let names: Vec<&str> = violation.parties.iter().map(|(name, _)| name.as_str()).collect();
    let mut accounts: Vec<&str> =
        violation.parties.iter().filter_map(|(_, account)| account.as_deref()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut words = Words::from([
        ("principal", quoted_list(&names)),
        ("operations", operation_list(&operations)),
        ("others", quoted_list(&facts.other_accounts)),
    ]);
    if let Some(assumed) = facts.assumed_owner {
        words.insert("assumed", assumed.to_owned());
    }
    if !accounts.is_empty() {
        words.insert("account", quoted_list(&accounts));
    }
    Finding {
        certain: violation.certain,
        related,
        statement: Some(statement),
        about: (None, violation.operations),
        words,
        question: Some(violation.question),
        ..Finding::at(question.severity, primary)
    }
}

/// An ARN's last part with its kind: `role/team/app`.
fn short_name(arn: &str) -> &str {
    keylint_policy::arn::Arn::parse(arn).map_or(arn, |arn| arn.resource)
}

/// The context that a rule or a service file gives for a question.
pub(crate) fn context(with: &[(String, Vec<String>)]) -> Context<'_> {
    with.iter().fold(Context::open(), |context, (key, values)| {
        let values: Vec<Cow<'_, str>> = values.iter().map(|value| Cow::Borrowed(value.as_str())).collect();
        context.with(key, if values.is_empty() { State::Absent } else { State::Is(values) })
    })
}
