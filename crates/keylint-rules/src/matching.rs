//! Rules about the form of a statement.

use keylint_policy::Answer;
use keylint_policy::model::{IdentityKind, Principal, Statement};
use keylint_policy::vocabulary::{ConditionKey, Operation};
use keylint_source::{Severity, quoted_list};

use crate::facts::Facts;
use crate::finding::{Finding, operation_list, place};
use crate::rule::{Element, Form, Place, PrincipalForm};

/// The statements that have a form.
pub(crate) fn find<'p>(form: &Form, severity: Severity, facts: &Facts<'p>) -> Vec<Finding<'p>> {
    let matching = facts.policy().statements.iter().filter_map(|statement| {
        let certain = has_form(form, statement);
        (certain != Answer::No).then(|| finding(form, severity, statement, certain))
    });
    matching.collect()
}

fn has_form(form: &Form, statement: &Statement<'_>) -> Answer {
    let effect = match (form.effect, statement.effect) {
        (None, _) => Answer::Yes,
        (Some(_), None) => Answer::Maybe,
        (Some(wanted), Some(effect)) => Answer::from(wanted == effect),
    };
    let elements =
        Answer::all(form.element.iter().map(|element| Answer::from(has_element(*element, statement))));
    let principals = if form.principal.is_empty() {
        Answer::Yes
    } else {
        let listed = statement.principals.items.iter().any(|item| {
            !statement.principals.negated && form.principal.iter().any(|form| is_of(*form, &item.principal))
        });
        let open = if statement.principals.open { Answer::Maybe } else { Answer::No };
        Answer::from(listed).or(open)
    };
    let covers =
        if form.covers.is_empty() || !form.covers.intersection(statement.operations.certain).is_empty() {
            Answer::Yes
        } else if form.covers.intersection(statement.operations.perhaps).is_empty() {
            Answer::No
        } else {
            Answer::Maybe
        };
    let open = if statement.conditions_open { Answer::Maybe } else { Answer::No };
    let conditioned = |keys: &[String]| {
        Answer::any(keys.iter().map(|key| Answer::from(has_condition(key, statement)))).or(open)
    };
    let has = if form.has_condition.is_empty() { Answer::Yes } else { conditioned(&form.has_condition) };
    let lacks =
        if form.lacks_condition.is_empty() { Answer::Yes } else { !conditioned(&form.lacks_condition) };
    Answer::all([effect, elements, principals, covers, has, lacks])
}

fn has_element(element: Element, statement: &Statement<'_>) -> bool {
    match element {
        Element::NotPrincipal => statement.principals.negated,
        Element::NotAction => statement.actions.negated,
        Element::NotResource => statement.resources.negated,
        Element::Condition => !statement.conditions.is_empty(),
        Element::Sid => statement.sid.is_some(),
    }
}

fn is_of(form: PrincipalForm, principal: &Principal<'_>) -> bool {
    match (form, principal) {
        (PrincipalForm::Anyone, Principal::Anyone)
        | (PrincipalForm::Account, Principal::Account(_))
        | (PrincipalForm::Service, Principal::Service(_))
        | (PrincipalForm::Federated, Principal::Federated(_)) => true,
        (PrincipalForm::ServiceLinkedRole, principal) => principal.service_linked_role().is_some(),
        (form, Principal::Identity(identity)) => match form {
            PrincipalForm::User => identity.kind == IdentityKind::User,
            PrincipalForm::Role => identity.kind == IdentityKind::Role,
            PrincipalForm::Session => identity.kind == IdentityKind::Session,
            PrincipalForm::FederatedUser => identity.kind == IdentityKind::FederatedUser,
            _ => false,
        },
        _ => false,
    }
}

fn has_condition(key: &str, statement: &Statement<'_>) -> bool {
    let key = ConditionKey::parse(key);
    statement.conditions.iter().any(|condition| condition.key.same_as(&key))
}

fn finding<'p>(
    form: &Form,
    severity: Severity,
    statement: &'p Statement<'p>,
    certain: Answer,
) -> Finding<'p> {
    let covered: Vec<Operation> = form.covers.intersection(statement.operations.certain).iter().collect();
    let names: Vec<&str> = statement.principals.items.iter().map(|item| item.text.as_str()).collect();
    let at = form.at.unwrap_or(Place::Statement);
    let primary = place(statement, at, &covered);
    let finding = Finding { certain, ..Finding::at(severity, primary) }.in_statement(statement);
    let mut finding = finding.with("principal", quoted_list(&names));
    finding.about.1 = statement.operations.certain;
    if covered.is_empty() { finding } else { finding.with("operations", operation_list(&covered)) }
}
