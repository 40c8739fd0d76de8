//! What is written inside of a text and stands for something else.

use std::collections::BTreeMap;

use keylint_source::Span;
use keylint_syntax::{Kind, Node};

use crate::cloudformation::conditions::canonical;
use crate::cloudformation::resolver::{Resolver, place_name, words};
use crate::cloudformation::template::{Call, members};
use crate::value::{Piece, PieceKind, Text, Value, ValueKind};
use crate::within::Within;

/// Cutting a text takes as many steps as it has pieces, for each cut. No policy is near this.
const STEPS: usize = 4_000_000;

impl<'t> Resolver<'_, 't> {
    /// A text as it is written. In resources that are written as one, an identifier stands for something else.
    pub(super) fn literal(&self, node: Node<'t>) -> Text {
        let mut text = Within::File(0).text(node);
        if !self.identifiers.is_empty() {
            for open in ["${", "&{"] {
                text = replace(&text, open, "}", |cut| {
                    let name = cut.inside();
                    self.identifiers.contains(&name).then(|| Text::hole(cut.span(), name).pieces)
                });
            }
        }
        text
    }

    /// `Fn::Sub`: a text with references in it.
    pub(super) fn substitute(&mut self, call: Call<'t>) -> Value {
        let (node, values) = match call.arguments() {
            Some([text, values]) => (text, self.variables(values)),
            None => (call.argument, BTreeMap::new()),
        };
        if node.kind() == Kind::Number {
            return Value::of(node, Within::File(0));
        }
        if node.kind() != Kind::String {
            return call.not_known_text();
        }
        let text = replace(&self.literal(node), "${", "}", |cut| {
            if cut.inside().starts_with('!') {
                return Some(cut.without_mark());
            }
            let (name, at) = (cut.inside().trim(), cut.span());
            let value = match values.get(name) {
                Some((value, bytes)) => self.template.may_copy(*bytes).then(|| value.clone()),
                None => self.named(at, name),
            };
            Some(value.unwrap_or_else(|| Value::hole(at, name)).into_pieces(at, name))
        });
        Value::new(call.at, ValueKind::Text(text))
    }

    /// The names that a call of `Fn::Sub` explains itself, with the bytes that each value takes.
    fn variables(&mut self, node: Node<'t>) -> BTreeMap<&'t str, (Value, usize)> {
        let mut values = BTreeMap::new();
        for member in members(node) {
            if let (Some(name), Some(value)) = (member.key.as_str(), self.value(member.value)) {
                // A list has no text, and is known by its own name.
                let value = match value.kind {
                    ValueKind::List(_) | ValueKind::Object(_) => Value::hole(value.at, &words(&value)),
                    _ => value,
                };
                let pieces = if let ValueKind::Text(text) = &value.kind { text.pieces.len() } else { 1 };
                let bytes = canonical(&value).len() + pieces * size_of::<Piece>();
                values.insert(name, (value, bytes));
            }
        }
        values
    }
}

/// A policy as CloudFormation sends it: what it looks up in the Parameter Store and in Secrets Manager is not known
/// before, and (with `as_texts`) its numbers are texts, such as the ids of accounts without quotation marks.
pub(super) fn as_sent(value: &mut Value, as_texts: bool) {
    let at = value.at;
    match &mut value.kind {
        ValueKind::Text(text) if text.pieces.iter().any(|piece| piece.text.contains('{')) => {
            *text = replace(text, "{{", "}}", |cut| {
                cut.inside().starts_with("resolve:").then(|| Text::hole(cut.span(), cut.inside()).pieces)
            });
        }
        ValueKind::Number(number) if as_texts && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            let is_exact = at.len() as usize == number.len();
            let mut text = Text::default();
            text.push(number, at, is_exact);
            value.kind = ValueKind::Text(text);
        }
        ValueKind::List(items) => items.iter_mut().for_each(|item| as_sent(item, as_texts)),
        ValueKind::Object(members) => members.iter_mut().for_each(|(_, value)| as_sent(value, as_texts)),
        _ => {}
    }
}

/// Whether to cut a text so often takes too long.
pub(super) fn is_too_much(text: &Text, cuts: usize) -> bool {
    text.pieces.len().saturating_mul(cuts) > STEPS
}

/// A part of a text between two marks, and these.
struct Cut<'c> {
    text: &'c Text,
    decoded: &'c str,
    start: usize,
    end: usize,
    /// The bytes of both marks.
    marks: (usize, usize),
}

impl Cut<'_> {
    fn inside(&self) -> &str {
        self.decoded.get(self.start + self.marks.0..self.end - self.marks.1).unwrap_or_default()
    }

    fn span(&self) -> Span {
        self.text.span(self.start, self.end)
    }

    /// `${Name}` for `${!Name}`.
    fn without_mark(&self) -> Vec<Piece> {
        let inside = self.start + self.marks.0;
        let mut pieces = self.text.slice(self.start, inside).pieces;
        pieces.extend(self.text.slice(inside + 1, self.end).pieces);
        pieces
    }
}

/// Replaces what stands between `open` and `close`, these included, where `stand_in` gives something for it.
fn replace(
    text: &Text,
    open: &str,
    close: &str,
    mut stand_in: impl FnMut(&Cut<'_>) -> Option<Vec<Piece>>,
) -> Text {
    let decoded = text.decoded();
    let count = decoded.matches(open).count();
    if count == 0 {
        return text.clone();
    }
    if is_too_much(text, count) {
        let at = text.span(0, decoded.len());
        return Text::hole(at, &place_name(at));
    }
    let find = |mark: &str, from: usize| Some(from + decoded.get(from..)?.find(mark)?);
    let mut result = Text::default();
    let (mut from, mut copied) = (0, 0);
    while let Some(start) = find(open, from)
        && let Some(end) = find(close, start + open.len()).map(|end| end + close.len())
    {
        let marks = (open.len(), close.len());
        match stand_in(&Cut { text, decoded: &decoded, start, end, marks }) {
            Some(pieces) => {
                append(&mut result, text.slice(copied, start).pieces);
                append(&mut result, pieces);
                (from, copied) = (end, end);
            }
            None => from = start + open.len(),
        }
    }
    append(&mut result, text.slice(copied, decoded.len()).pieces);
    result
}

fn append(text: &mut Text, pieces: Vec<Piece>) {
    for piece in pieces {
        match piece.kind {
            PieceKind::Exact => text.push(&piece.text, piece.at, true),
            _ => text.pieces.push(piece),
        }
    }
}
