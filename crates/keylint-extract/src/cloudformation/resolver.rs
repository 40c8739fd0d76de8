//! From a node of a template to the value that it has when the template is deployed.

use std::collections::BTreeMap;

use keylint_source::Span;
use keylint_syntax::{Kind, Node};

use crate::choices::Choices;
use crate::cloudformation::FOR_EACH;
use crate::cloudformation::conditions::Comparisons;
use crate::cloudformation::template::{Call, Template, members};
use crate::nested::inside;
use crate::value::{Key, PieceKind, Text, Value, ValueKind};
use crate::within::Within;

/// The nodes of a policy that stand for something else, by their indices, or that are sent otherwise than they are
/// written.
pub(super) fn active_nodes(policy: Node<'_>, has_identifiers: bool) -> Vec<u32> {
    let is_active = |node: &Node<'_>| match node.kind() {
        Kind::Object => node.members().any(|member| {
            let name = member.key.as_str().unwrap_or_default();
            name == "<<" || name == "Ref" || name.starts_with("Fn::")
        }),
        Kind::Number => true,
        Kind::String => node.as_str().is_some_and(|text| {
            // Most texts have no brace, and looking for one byte is quicker than looking for two.
            let has_brace = memchr::memchr(b'{', text.as_bytes()).is_some();
            (has_brace && (has_identifiers || text.contains("${") || text.contains("{{")))
                || is_old_boolean(*node)
        }),
        _ => false,
    };
    policy.descendants().filter(is_active).map(Node::id).collect()
}

/// Whether a text is a boolean of YAML 1.1 and none of YAML 1.2.
fn is_old_boolean(node: Node<'_>) -> bool {
    const WORDS: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];
    node.is_plain()
        && node.as_str().is_some_and(|text| WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

/// Values and conditions inside one another; what is deeper is taken as not known.
pub(super) const NESTING: usize = 100;

/// Follows what a template refers to, in one way in which its conditions can turn out.
pub(super) struct Resolver<'r, 't> {
    pub(super) template: &'r Template<'t>,
    /// Of resources that are written as one: what stands for something else in each.
    pub(super) identifiers: &'r [&'t str],
    /// The nodes of the policy, by their indices, that stand for something else, as far as they were looked for.
    active: Option<&'r [u32]>,
    /// Without choices, what depends on a condition is not known.
    pub(super) choices: Option<&'r mut Choices>,
    /// What the conditions compare.
    pub(super) comparisons: Option<&'r Comparisons>,
    /// How conditions turned out in this way; nothing of a condition that is being looked at.
    pub(super) outcomes: BTreeMap<String, Option<bool>>,
    pub(super) depth: usize,
}

impl<'r, 't> Resolver<'r, 't> {
    pub(super) fn new(template: &'r Template<'t>, identifiers: &'r [&'t str]) -> Self {
        let (choices, comparisons, outcomes) = (None, None, BTreeMap::new());
        Self { template, identifiers, active: None, choices, comparisons, outcomes, depth: 0 }
    }

    /// Takes what has none of these nodes in it as it stands.
    pub(super) fn with_active(mut self, active: &'r [u32]) -> Self {
        self.active = Some(active);
        self
    }

    /// Lets conditions turn out as `choices` says.
    pub(super) fn deciding(mut self, choices: &'r mut Choices, comparisons: &'r Comparisons) -> Self {
        self.choices = Some(choices);
        self.comparisons = Some(comparisons);
        self
    }

    /// The value of a node; nothing for `AWS::NoValue`, which takes away what it is the value of.
    pub(super) fn value(&mut self, node: Node<'t>) -> Option<Value> {
        if self.depth >= NESTING {
            return Some(Value::unknown(node.span(), ""));
        }
        self.depth += 1;
        let value = match node.kind() {
            // CloudFormation reads YAML 1.1, in which these are booleans.
            Kind::String if is_old_boolean(node) => {
                Some(Value::unknown(node.span(), node.as_str().unwrap_or_default()))
            }
            Kind::String => Some(Value::new(node.span(), ValueKind::Text(self.literal(node)))),
            Kind::Array => {
                let items = node.items().filter_map(|item| self.value(item)).collect();
                Some(Value::new(node.span(), ValueKind::List(items)))
            }
            Kind::Object => match Call::of(node).filter(|call| call.name != "Condition") {
                Some(call) => self.call(call),
                None if self.stands_as_it_is(node) => {
                    Some(Value::new(node.span(), ValueKind::AsItStands(node.slot())))
                }
                None => Some(self.object(node)),
            },
            _ => Some(Value::of(node, Within::File(0))),
        };
        self.depth -= 1;
        value
    }

    /// Whether nothing in a node of the policy stands for anything else.
    fn stands_as_it_is(&self, node: Node<'t>) -> bool {
        let Some(active) = self.active else { return false };
        let next = active.partition_point(|active| *active < node.id());
        active.get(next).is_none_or(|active| *active >= node.next_id())
    }

    fn object(&mut self, node: Node<'t>) -> Value {
        let mut resolved = Vec::new();
        for member in members(node) {
            let name = member.key.as_str().unwrap_or_default();
            // What these add to the object, and what they take from it, is not known.
            if name == "Fn::Transform" || name.starts_with(FOR_EACH) {
                return Call { at: node.span(), name, argument: member.value }.not_known();
            }
            if let Some(value) = self.value(member.value) {
                resolved.push((Key { at: member.key.span(), text: self.literal(member.key) }, value));
            }
        }
        Value::new(node.span(), ValueKind::Object(resolved))
    }

    fn call(&mut self, call: Call<'t>) -> Option<Value> {
        let value = match call.name {
            "Ref" => return self.reference(call),
            "Fn::If" => return self.branch(call),
            "Fn::Select" => return self.select(call),
            "Fn::FindInMap" => return self.find_in_map(call),
            "Fn::GetAtt" => self.attribute(call),
            "Fn::Sub" => self.substitute(call),
            "Fn::Join" => self.join(call),
            "Fn::Split" => self.split(call),
            "Fn::Length" => self.length(call),
            "Fn::ToJsonString" => {
                let value = self.value(call.argument).unwrap_or(Value::new(call.at, ValueKind::Null));
                Value::new(call.at, ValueKind::Json(Box::new(value)))
            }
            "Fn::Base64" | "Fn::ImportValue" => call.not_known_text(),
            _ => call.not_known(),
        };
        Some(value)
    }

    fn reference(&mut self, call: Call<'t>) -> Option<Value> {
        if call.argument.kind() != Kind::String {
            return Some(call.not_known());
        }
        self.named(call.at, &self.literal(call.argument).decoded())
    }

    /// What a name stands for: a parameter, a resource, an attribute, or what AWS says of the stack.
    pub(super) fn named(&self, at: Span, name: &str) -> Option<Value> {
        if let Some(arn) = name.strip_suffix(".Arn").and_then(|resource| self.identity_arn(at, resource)) {
            return Some(arn);
        }
        if self.template.is_alias(name) {
            return Some(match self.template.alias_name(name) {
                Some(alias) => Value::text(at, alias),
                None => {
                    let mut text = Text::default();
                    text.push("alias/", at, false);
                    text.pieces.extend(Text::hole(at, name).pieces);
                    Value::new(at, ValueKind::Text(text))
                }
            });
        }
        let value = match (name, self.template.account) {
            ("AWS::NoValue", _) => return None,
            ("AWS::AccountId", Some(account)) => Value::text(at, account),
            ("AWS::NotificationARNs", _) => Value::unknown(at, name),
            _ if self.template.is_list(name) => Value::unknown(at, name),
            _ => Value::hole(at, inside(name)),
        };
        Some(value)
    }

    fn attribute(&mut self, call: Call<'t>) -> Value {
        let name = match self.value(call.argument).map(|value| value.kind) {
            Some(ValueKind::Text(text)) => text.decoded(),
            Some(ValueKind::List(parts)) => parts.iter().map(words).collect::<Vec<_>>().join("."),
            _ => return call.not_known_text(),
        };
        self.named(call.at, &name).unwrap_or_else(|| call.not_known_text())
    }

    /// The ARN of a role or a user of this template. Its account is the one of the stack.
    fn identity_arn(&self, at: Span, resource: &str) -> Option<Value> {
        let arn = self.template.identity_arn(resource)?;
        let mut text = Text::default();
        let known = |text: &mut Text, piece: &str| text.push(piece, at, false);
        let open = |text: &mut Text, name: &str| {
            let value = self.named(at, name).unwrap_or_else(|| Value::hole(at, name));
            text.pieces.extend(value.into_pieces(at, name));
        };
        known(&mut text, "arn:");
        open(&mut text, "AWS::Partition");
        known(&mut text, ":iam::");
        open(&mut text, "AWS::AccountId");
        known(&mut text, &format!(":{}{}", arn.kind, arn.path));
        match arn.name {
            Some(name) => known(&mut text, name),
            None => open(&mut text, resource),
        }
        Some(Value::new(at, ValueKind::Text(text)))
    }

    /// `Fn::If`: one of both values. The other is not there in this way.
    fn branch(&mut self, call: Call<'t>) -> Option<Value> {
        let Some([condition, first, second]) = call.arguments() else { return Some(call.not_known()) };
        if self.choices.is_none() || condition.kind() != Kind::String {
            return Some(call.not_known());
        }
        let outcome = self.condition(&self.literal(condition).decoded());
        let (chosen, other) = if outcome { (first, second) } else { (second, first) };
        // An alias of YAML has the place of what it stands for, which may well be there.
        if let Some(choices) = &mut self.choices
            && call.at.contains(other.span())
        {
            choices.leave_out(other.span());
        }
        if let Some(choices) = &mut self.choices {
            choices.take(chosen.span());
        }
        self.value(chosen)
    }
}

/// The words of a value: what it is called where it is part of something that is not known.
pub(super) fn words(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => text
            .pieces
            .iter()
            .map(|piece| match piece.kind {
                PieceKind::Hole | PieceKind::Embedded(_) => inside(&piece.text),
                PieceKind::Exact | PieceKind::Replaced => piece.text.as_str(),
            })
            .collect(),
        ValueKind::List(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        ValueKind::Object(members) => {
            members.iter().map(|(_, value)| words(value)).collect::<Vec<_>>().join(" ")
        }
        ValueKind::Json(value) => words(value),
        ValueKind::Unknown(name) if name.is_empty() => place_name(value.at),
        ValueKind::Unknown(name) => name.clone(),
        _ => value.known_text().unwrap_or_default(),
    }
}

/// A name for what has none.
pub(super) fn place_name(at: Span) -> String {
    format!("value at byte {}", at.start())
}
