//! Templates of CloudFormation, also those that SAM and CDK write.
//!
//! | module | does |
//! | --- | --- |
//! | `template` | knows the sections of a template, and looks names up in them |
//! | `resolver` | follows references and branches: a node becomes a value |
//! | `functions` | the functions that make new lists and texts out of old ones |
//! | `substitution` | what is written inside of a text: `${…}`, `&{…}`, `{{resolve:…}}` |
//! | `conditions` | how conditions turn out, and which cannot turn out together |
//! | `facts` | what a template says of a key |
//!
//! A parameter is never taken as its default, which is only what holds if nobody says otherwise. What a template does
//! not know (accounts, Regions, attributes of other resources) keeps the name by which the template refers to it.

mod conditions;
mod facts;
mod functions;
mod resolver;
mod substitution;
mod template;

use std::collections::BTreeSet;

use keylint_source::{Problem, Span};
use keylint_syntax::{Kind, Node, Tree};
use memchr::memmem;

use crate::choices::for_each_way;
use crate::cloudformation::conditions::{canonical, comparisons};
use crate::cloudformation::resolver::{Resolver, active_nodes};
use crate::cloudformation::template::{Template, member, members};
use crate::nested::json_in;
use crate::value::{PieceKind, Value, ValueKind};
use crate::{Resolved, Resource, Way};

const KEY: &str = "AWS::KMS::Key";
const REPLICA_KEY: &str = "AWS::KMS::ReplicaKey";
/// Several resources that are written as one.
const FOR_EACH: &str = "Fn::ForEach::";

/// Whether a text names a key as a resource of CloudFormation, so that it is worth parsing.
pub(crate) fn has_sign(text: &str) -> bool {
    [KEY, REPLICA_KEY].iter().any(|sign| memmem::find(text.as_bytes(), sign.as_bytes()).is_some())
}

/// Whether a tree is a template, has one in it, or is a piece of one.
pub(crate) fn is_template(root: Node<'_>) -> bool {
    !templates(root).is_empty()
}

/// The templates in a document, and the resources of each: the document itself, those that the Serverless Framework
/// adds to its own (`resources`), or, where resources stand alone, they.
fn templates(root: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let of = |node| member(node, "Resources").filter(|it| has_resources(*it)).map(|it| (node, it));
    if let Some(whole) = of(root) {
        return vec![whole];
    }
    let added = member(root, "resources").into_iter();
    let added: Vec<_> = added.flat_map(|added| added.items().chain([added])).filter_map(of).collect();
    if added.is_empty() && has_keys(root) { vec![(root, root)] } else { added }
}

fn has_resources(resources: Node<'_>) -> bool {
    members(resources).iter().any(|resource| {
        let is_typed = member(resource.value, "Type").is_some_and(|name| name.as_string().is_some());
        is_typed || fragment(resource.key, resource.value).is_some()
    })
}

fn has_keys(resources: Node<'_>) -> bool {
    let kind = |resource: Node<'_>| member(resource, "Type").and_then(|kind| kind.as_string().map(is_key));
    members(resources).iter().any(|resource| kind(resource.value) == Some(true))
}

fn is_key(kind: &str) -> bool {
    kind == KEY || kind == REPLICA_KEY
}

/// The key policies of the templates among the documents of a file. `account` is the account of the stack, if the user
/// has said it.
///
/// A key without a policy has the one that KMS gives it, and is not among them.
pub(crate) fn key_policies(tree: Tree<'_>, account: Option<&str>) -> Vec<Resolved> {
    let mut found = Vec::new();
    for (root, resources) in tree.roots().flat_map(templates) {
        let mut keys = Vec::new();
        find_keys(resources, &[], &mut keys);
        if !keys.is_empty() {
            let template = Template::new(root, resources, account);
            found.extend(keys.iter().filter_map(|key| key.policy(&template)));
        }
    }
    found
}

/// A key among the resources of a template.
struct DeclaredKey<'t> {
    /// Its logical id.
    id: Node<'t>,
    properties: Node<'t>,
    /// The condition without which there is no such key.
    condition: Option<Node<'t>>,
    is_replica: bool,
    /// The identifiers that stand for something else in each of the resources that are written as one.
    identifiers: Vec<&'t str>,
}

fn find_keys<'t>(resources: Node<'t>, identifiers: &[&'t str], keys: &mut Vec<DeclaredKey<'t>>) {
    for resource in members(resources) {
        if let Some((identifier, fragment)) = fragment(resource.key, resource.value) {
            let mut inner = identifiers.to_vec();
            inner.push(identifier);
            find_keys(fragment, &inner, keys);
            continue;
        }
        let kind = member(resource.value, "Type").and_then(Node::as_string);
        let is_replica = kind == Some(REPLICA_KEY);
        if kind.is_some_and(is_key) {
            keys.extend(member(resource.value, "Properties").map(|properties| DeclaredKey {
                id: resource.key,
                properties,
                condition: member(resource.value, "Condition"),
                is_replica,
                identifiers: identifiers.to_vec(),
            }));
        }
    }
}

/// Of resources that are written as one: the identifier, and how one of them is written.
fn fragment<'t>(key: Node<'t>, value: Node<'t>) -> Option<(&'t str, Node<'t>)> {
    if !key.as_str()?.starts_with(FOR_EACH) {
        return None;
    }
    let mut items = value.items();
    let identifier = items.next()?.as_string()?;
    items.next()?;
    items.next().filter(|fragment| fragment.kind() == Kind::Object).map(|fragment| (identifier, fragment))
}

impl DeclaredKey<'_> {
    fn policy(&self, template: &Template<'_>) -> Option<Resolved> {
        let node = member(self.properties, "KeyPolicy")?;
        let comparisons = comparisons(node, self.condition, template);
        let (mut ways, mut problems, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        let active = active_nodes(node, !self.identifiers.is_empty());
        for_each_way(|choices| {
            let resolver = Resolver::new(template, &self.identifiers).with_active(&active);
            let mut resolver = resolver.deciding(choices, &comparisons);
            let is_there = self.condition.and_then(Node::as_str).is_none_or(|name| resolver.condition(name));
            let value = is_there.then(|| resolver.value(node)).flatten();
            let policy = value.and_then(|value| as_policy(value, &mut problems));
            let presence = choices.presence();
            // Conditions can turn out otherwise and come to the same.
            let is_new =
                |policy: &Value| choices.are_none() || seen.insert((canonical(policy), presence.clone()));
            if let Some(policy) = policy.filter(is_new) {
                ways.push(Way { value: policy, presence });
            }
        });
        if ways.is_empty() && problems.is_empty() {
            return None;
        }
        let at = self.id.content_span();
        Some(Resolved {
            resource: Resource { name: self.id.as_str().unwrap_or_default().to_owned(), at },
            facts: facts::of(self.properties, self.is_replica, template, &self.identifiers),
            defaults: defaults(&ways, template),
            literal_references: literal_references(&ways, template),
            ways,
            problems,
            is_certain: true,
            ..Resolved::default()
        })
    }
}

/// What KMS gets as the policy; nothing if there is none, or if a text should be one and is no JSON.
fn as_policy(mut value: Value, problems: &mut Vec<Problem>) -> Option<Value> {
    match value.kind {
        ValueKind::Null => None,
        ValueKind::Json(mut value) => {
            substitution::as_sent(&mut value, false);
            Some(*value)
        }
        ValueKind::Text(text) => {
            let (mut value, wrong) = json_in(&text);
            let is_json = wrong.is_empty();
            for problem in wrong {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
            substitution::as_sent(&mut value, false);
            is_json.then_some(value)
        }
        _ => {
            substitution::as_sent(&mut value, true);
            Some(value)
        }
    }
}

/// References that are written in texts without `Fn::Sub`, so that they are none.
fn literal_references(ways: &[Way], template: &Template<'_>) -> Vec<Span> {
    let mut found = Vec::new();
    for way in ways {
        way.value.for_each_text(&mut |text| {
            for piece in text.pieces.iter().filter(|piece| matches!(piece.kind, PieceKind::Exact)) {
                for (start, _) in piece.text.match_indices("${") {
                    let inside = piece.text.get(start + 2..).and_then(|rest| rest.split_once('}'));
                    let Some((name, _)) = inside.filter(|(name, _)| template.knows(name.trim())) else {
                        continue;
                    };
                    let offset =
                        |at: usize| piece.at.start().saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
                    let place = Span::new(offset(start), offset(start + "${}".len() + name.len()));
                    if !found.contains(&place) {
                        found.push(place);
                    }
                }
            }
        });
    }
    found
}

/// The defaults of the parameters that a policy depends on.
fn defaults(ways: &[Way], template: &Template<'_>) -> Vec<(String, String)> {
    let mut names = BTreeSet::new();
    for way in ways {
        way.value.for_each_unknown(&mut |name, _| {
            if !names.contains(name) {
                names.insert(name.to_owned());
            }
        });
    }
    let with_default = |name: String| template.default(&name).map(|default| (name, default));
    names.into_iter().filter_map(with_default).collect()
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod tests;
