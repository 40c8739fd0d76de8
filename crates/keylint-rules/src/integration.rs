//! Rules about AWS services: whether the key policy allows what a service's file says it needs.

use keylint_policy::Answer;
use keylint_policy::arn::same_account;
use keylint_policy::evaluate::{Caller, Context, Obstacle, names};
use keylint_policy::model::{Effect, Identity, Principal, PrincipalItem, Statement};
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::Span;

use crate::ask::context;
use crate::facts::{Facts, principals};
use crate::finding::{Finding, place};
use crate::rule::{Expectation, Place, Question, Service, Who};

/// A service, and the role through which it would use the key.
struct Use<'p, 's> {
    service: &'s Service,
    role: String,
    caller: Caller<'p>,
    /// Whether some statement names the role.
    named: bool,
    /// The statement that names the service itself, as if it called in its own name, and where it does so.
    instead: Option<(&'p Statement<'p>, Span)>,
}

/// Asks the questions about services: of those that the policy names, and of those that the user declares.
///
/// `reported` are findings of the rules to which this one yields.
pub(crate) fn ask_services<'p>(
    questions: &[Question],
    facts: &Facts<'p>,
    services: &[Service],
    declared: &[String],
    reported: &[&Finding<'p>],
) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for (index, question) in questions.iter().enumerate().filter(|(_, q)| q.who == Who::Services) {
        for usage in uses(facts, services, declared) {
            let found = match question.expect {
                Expectation::Undenied => denied(question, facts, &usage),
                _ => missing(question, facts, &usage, reported),
            };
            findings.extend(found.map(|finding| Finding { question: Some(index), ..finding }));
        }
    }
    findings
}

fn uses<'p, 's>(facts: &Facts<'p>, services: &'s [Service], declared: &[String]) -> Vec<Use<'p, 's>> {
    let mut uses = Vec::new();
    for service in services {
        let of_service = |role: &&Identity<'p>| {
            role.service_linked_to() == Some(service.role.service.as_str())
                && service.role.has_name(role.simple_name())
        };
        let mut in_own_account = false;
        for role in facts.service_linked_roles.iter().filter(of_service) {
            let Some(caller) = Caller::named(&Principal::Identity(*role)) else { continue };
            let owner = facts.key().account.as_deref();
            let own = owner.map_or(Answer::Maybe, |owner| same_account(owner, role.account));
            in_own_account |= own != Answer::No;
            // Whether another account's role can use the key is decided by more than the key policy; what the key
            // policy does not let through is missing all the same.
            let policies = if own == Answer::No { Answer::Maybe } else { Answer::No };
            let caller = caller.with_identity_policies(policies);
            uses.push(Use {
                service,
                role: role.simple_name().to_owned(),
                caller,
                named: true,
                instead: None,
            });
        }
        let itself = |item: &PrincipalItem<'_>| item.principal == Principal::Service(&service.role.service);
        let mut of_allow = principals(facts.policy()).filter(|(s, _)| s.effect == Some(Effect::Allow));
        let named = uses.iter().any(|known| known.service.name == service.name);
        let instead = of_allow.find(|(_, item)| !named && itself(item));
        let instead = instead.map(|(statement, item)| (statement, item.text.span()));
        if (declared.contains(&service.name) && !in_own_account) || instead.is_some() {
            let account = facts.key().account.as_deref().unwrap_or("${account}");
            let (partition, role) = (&facts.key().partition, &service.role);
            let arn = format!(
                "arn:{partition}:iam::{account}:role/aws-service-role/{}/{}",
                role.service, role.name
            );
            if let Some(caller) = Caller::with_arn(account.to_owned(), arn) {
                let caller = caller.as_service_linked_role();
                uses.push(Use { service, role: role.name.clone(), caller, named: false, instead });
            }
        }
    }
    uses
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
        let context = context(&need.with);
        for &operation in &need.may {
            if certain.contains(operation) || already_reported(operation, facts, usage, reported) {
                continue;
            }
            if about.may(operation, &context).without_denials != Answer::No {
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
        if let Some((statement, at)) = usage.instead {
            finding = Finding { primary: at, ..finding }.in_statement(statement).with("itself", "");
        }
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
    if !other.is_empty() {
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
    let naming = facts.policy().statements.iter().filter(|statement| {
        statement.effect == Some(Effect::Allow)
            && statement.principals.items.iter().any(|item| item.principal.service_linked_role().is_some())
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

/// The operations that would be allowed but for a `Deny`, as one finding: those that are lost for certain, else those
/// that may be.
fn denied<'p>(question: &Question, facts: &Facts<'p>, usage: &Use<'p, '_>) -> Option<Finding<'p>> {
    [Answer::Yes, Answer::Maybe].into_iter().find_map(|certain| {
        let finding = denied_so(certain, question, facts, usage)?;
        Some(Finding { certain, ..finding })
    })
}

fn denied_so<'p>(
    certain: Answer,
    question: &Question,
    facts: &Facts<'p>,
    usage: &Use<'p, '_>,
) -> Option<Finding<'p>> {
    let mut lost: Vec<Operation> = Vec::new();
    let mut places: Option<(usize, usize)> = None;
    let about = facts.evaluator.about(&usage.caller);
    let certainly = about.certain();
    let deniable = about.deniable();
    for need in &usage.service.needs {
        let context = context(&need.with);
        for &operation in &need.may {
            if certainly.contains(operation) || !deniable.contains(operation) {
                continue;
            }
            let verdict = about.may(operation, &context);
            if verdict.answer == !certain && verdict.without_denials == Answer::Yes {
                lost.push(operation);
                places = places.or(verdict.denied_by.zip(verdict.allowed_by));
            }
        }
    }
    let (deny, allow) = places?;
    let statement = |index: usize| facts.policy().statements.get(index);
    let (deny, allow) = statement(deny).zip(statement(allow))?;
    let mut finding = Finding::at(question.severity, place(deny, Place::Action, &lost)).in_statement(deny);
    finding.related.push(place(allow, Place::Action, &lost));
    Some(described(finding, usage, &lost))
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
    finding.about.1 = operations.iter().copied().collect();
    finding
}

/// The missing operations as a policy would list them: with the usual wildcard where both halves are missing.
fn action_list(operations: &[Operation]) -> String {
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
