//! Statements, actions, and conditions that can never apply.

use keylint_policy::Answer;
use keylint_policy::arn::Arn;
use keylint_policy::evaluate::{About, Caller, Context, Obstacle, State};
use keylint_policy::model::{ActionItem, Condition, Effect, Principal, PrincipalItem, Statement};
use keylint_policy::operator::{Comparison, SetOperator};
use keylint_policy::pattern::FRESH;
use keylint_policy::vocabulary::{KeyId, Operation, Operations};
use keylint_source::Severity;

use crate::facts::Facts;
use crate::finding::{Finding, operation_list, place};
use crate::rule::{Place, Service};

/// Resources that are not the key that the policy belongs to.
pub(super) fn foreign_resources<'p>(
    facts: &Facts<'p>,
    _: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        let resources = &statement.resources;
        if facts.evaluator.resource_answer(statement.index) != Answer::No || resources.items.is_empty() {
            continue;
        }
        let first = resources.items.first().map_or("", |item| item.as_str());
        let mut finding =
            Finding::at(severity, place(statement, Place::Resource, &[])).in_statement(statement);
        finding.about.1 = statement.operations.certain;
        finding = finding.with("kind", if resources.negated { "excepted" } else { kind_of_resource(first) });
        if statement.effect == Some(Effect::Deny) {
            finding = finding.with("denied", "");
        }
        findings.push(finding);
    }
    findings
}

fn kind_of_resource(text: &str) -> &'static str {
    match Arn::parse(text) {
        _ if text.starts_with("alias/") => "an alias",
        Some(arn) if arn.service == "kms" && arn.resource.starts_with("alias/") => "an alias",
        Some(arn) if arn.service == "kms" => "another key",
        Some(_) => "a resource of another service",
        None => "no ARN",
    }
}

/// Statements that allow or deny nothing, whatever the request.
pub(super) fn dead_statements<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        let on_key = statement.operations.perhaps.intersection(Operations::ON_KEY);
        if statement.actions.negated && !statement.actions.open && on_key.is_empty() {
            let finding = Finding::at(severity, statement.actions.value).in_statement(statement);
            findings.push(finding.with("kind", "it excepts every operation"));
        } else if statement.principals.negated
            && statement.principals.items.iter().any(|item| item.principal == Principal::Anyone)
        {
            let finding = Finding::at(severity, statement.principals.value).in_statement(statement);
            findings.push(finding.with("kind", "it excepts everyone"));
        } else if let Some(denial) = denied_throughout(statement, facts) {
            let mut finding = Finding::at(severity, statement.actions.value).in_statement(statement);
            finding.related.push(place(denial, Place::Action, &[]));
            finding.about.1 = statement.operations.certain;
            findings.push(finding.with("denied", ""));
        }
    }
    findings
}

/// The statement that denies all that this one allows.
fn denied_throughout<'p>(statement: &'p Statement<'p>, facts: &Facts<'p>) -> Option<&'p Statement<'p>> {
    let operations = statement.operations.perhaps.intersection(Operations::ON_KEY);
    let principals = &statement.principals;
    if statement.effect != Some(Effect::Allow)
        || operations.is_empty()
        || statement.actions.open
        || principals.open
        || principals.negated
    {
        return None;
    }
    let denies_all = |other: &&'p Statement<'p>| {
        other.effect == Some(Effect::Deny)
            && other.conditions.is_empty()
            && !other.conditions_open
            && operations.difference(other.operations.certain).is_empty()
            && facts.evaluator.resource_answer(other.index) == Answer::Yes
    };
    let reaches_all = |other: &Statement<'p>| {
        !principals.items.is_empty()
            && principals.items.iter().all(|item| {
                let named =
                    |denied: &Principal<'_>| *denied == Principal::Anyone || *denied == item.principal;
                let of_account = |denied: &Principal<'_>| {
                    let account = item.principal.account();
                    matches!(denied, Principal::Account(denied) if account == Some(*denied))
                };
                !other.principals.negated
                    && other.principals.items.iter().any(|d| named(&d.principal) || of_account(&d.principal))
            })
    };
    facts.policy().statements.iter().filter(denies_all).find(|other| reaches_all(other))
}

/// Conditions that no request meets: none at all, or none for an action of the statement.
pub(super) fn never_met<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in facts.policy().statements.iter().filter(|statement| !statement.conditions.is_empty()) {
        if let Some(finding) = not_of_services(statement) {
            findings.push(finding);
            continue;
        }
        if facts.evaluator.resource_answer(statement.index) == Answer::No
            || is_plain(statement)
            || has_a_condition_twice(statement)
            || statement.conditions.iter().any(|condition| condition.values.is_empty())
        {
            continue;
        }
        let operations = statement.operations.certain.intersection(Operations::ON_KEY);
        let callers = callers_of(statement);
        let abouts: Vec<(About<'_, 'p>, &Context<'_>)> =
            callers.iter().map(|(caller, context)| (facts.evaluator.about(caller), context)).collect();
        let never = |operation: Operation| {
            abouts
                .iter()
                .all(|(about, context)| about.can_apply(statement.index, operation, context) == Answer::No)
        };
        // Operations whose requests have the same of the keys in question are all alike.
        let mut left = operations;
        let mut dead = Operations::EMPTY;
        while let Some(first) = left.iter().next() {
            let alike = statement.alike(first, left);
            if never(first) {
                dead = dead.union(alike);
            }
            left = left.difference(alike);
        }
        if !dead.is_empty() && !abouts.is_empty() {
            findings.extend(never_met_in(statement, operations, dead, &abouts, severity));
        }
    }
    findings
}

/// Whether each condition can be met by itself and none depends on another, so that nothing needs to be asked: each
/// is on a key of its own that every operation of the statement sends and that no caller settles.
fn is_plain(statement: &Statement<'_>) -> bool {
    let operations = statement.operations.certain.intersection(Operations::ON_KEY);
    let principals = &statement.principals;
    let all = |test: fn(&Principal<'_>) -> bool| {
        !principals.negated && !principals.open && principals.items.iter().all(|item| test(&item.principal))
    };
    let anyone = all(|principal| *principal == Principal::Anyone);
    let services = all(|principal| matches!(principal, Principal::Service(_)));
    let accounts = all(|principal| matches!(principal, Principal::Account(_)));
    let settled_by_caller = |id: KeyId| match id {
        KeyId::SOURCE_ARN | KeyId::SOURCE_ACCOUNT | KeyId::SOURCE_ORG_ID | KeyId::SOURCE_ORG_PATHS => {
            !anyone && !services
        }
        KeyId::PRINCIPAL_ARN
        | KeyId::PRINCIPAL_TYPE
        | KeyId::PRINCIPAL_ORG_ID
        | KeyId::PRINCIPAL_ORG_PATHS => !anyone && !accounts,
        KeyId::CALLER_ACCOUNT | KeyId::PRINCIPAL_ACCOUNT => !anyone,
        KeyId::RESOURCE_ACCOUNT => true,
        id => id.name().starts_with("aws:Principal") && !anyone,
    };
    statement.conditions.iter().enumerate().all(|(index, condition)| {
        let alone =
            statement.conditions.iter().skip(index + 1).all(|other| !other.key.same_as(&condition.key));
        let open = condition
            .key
            .id
            .is_none_or(|id| operations.difference(id.operations()).is_empty() && !settled_by_caller(id));
        alone && open && !condition.values.is_empty()
    })
}

/// Whether a condition is given twice, which is a mistake of its own: parsers keep one of the two.
fn has_a_condition_twice(statement: &Statement<'_>) -> bool {
    statement.conditions.iter().enumerate().any(|(index, condition)| {
        statement.conditions.iter().skip(index + 1).any(|other| {
            other.operator_text.as_str() == condition.operator_text.as_str()
                && other.key.same_as(&condition.key)
        })
    })
}

/// Who can make the requests that a statement is about, and what is known of them.
fn callers_of<'p>(statement: &'p Statement<'p>) -> Vec<(Caller<'p>, Context<'static>)> {
    // Everyone: an identity of which nothing is known.
    let anybody = || {
        let unknown = [
            "aws:PrincipalArn",
            "aws:PrincipalAccount",
            "kms:CallerAccount",
            "aws:PrincipalType",
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:SourceArn",
            "aws:SourceAccount",
            "aws:SourceOrgID",
            "aws:SourceOrgPaths",
            "aws:PrincipalIsAWSService",
            "aws:PrincipalServiceName",
            "aws:PrincipalServiceNamesList",
        ];
        let context =
            unknown.into_iter().fold(Context::open(), |context, key| context.with(key, State::Unknown));
        (Caller::role_of(FRESH.to_string(), "aws"), context)
    };
    let principals = &statement.principals;
    if principals.negated || principals.open {
        return vec![anybody()];
    }
    let of_item = |principal: &Principal<'p>| match principal {
        Principal::Account(account) => {
            let context = ["aws:PrincipalArn", "aws:PrincipalType"]
                .into_iter()
                .fold(Context::open(), |context, key| context.with(key, State::Unknown));
            (Caller::role_of(*account, "aws"), context)
        }
        principal => Caller::named(principal).map_or_else(anybody, |caller| (caller, Context::open())),
    };
    principals.items.iter().map(|item| of_item(&item.principal)).collect()
}

/// A condition on a key that a service's own requests do not have, where only services are named.
fn not_of_services<'p>(statement: &'p Statement<'p>) -> Option<Finding<'p>> {
    let principals = &statement.principals;
    let only_services = !principals.negated
        && !principals.open
        && !principals.items.is_empty()
        && principals.items.iter().all(|item| matches!(item.principal, Principal::Service(_)));
    let condition = statement.conditions.iter().find(|condition| {
        matches!(condition.key.id, Some(KeyId::VIA_SERVICE | KeyId::CALLER_ACCOUNT)) && is_positive(condition)
    })?;
    only_services.then(|| {
        let finding = Finding::at(Severity::Warning, condition.key_text.span()).in_statement(statement);
        finding.with("key", condition.key_text.as_str()).with("service", "")
    })
}

/// Whether a condition is false when its key is missing.
pub(super) fn is_positive(condition: &Condition<'_>) -> bool {
    condition.operator.is_some_and(|operator| {
        !operator.if_exists
            && !operator.comparison.is_negated()
            && operator.comparison != Comparison::Null
            && operator.set != SetOperator::ForAllValues
    })
}

fn never_met_in<'p>(
    statement: &'p Statement<'p>,
    operations: Operations,
    dead: Operations,
    abouts: &[(About<'_, 'p>, &Context<'_>)],
    severity: Severity,
) -> Option<Finding<'p>> {
    let first = dead.iter().next()?;
    // The condition that keeps every caller out; without one, the conditions contradict each other.
    let in_the_way = |about: &About<'_, 'p>, context: &Context<'_>| {
        about.obstacles(first, context).into_iter().find_map(|(index, obstacle)| match obstacle {
            Obstacle::Condition(condition) if index == statement.index => Some(condition),
            _ => None,
        })
    };
    let culprit = abouts.iter().find_map(|(about, context)| in_the_way(about, context));
    let culprit = match statement.effect {
        Some(Effect::Allow) => culprit.and_then(|index| statement.conditions.get(index)),
        // Obstacles are told of what allows; in a `Deny` the key that is not sent is the one.
        _ => statement
            .conditions
            .iter()
            .find(|condition| is_positive(condition) && is_not_sent(condition, first)),
    };
    let condition = culprit.or_else(|| {
        let not_sent = |c: &&Condition<'p>| is_positive(c) && is_not_sent(c, first);
        statement.conditions.iter().find(not_sent)
    });
    let whole = dead == operations;
    let is_dead = |item: &&ActionItem<'p>| {
        let on_key = item.operations.intersection(Operations::ON_KEY);
        !on_key.is_empty() && on_key.difference(dead).is_empty()
    };
    let mut items = statement.actions.items.iter().filter(is_dead).filter(|_| !statement.actions.negated);
    let mut finding = Finding::at(severity, statement.span).in_statement(statement);
    finding.about.1 = dead;
    let shown: Vec<Operation> = dead.iter().collect();
    finding = with_operations(finding, &shown);
    if statement.effect == Some(Effect::Deny) {
        finding = finding.with("denied", "");
    }
    let at_condition = condition.map(|condition| condition.key_text.span());
    if whole {
        let contradicting = statement.conditions.first().map(|condition| condition.key_text.span());
        finding.primary = at_condition.or(contradicting)?;
        finding.related.extend(match at_condition {
            Some(_) => vec![place(statement, Place::Action, &shown)],
            None => statement.conditions.iter().skip(1).map(|c| c.key_text.span()).collect(),
        });
    } else {
        // What a pattern covers beside what it is meant for is no mistake.
        let first = items.next()?;
        finding.primary = first.text.span();
        finding.related.extend(items.map(|item| item.text.span()));
        finding.related.extend(at_condition);
        finding = finding.with("action", first.text.as_str());
    }
    if let Some(condition) = condition {
        finding = finding.with("key", condition.key_text.as_str());
        if is_not_sent(condition, first) {
            finding = finding.with("kind", "absent");
            finding.severity = severity_of_absent(statement, condition, dead, severity);
        }
    }
    Some(finding)
}

pub(super) fn with_operations<'p>(finding: Finding<'p>, operations: &[Operation]) -> Finding<'p> {
    let are = if operations.len() == 1 { "is" } else { "are" };
    finding.with("operations", operation_list(operations)).with("are", are)
}

fn is_not_sent(condition: &Condition<'_>, operation: Operation) -> bool {
    condition.key.id.is_some_and(|id| !operation.sends(id)) && operation.condition_keys_known()
}

/// AWS's own pages list `kms:DescribeKey` under a condition on the encryption context, for services that do without.
fn severity_of_absent(
    statement: &Statement<'_>,
    condition: &Condition<'_>,
    dead: Operations,
    severity: Severity,
) -> Severity {
    let context =
        matches!(condition.key.id, Some(KeyId::ENCRYPTION_CONTEXT | KeyId::ENCRYPTION_CONTEXT_KEYS));
    let describes = dead.difference(Operations::only(Operation::DESCRIBE_KEY)).is_empty();
    // The name of a service whose Region is not known is not known as a whole.
    let is_service = |item: &PrincipalItem<'_>| {
        matches!(item.principal, Principal::Service(_)) || item.text.as_str().ends_with(".amazonaws.com")
    };
    let services = statement.principals.items.iter().all(is_service);
    match (context && describes, services) {
        (true, true) => Severity::Note,
        (true, false) => Severity::Warning,
        _ => severity,
    }
}
