//! What a policy says twice, and what it says by halves.

use keylint_policy::model::{Condition, Effect, Principal, PrincipalItem, Statement, Text};
use keylint_policy::pattern::{has_hole, is_wildcard};
use keylint_policy::vocabulary::{Operation, Operations};
use keylint_source::Severity;

use crate::facts::{Facts, principals};
use crate::finding::{Finding, operation_list, place};
use crate::rule::{Place, Service};

/// Actions that another action of the same statement covers.
pub(super) fn actions<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    for statement in &facts.policy().statements {
        let items = &statement.actions.items;
        for (index, item) in items.iter().enumerate() {
            let covers = |(other_index, other): &(usize, &keylint_policy::model::ActionItem<'p>)| {
                let covered = item.operations.difference(other.operations).is_empty();
                let same = item.operations == other.operations;
                // Of two that are the same, the pattern stays, else the first.
                let wild = (is_wildcard(item.text.as_str()), is_wildcard(other.text.as_str()));
                let gives_way = if wild.0 == wild.1 { *other_index < index } else { wild.1 };
                *other_index != index && covered && (!same || gives_way)
            };
            if item.operations.is_empty() || item.open {
                continue;
            }
            if let Some((_, other)) = items.iter().enumerate().find(covers) {
                let finding = Finding::at(severity, item.text.span()).in_statement(statement);
                let mut finding =
                    finding.with("action", item.text.as_str()).with("expected", other.text.as_str());
                finding.related.push(other.text.span());
                findings.push(finding);
            }
        }
    }
    findings
}

/// Statements that say nothing which another one does not say.
pub(super) fn statements<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let all = &facts.policy().statements;
    let redundant = |statement: &'p Statement<'p>| {
        let covering = all.iter().find(|other| {
            let same = covers(statement, other);
            other.index != statement.index
                && covers(other, statement)
                && (!same || other.index < statement.index)
        })?;
        let mut finding = Finding::at(severity, statement.sid.map_or(statement.span, Text::span));
        finding.related.push(covering.sid.map_or(covering.span, Text::span));
        let effect = if statement.effect == Some(Effect::Deny) { "denies" } else { "allows" };
        Some(finding.in_statement(statement).with("kind", effect))
    };
    all.iter().filter_map(redundant).collect()
}

/// Whether a statement certainly says all that another one says.
fn covers(wide: &Statement<'_>, narrow: &Statement<'_>) -> bool {
    let plain = |statement: &Statement<'_>| {
        let certain = statement.operations.certain == statement.operations.perhaps;
        let negated = statement.principals.negated || statement.resources.negated;
        let open = statement.principals.open || statement.resources.open || statement.conditions_open;
        certain && !negated && !open && !statement.operations.certain.is_empty()
    };
    let operations = narrow.operations.certain.difference(wide.operations.certain).is_empty();
    let named = |item: &PrincipalItem<'_>| {
        wide.principals.items.iter().any(|other| covers_principal(other, item, wide.effect))
    };
    let resources = |text: &str| {
        wide.resources.items.iter().any(|wide| matches!(wide.as_str(), "*") || wide.as_str() == text)
    };
    let conditions = wide
        .conditions
        .iter()
        .all(|condition| narrow.conditions.iter().any(|other| is_same(condition, other)));
    wide.effect.is_some()
        && wide.effect == narrow.effect
        && plain(wide)
        && plain(narrow)
        && operations
        && !narrow.principals.items.is_empty()
        && narrow.principals.items.iter().all(named)
        && narrow.resources.items.iter().all(|text| resources(text.as_str()))
        && conditions
}

fn covers_principal(wide: &PrincipalItem<'_>, narrow: &PrincipalItem<'_>, effect: Option<Effect>) -> bool {
    match (wide.principal, narrow.principal) {
        (Principal::Anyone, Principal::Anyone | Principal::Account(_) | Principal::Identity(_)) => true,
        (Principal::Account(wide), Principal::Account(narrow)) => wide == narrow,
        (Principal::Account(wide), Principal::Identity(narrow)) => {
            effect == Some(Effect::Deny) && wide == narrow.account
        }
        _ => wide.text.as_str() == narrow.text.as_str(),
    }
}

fn is_same(left: &Condition<'_>, right: &Condition<'_>) -> bool {
    let within = |one: &Condition<'_>, other: &Condition<'_>| {
        one.values.iter().all(|value| other.values.iter().any(|known| known.text == value.text))
    };
    let known = !left.open && !right.open && left.operator.is_some();
    known
        && left.operator == right.operator
        && left.key.same_as(&right.key)
        && within(left, right)
        && within(right, left)
}

/// Sets of operations that belong together: who has all of the first is to have all of the second.
const TOGETHER: &[(&[Operation], &[Operation])] = &[
    (&[Operation::ENCRYPT, Operation::DECRYPT], &[Operation::RE_ENCRYPT_FROM, Operation::RE_ENCRYPT_TO]),
    (&[Operation::GENERATE_DATA_KEY], &[Operation::GENERATE_DATA_KEY_WITHOUT_PLAINTEXT]),
];

/// Principals that may use the key for some of what AWS lists together, and not for the rest.
pub(super) fn incomplete_use<'p>(facts: &Facts<'p>, _: &[Service], severity: Severity) -> Vec<Finding<'p>> {
    let mut findings = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    let statements = &facts.policy().statements;
    let negated =
        |statement: &Statement<'_>| statement.principals.negated && statement.effect != Some(Effect::Deny);
    if statements.iter().any(negated) {
        return findings;
    }
    for (_, item) in
        principals(facts.policy()).filter(|(statement, _)| statement.effect == Some(Effect::Allow))
    {
        let text = item.text.as_str();
        if !matches!(item.principal, Principal::Account(_) | Principal::Identity(_))
            || seen.contains(&text)
            || has_hole(text)
        {
            continue;
        }
        seen.push(text);
        let names = |statement: &&'p Statement<'p>| {
            let by = |other: &PrincipalItem<'_>| covers_principal(other, item, Some(Effect::Deny));
            statement.principals.items.iter().any(by)
        };
        let reaching: Vec<&Statement<'_>> = statements.iter().filter(names).collect();
        let of = |effect: Effect, certain: bool| {
            let those = reaching.iter().filter(|statement| statement.effect != Some(other(effect)));
            those.fold(Operations::EMPTY, |all, statement| {
                all.union(if certain { statement.operations.certain } else { statement.operations.perhaps })
            })
        };
        // What a `Deny` takes away is taken away on purpose.
        let has = of(Effect::Allow, true);
        let perhaps = of(Effect::Allow, false).union(of(Effect::Deny, false));
        for (first, second) in TOGETHER {
            let complete = first.iter().all(|operation| has.contains(*operation));
            let missing: Vec<Operation> =
                second.iter().filter(|operation| !perhaps.contains(**operation)).copied().collect();
            let home = reaching
                .iter()
                .find(|statement| first.iter().any(|o| statement.operations.certain.contains(*o)));
            if let Some(home) = home.filter(|_| complete && !missing.is_empty()) {
                let finding = Finding::at(severity, place(home, Place::Action, first)).in_statement(home);
                findings.push(
                    finding
                        .with("principal", text)
                        .with("expected", operation_list(first))
                        .with("operations", operation_list(&missing)),
                );
            }
        }
    }
    findings
}

fn other(effect: Effect) -> Effect {
    match effect {
        Effect::Allow => Effect::Deny,
        Effect::Deny => Effect::Allow,
    }
}
