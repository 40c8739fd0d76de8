//! Grants: the request that creates one, the list of those that exist, and the words in which other tools say them.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>

use keylint_syntax::{Kind, Member, Node};

use crate::command::{GrantCommand, grant_commands};
use crate::value::{Key, Value, ValueKind};
use crate::within::Within;
use crate::{DocumentKind, Presence, Resolved, Resource, Way};

/// What a resource says of a grant in one value each, by the names of the request. `Region` is none of them: it is where
/// the resource is.
pub(crate) const MEMBERS: [&str; 6] =
    ["KeyId", "GranteePrincipal", "Operations", "RetiringPrincipal", "Name", "Region"];
/// What it says in a block.
pub(crate) const CONSTRAINTS: &str = "Constraints";
/// What it says in that block.
pub(crate) const IN_CONSTRAINTS: [&str; 2] = ["EncryptionContextEquals", "EncryptionContextSubset"];

/// Lists and objects inside one another in an argument of a grant.
const NESTING: usize = 4;

/// Whether a name is that of a member of the request in the words of another tool: `key_id`, `keyId` and `keyID` are
/// `KeyId`.
pub(crate) fn means(name: &str, member: &str) -> bool {
    let letters = name.bytes().filter(|byte| *byte != b'_');
    letters.map(|byte| byte.to_ascii_lowercase()).eq(member.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Whether an object is the request for a grant: what `aws kms create-grant --cli-input-json` takes. The skeleton that
/// the CLI prints, in which every value is empty, is none.
pub(crate) fn is_request(root: Node<'_>) -> bool {
    let is_filled = |name: &str| {
        root.get(name).is_some_and(|value| value.kind() != Kind::String || value.as_str() != Some(""))
    };
    let grantee = ["GranteePrincipal", "GranteeServicePrincipal"].iter().any(|name| is_filled(name));
    let is_trial = root.get("DryRun").and_then(Node::as_bool) == Some(true);
    is_filled("KeyId") && grantee && root.get("Operations").is_some() && !is_trial
}

/// The grants that `aws kms list-grants` or `list-retirable-grants` prints.
pub(crate) fn listed(root: Node<'_>) -> Vec<Resolved> {
    let grants = root.get("Grants").into_iter().flat_map(Node::items);
    let of = |grant: Node<'_>| {
        let id = grant.get("GrantId")?;
        grant.get("Operations")?;
        Some(Resolved {
            kind: DocumentKind::Grant,
            resource: Resource { name: id.as_str().unwrap_or_default().to_owned(), at: id.content_span() },
            ways: vec![Way { value: Value::of(grant, Within::File(0)), presence: Presence::default() }],
            is_certain: true,
            ..Resolved::default()
        })
    };
    grants.filter_map(of).collect()
}

/// The grants that commands of the AWS CLI create, wherever in a text they are.
pub(crate) fn in_commands(text: &str) -> Vec<Resolved> {
    let of = |command: GrantCommand| Resolved {
        kind: DocumentKind::Grant,
        resource: Resource { name: String::new(), at: command.at },
        is_optional: !command.is_always_run,
        ways: vec![Way { value: command.request, presence: Presence::default() }],
        is_certain: true,
        ..Resolved::default()
    };
    grant_commands(text).into_iter().filter(is_whole).map(of).collect()
}

/// Whether words are a command, and no sentence about one or a piece that a program puts others behind. What such a
/// piece lacks is no mistake.
fn is_whole(command: &GrantCommand) -> bool {
    let request = &command.request;
    let grantee = request.get("GranteePrincipal").or_else(|| request.get("GranteeServicePrincipal"));
    let essential = [request.get("KeyId"), grantee, request.get("Operations")];
    let is_word = |value: &Value| {
        let text = value.known_text().unwrap_or_default();
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let names = essential.iter().take(2).flatten();
    let is_sentence = names.into_iter().any(|value| is_word(value));
    let given = essential.iter().flatten().count();
    !is_sentence && (given == essential.len() || (command.begins_line && given > 1))
}

/// The grant that an object declares in the words of another tool; `unknown` has the members whose values a plan does
/// not know.
pub(crate) fn declared(resource: Resource, object: Node<'_>, unknown: Option<Node<'_>>) -> Resolved {
    let mut members = members_of(object, unknown, &MEMBERS, &resource.name);
    members.extend(constraints_of(object, unknown, &resource.name));
    let value = Value::new(object.span(), ValueKind::Object(members));
    Resolved {
        kind: DocumentKind::Grant,
        resource,
        ways: vec![Way { value, presence: Presence::default() }],
        is_certain: true,
        ..Resolved::default()
    }
}

/// The constraints of a grant: an object, or, of a block, a list of one.
fn constraints_of(object: Node<'_>, unknown: Option<Node<'_>>, address: &str) -> Option<(Key, Value)> {
    let Some(constraints) = member(object, CONSTRAINTS).filter(|it| is_something(it.value)) else {
        return members_of(object, unknown, &[CONSTRAINTS], address).pop();
    };
    let unknown = unknown.and_then(|unknown| member(unknown, CONSTRAINTS)).and_then(|it| only(it.value));
    let inside = only(constraints.value)?;
    let value = match inside.kind() {
        Kind::Object => ValueKind::Object(members_of(inside, unknown, &IN_CONSTRAINTS, address)),
        _ => Value::of(inside, Within::File(0)).kind,
    };
    Some((key_of(CONSTRAINTS, constraints), Value::new(inside.span(), value)))
}

/// A node, or the first item of a list.
fn only(node: Node<'_>) -> Option<Node<'_>> {
    if node.kind() == Kind::Array { node.items().next() } else { Some(node) }
}

/// The members of an object that are those of a request. What is not set is left out: a state has it as nothing.
fn members_of(
    object: Node<'_>,
    unknown: Option<Node<'_>>,
    names: &[&str],
    address: &str,
) -> Vec<(Key, Value)> {
    let of = |name: &&str| {
        let known = member(object, name).filter(|it| is_something(it.value));
        let unknown = unknown.and_then(|unknown| member(unknown, name)).filter(|it| has_true(it.value));
        let written = known.or(unknown)?;
        let path = format!("{address}.{}", written.key.as_str().unwrap_or_default());
        let value = partly_known(written.value, unknown.map(|it| it.value), &path, NESTING);
        Some((key_of(name, written), value))
    };
    names.iter().filter_map(of).collect()
}

fn key_of(name: &str, written: Member<'_>) -> Key {
    Key::named(name, written.key.content_span())
}

fn member<'t>(object: Node<'t>, name: &str) -> Option<Member<'t>> {
    object.members().find(|member| member.key.as_str().is_some_and(|key| means(key, name)))
}

fn is_something(value: Node<'_>) -> bool {
    match value.kind() {
        Kind::Null => false,
        Kind::String => value.as_str() != Some(""),
        Kind::Array => value.items().next().is_some(),
        Kind::Object => value.members().next().is_some(),
        _ => true,
    }
}

/// Whether a plan says of something in a value that it is not known.
fn has_true(unknown: Node<'_>) -> bool {
    unknown.descendants().any(|node| node.as_bool() == Some(true))
}

/// A value of which a plan does not know everything.
fn partly_known(value: Node<'_>, unknown: Option<Node<'_>>, name: &str, depth: usize) -> Value {
    let within = Within::File(0);
    let at = value.span();
    let Some(unknown) = unknown.filter(|unknown| has_true(*unknown)) else { return Value::of(value, within) };
    let kind = match (unknown.kind(), value.kind()) {
        (Kind::Array, Kind::Array) if depth > 0 => {
            let pairs = value.items().zip(unknown.items().map(Some).chain(std::iter::repeat(None)));
            ValueKind::List(
                pairs.map(|(item, unknown)| partly_known(item, unknown, name, depth - 1)).collect(),
            )
        }
        (Kind::Object, Kind::Object) if depth > 0 => {
            let key = |node: Node<'_>| Key { at: node.span(), text: within.text(node) };
            let known = value.members().map(|member| {
                let unknown = member.key.as_str().and_then(|key| unknown.get(key));
                (key(member.key), partly_known(member.value, unknown, name, depth - 1))
            });
            // What is not known is left out of the values.
            let left_out = unknown.members().filter(|member| {
                has_true(member.value) && member.key.as_str().is_some_and(|key| value.get(key).is_none())
            });
            let left_out =
                left_out.map(|member| (key(member.key), Value::unknown(member.value.span(), name)));
            ValueKind::Object(known.chain(left_out).collect())
        }
        _ => return Value::unknown(at, name),
    };
    Value::new(at, kind)
}
