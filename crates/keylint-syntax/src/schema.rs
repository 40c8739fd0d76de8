//! Checks of a tree against a JSON Schema, in place, said in plain words.
//!
//! The words come from the schema: which members it knows, which values it allows. Where its author knows better
//! words, an annotation beside a keyword replaces ours:
//!
//! ```json
//! { "enum": ["Allow", "Deny"], "x-words": { "enum": "an effect is `Allow` or `Deny`, not `{value}`" } }
//! ```
//!
//! `{value}` stands for what was found, or for the name of the member in question. Write schemas flat (types as
//! lists instead of `oneOf`): each part of a document is then right or wrong on its own, and can be pointed at.

mod instance;
mod words;

use jsonschema::{ValidationError, Validator};
use keylint_source::{Problem, Span};
use serde_json::Value;

use self::instance::{Instance, TreeJson};
use crate::{Kind, Node, limits};

/// A JSON Schema, ready for use. Building it takes about 100 µs, a check of a policy 2 µs: build it once.
#[derive(Debug)]
pub struct Schema {
    validator: Validator<TreeJson>,
    text: Value,
}

/// A part of a document that is otherwise than its schema says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The node that is wrong; for members that are missing or unknown, the object.
    pub node: Span,
    /// The JSON pointer (RFC 6901) of that node.
    pub pointer: String,
    /// What is wrong with it.
    pub kind: ViolationKind,
    /// The same in words. Its place is the key for an unknown member, else the node.
    pub problem: Problem,
}

/// In which way a part of a document is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// A member that the schema does not know.
    UnknownMember {
        /// Its name.
        name: String,
        /// The name that was most likely meant.
        suggestion: Option<String>,
    },
    /// A member that has to be there and is not.
    MissingMember {
        /// Its name.
        name: String,
    },
    /// A value of another type.
    WrongType,
    /// None of the values that are allowed (`enum`, `const`).
    WrongValue {
        /// The value that was most likely meant.
        suggestion: Option<String>,
    },
    /// A text that does not have the form it should have (`pattern`).
    WrongForm,
    /// Too few or too many items, members or characters, or a number out of bounds.
    WrongSize,
    /// A value or a member that cannot be here, or not together with others (`not`, `false`, `uniqueItems`, …).
    NotAllowed,
}

impl Schema {
    /// Reads a schema. It must not refer to other documents.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for the author of the schema.
    pub fn new(text: &str) -> Result<Self, String> {
        let text: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let options = jsonschema::options_for::<TreeJson>().offline();
        let validator = options.build(&text).map_err(|error| error.to_string())?;
        Ok(Self { validator, text })
    }

    /// Reads a schema that is part of a document.
    ///
    /// # Errors
    ///
    /// As [`Schema::new`].
    pub fn from_node(node: Node<'_>) -> Result<Self, String> {
        Self::new(&crate::to_json(node))
    }

    /// Whether a node is as the schema says. Nodes that are not known are as anything says.
    pub fn accepts(&self, node: Node<'_>) -> bool {
        self.validator.is_valid(Instance::Node(node))
            || (node.has_unknown() && self.violations(node).is_empty())
    }

    /// What is wrong with a node and its descendants, in the order of their places; at most [`limits::VIOLATIONS`].
    /// Empty exactly if [`Schema::accepts`] the node.
    pub fn violations(&self, node: Node<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        for error in self.validator.iter_errors(Instance::Node(node)) {
            self.say(&error, node, &mut violations);
            if violations.len() >= limits::VIOLATIONS {
                break;
            }
        }
        violations.sort_by(|one, other| {
            let key = |violation: &Violation| (violation.problem.at, violation.rank());
            key(one).cmp(&key(other)).then_with(|| one.problem.message.cmp(&other.problem.message))
        });
        // One mistake is said once: a misspelt member is not missing too, …
        let misspelt: Vec<(Span, String)> = violations.iter().filter_map(Violation::misspelt).collect();
        violations.retain(|violation| match &violation.kind {
            ViolationKind::MissingMember { name } => {
                !misspelt.iter().any(|(node, meant)| *node == violation.node && meant == name)
            }
            _ => true,
        });
        // … and a value of the wrong type is not also none of those allowed.
        violations.dedup_by(|next, first| {
            next.problem == first.problem
                || (next.node == first.node
                    && first.kind == ViolationKind::WrongType
                    && !next.is_about_member())
        });
        violations
    }

    fn say(&self, error: &ValidationError<'_>, root: Node<'_>, violations: &mut Vec<Violation>) {
        let Some(node) = place(error, root) else { return };
        if is_about_unknown(error, node) {
            return;
        }
        let found = words::Found { error, node, schema: &self.text, subschema: self.subschema(error) };
        found.say(violations);
    }

    /// The part of the schema that the failing keyword stands in.
    fn subschema(&self, error: &ValidationError<'_>) -> &Value {
        let path = error.schema_path().as_str();
        // The path of a wrong name leads on to what is wrong with it.
        let name = path.rfind("/propertyNames").filter(|_| error.kind().keyword() == "propertyNames");
        let parent = name.or_else(|| path.rfind('/')).and_then(|end| path.get(..end)).unwrap_or_default();
        self.text.pointer(parent).unwrap_or(&Value::Null)
    }
}

impl Violation {
    fn is_about_member(&self) -> bool {
        matches!(self.kind, ViolationKind::UnknownMember { .. } | ViolationKind::MissingMember { .. })
    }

    /// The object and the member that was meant, if it is about a misspelt one.
    fn misspelt(&self) -> Option<(Span, String)> {
        match &self.kind {
            ViolationKind::UnknownMember { suggestion: Some(meant), .. } => Some((self.node, meant.clone())),
            _ => None,
        }
    }

    /// Of several at one place, a wrong type comes first.
    fn rank(&self) -> u8 {
        u8::from(self.kind != ViolationKind::WrongType)
    }
}

/// The node that an error is about; see `Instance::to_value`.
fn place<'t>(error: &ValidationError<'_>, root: Node<'t>) -> Option<Node<'t>> {
    let id = error.instance().as_u64()?;
    u32::try_from(id).ok().map(|id| root.tree().get(id))
}

/// Whether an error may be due to a value that is not known. An error that looks into a value is, if anything in it
/// is unknown; one that counts or names members is not.
fn is_about_unknown(error: &ValidationError<'_>, node: Node<'_>) -> bool {
    use jsonschema::error::ValidationErrorKind as Keyword;
    let looks_inside = !matches!(
        error.kind(),
        Keyword::Type { .. }
            | Keyword::Required { .. }
            | Keyword::AdditionalProperties { .. }
            | Keyword::PropertyNames { .. }
            | Keyword::MinItems { .. }
            | Keyword::MaxItems { .. }
            | Keyword::MinProperties { .. }
            | Keyword::MaxProperties { .. }
    );
    node.kind() == Kind::Unknown || (looks_inside && node.has_unknown())
}
