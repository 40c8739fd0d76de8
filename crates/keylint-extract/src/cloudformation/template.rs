//! The sections of a template, and what can be looked up in them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use keylint_source::Span;
use keylint_syntax::{Kind, Member, Node};

use crate::value::Value;

/// Bytes that references to known values may copy, all together: what is said once can be referred to often.
const COPIED: usize = 16 << 20;

/// Names, and what they stand for.
type Named<'t, V> = BTreeMap<&'t str, V>;

/// A template.
pub(super) struct Template<'t> {
    /// The account of the stack.
    pub(super) account: Option<&'t str>,
    parameters: Named<'t, Node<'t>>,
    /// By their names, and by both of their keys.
    pub(super) mappings: Named<'t, Named<'t, Named<'t, Node<'t>>>>,
    pub(super) conditions: Named<'t, Node<'t>>,
    resources: Named<'t, Node<'t>>,
    copied: Cell<usize>,
}

/// What a template says of the ARN of a role or a user.
pub(super) struct IdentityArn<'t> {
    /// `role` or `user`.
    pub(super) kind: &'static str,
    /// With a slash at both ends.
    pub(super) path: &'t str,
    /// Nothing where CloudFormation makes the name, or it is not known.
    pub(super) name: Option<&'t str>,
}

impl<'t> Template<'t> {
    pub(super) fn new(root: Node<'t>, resources: Node<'t>, account: Option<&'t str>) -> Self {
        let section = |name: &str| member(root, name).map(named).unwrap_or_default();
        let inner = |map: Node<'t>| named(map).into_iter().map(|(key, value)| (key, named(value))).collect();
        Self {
            account,
            parameters: section("Parameters"),
            mappings: section("Mappings").into_iter().map(|(name, map)| (name, inner(map))).collect(),
            conditions: section("Conditions"),
            resources: named(resources),
            copied: Cell::new(0),
        }
    }

    /// Whether a name is one that `Fn::Sub` replaces: of a pseudo parameter, a parameter, a resource or its attribute.
    pub(super) fn knows(&self, name: &str) -> bool {
        let resource = name.split('.').next().unwrap_or(name);
        crate::is_pseudo_parameter(name)
            || self.parameters.contains_key(name)
            || self.resources.contains_key(resource)
    }

    /// Whether a name is a parameter's that can be a list.
    pub(super) fn is_list(&self, parameter: &str) -> bool {
        let Some(kind) = self.parameters.get(parameter).map(|node| member(*node, "Type")) else {
            return false;
        };
        kind.and_then(Node::as_string).is_none_or(|kind| {
            kind == "CommaDelimitedList"
                || ["List<", "<CommaDelimitedList>"].iter().any(|list| kind.contains(list))
        })
    }

    /// The value that a parameter has if nobody says otherwise. Of one that is read from the Parameter Store it is
    /// not known, as its default is the name under which it is stored.
    pub(super) fn default(&self, parameter: &str) -> Option<String> {
        let parameter = *self.parameters.get(parameter)?;
        let kind = member(parameter, "Type").and_then(Node::as_string).unwrap_or_default();
        let default =
            member(parameter, "Default").filter(|_| !kind.starts_with("AWS::SSM::Parameter::Value<"));
        default.and_then(scalar_text)
    }

    /// The only values that a parameter can have.
    pub(super) fn allowed_values(&self, parameter: &str) -> Option<BTreeSet<String>> {
        let allowed = member(*self.parameters.get(parameter)?, "AllowedValues")?;
        allowed.items().map(scalar_text).collect::<Option<BTreeSet<_>>>().filter(|values| !values.is_empty())
    }

    /// The ARN of a role or a user that the template makes, as far as the template says it.
    pub(super) fn identity_arn(&self, resource: &str) -> Option<IdentityArn<'t>> {
        let declared = *self.resources.get(resource)?;
        let (kind, name) = match member(declared, "Type").and_then(Node::as_string)? {
            "AWS::IAM::Role" => ("role", "RoleName"),
            "AWS::IAM::User" => ("user", "UserName"),
            _ => return None,
        };
        let properties = member(declared, "Properties");
        let property = |name| properties.and_then(|properties| member(properties, name));
        // Of a path that is not known it is not even known how many parts the ARN has.
        let path = match property("Path") {
            Some(path) => path.as_string().filter(|path| !path.contains("${"))?,
            None => "/",
        };
        let name = property(name).and_then(Node::as_string).filter(|name| !name.contains("${"));
        Some(IdentityArn { kind, path, name })
    }

    /// Whether a resource is an alias of a key.
    pub(super) fn is_alias(&self, resource: &str) -> bool {
        let kind = self.resources.get(resource).and_then(|declared| member(*declared, "Type"));
        kind.and_then(Node::as_string) == Some("AWS::KMS::Alias")
    }

    /// The name of an alias, if it is known.
    pub(super) fn alias_name(&self, resource: &str) -> Option<&'t str> {
        let properties = member(*self.resources.get(resource)?, "Properties")?;
        let name = member(properties, "AliasName").and_then(Node::as_string);
        name.filter(|name| name.starts_with("alias/") && !name.contains("${"))
    }

    /// Whether as much may be copied once more.
    pub(super) fn may_copy(&self, bytes: usize) -> bool {
        self.copied.set(self.copied.get().saturating_add(bytes));
        self.copied.get() <= COPIED
    }
}

/// The members of an object by their names. Of those with one name, the last counts.
fn named(node: Node<'_>) -> Named<'_, Node<'_>> {
    members(node).into_iter().filter_map(|each| Some((each.key.as_str()?, each.value))).collect()
}

fn scalar_text(node: Node<'_>) -> Option<String> {
    match node.kind() {
        Kind::Bool(value) => Some(value.to_string()),
        _ => node.as_str().map(str::to_owned),
    }
}

/// The members of an object, also those that a merge key of YAML (`<<`) adds. Its own count before these.
pub(super) fn members<'t>(node: Node<'t>) -> Vec<Member<'t>> {
    let is_merge = |member: &Member<'t>| member.key.as_str() == Some("<<");
    let (merges, mut all): (Vec<_>, Vec<_>) = node.members().partition(is_merge);
    if merges.is_empty() {
        return all;
    }
    let mut names: BTreeSet<_> = all.iter().filter_map(|member| member.key.as_str()).collect();
    for Member { value, .. } in merges {
        let alone = (value.kind() == Kind::Object).then_some(value);
        for merged in alone.into_iter().chain(value.items()).flat_map(members) {
            if merged.key.as_str().is_some_and(|name| names.insert(name)) {
                all.push(merged);
            }
        }
    }
    all
}

/// The value of a member, also of one that a merge key adds.
pub(super) fn member<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    let is_it = |member: &Member<'t>| member.key.as_str() == Some(name);
    node.get(name)
        .or_else(|| node.get("<<").and_then(|_| members(node).into_iter().find(is_it)).map(|it| it.value))
}

/// A call of a function.
#[derive(Clone, Copy)]
pub(super) struct Call<'t> {
    /// All of it.
    pub(super) at: Span,
    /// `Ref`, `Condition`, or `Fn::…`.
    pub(super) name: &'t str,
    pub(super) argument: Node<'t>,
}

impl<'t> Call<'t> {
    /// The call that an object is: its only member is the function.
    pub(super) fn of(node: Node<'t>) -> Option<Self> {
        let mut members = node.members();
        let (only, None) = (members.next()?, members.next()) else { return None };
        let name = only.key.as_str()?;
        let is_function = matches!(name, "Ref" | "Condition") || name.starts_with("Fn::");
        is_function.then_some(Self { at: node.span(), name, argument: only.value })
    }

    /// The arguments, if it has as many.
    pub(super) fn arguments<const COUNT: usize>(self) -> Option<[Node<'t>; COUNT]> {
        self.argument.items().take(COUNT + 1).collect::<Vec<_>>().try_into().ok()
    }

    /// A text of which only the call is known that gives it.
    pub(super) fn not_known_text(self) -> Value {
        Value::hole(self.at, &self.words())
    }

    /// A value of which only the call is known that gives it. It may be a list.
    pub(super) fn not_known(self) -> Value {
        Value::unknown(self.at, &self.words())
    }

    /// The call in words, by which its value is called where it is not known: the same words are the same value.
    fn words(self) -> String {
        let mut words = self.name.to_owned();
        add_words(self.argument, &mut words);
        words
    }
}

fn add_words(node: Node<'_>, words: &mut String) {
    if let Some(text) = scalar_text(node) {
        words.push(' ');
        words.push_str(&text);
    }
    node.items().for_each(|item| add_words(item, words));
    for member in node.members() {
        // References are known by what they refer to.
        if !matches!(member.key.as_str(), Some("Ref" | "Fn::GetAtt" | "Fn::Sub")) {
            words.push(' ');
            words.push_str(member.key.as_str().unwrap_or_default());
        }
        add_words(member.value, words);
    }
}
