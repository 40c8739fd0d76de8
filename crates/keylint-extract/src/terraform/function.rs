//! Functions, as far as policies are made with them. What is not here gives a value that is not known.
//!
//! <https://developer.hashicorp.com/terraform/language/functions>

use hcl_edit::expr::{Expression, FuncCall};
use keylint_source::Span;

use super::condition::{is_something, known_bool};
use super::expression::{Evaluator, Scope};
use super::reference::element;
use crate::nested::json_in;
use crate::value::{Key, Piece, PieceKind, Text, Value, ValueKind, hole_name};

impl Evaluator<'_, '_> {
    /// The value of a call.
    pub(super) fn call(&mut self, call: &FuncCall, scope: &Scope<'_>, at: Span) -> Value {
        let source = hcl_edit::Span::span(call).and_then(|range| scope.text.get(range)).unwrap_or_default();
        let name = self.name_of(source, scope);
        let unknown = || Value::unknown(at, &name);
        let function = call.name.name.as_str();
        if call.name.is_namespaced() {
            return unknown();
        }
        let expressions: Vec<&Expression> = call.args.iter().collect();
        match function {
            // The arguments of these are tried one after the other.
            "try" | "coalesce" if !call.args.expand_final() => {
                let skips_empty = function == "coalesce";
                return self.first(&expressions, skips_empty, scope).unwrap_or_else(unknown);
            }
            "try" | "coalesce" | "can" => return unknown(),
            _ => {}
        }
        let mut arguments: Vec<Value> =
            expressions.iter().map(|argument| self.evaluate(argument, scope)).collect();
        if call.args.expand_final() {
            match arguments.pop().map(|last| last.kind) {
                Some(ValueKind::List(items) | ValueKind::Set(items)) => arguments.extend(items),
                _ => return unknown(),
            }
        }
        match (function, arguments.as_mut_slice()) {
            ("file", [path]) => self.file(path, at).unwrap_or_else(unknown),
            ("templatefile", [path, variables]) => {
                self.template_file(path, variables, at).unwrap_or_else(unknown)
            }
            ("jsondecode", [text]) => self.decoded(text).unwrap_or_else(unknown),
            _ => Value { at, kind: pure(function, arguments).unwrap_or_else(|| unknown().kind) },
        }
    }

    /// The first argument that has a value; without `skips_empty`, `null` and an empty text are values too.
    fn first(&mut self, arguments: &[&Expression], skips_empty: bool, scope: &Scope<'_>) -> Option<Value> {
        for (index, argument) in arguments.iter().enumerate() {
            let value = self.evaluate(argument, scope);
            let is_last = index + 1 == arguments.len();
            match &value.kind {
                ValueKind::Null if skips_empty => {}
                ValueKind::Text(text) if skips_empty && text.pieces.is_empty() => {}
                // It may fail, or be null: then the next is taken.
                _ if !is_last && !is_something(&value.kind) => {
                    if self.choices.decide(&format!("{} is set", value.name())) {
                        return Some(value);
                    }
                }
                _ => return Some(value),
            }
        }
        None
    }

    fn file(&mut self, path: &Value, at: Span) -> Option<Value> {
        let path = path.known_text()?;
        let (text, offset) = self.files.open(&path)?;
        let text = text.to_owned();
        let end = offset.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
        let mut content = Text::default();
        content.push(&text, Span::new(offset, end), true);
        self.choices.look_into(Span::new(offset, end));
        Some(Value::new(at, ValueKind::Text(content)))
    }

    fn template_file(&mut self, path: &Value, variables: &Value, at: Span) -> Option<Value> {
        let ValueKind::Object(members) = &variables.kind else { return None };
        let variables: Vec<(String, Value)> =
            members.iter().map(|(key, value)| (key.text.decoded(), value.clone())).collect();
        let content = self.file(path, at)?;
        let ValueKind::Text(text) = content.kind else { return None };
        Some(self.template_text(&text, at, &variables))
    }

    fn decoded(&mut self, text: &Value) -> Option<Value> {
        match &text.kind {
            ValueKind::Json(value) => Some(value.as_ref().clone()),
            ValueKind::Text(text) => {
                let (value, problems) = json_in(text);
                self.problems.extend(problems);
                Some(value)
            }
            _ => None,
        }
    }
}

/// The result of a function that depends on its arguments alone.
fn pure(function: &str, mut arguments: Vec<Value>) -> Option<ValueKind> {
    let result = match function {
        "concat" => ValueKind::List(arguments.into_iter().flat_map(items).collect()),
        "flatten" => ValueKind::List(flat(arguments.pop()?)),
        "tolist" => match arguments.pop()? {
            Value { kind: ValueKind::Set(items), .. } => list_or_set(items),
            list => ValueKind::List(items(list)),
        },
        "sort" => list_or_set(sorted(items(arguments.pop()?))),
        "distinct" => list_or_set(distinct(items(arguments.pop()?))?),
        "toset" | "setunion" => {
            ValueKind::Set(sorted(distinct(arguments.into_iter().flat_map(items).collect())?))
        }
        "compact" => {
            let is_something = |item: &Value| match &item.kind {
                ValueKind::Text(text) => !text.pieces.is_empty(),
                ValueKind::Null => false,
                _ => true,
            };
            ValueKind::List(items(arguments.pop()?).into_iter().filter(is_something).collect())
        }
        "reverse" => {
            let mut items = items(arguments.pop()?);
            items.reverse();
            ValueKind::List(items)
        }
        "merge" => merged(arguments)?,
        "jsonencode" => ValueKind::Json(Box::new(arguments.pop()?)),
        "tostring" | "tonumber" | "tobool" | "sensitive" | "nonsensitive" | "tomap" => arguments.pop()?.kind,
        "one" => match arguments.pop()?.kind {
            ValueKind::List(mut items) if items.len() == 1 => items.pop()?.kind,
            ValueKind::List(items) if items.is_empty() => ValueKind::Null,
            _ => return None,
        },
        "coalescelist" => arguments.into_iter().find(|list| !is_empty(list)).filter(has_items)?.kind,
        "join" => {
            let list = arguments.pop()?;
            joined(&arguments.pop()?.known_text()?, list)?
        }
        "format" => format(arguments)?,
        "formatlist" => {
            let list = arguments.pop()?;
            let [pattern] = arguments.as_slice() else { return None };
            let (ValueKind::List(items) | ValueKind::Set(items)) = list.kind else { return None };
            let one = |item: Value| {
                let at = item.at;
                Some(Value::new(at, format(vec![pattern.clone(), item])?))
            };
            ValueKind::List(items.into_iter().map(one).collect::<Option<Vec<_>>>()?)
        }
        "lookup" => {
            let default = (arguments.len() > 2).then(|| arguments.pop()).flatten();
            let key = arguments.pop()?.known_text()?;
            let map = arguments.pop()?;
            match (&map.kind, map.get(&key)) {
                (_, Some(value)) => value.kind.clone(),
                (ValueKind::Object(_), None) => default?.kind,
                _ => return None,
            }
        }
        "element" => {
            let index = arguments.pop()?.known_text()?.parse::<usize>().ok()?;
            let list = arguments.pop()?;
            let count = if let ValueKind::List(items) = &list.kind { items.len() } else { 0 };
            element(&list, &index.checked_rem(count)?.to_string())?.kind
        }
        "keys" | "values" => match arguments.pop()?.kind {
            ValueKind::Object(members) => ValueKind::List(
                members
                    .into_iter()
                    .map(|(key, value)| match function {
                        "keys" => Value::new(key.at, ValueKind::Text(key.text)),
                        _ => value,
                    })
                    .collect(),
            ),
            _ => return None,
        },
        "length" => match arguments.pop()?.kind {
            ValueKind::List(items)
                if items.iter().all(|item| !matches!(item.kind, ValueKind::Several(_))) =>
            {
                ValueKind::Number(items.len().to_string())
            }
            ValueKind::Set(items) if are_known(&items) => ValueKind::Number(items.len().to_string()),
            ValueKind::Object(members) => ValueKind::Number(members.len().to_string()),
            _ => return None,
        },
        "contains" => {
            let value = arguments.pop()?.known_text()?;
            let list = items(arguments.pop()?);
            let known: Option<Vec<String>> = list.iter().map(Value::known_text).collect();
            ValueKind::Bool(known?.contains(&value))
        }
        "lower" | "upper" | "trimspace" | "chomp" | "replace" | "trimprefix" | "trimsuffix" | "substr"
        | "title" => changed(function, &arguments)?,
        "split" => {
            let text = arguments.pop()?;
            let separator = arguments.pop()?.known_text()?;
            let parts = text.known_text().filter(|_| !separator.is_empty())?;
            let part = |part: &str| Value::text(text.at, part);
            ValueKind::List(parts.split(&separator).map(part).collect())
        }
        "alltrue" | "anytrue" => {
            let list = items(arguments.pop()?);
            let known: Option<Vec<bool>> = list.iter().map(known_bool).collect();
            let known = known?;
            ValueKind::Bool(if function == "alltrue" {
                known.iter().all(|value| *value)
            } else {
                known.contains(&true)
            })
        }
        _ => return None,
    };
    Some(result)
}

/// The items of a list; of what is not known, any number.
fn items(value: Value) -> Vec<Value> {
    let at = value.at;
    match value.kind {
        ValueKind::List(items) | ValueKind::Set(items) => items,
        ValueKind::Null => Vec::new(),
        ValueKind::Unknown(name) => vec![Value::new(at, ValueKind::Several(name))],
        kind => vec![Value::new(at, kind)],
    }
}

/// A list, if every item is known. Else its order and its length are not, and nothing asks for them but by index.
fn list_or_set(items: Vec<Value>) -> ValueKind {
    if are_known(&items) { ValueKind::List(items) } else { ValueKind::Set(items) }
}

fn is_empty(list: &Value) -> bool {
    matches!(&list.kind, ValueKind::List(items) | ValueKind::Set(items) if items.is_empty())
}

/// Whether a list has an item for certain. Several that are not known are perhaps none.
fn has_items(list: &Value) -> bool {
    let is_one = |item: &Value| !matches!(item.kind, ValueKind::Several(_));
    matches!(&list.kind, ValueKind::List(items) | ValueKind::Set(items) if items.iter().any(is_one))
}

fn are_known(items: &[Value]) -> bool {
    items.iter().all(|item| item.known_text().is_some())
}

/// Texts in their order; as they are, if some are not known.
fn sorted(mut items: Vec<Value>) -> Vec<Value> {
    if are_known(&items) {
        items.sort_by_cached_key(Value::known_text);
    }
    items
}

/// Each text once, and everything that may be a text of its own; nothing for items that are no texts.
fn distinct(items: Vec<Value>) -> Option<Vec<Value>> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for item in items {
        let text = match &item.kind {
            ValueKind::Unknown(_) | ValueKind::Several(_) => None,
            ValueKind::Text(text) => Some(text.decoded()),
            _ => Some(item.known_text()?),
        };
        if text.as_ref().is_none_or(|text| !seen.contains(text)) {
            seen.extend(text);
            kept.push(item);
        }
    }
    Some(kept)
}

fn flat(value: Value) -> Vec<Value> {
    let inner = |item: Value| match item.kind {
        ValueKind::List(_) | ValueKind::Set(_) => flat(item),
        // It may be a list.
        ValueKind::Unknown(name) => vec![Value::new(item.at, ValueKind::Several(name))],
        _ => vec![item],
    };
    items(value).into_iter().flat_map(inner).collect()
}

/// The members of all; of the same key, the last.
fn merged(arguments: Vec<Value>) -> Option<ValueKind> {
    let mut result: Vec<(Key, Value)> = Vec::new();
    for argument in arguments {
        match argument.kind {
            ValueKind::Null => {}
            ValueKind::Object(members) => {
                for (key, value) in members {
                    let name = key.text.decoded();
                    result.retain(|(known, _)| !known.text.is(&name));
                    result.push((key, value));
                }
            }
            _ => return None,
        }
    }
    Some(ValueKind::Object(result))
}

fn joined(separator: &str, list: Value) -> Option<ValueKind> {
    let mut text = Text::default();
    let (ValueKind::List(items) | ValueKind::Set(items)) = list.kind else { return None };
    for (index, item) in items.into_iter().enumerate() {
        if matches!(item.kind, ValueKind::Several(_)) {
            return None;
        }
        if index > 0 {
            text.push(separator, Span::empty(item.at.start()), false);
        }
        let at = item.at;
        text.pieces.extend(item.into_pieces(at, "item"));
    }
    Some(ValueKind::Text(text))
}

/// `format` with `%s`, `%d`, `%v` and `%%`.
fn format(arguments: Vec<Value>) -> Option<ValueKind> {
    let mut arguments = arguments.into_iter();
    let ValueKind::Text(pattern) = arguments.next()?.kind else { return None };
    let decoded = pattern.known()?;
    let mut text = Text::default();
    let mut from = 0;
    let mut search = 0;
    while let Some(start) = decoded.get(search..).and_then(|rest| rest.find('%')).map(|at| search + at) {
        text.pieces.extend(pattern.slice(from, start).pieces);
        let place = pattern.span(start, start + 2);
        match decoded.get(start + 1..)?.chars().next()? {
            '%' => text.push("%", place, false),
            's' | 'd' | 'v' => {
                let argument = arguments.next()?;
                let name = argument_name(&argument);
                text.pieces.extend(argument.into_pieces(place, &name));
            }
            _ => return None,
        }
        from = start + 2;
        search = from;
    }
    text.pieces.extend(pattern.slice(from, decoded.len()).pieces);
    Some(ValueKind::Text(text))
}

fn argument_name(argument: &Value) -> String {
    match &argument.kind {
        ValueKind::Unknown(name) | ValueKind::Several(name) => name.clone(),
        _ => "format".to_owned(),
    }
}

/// Functions from texts to a text. Of a text that is not known the result has a name of its own.
fn changed(function: &str, arguments: &[Value]) -> Option<ValueKind> {
    let first = arguments.first()?;
    if let (ValueKind::Text(text), "trimspace" | "chomp") = (&first.kind, function) {
        return Some(ValueKind::Text(trimmed(text, function == "trimspace")));
    }
    let known: Option<Vec<String>> = arguments.iter().map(Value::known_text).collect();
    let Some(known) = known else {
        let ValueKind::Text(text) = &first.kind else { return None };
        let name = hole_name(&format!("{function} {}", text.decoded().replace(['$', '{', '}'], "")));
        let piece = Piece { text: format!("${{{name}}}"), at: first.at, kind: PieceKind::Hole };
        return Some(ValueKind::Text(Text { pieces: vec![piece] }));
    };
    let text = match (function, known.as_slice()) {
        ("lower", [text]) => text.to_lowercase(),
        ("upper", [text]) => text.to_uppercase(),
        ("title", [text]) => title(text)?,
        ("trimprefix", [text, prefix]) => text.strip_prefix(prefix.as_str()).unwrap_or(text).to_owned(),
        ("trimsuffix", [text, suffix]) => text.strip_suffix(suffix.as_str()).unwrap_or(text).to_owned(),
        // A pattern between slashes is a regular expression.
        ("replace", [text, from, to]) if !from.starts_with('/') => text.replace(from.as_str(), to),
        _ => return None,
    };
    Some(ValueKind::Text(Text::replaced(text, first.at)))
}

/// The text without blanks at its end, and at its `start`.
fn trimmed(text: &Text, start: bool) -> Text {
    let decoded = text.decoded();
    let end = if start { decoded.trim_end().len() } else { decoded.trim_end_matches(['\r', '\n']).len() };
    let from = if start { decoded.len() - decoded.trim_start().len() } else { 0 };
    text.slice(from.min(end), end)
}

/// Each word with a capital letter, as far as words are of ASCII.
fn title(text: &str) -> Option<String> {
    let mut starts = true;
    let capital = |letter: char| {
        let capital = if starts { letter.to_ascii_uppercase() } else { letter };
        starts = !(letter.is_ascii_alphanumeric() || letter == '_');
        capital
    };
    text.is_ascii().then(|| text.chars().map(capital).collect())
}
