//! Where the parts of a text, and the nodes that are parsed from one, stand in the file.

use keylint_source::Span;
use keylint_syntax::Node;

use crate::value::{Piece, PieceKind, Text, Value};

/// The part between two offsets of the decoded text of pieces, the first of which begins at `from`.
pub(crate) fn slice(pieces: &[Piece], mut from: usize, start: usize, end: usize) -> Text {
    let mut part = Text::default();
    for piece in pieces {
        if from >= end {
            break;
        }
        let to = from + piece.text.len();
        let (first, last) = (start.max(from), end.min(to));
        if first < last
            && let Some(text) = piece.text.get(first - from..last - from)
        {
            if matches!(piece.kind, PieceKind::Exact) {
                let offset =
                    |at: usize| piece.at.start().saturating_add(u32::try_from(at - from).unwrap_or(u32::MAX));
                part.push(text, Span::new(offset(first), offset(last)), true);
            } else {
                let kind =
                    if text.len() == piece.text.len() { piece.kind.clone() } else { PieceKind::Replaced };
                part.pieces.push(Piece { text: text.to_owned(), at: piece.at, kind });
            }
        }
        from = to;
    }
    part
}

/// The bytes that a part of a text comes from: none, at its beginning, if it `is_empty`.
pub(crate) fn span(part: &Text, is_empty: bool, whole: &Text) -> Span {
    match (part.pieces.first(), part.pieces.last()) {
        (Some(first), Some(_)) if is_empty => Span::empty(first.at.start()),
        (Some(first), Some(last)) => Span::new(first.at.start(), last.at.end().max(first.at.start())),
        _ => Span::empty(whole.pieces.last().map_or(0, |last| last.at.end())),
    }
}

/// A text in which many parts are looked up.
pub(crate) struct Indexed<'t> {
    text: &'t Text,
    /// Where each piece begins in the decoded text.
    starts: Vec<usize>,
}

impl<'t> Indexed<'t> {
    pub(crate) fn new(text: &'t Text) -> Self {
        let mut end = 0;
        let starts = text.pieces.iter().map(|piece| {
            let start = end;
            end += piece.text.len();
            start
        });
        Self { text, starts: starts.collect() }
    }

    /// As [`Text::slice`].
    pub(crate) fn slice(&self, start: usize, end: usize) -> Text {
        let first = self.starts.partition_point(|from| *from <= start).saturating_sub(1);
        let from = self.starts.get(first).copied().unwrap_or_default();
        slice(self.text.pieces.get(first..).unwrap_or_default(), from, start, end)
    }

    /// As [`Text::span`].
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        span(&self.slice(start, end.max(start + 1)), start >= end, self.text)
    }
}

/// What the places of a node are offsets of.
#[derive(Clone, Copy)]
pub(crate) enum Within<'a> {
    /// Of a file that begins at this offset of the input.
    File(u32),
    /// Of the decoded text.
    Text(&'a Indexed<'a>),
}

impl Within<'_> {
    pub(crate) fn span(self, span: Span) -> Span {
        match self {
            Self::File(offset) => {
                Span::new(span.start().saturating_add(offset), span.end().saturating_add(offset))
            }
            Self::Text(text) => text.span(span.start() as usize, span.end() as usize),
        }
    }

    /// The text of a string, or a key.
    pub(crate) fn text(self, node: Node<'_>) -> Text {
        let mut text = Text::default();
        for (piece, at, exact) in node.pieces() {
            self.add(&mut text, piece, at, exact);
        }
        text
    }

    /// Adds a piece that was read from the place `at`; `exact` says whether it reads as it is written there.
    pub(crate) fn add(self, text: &mut Text, piece: &str, at: Span, exact: bool) {
        match self {
            Self::Text(outer) if exact => {
                for part in outer.slice(at.start() as usize, at.end() as usize).pieces {
                    match part.kind {
                        PieceKind::Exact => text.push(&part.text, part.at, true),
                        _ => text.pieces.push(part),
                    }
                }
            }
            _ => text.push(piece, self.span(at), exact),
        }
    }

    /// The value that a reference at this place of a text stands for.
    pub(crate) fn embedded(self, span: Span) -> Option<Value> {
        let Self::Text(text) = self else { return None };
        match text.slice(span.start() as usize, span.end() as usize).pieces.as_slice() {
            [Piece { kind: PieceKind::Embedded(value), .. }] => Some(value.as_ref().clone()),
            [Piece { kind: PieceKind::Hole, text, at }] => {
                Some(Value::unknown(*at, text.trim_start_matches("${").trim_end_matches('}')))
            }
            _ => None,
        }
    }
}
