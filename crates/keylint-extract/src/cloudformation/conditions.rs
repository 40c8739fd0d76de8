//! How the conditions of a template turn out.
//!
//! Most compare a value that is not known with a text: `!Equals [!Ref Stage, prod]`. A value has one text at most. So
//! the texts that conditions compare it with, and all others together, are the options of one choice, which is made
//! by halves: whatever the conditions are called, no two turn out as they never can.

use std::collections::{BTreeMap, BTreeSet};

use keylint_syntax::{Kind, Node};

use crate::cloudformation::resolver::{NESTING, Resolver};
use crate::cloudformation::template::{Call, Template};
use crate::nested::inside;
use crate::value::{PieceKind, Value, ValueKind};

/// What a value that is not known is compared with.
#[derive(Debug)]
pub(super) struct Compared {
    /// The texts that it can have.
    texts: Vec<String>,
    /// Whether it can have others.
    has_others: bool,
}

/// By the values that are not known: what they are compared with.
pub(super) type Comparisons = BTreeMap<String, Compared>;

/// The names of conditions, and how each has to turn out.
pub(super) type Conditions<'t> = Vec<(Node<'t>, bool)>;

/// What the conditions compare that a policy depends on: those in it, and those without which it is not there.
pub(super) fn comparisons<'t>(
    policy: Node<'t>,
    around: &Conditions<'t>,
    template: &Template<'t>,
) -> Comparisons {
    let mut found: BTreeMap<String, (BTreeSet<String>, Option<String>)> = BTreeMap::new();
    let (mut open, mut names) = (vec![policy], BTreeSet::new());
    let around = around.iter().filter_map(|(name, _)| name.as_str());
    open.extend(around.filter_map(|name| template.conditions.get(name)));
    while let Some(node) = open.pop() {
        open.extend(node.items().chain(node.members().map(|member| member.value)));
        let Some(call) = Call::of(node) else { continue };
        let name = match call.name {
            "Fn::If" => call.argument.items().next().and_then(Node::as_string),
            "Condition" => call.argument.as_string(),
            _ => None,
        };
        open.extend(name.filter(|name| names.insert(*name)).and_then(|name| template.conditions.get(name)));
        if let Some((value, text)) = comparison(call, template) {
            let entry =
                found.entry(canonical(&value)).or_insert_with(|| (BTreeSet::new(), hole_name(&value)));
            entry.0.insert(text);
        }
    }
    found
        .into_iter()
        .map(|(value, (texts, parameter))| {
            let allowed = parameter.and_then(|parameter| template.allowed_values(&parameter));
            let can_be = |text: &String| allowed.as_ref().is_none_or(|allowed| allowed.contains(text));
            let has_others = allowed.as_ref().is_none_or(|allowed| !allowed.is_subset(&texts));
            let texts = texts.iter().filter(|text| can_be(text)).cloned().collect();
            (value, Compared { texts, has_others })
        })
        .collect()
}

/// What `Fn::Equals` compares with a text.
fn comparison<'t>(call: Call<'t>, template: &Template<'t>) -> Option<(Value, String)> {
    let sides = if call.name == "Fn::Equals" { call.arguments::<2>()? } else { return None };
    let [left, right] = sides.map(|side| Resolver::new(template, &[]).value(side));
    let (left, right) = (left?, right?);
    match (left.known_text(), right.known_text()) {
        (None, Some(text)) => Some((left, text)),
        (Some(text), None) => Some((right, text)),
        _ => None,
    }
}

impl<'t> Resolver<'_, 't> {
    /// How a condition turns out in this way.
    pub(super) fn condition(&mut self, name: &str) -> bool {
        if let Some(Some(outcome)) = self.outcomes.get(name) {
            return *outcome;
        }
        let node = self.template.conditions.get(name).copied();
        let is_being_asked = self.outcomes.contains_key(name);
        let Some(node) = node.filter(|_| !is_being_asked && self.depth < NESTING) else {
            return self.decide(&format!("condition {name}"));
        };
        self.outcomes.insert(name.to_owned(), None);
        let outcome = self.holds(node);
        self.outcomes.insert(name.to_owned(), Some(outcome));
        outcome
    }

    fn decide(&mut self, condition: &str) -> bool {
        self.choices.as_mut().is_none_or(|choices| choices.decide(condition))
    }

    fn holds(&mut self, node: Node<'t>) -> bool {
        let by_place = format!("condition at byte {}", node.span().start());
        let Some(call) = Call::of(node).filter(|_| self.depth < NESTING) else {
            return self.decide(&by_place);
        };
        self.depth += 1;
        let mut parts = call.argument.items();
        let outcome = match (call.name, call.argument.kind()) {
            ("Condition", Kind::String) => self.condition(call.argument.as_str().unwrap_or_default()),
            ("Fn::And", Kind::Array) => parts.all(|part| self.holds(part)),
            ("Fn::Or", Kind::Array) => parts.any(|part| self.holds(part)),
            ("Fn::Not", Kind::Array) => match parts.next() {
                Some(part) => !self.holds(part),
                None => self.decide(&by_place),
            },
            ("Fn::Equals", Kind::Array) => match call.arguments::<2>() {
                Some(sides) => self.equals(sides),
                None => self.decide(&by_place),
            },
            _ => self.decide(&by_place),
        };
        self.depth -= 1;
        outcome
    }

    fn equals(&mut self, sides: [Node<'t>; 2]) -> bool {
        let [left, right] =
            sides.map(|side| self.value(side).unwrap_or(Value::new(side.span(), ValueKind::Null)));
        match (left.known_text(), right.known_text()) {
            (Some(left), Some(right)) => left == right,
            (None, Some(text)) => self.is_text(&canonical(&left), &text),
            (Some(text), None) => self.is_text(&canonical(&right), &text),
            (None, None) => {
                let (left, right) = (canonical(&left), canonical(&right));
                left == right
                    || self.decide(&format!("{} = {}", left.as_str().min(&right), left.as_str().max(&right)))
            }
        }
    }

    /// Whether a value that is not known is this text.
    fn is_text(&mut self, value: &str, text: &str) -> bool {
        let Some(Compared { texts, has_others }) = self.comparisons.and_then(|all| all.get(value)) else {
            return self.decide(&format!("{value} = {text}"));
        };
        let Some(wanted) = texts.iter().position(|option| option == text) else { return false };
        let (mut start, mut end) = (0, texts.len() + usize::from(*has_others));
        while end - start > 1 && (start..end).contains(&wanted) {
            let middle = start + (end - start) / 2;
            let half = texts.get(start..middle).unwrap_or_default().join(" or ");
            if self.decide(&format!("{value} = {half}")) {
                end = middle;
            } else {
                start = middle;
            }
        }
        (start..end).contains(&wanted)
    }
}

/// The name of what a text is that is not known and nothing else.
fn hole_name(value: &Value) -> Option<String> {
    let ValueKind::Text(text) = &value.kind else { return None };
    match text.pieces.as_slice() {
        [only] if matches!(only.kind, PieceKind::Hole) => Some(inside(&only.text).to_owned()),
        _ => None,
    }
}

/// A value in words that are the same for the same value, and for no other.
pub(super) fn canonical(value: &Value) -> String {
    if let Some(text) = value.known_text() {
        return format!("{text:?}");
    }
    match &value.kind {
        ValueKind::Text(text) => format!("~{:?}", text.decoded()),
        ValueKind::List(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        ValueKind::Object(members) => {
            let member = |(key, value): &(crate::value::Key, Value)| {
                format!("{:?}:{}", key.text.decoded(), canonical(value))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        ValueKind::Json(value) => format!("json {}", canonical(value)),
        ValueKind::Unknown(name) if !name.is_empty() => format!("?{name:?}"),
        ValueKind::Null => "null".to_owned(),
        ValueKind::AsItStands(slot) => format!("node {}", slot.id()),
        _ => format!("?{}", value.at.start()),
    }
}
