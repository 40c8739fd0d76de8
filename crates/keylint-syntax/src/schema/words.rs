//! What is wrong, in words.

use std::collections::BTreeSet;

use jsonschema::error::{TypeKind, ValidationErrorKind as Keyword};
use jsonschema::{JsonType, ValidationError};
use keylint_source::{Problem, Span, did_you_mean, quoted_list};
use serde_json::Value;

use super::{Violation, ViolationKind};
use crate::report::quoted;
use crate::{Kind, Node, limits};

/// An error of the validator, with what is needed to say it.
#[derive(Clone, Copy)]
pub(super) struct Found<'e, 't> {
    pub(super) error: &'e ValidationError<'e>,
    pub(super) node: Node<'t>,
    pub(super) schema: &'e Value,
    /// The part of the schema that the failing keyword stands in.
    pub(super) subschema: &'e Value,
}

impl Found<'_, '_> {
    pub(super) fn say(self, violations: &mut Vec<Violation>) {
        match self.error.kind() {
            Keyword::AdditionalProperties { unexpected } | Keyword::UnevaluatedProperties { unexpected } => {
                let unexpected: BTreeSet<&str> = unexpected.iter().map(String::as_str).collect();
                let members = self
                    .node
                    .members()
                    .filter(|member| member.key.as_str().is_some_and(|name| unexpected.contains(name)));
                for member in members.take(limits::VIOLATIONS) {
                    violations.push(
                        self.unknown_member(member.key.as_str().unwrap_or_default(), member.key.span()),
                    );
                }
            }
            Keyword::PropertyNames { error } => {
                let wrong = error.instance().as_str();
                for member in
                    self.node.members().filter(|member| member.key.as_str() == wrong).take(limits::VIOLATIONS)
                {
                    let (kind, message, help) = self.value(error.kind(), member.key);
                    violations.push(self.violation(
                        kind,
                        member.key.span(),
                        "propertyNames",
                        message,
                        help,
                        wrong,
                    ));
                }
            }
            Keyword::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let kind = ViolationKind::MissingMember { name: name.to_owned() };
                let message = format!("this object has no `{name}`");
                violations.push(self.violation(
                    kind,
                    self.node.span(),
                    "required",
                    message,
                    None,
                    Some(name),
                ));
            }
            keyword => {
                let (kind, message, help) = self.value(keyword, self.node);
                violations.push(self.violation(
                    kind,
                    self.node.span(),
                    keyword.keyword(),
                    message,
                    help,
                    None,
                ));
            }
        }
    }

    /// Uses the words of the schema's author where there are some.
    fn violation(
        self,
        kind: ViolationKind,
        at: Span,
        keyword: &str,
        message: String,
        help: Option<String>,
        name: Option<&str>,
    ) -> Violation {
        let own = self.subschema.get("x-words").and_then(|words| words.get(keyword)).and_then(Value::as_str);
        let message = own.map_or(message, |own| {
            let value = name.map_or_else(|| shown(self.node), quoted);
            own.replace("{value}", value.trim_matches('`'))
        });
        let mut problem = Problem::new(at, message);
        problem.help = help;
        Violation { node: self.node.span(), pointer: self.error.instance_path().to_string(), kind, problem }
    }

    fn unknown_member(self, name: &str, key: Span) -> Violation {
        let known = self.subschema.get("properties").and_then(Value::as_object);
        let known: Vec<&str> =
            known.into_iter().flat_map(serde_json::Map::keys).map(String::as_str).collect();
        let suggestion = did_you_mean(name, known.iter().copied()).map(str::to_owned);
        let help = match &suggestion {
            Some(suggestion) => Some(format!("did you mean `{suggestion}`?")),
            None if known.is_empty() => None,
            None => Some(format!("known here: {}", quoted_list(&known))),
        };
        let kind = ViolationKind::UnknownMember { name: name.to_owned(), suggestion };
        let message = format!("unknown member {}", quoted(name));
        self.violation(kind, key, "additionalProperties", message, help, Some(name))
    }

    /// What is wrong with a value, seen from outside.
    fn value(self, keyword: &Keyword, node: Node<'_>) -> (ViolationKind, String, Option<String>) {
        let plural = |count: u64, one: &str, many: &str| {
            if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
        };
        let found = shown(node);
        let size = |message: String| (ViolationKind::WrongSize, message, None);
        let not_allowed = |message: String| (ViolationKind::NotAllowed, message, None);
        match keyword {
            Keyword::Type { kind } => {
                let expected = self.types(kind);
                (ViolationKind::WrongType, format!("expected {expected}, found {}", type_name(node)), None)
            }
            Keyword::Enum { options } => {
                let options: Vec<String> = options.as_array().into_iter().flatten().map(plain).collect();
                one_of(&options, node)
            }
            Keyword::Constant { expected_value } => one_of(&[plain(expected_value)], node),
            Keyword::Pattern { pattern } => {
                let message = format!("{found} does not have the form `{pattern}`");
                (ViolationKind::WrongForm, message, None)
            }
            Keyword::Format { format } => (ViolationKind::WrongForm, format!("{found} is no {format}"), None),
            Keyword::MinItems { limit: 1 } => size("this list is empty".to_owned()),
            Keyword::MinItems { limit } => {
                size(format!("this list has fewer than {}", plural(*limit, "item", "items")))
            }
            Keyword::MaxItems { limit } => {
                size(format!("this list has more than {}", plural(*limit, "item", "items")))
            }
            Keyword::MinLength { limit: 1 } => size("this text is empty".to_owned()),
            Keyword::MinLength { limit } => {
                size(format!("{found} has fewer than {}", plural(*limit, "character", "characters")))
            }
            Keyword::MaxLength { limit } => {
                size(format!("{found} has more than {}", plural(*limit, "character", "characters")))
            }
            Keyword::MinProperties { limit: 1 } => size("this object is empty".to_owned()),
            Keyword::MinProperties { limit } => {
                size(format!("this object has fewer than {}", plural(*limit, "member", "members")))
            }
            Keyword::MaxProperties { limit } => {
                size(format!("this object has more than {}", plural(*limit, "member", "members")))
            }
            Keyword::Minimum { limit } => size(format!("{found} is less than {limit}")),
            Keyword::Maximum { limit } => size(format!("{found} is more than {limit}")),
            Keyword::ExclusiveMinimum { limit } => size(format!("{found} is not more than {limit}")),
            Keyword::ExclusiveMaximum { limit } => size(format!("{found} is not less than {limit}")),
            Keyword::UniqueItems => not_allowed("this list has the same item twice".to_owned()),
            Keyword::Contains => not_allowed("this list lacks an item that it needs".to_owned()),
            Keyword::AnyOf { .. } | Keyword::OneOfNotValid { .. } | Keyword::OneOfMultipleValid { .. } => {
                not_allowed(format!("{} of this form cannot stand here", type_name(node)))
            }
            _ => not_allowed(format!("{found} cannot stand here")),
        }
    }

    /// The types of a `type` keyword as a person lists them.
    fn types(self, kind: &TypeKind) -> String {
        let types: Vec<JsonType> = match kind {
            TypeKind::Single(one) => vec![*one],
            TypeKind::Multiple(many) => many.iter().collect(),
        };
        // A person expects the simple before the composed.
        let order = [
            JsonType::String,
            JsonType::Integer,
            JsonType::Number,
            JsonType::Boolean,
            JsonType::Object,
            JsonType::Array,
            JsonType::Null,
        ];
        let name = |one: &JsonType| match one {
            JsonType::String => "a string",
            JsonType::Integer => "a whole number",
            JsonType::Number => "a number",
            JsonType::Boolean => "`true` or `false`",
            JsonType::Object => "an object",
            JsonType::Array => self.list_name(),
            JsonType::Null => "null",
        };
        any_of(order.iter().filter(|one| types.contains(one)).map(name))
    }

    fn list_name(self) -> &'static str {
        let items = self.subschema.get("items");
        let reference = items.and_then(|items| items.get("$ref")).and_then(Value::as_str);
        let items = reference.map_or(items, |path| self.schema.pointer(path.trim_start_matches('#')));
        match items.and_then(|items| items.get("type")).and_then(Value::as_str) {
            Some("string") => "a list of strings",
            Some("object") => "a list of objects",
            Some("number" | "integer") => "a list of numbers",
            _ => "a list",
        }
    }
}

/// A value that is none of those allowed.
fn one_of(options: &[String], node: Node<'_>) -> (ViolationKind, String, Option<String>) {
    let names = options.iter().map(|option| format!("`{option}`"));
    let message = format!("expected {}, found {}", any_of(names), shown(node));
    let found = node.as_str().unwrap_or_default();
    let suggestion = did_you_mean(found, options.iter().map(String::as_str)).map(str::to_owned);
    let help = suggestion.as_ref().map(|suggestion| format!("did you mean `{suggestion}`?"));
    (ViolationKind::WrongValue { suggestion }, message, help)
}

/// `a`, `a or b`, `a, b, or c`.
fn any_of<T: AsRef<str>>(names: impl Iterator<Item = T>) -> String {
    let names: Vec<T> = names.collect();
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        let is_last = index + 1 == names.len();
        text.push_str(match (index, is_last) {
            (0, _) => "",
            (1, true) => " or ",
            (_, true) => ", or ",
            _ => ", ",
        });
        text.push_str(name.as_ref());
    }
    text
}

/// A value of a schema without quotation marks.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What was found, as it is shown in a message: the text of a scalar, or a word for anything else.
fn shown(node: Node<'_>) -> String {
    match (node.kind(), node.as_str()) {
        (Kind::String, Some("")) => "an empty string".to_owned(),
        (_, Some(text)) => quoted(text),
        (Kind::Bool(value), _) => format!("`{value}`"),
        _ => type_name(node).to_owned(),
    }
}

fn type_name(node: Node<'_>) -> &'static str {
    match node.kind() {
        Kind::Null => "null",
        Kind::Bool(true) => "`true`",
        Kind::Bool(false) => "`false`",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "a list",
        Kind::Object => "an object",
        Kind::Unknown => "an unknown value",
    }
}
