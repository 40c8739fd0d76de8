//! Ignores in the metadata of a resource of CloudFormation, which packaging and synthesis keep:
//!
//! ```yaml
//! Metadata:
//!   keylint:
//!     ignore:
//!       - { rule: accidental-revoke, sid: Partner, reason: the partner rotates its own grants, expires: 2027-01-31 }
//! ```

use keylint_extract::Language;
use keylint_rules::IgnoreEntry;
use keylint_source::{FileId, Location, Problem, did_you_mean, quoted_list};
use keylint_syntax::{Arena, Kind, Node, Tree, json, yaml};
use memchr::memmem;

use super::{Ignore, Place, Scope};

/// The members of an entry.
const MEMBERS: [&str; 6] = ["rule", "sid", "resource", "statement", "reason", "expires"];

pub(super) fn ignores(file: FileId, path: &str, text: &str) -> Vec<Ignore> {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if !has("Metadata") || !has("keylint") || !has("Resources") {
        return Vec::new();
    }
    let mut arena = Arena::default();
    match Language::of(path, text) {
        Language::Json => json::parse(text, &mut arena, &mut Vec::new()),
        Language::Yaml => yaml::parse(text, &mut arena, &mut Vec::new()),
        _ => return Vec::new(),
    }
    let mut found = Vec::new();
    for root in Tree::new(text, &arena).roots() {
        // What is said of no resource is said of nothing.
        if let Some(ours) = ours(root) {
            let message = "this stands at no resource, and is not followed";
            found.push(wrong(file, ours, message, "move it into the `Metadata` of the key"));
        }
        for resource in root.get("Resources").into_iter().flat_map(Node::members) {
            let Some(ours) = ours(resource.value) else { continue };
            let place = Place {
                file,
                span: resource.key.span().to(resource.value.span()),
                declares: resource.key.as_str().map(str::to_owned),
            };
            for member in ours.members() {
                if member.key.as_str() == Some("ignore") {
                    let alone = (member.value.kind() == Kind::Object).then_some(member.value);
                    let entries = alone.into_iter().chain(member.value.items());
                    found.extend(entries.map(|entry| ignore(file, entry, &place)));
                } else {
                    let message = "keylint knows nothing of this name here";
                    found.push(wrong(file, member.key, message, "write `ignore`, with a list of entries"));
                }
            }
        }
    }
    found
}

/// What stands for keylint in the metadata of something.
fn ours(of: Node<'_>) -> Option<Node<'_>> {
    of.get("Metadata")?.get("keylint")
}

fn ignore(file: FileId, entry: Node<'_>, place: &Place) -> Ignore {
    let own = super::of_entry(&IgnoreEntry::read(entry, &mut Vec::new()));
    let unknown = entry.members().map(|member| member.key);
    let unknown = unknown.into_iter().find(|key| !key.as_str().is_some_and(|key| MEMBERS.contains(&key)));
    let index = entry.get("statement").filter(|_| own.scope.statement.is_none());
    let problem = if let Some(key) = unknown {
        let message = format!("an ignore has no member `{}`", key.as_str().unwrap_or_default());
        let meant = key.as_str().and_then(|key| did_you_mean(key, MEMBERS));
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("its members are {}", quoted_list(&MEMBERS)),
        };
        Some(Problem::new(key.content_span(), message).with_help(help))
    } else {
        index.map(|index| Problem::new(index.span(), "the index of a statement is a number, from 0"))
    };
    let at = Location { file, span: entry.tree().character(entry.span()) };
    let scope = Scope { place: Some(place.clone()), path: None, ..own.scope };
    Ignore { at, scope, problem, ..own }
}

/// An ignore that cannot be followed.
fn wrong(file: FileId, node: Node<'_>, message: &str, help: &str) -> Ignore {
    let span = node.first_character();
    Ignore {
        at: Location { file, span },
        rules: Vec::new(),
        scope: Scope::default(),
        reason: None,
        expires: None,
        problem: Some(Problem::new(span, message).with_help(help)),
    }
}
