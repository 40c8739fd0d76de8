//! The tree as the crate `jsonschema` sees a document: validated in place, nothing is copied.

use std::borrow::Cow;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node as JsonNode, NodeIdentity, Object};
use serde_json::{Number, Value};

use crate::{Items, Kind, Members, Node};

/// The representation of documents that schemas are built for.
pub(super) struct TreeJson;

/// A value of the tree, or the name of a member on its own.
#[derive(Clone, Copy)]
pub(super) enum Instance<'a> {
    Node(Node<'a>),
    Name(&'a str),
}

impl Json for TreeJson {
    type Node<'a> = Instance<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = ();

    // A lookup here visits every key; for a handful of them one pass over the members is cheaper.
    const KEYS_PER_LOOKUP: usize = 2;
    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>((): &mut (), string: &str, f: impl FnOnce(Instance<'_>) -> T) -> T {
        f(Instance::Name(string))
    }
}

impl<'a> Instance<'a> {
    /// An unknown value counts as a string; what is said against it is dropped later.
    fn kind(self) -> Kind {
        match self {
            Self::Node(node) if node.kind() != Kind::Unknown => node.kind(),
            _ => Kind::String,
        }
    }

    fn node(self, kind: Kind) -> Option<Node<'a>> {
        match self {
            Self::Node(node) if node.kind() == kind => Some(node),
            _ => None,
        }
    }
}

impl<'a> JsonNode<'a, TreeJson> for Instance<'a> {
    type Object = ObjectNode<'a>;
    type Array = ArrayNode<'a>;
    type Number = NumberText<'a>;

    fn as_object(&self) -> Option<ObjectNode<'a>> {
        self.node(Kind::Object).map(ObjectNode)
    }

    fn as_array(&self) -> Option<ArrayNode<'a>> {
        self.node(Kind::Array).map(ArrayNode)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match *self {
            Self::Name(name) => Some(Cow::Borrowed(name)),
            Self::Node(node) if node.kind() == Kind::Unknown => Some(Cow::Borrowed("")),
            Self::Node(node) => node.as_string().map(Cow::Borrowed),
        }
    }

    fn as_number(&self) -> Option<NumberText<'a>> {
        self.node(Kind::Number)?.as_str().map(NumberText)
    }

    fn as_boolean(&self) -> Option<bool> {
        if let Kind::Bool(value) = self.kind() { Some(value) } else { None }
    }

    fn is_null(&self) -> bool {
        self.kind() == Kind::Null
    }

    fn is_number(&self) -> bool {
        self.kind() == Kind::Number
    }

    fn json_type(&self) -> JsonType {
        match self.kind() {
            Kind::Null => JsonType::Null,
            Kind::Bool(_) => JsonType::Boolean,
            Kind::Number => JsonType::Number,
            Kind::String | Kind::Unknown => JsonType::String,
            Kind::Array => JsonType::Array,
            Kind::Object => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        if let (Some(text), Value::String(expected)) = (self.as_string(), expected) {
            return text == expected.as_str();
        }
        match self {
            Self::Name(_) => false,
            Self::Node(node) => value(*node) == *expected,
        }
    }

    /// What an error carries: not the value, but the number of the node, by which the error's place is found again.
    /// Nothing else asks for this value: whatever compares values goes by [`value`].
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(match self {
            Self::Node(node) => Value::from(node.id()),
            Self::Name(name) => Value::from(*name),
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        match self {
            Self::Node(node) => Some(NodeIdentity::tagged(node.arena_address(), node.id())),
            Self::Name(_) => None,
        }
    }
}

pub(super) struct ObjectNode<'a>(Node<'a>);

impl<'a> Object<'a, TreeJson> for ObjectNode<'a> {
    type Node = Instance<'a>;
    type MemberName = &'a str;
    type MembersIter = MemberInstances<'a>;

    fn len(&self) -> usize {
        self.0.members().count()
    }

    fn is_empty(&self) -> bool {
        self.0.members().next().is_none()
    }

    fn get(&self, key: &Box<str>) -> Option<Instance<'a>> {
        self.0.get(key).map(Instance::Node)
    }

    fn members(&self) -> MemberInstances<'a> {
        MemberInstances(self.0.members())
    }
}

/// Every member, of duplicates each: all of them are to be right.
pub(super) struct MemberInstances<'a>(Members<'a>);

impl<'a> Iterator for MemberInstances<'a> {
    type Item = (&'a str, Instance<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.0.next()?;
        Some((member.key.as_str().unwrap_or_default(), Instance::Node(member.value)))
    }
}

pub(super) struct ArrayNode<'a>(Node<'a>);

impl<'a> Array<'a, TreeJson> for ArrayNode<'a> {
    type Node = Instance<'a>;
    type ElementsIter = ItemInstances<'a>;

    fn len(&self) -> usize {
        self.0.items().count()
    }

    fn elements(&self) -> ItemInstances<'a> {
        ItemInstances(self.0.items())
    }

    fn is_unique(&self) -> bool {
        let mut texts: Vec<String> = self.0.items().map(|item| value(item).to_string()).collect();
        texts.sort_unstable();
        texts.windows(2).all(|pair| pair.first() != pair.last())
    }
}

pub(super) struct ItemInstances<'a>(Items<'a>);

impl<'a> Iterator for ItemInstances<'a> {
    type Item = Instance<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Instance::Node)
    }
}

/// A number as it is written, in JSON or YAML, parsed when asked for.
pub(super) struct NumberText<'a>(&'a str);

impl NumberText<'_> {
    fn integer(&self) -> Option<i128> {
        let text = self.0;
        if let Some(digits) = text.strip_prefix("0x") {
            return i128::from_str_radix(digits, 16).ok();
        }
        if let Some(digits) = text.strip_prefix("0o") {
            return i128::from_str_radix(digits, 8).ok();
        }
        text.parse().ok()
    }

    fn float(&self) -> f64 {
        // `.inf` and `.nan` of YAML are no numbers of Rust; neither is a number that a schema could ask for.
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl JsonNumber for NumberText<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.integer().and_then(|integer| integer.try_into().ok())
    }

    fn as_i64(&self) -> Option<i64> {
        self.integer().and_then(|integer| integer.try_into().ok())
    }

    fn as_f64(&self) -> Option<f64> {
        Some(self.float())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, Number> {
        let number = self.as_i64().map(Number::from).or_else(|| self.as_u64().map(Number::from));
        Cow::Owned(number.or_else(|| Number::from_f64(self.float())).unwrap_or_else(|| Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        let float = self.float();
        self.integer().is_some() || (float.is_finite() && float.fract() == 0.0)
    }
}

/// A copy of a node, for the comparison with values of a schema. Of duplicate members the last counts.
fn value(node: Node<'_>) -> Value {
    match node.kind() {
        Kind::Null | Kind::Unknown => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Number => Value::Number(NumberText(node.as_str().unwrap_or_default()).to_number().into_owned()),
        Kind::String => Value::from(node.as_str().unwrap_or_default()),
        Kind::Array => node.items().map(value).collect(),
        Kind::Object => {
            let name = |key: Node<'_>| key.as_str().unwrap_or_default().to_owned();
            Value::Object(node.members().map(|member| (name(member.key), value(member.value))).collect())
        }
    }
}
