//! Blocks and expressions in both of Terraform's syntaxes.

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure;
use keylint_source::Span;
use keylint_syntax::{Kind, Node};

use super::module::objects;

/// The file that something stands in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'m> {
    pub(super) text: &'m str,
    /// Where the file begins among the places of the module.
    pub(super) offset: u32,
}

/// A block.
#[derive(Clone, Copy)]
pub(super) enum Block<'m> {
    Hcl(&'m structure::Block, Place<'m>),
    /// An object, and the key that names it.
    Json {
        key: Node<'m>,
        object: Node<'m>,
        file: Place<'m>,
    },
}

/// A block inside another, with its word and its label.
pub(super) type Child<'m> = (&'m str, Option<&'m str>, Block<'m>);

/// An expression that is not evaluated yet.
#[derive(Clone, Copy)]
pub(super) enum Expr<'m> {
    Hcl(&'m Expression, Place<'m>),
    Json(Node<'m>, Place<'m>),
}

/// An argument of a block.
pub(super) struct Argument<'m> {
    /// Where its name stands.
    pub(super) key: Span,
    pub(super) value: Expr<'m>,
}

impl Place<'_> {
    /// A range of the file among the places of the module.
    pub(super) fn span(self, range: std::ops::Range<usize>) -> Span {
        let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX).saturating_add(self.offset);
        Span::new(at(range.start), at(range.end))
    }

    fn node(self, span: Span) -> Span {
        self.span(span.range())
    }
}

impl<'m> Block<'m> {
    /// All of it.
    pub(super) fn at(self) -> Span {
        match self {
            Self::Hcl(block, file) => file.span(block.span().unwrap_or_default()),
            Self::Json { object, file, .. } => file.node(object.span()),
        }
    }

    /// The word and the labels that it begins with.
    pub(super) fn heading(self) -> Span {
        match self {
            Self::Hcl(block, file) => {
                let start = block.ident.span().unwrap_or_default();
                let last = block.labels.last().and_then(hcl_edit::Span::span);
                file.span(start.start..last.map_or(start.end, |last| last.end))
            }
            Self::Json { key, file, .. } => file.node(key.content_span()),
        }
    }

    /// The argument of this name.
    pub(super) fn argument(self, name: &str) -> Option<Argument<'m>> {
        match self {
            Self::Hcl(block, file) => {
                let attribute = block.body.get_attribute(name)?;
                let key = file.span(attribute.key.span().unwrap_or_default());
                Some(Argument { key, value: Expr::Hcl(&attribute.value, file) })
            }
            Self::Json { object, file, .. } => {
                let member = object.members().filter(|member| member.key.as_str() == Some(name)).last()?;
                let key = file.node(member.key.content_span());
                Some(Argument { key, value: Expr::Json(member.value, file) })
            }
        }
    }

    /// The names of its arguments. In JSON, blocks inside it are among them.
    pub(super) fn arguments(self) -> Vec<&'m str> {
        match self {
            Self::Hcl(block, _) => block.body.attributes().map(|attribute| attribute.key.as_str()).collect(),
            Self::Json { object, .. } => object.members().filter_map(|member| member.key.as_str()).collect(),
        }
    }

    /// The blocks inside it, in their order.
    pub(super) fn children(self) -> Vec<Child<'m>> {
        match self {
            Self::Hcl(block, file) => {
                let blocks = block.body.blocks();
                let child = |block: &'m structure::Block| {
                    let label = block.labels.first().map(structure::BlockLabel::as_str);
                    (block.ident.as_str(), label, Block::Hcl(block, file))
                };
                blocks.map(child).collect()
            }
            Self::Json { object, file, .. } => {
                let mut children = Vec::new();
                for member in object.members() {
                    let word = member.key.as_str().unwrap_or_default();
                    for object in objects(member.value) {
                        if word == "dynamic" {
                            children.extend(object.members().flat_map(|named| {
                                let label = named.key.as_str();
                                objects(named.value).map(move |object| {
                                    (word, label, Block::Json { key: named.key, object, file })
                                })
                            }));
                        } else {
                            children.push((word, None, Block::Json { key: member.key, object, file }));
                        }
                    }
                }
                children
            }
        }
    }
}

impl Expr<'_> {
    /// Its bytes.
    pub(super) fn at(self) -> Span {
        match self {
            Self::Hcl(expression, file) => file.span(expression.span().unwrap_or_default()),
            Self::Json(node, file) => file.node(node.span()),
        }
    }

    /// What it is as it is written.
    pub(super) fn source(self) -> String {
        match self {
            Self::Hcl(expression, file) => {
                file.text.get(expression.span().unwrap_or_default()).unwrap_or_default().to_owned()
            }
            Self::Json(node, file) => {
                let text = file.text.get(node.content_span().range()).unwrap_or_default();
                let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                let text = if node.kind() == Kind::String { inside.unwrap_or(text) } else { text };
                text.to_owned()
            }
        }
    }
}
