//! From a tree to the typed policy: the one place where the spellings of the policy grammar meet.
//!
//! Lowering never fails. What it cannot read is open in the model, so that no question about it is answered with a
//! certainty that the file does not give; saying what is wrong with it is the task of [`crate::grammar`].

use keylint_source::Span;
use keylint_syntax::{Kind, Member, Node};

use crate::model::{
    ActionItem, Condition, Covered, Effect, Listed, Policy, Principal, PrincipalItem, Statement, Text, Value,
    Variables, Version,
};
use crate::operator::Operator;
use crate::pattern::has_hole;
use crate::vocabulary::{ConditionKey, Operations, suggest_action};

/// Lowers an object that is a policy.
pub fn lower(policy: Node<'_>) -> Policy<'_> {
    let version = match policy.get("Version") {
        None => Version::Absent,
        Some(node) if node.as_string().is_some_and(|text| !has_hole(text)) => Version::Is(Text::new(node)),
        Some(_) => Version::Unknown,
    };
    let is_current = matches!(version, Version::Is(text) if text.as_str() == "2012-10-17");
    let statements = policy.members().filter(|member| member.key.as_str() == Some("Statement")).last();
    Policy {
        span: policy.span(),
        start: policy.first_character(),
        heading: statements.map_or_else(|| policy.first_character(), |member| member.key.content_span()),
        version,
        variables: if is_current { Variables::Resolved } else { Variables::Literal },
        statements: match statements {
            Some(Member { value, .. }) if value.kind() == Kind::Array => {
                let mut statements = Vec::with_capacity(value.items().count());
                statements.extend(value.items().enumerate().map(|(index, node)| statement(index, node)));
                statements
            }
            Some(Member { value, .. }) => vec![statement(0, value)],
            None => Vec::new(),
        },
    }
}

fn statement(index: usize, node: Node<'_>) -> Statement<'_> {
    let missing = node.first_character();
    let mut statement = Statement {
        index,
        span: node.span(),
        sid: None,
        effect: None,
        principals: absent(missing),
        actions: absent(missing),
        resources: absent(missing),
        conditions: Vec::new(),
        // What is no object may be anything.
        conditions_open: node.kind() != Kind::Object,
        operations: Covered { certain: Operations::EMPTY, perhaps: Operations::ALL },
    };
    let form = |name: &str| if name.starts_with("Not") { 2 } else { 1 };
    let (mut principal_elements, mut action_elements, mut resource_elements) = (0, 0, 0);
    let mut unread = false;
    for Member { key, value } in node.members() {
        match key.as_str().unwrap_or_default() {
            "Sid" => statement.sid = value.as_string().map(|_| Text::new(value)),
            "Effect" => {
                statement.effect = match value.as_string() {
                    Some("Allow") => Some(Effect::Allow),
                    Some("Deny") => Some(Effect::Deny),
                    _ => None,
                }
            }
            name @ ("Principal" | "NotPrincipal") => {
                principal_elements |= form(name);
                statement.principals = principals(key, value, name == "NotPrincipal");
            }
            name @ ("Action" | "NotAction") => {
                action_elements |= form(name);
                statement.actions = actions(key, value, name == "NotAction");
            }
            name @ ("Resource" | "NotResource") => {
                resource_elements |= form(name);
                let mut resources = listed(key, value, name == "NotResource");
                strings(value, &mut resources, |text| text);
                statement.resources = resources;
            }
            "Condition" => conditions(value, &mut statement),
            _ => unread = true,
        }
    }
    // An element and its `Not…` form together are a mistake, and which of the two counts is not known.
    if principal_elements == BOTH {
        statement.principals = absent(statement.principals.key);
    }
    if action_elements == BOTH {
        statement.actions = absent(statement.actions.key);
    }
    if resource_elements == BOTH {
        statement.resources = absent(statement.resources.key);
    }
    // A misspelt `Condition` is reported as such; without this the statement would count as unconditional.
    statement.conditions_open |= unread;
    statement.operations = covered(&statement.actions);
    statement
}

fn principals<'t>(key: Node<'t>, value: Node<'t>, negated: bool) -> Listed<PrincipalItem<'t>> {
    let mut list = listed(key, value, negated);
    if value.as_string() == Some("*") {
        list.items.push(PrincipalItem { text: Text::new(value), principal: Principal::Anyone });
        return list;
    }
    // Another string names nobody, and KMS rejects it; what its author meant is not known.
    list.open |= value.kind() != Kind::Object;
    for Member { key, value } in value.members() {
        let read: fn(&'t str) -> Principal<'t> = match key.as_str().unwrap_or_default() {
            "AWS" => Principal::parse_aws,
            "Service" => |text| {
                if service_name(text) { Principal::Service(text) } else { Principal::Unknown }
            },
            "Federated" => Principal::Federated,
            "CanonicalUser" => |_| Principal::Nobody,
            _ => {
                list.open = true;
                continue;
            }
        };
        strings(value, &mut list, |text| PrincipalItem { text, principal: read(text.as_str()) });
    }
    list
}

/// Whether a text is a service principal, as far as it matters: all of it is known, or all but the Region.
fn service_name(text: &str) -> bool {
    let Some((before, rest)) = text.split_once("${").filter(|_| has_hole(text)) else { return true };
    let Some((name, behind)) = rest.split_once('}') else { return false };
    let is_label = before.ends_with('.') && behind.starts_with('.') && !has_hole(behind);
    is_label && name.to_ascii_lowercase().contains("region")
}

fn actions<'t>(key: Node<'t>, value: Node<'t>, negated: bool) -> Listed<ActionItem<'t>> {
    let mut list = listed(key, value, negated);
    strings(value, &mut list, |text| {
        // No operation has a hole in its name.
        let operations = Operations::matching(text.as_str());
        let open = operations.is_empty() && has_hole(text.as_str());
        let meant = if open || !operations.is_empty() {
            Operations::EMPTY
        } else {
            suggest_action(text.as_str()).map_or(Operations::EMPTY, |meant| Operations::matching(&meant))
        };
        ActionItem { text, operations, meant, open }
    });
    list.open |= list.items.iter().any(|item| item.open);
    list
}

fn covered(actions: &Listed<ActionItem<'_>>) -> Covered {
    let union = |of: fn(&ActionItem<'_>) -> Operations| {
        actions.items.iter().fold(Operations::EMPTY, |all, item| all.union(of(item)))
    };
    let matched = union(|item| item.operations);
    let perhaps = if actions.open { Operations::ALL } else { matched.union(union(|item| item.meant)) };
    if actions.negated {
        Covered { certain: Operations::ALL.difference(perhaps), perhaps: Operations::ALL.difference(matched) }
    } else {
        Covered { certain: matched, perhaps }
    }
}

fn conditions<'t>(value: Node<'t>, statement: &mut Statement<'t>) {
    statement.conditions_open |= value.kind() != Kind::Object;
    for Member { key: operator, value: keys } in value.members() {
        statement.conditions_open |= keys.kind() != Kind::Object;
        for Member { key, value } in keys.members() {
            let key_text = key.as_str().unwrap_or_default();
            let mut condition = Condition {
                operator_text: Text::new(operator),
                operator: Operator::parse(operator.as_str().unwrap_or_default()),
                key_text: Text::new(key),
                key: ConditionKey::parse(key_text),
                values: Vec::new(),
                values_span: value.span(),
                open: false,
            };
            if value.kind() == Kind::Array {
                condition.values.reserve_exact(value.items().count());
                value.items().for_each(|item| condition_value(item, &mut condition));
            } else {
                condition_value(value, &mut condition);
            }
            statement.conditions.push(condition);
        }
    }
}

fn condition_value<'t>(node: Node<'t>, condition: &mut Condition<'t>) {
    let text = match node.kind() {
        Kind::String | Kind::Number => node.as_str(),
        Kind::Bool(value) => Some(if value { "true" } else { "false" }),
        _ => None,
    };
    match text {
        Some(text) => condition.values.push(Value { text, span: node.content_span() }),
        None => condition.open = true,
    }
}

/// One bit for an element, another for its `Not…` form.
const BOTH: u8 = 1 | 2;

fn absent<T>(at: Span) -> Listed<T> {
    Listed { key: at, value: at, negated: false, items: Vec::new(), open: true }
}

fn listed<T>(key: Node<'_>, value: Node<'_>, negated: bool) -> Listed<T> {
    Listed { key: key.content_span(), value: value.span(), negated, items: Vec::new(), open: false }
}

/// Adds the strings of a value that is a string or a list of strings; anything else leaves the list open.
fn strings<'t, T>(value: Node<'t>, list: &mut Listed<T>, mut make: impl FnMut(Text<'t>) -> T) {
    let is_list = value.kind() == Kind::Array;
    list.items.reserve_exact(if is_list { value.items().count() } else { 1 });
    let mut add = |node: Node<'t>| match node.kind() {
        Kind::String => list.items.push(make(Text::new(node))),
        _ => list.open = true,
    };
    if is_list { value.items().for_each(add) } else { add(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::Operation;
    use keylint_syntax::{Arena, Tree};
    use pretty_assertions::assert_eq;

    fn lowered<T>(json: &str, look: impl FnOnce(&Policy<'_>) -> T) -> T {
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        keylint_syntax::json::parse(json, &mut arena, &mut problems);
        look(&lower(Tree::new(json, &arena).root().unwrap()))
    }

    #[test]
    fn one_statement_and_a_list_of_one_are_the_same() {
        for json in [r#"{"Statement": {"Effect": "Allow"}}"#, r#"{"Statement": [{"Effect": "Allow"}]}"#] {
            let effects: Vec<_> =
                lowered(json, |policy| policy.statements.iter().map(|s| s.effect).collect());
            assert_eq!(effects, [Some(Effect::Allow)], "{json}");
        }
    }

    #[test]
    fn actions_become_operations() {
        let covered = |actions: &str| {
            lowered(&format!(r#"{{"Statement": [{{{actions}}}]}}"#), |policy| policy.statements[0].operations)
        };
        let reencrypt: Operations =
            [Operation::RE_ENCRYPT_FROM, Operation::RE_ENCRYPT_TO].into_iter().collect();
        assert_eq!(covered(r#""Action": "KMS:reencrypt*""#).certain, reencrypt);
        assert_eq!(covered(r#""Action": ["kms:ReEncryptFrom", "kms:ReEncryptTo"]"#).certain, reencrypt);
        assert_eq!(
            covered(r#""NotAction": "kms:ReEncrypt*""#).certain,
            Operations::ALL.difference(reencrypt)
        );
        // A misspelt action may cover what was meant, and no more.
        let misspelt = covered(r#""Action": "kms:ReEncrpt*""#);
        assert_eq!((misspelt.certain, misspelt.perhaps), (Operations::EMPTY, reencrypt));
        // What is missing or not known may be anything.
        for open in [r#""Sid": "x""#, r#""Action": "kms:${action}""#, r#""Action": [null]"#] {
            let covered = covered(open);
            assert_eq!((covered.certain, covered.perhaps), (Operations::EMPTY, Operations::ALL), "{open}");
        }
    }

    #[test]
    fn a_service_principal_may_have_any_region() {
        for (text, expected) in [
            ("logs.us-east-1.amazonaws.com", true),
            ("logs.${AWS::Region}.amazonaws.com", true),
            ("delivery.logs.${data.aws_region.current.name}.amazonaws.com", true),
            ("${Service}.amazonaws.com", false),
            ("logs.${Stage}.amazonaws.com", false),
            ("logs.${AWS::Region}.${Suffix}", false),
        ] {
            assert_eq!(service_name(text), expected, "{text}");
        }
    }

    #[test]
    fn booleans_and_their_text_are_the_same_value() {
        let values = |value: &str| {
            let json = format!(r#"{{"Statement": [{{"Condition": {{"Bool": {{"k:x": {value}}}}}}}]}}"#);
            lowered(&json, |policy| {
                policy.statements[0].conditions[0]
                    .values
                    .iter()
                    .map(|v| v.text.to_owned())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(values("true"), ["true"]);
        assert_eq!(values("\"true\""), ["true"]);
        assert_eq!(values("[true, \"false\", 7]"), ["true", "false", "7"]);
    }

    #[test]
    fn what_cannot_be_read_is_open() {
        lowered(r#"{"Statement": ["x", {"Conditions": {}}, {"Principal": "me"}]}"#, |policy| {
            let [text, misspelt, principal] = policy.statements.as_slice() else { unreachable!() };
            assert!(text.conditions_open && text.principals.open && text.effect.is_none());
            assert!(misspelt.conditions_open);
            assert!(principal.principals.open);
        });
    }
}
