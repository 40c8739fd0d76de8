//! The plain form of a policy: what nearly every policy looks like.
//!
//! Looking through the schema takes longer than everything else that is asked of a policy, and it has nothing to say
//! of a policy in this form. A test holds the two together.

use keylint_syntax::{Kind, Node};

/// Whether a policy has the documented form, with every element at most once. A no says nothing.
pub(crate) fn is_plain(policy: Node<'_>) -> bool {
    let mut seen = Seen::default();
    let members_are_plain = policy.members().all(|member| match member.key.as_str().unwrap_or_default() {
        "Version" => seen.first(1) && matches!(member.value.as_string(), Some("2012-10-17" | "2008-10-17")),
        "Id" => seen.first(2) && member.value.kind() == Kind::String,
        "Statement" => {
            let value = member.value;
            let one = value.kind() == Kind::Object && is_plain_statement(value);
            seen.first(4)
                && (one || (value.items().next().is_some() && value.items().all(is_plain_statement)))
        }
        _ => false,
    });
    policy.kind() == Kind::Object && members_are_plain && seen.has(4)
}

fn is_plain_statement(statement: Node<'_>) -> bool {
    let mut seen = Seen::default();
    let members_are_plain = statement.members().all(|member| {
        let value = member.value;
        match member.key.as_str().unwrap_or_default() {
            "Sid" => seen.first(1) && value.kind() == Kind::String,
            "Effect" => seen.first(2) && matches!(value.as_string(), Some("Allow" | "Deny")),
            "Principal" | "NotPrincipal" => seen.first(4) && is_plain_principal(value),
            "Action" | "NotAction" => seen.first(8) && is_strings(value),
            "Resource" | "NotResource" => seen.first(16) && is_strings(value),
            "Condition" => seen.first(32) && is_plain_condition(value),
            _ => false,
        }
    });
    statement.kind() == Kind::Object && members_are_plain && seen.has(2 | 4 | 8 | 16)
}

fn is_plain_principal(value: Node<'_>) -> bool {
    let mut seen = Seen::default();
    let members_are_plain = value.members().all(|member| {
        let kind = match member.key.as_str().unwrap_or_default() {
            "AWS" => 1,
            "Service" => 2,
            "Federated" => 4,
            "CanonicalUser" => 8,
            _ => return false,
        };
        seen.first(kind) && is_strings(member.value)
    });
    value.as_string() == Some("*") || (value.kind() == Kind::Object && members_are_plain)
}

fn is_plain_condition(value: Node<'_>) -> bool {
    let is_scalar = |node: Node<'_>| matches!(node.kind(), Kind::String | Kind::Number | Kind::Bool(_));
    let is_value =
        |node: Node<'_>| is_scalar(node) || (node.kind() == Kind::Array && node.items().all(is_scalar));
    let is_plain_operator = |keys: Node<'_>| {
        keys.kind() == Kind::Object
            && keys.members().all(|member| is_value(member.value))
            && has_distinct_keys(keys)
    };
    value.kind() == Kind::Object
        && value.members().all(|operator| is_plain_operator(operator.value))
        && has_distinct_keys(value)
}

/// So many keys are compared each with each.
const FEW: usize = 8;

/// Whether no two keys are the same but for letter case.
fn has_distinct_keys(node: Node<'_>) -> bool {
    let name = |key: Node<'_>| key.as_str().unwrap_or_default().to_owned();
    let mut members = node.members();
    // Nearly every operator has one key.
    if members.next().is_none() || members.next().is_none() {
        return true;
    }
    if members.nth(FEW).is_none() {
        let mut rest = node.members();
        return std::iter::from_fn(|| rest.next().map(|member| (member, rest.clone()))).all(
            |(member, mut rest)| {
                let text = member.key.as_str().unwrap_or_default();
                !rest.any(|other| other.key.as_str().unwrap_or_default().eq_ignore_ascii_case(text))
            },
        );
    }
    let mut names: Vec<String> = node.members().map(|member| name(member.key).to_ascii_lowercase()).collect();
    names.sort_unstable();
    names.windows(2).all(|pair| pair.first() != pair.last())
}

fn is_strings(value: Node<'_>) -> bool {
    let is_string = |node: Node<'_>| node.kind() == Kind::String;
    is_string(value) || (value.kind() == Kind::Array && value.items().all(is_string))
}

/// Which elements were there, one bit for each.
#[derive(Default)]
struct Seen(u8);

impl Seen {
    /// Notes an element; whether it was not there before.
    fn first(&mut self, element: u8) -> bool {
        let first = self.0 & element == 0;
        self.0 |= element;
        first
    }

    fn has(&self, elements: u8) -> bool {
        self.0 & elements == elements
    }
}
