//! Service principals that may use a key for the resources of strangers.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::arn::Arn;
use keylint_policy::evaluate::{Caller, Context, State};
use keylint_policy::model::{Effect, Principal, Statement};
use keylint_policy::pattern::{self, FRESH};
use keylint_policy::vocabulary::{ConditionKey, Operation, Operations};
use keylint_source::{Severity, quoted_list};

use crate::facts::Facts;
use crate::finding::{Finding, operation_list, place};
use crate::rule::{Place, Service};

/// The condition keys that tell of which account and organization the resource is for which a service calls.
const SOURCES: [&str; 3] = ["aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"];
const SOURCE_ARN: &str = "aws:SourceArn";
/// An account that no policy names: [`FRESH`].
const FRESH_ACCOUNT: &str = "\u{f8ff}";

pub(super) fn unrestricted<'p>(
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Vec<Finding<'p>> {
    let allowing = facts.policy().statements.iter().filter(|s| s.effect == Some(Effect::Allow));
    allowing.filter_map(|statement| in_statement(statement, facts, services, severity)).collect()
}

/// What is wrong with a statement: however many services it names, it lacks one condition.
fn in_statement<'p>(
    statement: &'p Statement<'p>,
    facts: &Facts<'p>,
    services: &[Service],
    severity: Severity,
) -> Option<Finding<'p>> {
    let mut open = Operations::EMPTY;
    let mut first = None;
    let mut names = Vec::new();
    let mut expected = Vec::new();
    let mut worst = Severity::Note;
    for item in statement.principals.items.iter().filter(|_| !statement.principals.negated) {
        let Principal::Service(name) = item.principal else { continue };
        let caller = Caller::service(name);
        let about = facts.evaluator.about(&caller);
        // Most statements say of which account the resource is: then there is nothing more to ask.
        let of_a_stranger = Context::open().with_value("aws:SourceAccount", FRESH_ACCOUNT);
        let can_apply = |operation| about.can_apply(statement.index, operation, &of_a_stranger) != Answer::No;
        if !statement.operations.certain.iter().next().is_some_and(can_apply) {
            continue;
        }
        let reach = about.reach();
        // Another use of the service, which sends nothing, is only meant where the policy allows what it needs.
        let is_meant = |service: &&Service| {
            service.needs.iter().flat_map(|need| &need.may).all(|operation| reach.contains(*operation))
                || service.sends.as_ref().is_some_and(|keys| !keys.is_empty())
        };
        let integrations: Vec<&Service> =
            services.iter().filter(|service| service.calls_as(name)).filter(is_meant).collect();
        let sends = |service: &&Service| service.sends.as_ref().is_some_and(|keys| !keys.is_empty());
        if integrations.is_empty() || !integrations.iter().all(sends) {
            continue;
        }
        let operations = open_to_strangers(statement, name, &integrations, facts);
        if operations.is_empty() {
            continue;
        }
        if !integrations.iter().any(|service| service.unrestricted_example) {
            worst = worst.max(severity);
        }
        open = open.union(operations);
        first = first.or(Some(item.text.span()));
        names.push(name);
        for key in integrations.iter().flat_map(|service| service.sends.iter().flatten()) {
            if !expected.contains(key) {
                expected.push(key.clone());
            }
        }
    }
    let operations: Vec<Operation> = open.iter().collect();
    let mut finding = Finding::at(worst, first?).in_statement(statement);
    finding.related.push(place(statement, Place::Action, &operations));
    finding.about.1 = open;
    Some(
        finding
            .with("principal", quoted_list(&names))
            .with("operations", operation_list(&operations))
            .with("expected", quoted_list(&expected)),
    )
}

/// The operations that the service may call for a stranger's resource, through this statement.
fn open_to_strangers(
    statement: &Statement<'_>,
    name: &str,
    integrations: &[&Service],
    facts: &Facts<'_>,
) -> Operations {
    // What describes the key tells a stranger nothing.
    let metadata = [Operation::DESCRIBE_KEY, Operation::GET_PUBLIC_KEY].into_iter().collect::<Operations>();
    let needed: Operations =
        integrations.iter().flat_map(|service| &service.needs).flat_map(|need| need.may.clone()).collect();
    let asked = needed.difference(metadata).intersection(statement.operations.certain);
    let caller = Caller::service(name);
    let about = facts.evaluator.about(&caller);
    let keys: Vec<&String> = integrations.iter().flat_map(|service| service.sends.iter().flatten()).collect();
    let context = strangers_request(statement, &keys, &facts.key().partition);
    let may = |operation: &Operation| {
        about.may_through(statement.index, *operation, &context).answer == Answer::Yes
    };
    asked.iter().filter(may).collect()
}

/// What the service sends when it calls for a resource of a stranger.
fn strangers_request<'r>(statement: &Statement<'_>, sends: &[&'r String], partition: &str) -> Context<'r> {
    let fresh = || Cow::Owned(FRESH.to_string());
    let organization = [format!("o-{FRESH}"), format!("o-{FRESH}/r-{FRESH}/")];
    let values = std::iter::once(fresh()).chain(organization.map(Cow::Owned));
    let mut context = Context::open().with_value("kms:GrantIsForAWSResource", "true");
    for (key, value) in SOURCES.into_iter().zip(values) {
        context = context.with(key, State::Is(vec![value]));
    }
    context = context.with_value(SOURCE_ARN, strangers_value(statement, SOURCE_ARN, partition));
    for key in sends.iter().filter(|key| key.starts_with("kms:")) {
        context = context.with_value(key.as_str(), strangers_value(statement, key, partition));
    }
    context
}

/// What a key that names a resource has for a stranger's: an ARN that comes as near to what the statement asks for as
/// one of another account can.
fn strangers_value(statement: &Statement<'_>, key: &str, partition: &str) -> String {
    let key = ConditionKey::parse(key);
    let on_key = statement.conditions.iter().filter(|condition| condition.key.same_as(&key));
    let values: Vec<&str> = on_key.flat_map(|c| &c.values).map(|value| value.text).collect();
    if let Some(near) = values.iter().find_map(|value| resource_like(value, partition)) {
        return near;
    }
    let is_arn = key.same_as(&ConditionKey::parse(SOURCE_ARN))
        || values.iter().any(|value| Arn::parse(value).is_some());
    if is_arn { format!("arn:{partition}:x:x:{FRESH}:{FRESH}") } else { FRESH.to_string() }
}

/// The ARN of a stranger's resource that a pattern matches. Nothing where the pattern asks for an account.
fn resource_like(pattern: &str, partition: &str) -> Option<String> {
    let arn = Arn::parse(pattern)?;
    let is_wild = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte == b'*');
    let filled = |text: &str| {
        if is_wild(text) { FRESH.to_string() } else { text.replace(['*', '?'], "x") }
    };
    let any = is_wild(arn.account);
    // Without an account the name alone tells whose it is; a name is a stranger's where any will do.
    let any_name = arn.account.is_empty() && is_wild(arn.resource);
    if !any && !any_name || pattern::has_hole(pattern) {
        return None;
    }
    let partition = if is_wild(arn.partition) { partition } else { arn.partition };
    let account = if any { FRESH.to_string() } else { String::new() };
    let (service, region) = (filled(arn.service), filled(arn.region));
    Some(format!("arn:{partition}:{service}:{region}:{account}:{}", filled(arn.resource)))
}
