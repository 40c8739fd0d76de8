//! The functions that make new lists and texts out of old ones.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use keylint_source::Span;
use keylint_syntax::{Kind, Node};

use crate::cloudformation::conditions::canonical;
use crate::cloudformation::resolver::{Resolver, place_name, words};
use crate::cloudformation::substitution::is_too_much;
use crate::cloudformation::template::{Call, member};
use crate::value::{Piece, PieceKind, Text, Value, ValueKind};
use crate::within::Within;

impl<'t> Resolver<'_, 't> {
    /// `Fn::Join`: the items of a list as one text.
    pub(super) fn join(&mut self, call: Call<'t>) -> Value {
        let Some([delimiter, list]) = call.arguments() else { return call.not_known_text() };
        let delimiter =
            self.value(delimiter).map(|value| pieces_in(value, delimiter.span())).unwrap_or_default();
        let items: Vec<(Value, Span)> = if list.kind() == Kind::Array {
            list.items().filter_map(|item| Some((self.value(item)?, item.span()))).collect()
        } else {
            match self.value(list).map(|value| value.kind) {
                Some(ValueKind::List(items)) => items.into_iter().map(|item| (item, list.span())).collect(),
                _ => return call.not_known_text(),
            }
        };
        let bytes = delimiter.iter().map(|piece| piece.text.len() + size_of::<Piece>()).sum::<usize>();
        if !self.template.may_copy(bytes.saturating_mul(items.len())) {
            return call.not_known_text();
        }
        let mut text = Text::default();
        let mut end = None;
        for (item, place) in items {
            if let Some(end) = end {
                text.pieces.extend(delimiter.iter().map(|piece| inserted(piece, Span::empty(end))));
            }
            let pieces = pieces_in(item, place);
            end = Some(pieces.last().map_or(place.end(), |last| last.at.end()));
            text.pieces.extend(pieces);
        }
        Value::new(call.at, ValueKind::Text(text))
    }

    /// `Fn::Select`: an item of a list.
    pub(super) fn select(&mut self, call: Call<'t>) -> Option<Value> {
        let Some([index, list]) = call.arguments() else { return Some(call.not_known()) };
        let index = self.value(index).and_then(|index| index.known_text()?.trim().parse::<usize>().ok());
        match (index, self.value(list).map(|value| value.kind)) {
            (Some(index), Some(ValueKind::List(items))) if index < items.len() => {
                items.into_iter().nth(index)
            }
            _ => Some(call.not_known_text()),
        }
    }

    /// `Fn::Split`: the parts of a text as a list.
    pub(super) fn split(&mut self, call: Call<'t>) -> Value {
        let Some([delimiter, text]) = call.arguments() else { return call.not_known() };
        let delimiter = self.value(delimiter).and_then(|value| value.known_text());
        let Some(ValueKind::Text(text)) = self.value(text).map(|value| value.kind) else {
            return call.not_known();
        };
        let (Some(delimiter), Some(known)) = (delimiter.filter(|it| !it.is_empty()), text.known()) else {
            return call.not_known();
        };
        if is_too_much(&text, known.matches(&delimiter).count()) {
            return call.not_known();
        }
        let mut start = 0;
        let mut items = Vec::new();
        for part in known.split(&delimiter) {
            let end = start + part.len();
            items.push(Value::new(text.span(start, end), ValueKind::Text(text.slice(start, end))));
            start = end + delimiter.len();
        }
        Value::new(call.at, ValueKind::List(items))
    }

    /// `Fn::Length`: the number of items of a list.
    pub(super) fn length(&mut self, call: Call<'t>) -> Value {
        match self.value(call.argument).map(|value| value.kind) {
            Some(ValueKind::List(items)) => Value::new(call.at, ValueKind::Number(items.len().to_string())),
            _ => call.not_known_text(),
        }
    }

    /// `Fn::FindInMap`: a value of the section `Mappings`. Where a key is not known and every value that it can lead to
    /// is the same, it is that one.
    pub(super) fn find_in_map(&mut self, call: Call<'t>) -> Option<Value> {
        let arguments: Vec<_> = call.argument.items().collect();
        let &[map, top, second, ref options @ ..] = arguments.as_slice() else {
            return Some(call.not_known());
        };
        let [map, top, second] =
            [map, top, second].map(|node| self.value(node).and_then(|it| it.known_text()));
        let default = options.first().and_then(|options| member(*options, "DefaultValue"));
        let is_certain = map.is_some() && top.is_some() && second.is_some();
        let found = map.map(|map| self.mapped(&map, top.as_deref(), second.as_deref())).unwrap_or_default();
        match (found.as_slice(), default) {
            ([only], _) if is_certain => Some(self.mapping_value(*only, call)),
            ([], Some(default)) if is_certain => self.value(default),
            ([], _) => Some(call.not_known()),
            (nodes, default) => {
                let mut values: Vec<_> = nodes.iter().map(|node| self.mapping_value(*node, call)).collect();
                values.extend(default.and_then(|default| self.value(default)));
                Some(one_of(values, call))
            }
        }
    }

    /// The values of a mapping for keys that may not be known.
    fn mapped(&self, map: &str, top: Option<&str>, second: Option<&str>) -> Vec<Node<'t>> {
        let map = self.template.mappings.get(map).filter(|_| self.template.may_copy(0));
        let Some(map) = map else { return Vec::new() };
        let inner =
            top.map_or_else(|| map.values().collect(), |top| map.get(top).into_iter().collect::<Vec<_>>());
        inner
            .into_iter()
            .flat_map(|inner| match second {
                Some(second) => inner.get(second).copied().into_iter().collect::<Vec<_>>(),
                None => inner.values().copied().collect(),
            })
            .collect()
    }

    /// A value of a mapping, with its place there.
    fn mapping_value(&mut self, node: Node<'t>, call: Call<'t>) -> Value {
        if !self.template.may_copy(0) {
            return call.not_known();
        }
        let value = Value::of(node, Within::File(0));
        self.template.may_copy(canonical(&value).len());
        value
    }
}

/// The value that all of these are.
fn one_of(values: Vec<Value>, call: Call<'_>) -> Value {
    let is_text = |value: &Value| !matches!(value.kind, ValueKind::List(_) | ValueKind::Object(_));
    let are_texts = values.iter().all(is_text);
    let mut values = values.into_iter();
    let Some(first) = values.next() else { return call.not_known() };
    let text = canonical(&first);
    if values.all(|value| canonical(&value) == text) {
        return first;
    }
    if are_texts { call.not_known_text() } else { call.not_known() }
}

/// The pieces of a value that is part of a text. What is not written at `place` is only referred to there.
pub(super) fn pieces_in(value: Value, place: Span) -> Vec<Piece> {
    match value.kind {
        ValueKind::Text(text) if text.pieces.iter().all(|piece| place.contains(piece.at)) => text.pieces,
        _ => {
            let name = match &value.kind {
                ValueKind::List(_) | ValueKind::Object(_) | ValueKind::Json(_) => words(&value),
                _ => place_name(value.at),
            };
            value.into_pieces(place, &name)
        }
    }
}

/// A piece that stands where nothing is written.
fn inserted(piece: &Piece, at: Span) -> Piece {
    let kind = match &piece.kind {
        PieceKind::Exact => PieceKind::Replaced,
        other => other.clone(),
    };
    Piece { text: piece.text.clone(), at, kind }
}
