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
use crate::cloudformation::conditions::{Conditions, canonical, comparisons};
use crate::cloudformation::resolver::{NESTING, Resolver, active_nodes};
use crate::cloudformation::template::{Call, Template, member, members};
use crate::key_policy::names_boundary;
use crate::language::names_kms;
use crate::nested::json_in;
use crate::value::{PieceKind, Value, ValueKind};
use crate::{DocumentKind, KeyFacts, Resolved, Resource, Way};

const KEY: &str = "AWS::KMS::Key";
const REPLICA_KEY: &str = "AWS::KMS::ReplicaKey";
/// Resources that have policies: their type, the property that is the policy, and what the policy is.
const POLICIES: [(&str, &str, DocumentKind); 13] = [
    (KEY, "KeyPolicy", DocumentKind::KeyPolicy),
    (REPLICA_KEY, "KeyPolicy", DocumentKind::KeyPolicy),
    ("AWS::IAM::Policy", POLICY_DOCUMENT, DocumentKind::IdentityPolicy),
    ("AWS::IAM::ManagedPolicy", POLICY_DOCUMENT, DocumentKind::IdentityPolicy),
    ("AWS::IAM::RolePolicy", POLICY_DOCUMENT, DocumentKind::IdentityPolicy),
    ("AWS::IAM::UserPolicy", POLICY_DOCUMENT, DocumentKind::IdentityPolicy),
    ("AWS::IAM::GroupPolicy", POLICY_DOCUMENT, DocumentKind::IdentityPolicy),
    ("AWS::IAM::Role", INLINE_POLICIES, DocumentKind::IdentityPolicy),
    ("AWS::IAM::User", INLINE_POLICIES, DocumentKind::IdentityPolicy),
    ("AWS::IAM::Group", INLINE_POLICIES, DocumentKind::IdentityPolicy),
    ("AWS::SSO::PermissionSet", "InlinePolicy", DocumentKind::IdentityPolicy),
    ("AWS::Serverless::Function", INLINE_POLICIES, DocumentKind::IdentityPolicy),
    ("AWS::Serverless::StateMachine", INLINE_POLICIES, DocumentKind::IdentityPolicy),
];
const POLICY_DOCUMENT: &str = "PolicyDocument";
/// The property that is a list of policies, with the document of each.
const INLINE_POLICIES: &str = "Policies";
/// Several resources that are written as one.
const FOR_EACH: &str = "Fn::ForEach::";

/// Whether a text names a key as a resource of CloudFormation, or one that is given an IAM policy, and something of KMS,
/// so that it is worth parsing.
pub(crate) fn has_sign(text: &str) -> bool {
    let has = |sign: &str| memmem::find(text.as_bytes(), sign.as_bytes()).is_some();
    let gives_policies =
        || ["AWS::IAM::", "AWS::SSO::PermissionSet", "AWS::Serverless::"].into_iter().any(has);
    has(KEY) || has(REPLICA_KEY) || (names_kms(text) && gives_policies())
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
    if added.is_empty() && has_policies(root) { vec![(root, root)] } else { added }
}

fn has_resources(resources: Node<'_>) -> bool {
    members(resources).iter().any(|resource| {
        let is_typed = member(resource.value, "Type").is_some_and(|name| name.as_string().is_some());
        is_typed || fragment(resource.key, resource.value).is_some()
    })
}

fn has_policies(resources: Node<'_>) -> bool {
    members(resources).iter().any(|resource| policy_of(resource.value).is_some())
}

/// The property of a resource that is a policy, or a list of policies, and what they are.
fn policy_of(resource: Node<'_>) -> Option<(&'static str, DocumentKind)> {
    let kind = member(resource, "Type").and_then(Node::as_string)?;
    let (_, property, of) = POLICIES.iter().find(|(name, ..)| *name == kind)?;
    Some((property, *of))
}

/// The policies of the templates among the documents of a file. `account` is the account of the stack, if the user has
/// said it.
///
/// A key without a policy has the one that KMS gives it, and is not among them. Nor are IAM policies in which nothing
/// names KMS.
pub(crate) fn documents(tree: Tree<'_>, account: Option<&str>) -> Vec<Resolved> {
    let mut found = Vec::new();
    for (root, resources) in tree.roots().flat_map(templates) {
        let mut declared = Vec::new();
        find_policies(resources, &[], &mut declared);
        let boundaries = boundaries(resources);
        declared.retain(|policy| {
            let id = policy.id.as_str().unwrap_or_default();
            let is_boundary = || boundaries.contains(&id) || names_boundary(id);
            policy.kind != DocumentKind::IdentityPolicy || !is_boundary()
        });
        if !declared.is_empty() {
            let template = Template::new(root, resources, account);
            found.extend(declared.iter().filter_map(|policy| policy.resolved(&template)));
        }
    }
    found
}

/// A policy among the resources of a template.
struct Declared<'t> {
    /// The logical id of its resource.
    id: Node<'t>,
    /// The properties of the resource.
    properties: Node<'t>,
    kind: DocumentKind,
    policy: Node<'t>,
    /// The conditions without which there is no such policy, and how each has to turn out.
    conditions: Conditions<'t>,
    is_of_replica: bool,
    /// The identifiers that stand for something else in each of the resources that are written as one.
    identifiers: Vec<&'t str>,
}

fn find_policies<'t>(resources: Node<'t>, identifiers: &[&'t str], found: &mut Vec<Declared<'t>>) {
    for resource in members(resources) {
        if let Some((identifier, fragment)) = fragment(resource.key, resource.value) {
            let mut inner = identifiers.to_vec();
            inner.push(identifier);
            find_policies(fragment, &inner, found);
            continue;
        }
        let Some((property, kind)) = policy_of(resource.value) else { continue };
        let Some(properties) = member(resource.value, "Properties") else { continue };
        let Some(value) = member(properties, property) else { continue };
        let condition = member(resource.value, "Condition").map(|condition| (condition, true));
        let conditions = condition.into_iter().collect();
        let mut policies =
            if property == INLINE_POLICIES { inline(value, conditions) } else { vec![(value, conditions)] };
        if kind == DocumentKind::IdentityPolicy {
            policies.retain(|(policy, _)| policy.descendants().filter_map(Node::as_str).any(names_kms));
        }
        found.extend(policies.into_iter().map(|(policy, conditions)| Declared {
            id: resource.key,
            properties,
            kind,
            policy,
            conditions,
            is_of_replica: member(resource.value, "Type").and_then(Node::as_string) == Some(REPLICA_KEY),
            identifiers: identifiers.to_vec(),
        }));
    }
}

/// The policies that are permissions boundaries of something in the template: they limit, and allow nothing.
fn boundaries(resources: Node<'_>) -> Vec<&str> {
    let named = members(resources).into_iter().filter_map(|resource| member(resource.value, "Properties"));
    let calls = named.filter_map(|properties| Call::of(member(properties, "PermissionsBoundary")?));
    calls.filter(|call| call.name == "Ref").filter_map(|call| call.argument.as_str()).collect()
}

/// The policies in a list, each with the conditions under which it is there.
fn inline<'t>(list: Node<'t>, conditions: Conditions<'t>) -> Vec<(Node<'t>, Conditions<'t>)> {
    let mut found = Vec::new();
    let mut open = vec![(list, conditions)];
    while let Some((node, conditions)) = open.pop() {
        // The last is taken first.
        let first = open.len();
        match Call::of(node).filter(|call| call.name == "Fn::If").and_then(Call::arguments) {
            Some([condition, then, otherwise]) if conditions.len() < NESTING => {
                for (branch, outcome) in [(then, true), (otherwise, false)] {
                    let mut conditions = conditions.clone();
                    conditions.push((condition, outcome));
                    open.push((branch, conditions));
                }
            }
            _ => {
                // In a template of SAM a policy stands there without a name.
                let own = || member(node, "Statement").map(|_| node);
                let policy = member(node, POLICY_DOCUMENT).or_else(own);
                found.extend(policy.map(|policy| (policy, conditions.clone())));
                open.extend(node.items().map(|item| (item, conditions.clone())));
            }
        }
        open.get_mut(first..).unwrap_or_default().reverse();
    }
    found
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

impl Declared<'_> {
    fn resolved(&self, template: &Template<'_>) -> Option<Resolved> {
        let node = self.policy;
        let comparisons = comparisons(node, &self.conditions, template);
        let (mut ways, mut problems, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        let active = active_nodes(node, !self.identifiers.is_empty());
        for_each_way(|choices| {
            let resolver = Resolver::new(template, &self.identifiers).with_active(&active);
            let mut resolver = resolver.deciding(choices, &comparisons);
            let is_there = self.conditions.iter().all(|(condition, outcome)| {
                condition.as_str().is_none_or(|name| resolver.condition(name) == *outcome)
            });
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
        let is_of_key = self.kind == DocumentKind::KeyPolicy;
        let facts = || facts::of(self.properties, self.is_of_replica, template, &self.identifiers);
        Some(Resolved {
            kind: self.kind,
            resource: Resource { name: self.id.as_str().unwrap_or_default().to_owned(), at },
            facts: if is_of_key { facts() } else { KeyFacts::default() },
            defaults: defaults(&ways, template),
            literal_references: literal_references(&ways, template),
            ways,
            problems,
            is_certain: is_of_key,
            ..Resolved::default()
        })
    }
}

/// What is sent as the policy; nothing if there is none, or if a text should be one and is no JSON.
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
