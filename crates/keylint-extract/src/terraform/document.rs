//! The data source `aws_iam_policy_document`: blocks that become a policy.
//!
//! <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>

use keylint_source::Span;

use super::block::{Argument, Block, Child};
use super::expression::{Evaluator, each};
use super::reference::policy_variables;
use crate::nested::json_in;
use crate::value::{Key, Text, Value, ValueKind, hole_name};

/// Statements of a policy that are looked at.
const STATEMENTS: usize = 2_000;

/// The variables of `dynamic` blocks around a block.
pub(super) type Variables = Vec<(String, Value)>;

impl<'m> Evaluator<'m, '_> {
    /// The policy that a document gives.
    pub(super) fn policy_document(&mut self, document: Block<'m>) -> Value {
        self.has_blocks = true;
        let heading = document.heading();
        let mut statements: Vec<Value> = Vec::new();
        for source in self.documents_of(document, "source_policy_documents", "source_json") {
            add(&mut statements, source);
        }
        // A statement takes the place of one of the sources; two of the document's own with one `Sid` are a mistake.
        let mut own = Vec::new();
        for (block, variables) in self.blocks(document, "statement", &Vec::new()) {
            let statement = self.statement(block, &variables);
            own.extend(override_with(&mut statements, statement));
        }
        statements.extend(own);
        for source in self.documents_of(document, "override_policy_documents", "override_json") {
            for statement in statements_of(source) {
                let further = override_with(&mut statements, statement);
                statements.extend(further);
            }
        }
        // Far more than fit into a policy: documents that are made of one another can double each time.
        if statements.len() > STATEMENTS {
            statements.truncate(STATEMENTS);
            statements.push(Value::new(document.at(), ValueKind::Several(String::new())));
        }
        let mut members = Vec::new();
        if let Some(id) = document.argument("policy_id") {
            members.push((Key::named("Id", id.key), self.expression(id.value, &[])));
        }
        members.push(match document.argument("version") {
            Some(version) => (Key::named("Version", version.key), self.expression(version.value, &[])),
            None => (Key::named("Version", heading), Value::text(heading, "2012-10-17")),
        });
        members
            .push((Key::named("Statement", heading), Value::new(document.at(), ValueKind::List(statements))));
        Value::new(document.at(), ValueKind::Object(members))
    }

    /// The policies that a document starts from, or is overridden with; `old` is the argument of the past, which
    /// takes one.
    fn documents_of(&mut self, document: Block<'m>, name: &str, old: &str) -> Vec<Value> {
        let mut policies = Vec::new();
        if let Some(Argument { value, .. }) = document.argument(old) {
            policies.push(self.expression(value, &[]));
        }
        if let Some(Argument { value, .. }) = document.argument(name) {
            let list = self.expression(value, &[]);
            policies.extend(each(list, name).into_iter().map(|(_, policy, is_certain)| match policy.kind {
                ValueKind::Unknown(name) if !is_certain => Value::new(policy.at, ValueKind::Several(name)),
                kind => Value::new(policy.at, kind),
            }));
        }
        policies.into_iter().map(|policy| self.policy_in(policy)).collect()
    }

    /// The policy that a value holds, as the argument of a resource would take it.
    pub(super) fn policy_in(&mut self, value: Value) -> Value {
        match value.kind {
            ValueKind::Json(policy) => *policy,
            // As good as no policy at all.
            ValueKind::Text(text) if text.is("") => Value::new(value.at, ValueKind::Null),
            ValueKind::Text(text) => {
                let (policy, problems) = json_in(&text);
                self.problems.extend(problems);
                policy
            }
            kind => Value::new(value.at, kind),
        }
    }

    /// The blocks of a name, those that `dynamic` makes among them.
    pub(super) fn blocks(
        &mut self,
        parent: Block<'m>,
        wanted: &str,
        variables: &Variables,
    ) -> Vec<(Block<'m>, Variables)> {
        let children = parent.children().into_iter();
        children.flat_map(|child| self.blocks_of(child, wanted, variables)).collect()
    }

    /// A block inside another, if it has this name, or those that `dynamic` makes of it.
    pub(super) fn blocks_of(
        &mut self,
        (word, label, block): Child<'m>,
        wanted: &str,
        variables: &Variables,
    ) -> Vec<(Block<'m>, Variables)> {
        let mut found = Vec::new();
        if word == wanted {
            found.push((block, variables.clone()));
        } else if word == "dynamic" && label == Some(wanted) {
            self.dynamic(block, wanted, variables, &mut found);
        }
        found
    }

    /// <https://developer.hashicorp.com/terraform/language/expressions/dynamic-blocks>
    fn dynamic(
        &mut self,
        block: Block<'m>,
        name: &str,
        variables: &Variables,
        found: &mut Vec<(Block<'m>, Variables)>,
    ) {
        let children = block.children();
        let Some((.., content)) = children.into_iter().find(|(word, ..)| *word == "content") else { return };
        let Some(for_each) = block.argument("for_each") else { return };
        let iterator = block.argument("iterator").map(|argument| argument.value.source());
        let iterator = iterator.as_deref().map_or(name, |iterator| iterator.trim_matches('"'));
        let source = hole_name(&for_each.value.source());
        let collection = self.expression(for_each.value, variables);
        let items = each(collection, &format!("{iterator}.value"));
        if items.is_empty() {
            self.choices.leave_out(block.at());
        }
        for (key, value, is_certain) in items {
            if !is_certain && !self.choices.decide(&source) {
                self.choices.leave_out(block.at());
                continue;
            }
            self.choices.take(block.at());
            let both = vec![
                (Key { at: key.at, text: Text::replaced("key", key.at) }, key),
                (Key { at: value.at, text: Text::replaced("value", value.at) }, value),
            ];
            let at = for_each.key;
            let mut variables = variables.clone();
            variables.push((iterator.to_owned(), Value::new(at, ValueKind::Object(both))));
            found.push((content, variables));
        }
    }

    fn statement(&mut self, block: Block<'m>, variables: &Variables) -> Value {
        let heading = block.heading();
        let mut members = Vec::new();
        let plain = [("sid", "Sid"), ("effect", "Effect")];
        for (name, element) in plain {
            match block.argument(name) {
                Some(argument) => {
                    let value = self.expression(argument.value, variables);
                    let is_left_out = match &value.kind {
                        ValueKind::Null => true,
                        ValueKind::Text(text) => text.pieces.is_empty(),
                        _ => false,
                    };
                    if !is_left_out {
                        members.push((Key::named(element, argument.key), value));
                    } else if name == "effect" {
                        members.push((Key::named(element, argument.key), Value::text(argument.key, "Allow")));
                    }
                }
                None if name == "effect" => {
                    members.push((Key::named(element, heading), Value::text(heading, "Allow")));
                }
                None => {}
            }
        }
        for (name, element) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
            members.extend(self.principals(block, name, element, variables));
        }
        let lists = [
            ("actions", "Action"),
            ("not_actions", "NotAction"),
            ("resources", "Resource"),
            ("not_resources", "NotResource"),
        ];
        for (name, element) in lists {
            if let Some(argument) = block.argument(name) {
                let value = self.texts(&argument, variables);
                let is_there = match &value.kind {
                    ValueKind::List(items) => !items.is_empty(),
                    ValueKind::Null => false,
                    _ => true,
                };
                if is_there {
                    members.push((Key::named(element, argument.key), value));
                }
            }
        }
        members.extend(self.conditions(block, variables));
        Value::new(block.at(), ValueKind::Object(members))
    }

    /// An argument that is a list of texts. Policy variables in it are written `&{…}`.
    fn texts(&mut self, argument: &Argument<'m>, variables: &Variables) -> Value {
        let value = policy_variables(self.expression(argument.value, variables));
        let as_text = |item: Value| match item.kind {
            ValueKind::Number(_) | ValueKind::Bool(_) => {
                Value::text(item.at, item.known_text().unwrap_or_default())
            }
            _ => item,
        };
        match value.kind {
            ValueKind::List(items) | ValueKind::Set(items) => {
                let mut items: Vec<Value> = items.into_iter().map(as_text).collect();
                match items.as_slice() {
                    // A list of one is written as what it lists.
                    [only] if !matches!(only.kind, ValueKind::Several(_)) => items.remove(0),
                    _ => Value::new(value.at, ValueKind::List(items)),
                }
            }
            kind => Value::new(value.at, kind),
        }
    }

    fn principals(
        &mut self,
        block: Block<'m>,
        name: &str,
        element: &str,
        variables: &Variables,
    ) -> Option<(Key, Value)> {
        let mut whole: Option<(Span, Span)> = None;
        let mut kinds: Vec<(Key, Value)> = Vec::new();
        let mut anyone = None;
        for (block, variables) in self.blocks(block, name, variables) {
            let (heading, at) = whole.unwrap_or((block.heading(), block.at()));
            whole = Some((heading, Span::new(at.start(), at.end().max(block.at().end()))));
            let kind = block.argument("type").map(|argument| self.expression(argument.value, &variables));
            let Some(identifiers) = block.argument("identifiers") else { continue };
            let identifiers = self.texts(&identifiers, &variables);
            let Some(kind) = kind else { continue };
            if kind.known_text().as_deref() == Some("*") {
                anyone = match identifiers.kind {
                    ValueKind::List(mut items) if items.len() == 1 => items.pop(),
                    kind => Some(Value::new(identifiers.at, kind)),
                };
                continue;
            }
            let key = Key { at: kind.at, text: text_of(kind) };
            merge_list(&mut kinds, key, identifiers);
        }
        let (heading, at) = whole?;
        let value = match anyone {
            Some(anyone) if kinds.is_empty() => anyone,
            _ => Value::new(at, ValueKind::Object(kinds)),
        };
        Some((Key::named(element, heading), value))
    }

    /// `condition` blocks; values for one operator and key are one list.
    fn conditions(&mut self, block: Block<'m>, variables: &Variables) -> Option<(Key, Value)> {
        let mut whole: Option<(Span, Span)> = None;
        let mut operators: Vec<(Key, Value)> = Vec::new();
        for (block, variables) in self.blocks(block, "condition", variables) {
            let (heading, at) = whole.unwrap_or((block.heading(), block.at()));
            whole = Some((heading, Span::new(at.start(), at.end().max(block.at().end()))));
            let mut argument = |name: &str| {
                let argument = block.argument(name)?;
                let value = self.texts(&argument, &variables);
                Some((argument.key, value))
            };
            let (Some((_, test)), Some((_, variable)), Some((_, values))) =
                (argument("test"), argument("variable"), argument("values"))
            else {
                continue;
            };
            let operator = Key { at: test.at, text: text_of(test) };
            let key = Key { at: variable.at, text: text_of(variable) };
            let name = operator.text.decoded();
            match operators.iter_mut().find(|(known, _)| known.text.is(&name)) {
                Some((_, Value { kind: ValueKind::Object(keys), .. })) => merge_list(keys, key, values),
                _ => {
                    let keys = vec![(key, values)];
                    operators.push((operator, Value::new(block.at(), ValueKind::Object(keys))));
                }
            }
        }
        let (heading, at) = whole?;
        Some((Key::named("Condition", heading), Value::new(at, ValueKind::Object(operators))))
    }
}

fn text_of(value: Value) -> Text {
    Text { pieces: value.into_pieces_of_key("value") }
}

/// Adds a list to the member of this key, or as a new member.
fn merge_list(members: &mut Vec<(Key, Value)>, key: Key, list: Value) {
    let name = key.text.decoded();
    match members.iter_mut().find(|(known, _)| known.text.is(&name)) {
        Some((_, known)) => {
            let earlier = std::mem::replace(known, Value::new(known.at, ValueKind::Null));
            let at = Span::new(earlier.at.start().min(list.at.start()), earlier.at.end().max(list.at.end()));
            let mut items = list_of(earlier);
            items.extend(list_of(list));
            *known = Value::new(at, ValueKind::List(items));
        }
        None => members.push((key, list)),
    }
}

fn list_of(value: Value) -> Vec<Value> {
    match value.kind {
        ValueKind::List(items) | ValueKind::Set(items) => items,
        ValueKind::Unknown(name) => vec![Value::new(value.at, ValueKind::Several(name))],
        kind => vec![Value::new(value.at, kind)],
    }
}

/// The statements of a policy; what is no policy has any number.
fn statements_of(policy: Value) -> Vec<Value> {
    if let Some(statements) = policy.get("Statement") {
        return list_of(statements.clone());
    }
    match policy.kind {
        ValueKind::Null => Vec::new(),
        ValueKind::Unknown(name) | ValueKind::Several(name) => {
            vec![Value::new(policy.at, ValueKind::Several(name))]
        }
        _ => vec![Value::new(policy.at, ValueKind::Several(String::new()))],
    }
}

fn add(statements: &mut Vec<Value>, policy: Value) {
    statements.extend(statements_of(policy));
}

/// Puts a statement in the place of the one with its `Sid`; gives it back if there is none.
fn override_with(statements: &mut [Value], statement: Value) -> Option<Value> {
    let sid = |statement: &Value| statement.get("Sid").and_then(Value::known_text);
    let own = sid(&statement).filter(|sid| !sid.is_empty());
    match own.and_then(|own| statements.iter_mut().find(|known| sid(known).as_ref() == Some(&own))) {
        Some(known) => {
            *known = statement;
            None
        }
        None => Some(statement),
    }
}
