//! Rules about AWS services: whether the key policy allows what a service's file says it needs.

use std::cmp::Reverse;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, same_account};
use keylint_policy::evaluate::{Caller, Context, Obstacle, State, Verdict, names};
use keylint_policy::model::{Effect, Principal, Statement};
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::{Severity, Span};

use crate::ask::context;
use crate::checks::service_principal::allowed;
use crate::facts::Facts;
use crate::finding::{Finding, place};
use crate::rule::{Calls, Expectation, Need, Place, Question, REGION, Service, Who};

/// A service, and the role or service principal as which it would use the key.
struct Use<'p, 's> {
    service: &'s Service,
    /// The name of the role, or of the service principal.
    role: String,
    caller: Caller<'p>,
    /// Whether some statement names it.
    named: bool,
    /// Whether the service calls in its own name.
    itself: bool,
}

/// Ways in which one caller may be meant to use the key: it lacks nothing if it has what one of them needs.
struct Alternatives<'p, 's> {
    uses: Vec<Use<'p, 's>>,
    /// Whether the user says that the key must serve it, or the policy itself leaves no doubt.
    meant: bool,
}

/// The condition keys that a service sends when it calls for a resource.
const SOURCE_KEYS: [&str; 4] =
    ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];

/// Asks the questions about services: of those that the policy names, and of those that the user declares.
///
/// `reported` are findings of the rules to which this one yields; `with_possible` asks for what is not certain, too.
pub(crate) fn ask_services<'p>(
    questions: &[Question],
    facts: &Facts<'p>,
    services: &[Service],
    declared: &[String],
    reported: &[&Finding<'p>],
    with_possible: bool,
) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    let mut questions = questions.iter().enumerate().filter(|(_, q)| q.who == Who::Services).peekable();
    if questions.peek().is_none() {
        return findings;
    }
    let mut all = roles(facts, services, declared);
    all.extend(principals_themselves(facts, services, declared));
    for (index, question) in questions {
        for Alternatives { uses, meant } in &all {
            let ask = |usage| match question.expect {
                Expectation::Undenied => denied(question, facts, usage, with_possible),
                _ => missing(question, facts, usage, reported),
            };
            let found: Option<Vec<Finding<'p>>> = uses.iter().map(ask).collect();
            // Of several, the one of which the policy allows most is the one that is meant.
            let closeness = |(usage, finding): &(&Use<'p, '_>, Finding<'p>)| {
                let lacking = finding.about.1.len();
                let needed = usage.service.needs.iter().map(|need| need.may.len()).sum::<usize>();
                (Reverse(needed.saturating_sub(lacking)), lacking)
            };
            let nearest = uses.iter().zip(found.into_iter().flatten()).min_by_key(closeness);
            // That a resource is not the key is a mistake of its own, and not one about this service.
            let nearest = nearest.filter(|(_, finding)| *meant || !finding.words.contains_key("element"));
            findings.extend(nearest.map(|(_, finding)| {
                // A service that calls in its own name may have a use that keylint does not know.
                let severity =
                    if *meant { finding.severity } else { finding.severity.min(Severity::Warning) };
                Finding { question: Some(index), severity, ..finding }
            }));
        }
    }
    findings
}

/// The uses of services that call through their service-linked roles.
fn roles<'p, 's>(
    facts: &Facts<'p>,
    services: &'s [Service],
    declared: &[String],
) -> Vec<Alternatives<'p, 's>> {
    let mut all = Vec::new();
    for service in services {
        let Some(linked) = service.role() else { continue };
        let mut in_own_account = false;
        let mut add = |role: &str, caller, named| {
            let usage = Use { service, role: role.to_owned(), caller, named, itself: false };
            all.push(Alternatives { uses: vec![usage], meant: true });
        };
        for role in facts.service_linked_roles.iter().filter(|role| service.is_role_of(role)) {
            let Some(caller) = Caller::named(&Principal::Identity(*role)) else { continue };
            let owner = facts.key().account.as_deref();
            let own = owner.map_or(Answer::Maybe, |owner| same_account(owner, role.account));
            in_own_account |= own != Answer::No;
            // Whether another account's role can use the key is decided by more than the key policy; what the key
            // policy does not let through is missing all the same.
            let policies = if own == Answer::No { Answer::Maybe } else { Answer::No };
            add(role.simple_name(), caller.with_identity_policies(policies), true);
        }
        // Where the service itself is named instead of its role, that is said by a rule of its own.
        let instead = || allowed(facts).any(|(_, _, name)| service.never_calls_as(name));
        if declared.contains(&service.name) && !in_own_account && !instead() {
            let account = facts.key().account.as_deref().unwrap_or("${account}");
            let arn = linked.arn(account, &facts.key().partition);
            if let Some(caller) = Caller::with_arn(account.to_owned(), arn) {
                add(&linked.name, caller, false);
            }
        }
    }
    all
}

/// The uses of services that call in their own name. One name can stand for several.
fn principals_themselves<'p, 's>(
    facts: &Facts<'p>,
    services: &'s [Service],
    declared: &[String],
) -> Vec<Alternatives<'p, 's>> {
    let mut names: Vec<&'p str> = Vec::new();
    for (_, _, name) in allowed(facts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let usage = |service, name: &str, named| Use {
        service,
        role: name.to_owned(),
        caller: Caller::service(name.to_owned()),
        named,
        itself: true,
    };
    let is_declared = |service: &&Service| declared.contains(&service.name);
    let mut all = Vec::new();
    for name in &names {
        // That it is the wrong kind of principal for all but one use is said by a rule of its own.
        if services.iter().any(|service| service.never_calls_as(name)) {
            continue;
        }
        let (meant, others): (Vec<&Service>, Vec<&Service>) =
            services.iter().filter(|service| service.calls_as(name)).partition(is_declared);
        if meant.is_empty() {
            let uses = others.into_iter().map(|service| usage(service, name, true)).collect();
            all.push(Alternatives { uses, meant: false });
        }
        let one = |service| Alternatives { uses: vec![usage(service, name, true)], meant: true };
        all.extend(meant.into_iter().map(one));
    }
    for service in services.iter().filter(is_declared) {
        let Calls::Principal(principal) = &service.calls else { continue };
        // A name with a Region, or without one where it needs one, is no business of this rule.
        let label = principal.split('.').next().unwrap_or_default();
        let like = |name: &&str| name.split('.').next() == Some(label);
        if !names.iter().any(like) {
            let region = facts.key().arn.as_deref().and_then(Arn::parse).map_or("REGION", |arn| arn.region);
            let unnamed = usage(service, &principal.replace(REGION, region), false);
            all.push(Alternatives { uses: vec![unnamed], meant: true });
        }
    }
    all.retain(|alternatives| !alternatives.uses.is_empty());
    all
}

/// What the requests of a service have for condition keys.
fn context_of<'s>(service: &'s Service, need: &'s Need) -> Context<'s> {
    let known = context(&need.with);
    match &service.sends {
        Some(keys) if keys.is_empty() => {
            SOURCE_KEYS.into_iter().fold(known, |known, key| known.with(key, State::Absent))
        }
        _ => known,
    }
}

/// The operations that no statement allows, or may allow, as one finding.
fn missing<'p>(
    question: &Question,
    facts: &Facts<'p>,
    usage: &Use<'p, '_>,
    reported: &[&Finding<'p>],
) -> Option<Finding<'p>> {
    let mut lacking: Vec<Operation> = Vec::new();
    let mut obstacles: Vec<(usize, Obstacle)> = Vec::new();
    let mut first_need = Operations::EMPTY;
    let about = facts.evaluator.about(&usage.caller);
    let certain = about.certainly_allowed();
    for need in &usage.service.needs {
        let unsure = || need.may.iter().copied().filter(|operation| !certain.contains(*operation));
        let context = unsure().next().map(|_| context_of(usage.service, need)).unwrap_or_default();
        for operation in unsure() {
            if already_reported(operation, facts, usage, reported)
                || about.can_be_allowed(operation, &context)
            {
                continue;
            }
            if lacking.is_empty() {
                first_need = need.may.iter().copied().collect();
            }
            lacking.push(operation);
            obstacles.extend(in_the_way(facts, usage, operation, &context));
        }
    }
    lacking.first()?;
    let statements = &facts.policy().statements;
    let concrete = obstacles.iter().find(|(_, obstacle)| *obstacle != Obstacle::Action);
    let mut finding = Finding::at(question.severity, facts.policy().heading);
    if let Some((statement, obstacle)) =
        concrete.and_then(|(index, obstacle)| statements.get(*index).zip(Some(*obstacle)))
    {
        finding = at_obstacle(finding, statement, obstacle, &lacking);
    } else if let Some(statement) = nearest_statement(facts, usage, first_need) {
        finding.primary = place(statement, Place::Action, &[]);
        finding.related.extend(principal_places(statement, &usage.caller));
        if !statement.conditions.is_empty() {
            finding = finding.with("conditional", "");
        }
        finding = finding.in_statement(statement);
    } else {
        finding = finding.with("unnamed", usage.role.clone());
    }
    if statements.iter().any(|statement| delegates(statement, usage, &lacking)) {
        finding = finding.with("delegating", "");
    }
    let (grant, other): (Vec<Operation>, Vec<Operation>) =
        lacking.iter().partition(|operation| **operation == Operation::CREATE_GRANT);
    if !grant.is_empty() {
        finding = finding.with("grant", "");
    }
    if usage.itself {
        finding = finding.with("use", "").with("actions", action_list(&lacking));
    } else if !other.is_empty() {
        finding = finding.with("use", "").with("actions", action_list(&other));
    }
    Some(described(finding, usage, &lacking))
}

/// What stands in the way of an operation in the statements that name the role itself.
fn in_the_way(
    facts: &Facts<'_>,
    usage: &Use<'_, '_>,
    operation: Operation,
    context: &Context<'_>,
) -> Vec<(usize, Obstacle)> {
    let mut obstacles = facts.evaluator.about(&usage.caller).obstacles(operation, context);
    obstacles.retain(|(index, _)| {
        let statement = facts.policy().statements.get(*index);
        statement.is_some_and(|statement| names(&statement.principals, &usage.caller).directly != Answer::No)
    });
    obstacles
}

fn at_obstacle<'p>(
    finding: Finding<'p>,
    statement: &'p Statement<'p>,
    obstacle: Obstacle,
    operations: &[Operation],
) -> Finding<'p> {
    let (primary, word, value) = match obstacle {
        Obstacle::Condition(index) => match statement.conditions.get(index) {
            Some(condition) => (condition.key_text.span(), "condition", condition.key_text.as_str()),
            None => (statement.span, "condition", ""),
        },
        _ => (place(statement, Place::Resource, &[]), "element", "Resource"),
    };
    let mut finding = Finding { primary, ..finding }.in_statement(statement).with(word, value);
    finding.related.push(place(statement, Place::Action, operations));
    finding
}

/// The statement that comes nearest to allowing a need: it names the role, and of those the one that covers most
/// of the need. Where none covers any of it, the first.
fn nearest_statement<'p>(
    facts: &Facts<'p>,
    usage: &Use<'p, '_>,
    need: Operations,
) -> Option<&'p Statement<'p>> {
    let can_name = |principal: &Principal<'_>| match principal {
        Principal::Service(_) => usage.itself,
        other => other.service_linked_role().is_some(),
    };
    let naming = facts.policy().statements.iter().filter(|statement| {
        statement.effect == Some(Effect::Allow)
            && statement.principals.items.iter().any(|item| can_name(&item.principal))
            && names(&statement.principals, &usage.caller).directly == Answer::Yes
    });
    let covering = |statement: &&Statement<'_>| statement.operations.certain.intersection(need).len();
    // `max_by_key` takes the last of equals; the first is the better place.
    naming.rev().max_by_key(covering)
}

fn principal_places(statement: &Statement<'_>, caller: &Caller<'_>) -> Vec<Span> {
    let naming = statement.principals.items.iter().filter(|item| {
        keylint_policy::evaluate::principal_names(&item.principal, caller).directly == Answer::Yes
    });
    naming.map(|item| item.text.span()).collect()
}

fn delegates(statement: &Statement<'_>, usage: &Use<'_, '_>, lacking: &[Operation]) -> bool {
    let covers = |operation: &Operation| statement.operations.certain.contains(*operation);
    statement.effect == Some(Effect::Allow)
        && names(&statement.principals, &usage.caller).by_account == Answer::Yes
        && lacking.iter().any(covers)
}

/// Whether a finding of another rule already says that the role's permission for an operation is wrong.
fn already_reported(
    operation: Operation,
    facts: &Facts<'_>,
    usage: &Use<'_, '_>,
    reported: &[&Finding<'_>],
) -> bool {
    reported.iter().any(|finding| {
        finding.about.1.contains(operation)
            && finding.certain == Answer::Yes
            && finding.statement.is_some_and(|statement| {
                facts.policy().statements.get(statement.index).is_some_and(|s| s.span == statement.span)
                    && names(&statement.principals, &usage.caller).directly == Answer::Yes
            })
    })
}

/// The operations that would be allowed but for a `Deny`, as one finding: those that are lost for certain, else, where
/// somebody asks for what is possible, those that may be.
fn denied<'p>(
    question: &Question,
    facts: &Facts<'p>,
    usage: &Use<'p, '_>,
    with_possible: bool,
) -> Option<Finding<'p>> {
    let about = facts.evaluator.about(&usage.caller);
    let (certainly, deniable) = (about.certain(), about.deniable());
    let mut verdicts: Vec<(Operation, Verdict)> = Vec::new();
    for need in &usage.service.needs {
        let deniable = need.may.iter().copied().filter(|o| deniable.contains(*o) && !certainly.contains(*o));
        let mut context = None;
        for operation in deniable {
            let context = context.get_or_insert_with(|| context_of(usage.service, need));
            if with_possible || about.can_be_denied_for_certain(operation, context) {
                verdicts.push((operation, about.may(operation, context)));
            }
        }
    }
    [Answer::Yes, Answer::Maybe].into_iter().find_map(|certain| {
        let lost = verdicts
            .iter()
            .filter(|(_, verdict)| verdict.answer == !certain && verdict.without_denials == Answer::Yes);
        let operations: Vec<Operation> = lost.clone().map(|(operation, _)| *operation).collect();
        let (deny, allow) =
            lost.clone().find_map(|(_, verdict)| verdict.denied_by.zip(verdict.allowed_by))?;
        let statement = |index: usize| facts.policy().statements.get(index);
        let (deny, allow) = statement(deny).zip(statement(allow))?;
        let primary = place(deny, Place::Action, &operations);
        let mut finding = Finding::at(question.severity, primary).in_statement(deny);
        finding.related.push(place(allow, Place::Action, &operations));
        Some(Finding { certain, ..described(finding, usage, &operations) })
    })
}

fn described<'p>(finding: Finding<'p>, usage: &Use<'p, '_>, operations: &[Operation]) -> Finding<'p> {
    let names: Vec<&str> = operations.iter().map(|operation| operation.qualified()).collect();
    let mut finding = finding
        .with("service", usage.service.title.clone())
        .with("role", usage.role.clone())
        .with("principal", usage.caller.arn.to_string())
        .with("operations", keylint_source::quoted_list(&names))
        .with("are", if names.len() == 1 { "is" } else { "are" });
    if usage.named {
        finding = finding.with("kind", "named");
    }
    if usage.itself {
        finding = finding.with("itself", "");
    }
    finding.about.1 = operations.iter().copied().collect();
    finding
}

/// The missing operations as a policy would list them: with the usual wildcard where both halves are missing.
pub(crate) fn action_list(operations: &[Operation]) -> String {
    const FAMILIES: [(&str, [Operation; 2]); 2] = [
        ("kms:ReEncrypt*", [Operation::RE_ENCRYPT_FROM, Operation::RE_ENCRYPT_TO]),
        (
            "kms:GenerateDataKey*",
            [Operation::GENERATE_DATA_KEY, Operation::GENERATE_DATA_KEY_WITHOUT_PLAINTEXT],
        ),
    ];
    let mut actions: Vec<&str> = Vec::new();
    for operation in operations {
        let family = FAMILIES.iter().find(|(_, members)| {
            members.contains(operation) && members.iter().all(|member| operations.contains(member))
        });
        let action = family.map_or_else(|| operation.qualified(), |(action, _)| action);
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    keylint_source::quoted_list(&actions)
}
