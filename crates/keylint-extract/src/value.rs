//! What a template or a module comes to: values, each with the bytes it was written in.
//!
//! Following references makes new texts out of old ones (`!Sub`, `${…}`, `concat`). A [`Text`] keeps where each of its
//! pieces comes from, so that a policy that was put together still points at the bytes of the file. What is not known
//! before deployment is a *hole* in a text, `${…}`, or a value of its own; the same name is the same value.

use keylint_source::Span;
use keylint_syntax::{Arena, Kind, Node, Slot};

use crate::within::{Within, slice, span};

/// Values inside one another; what is deeper is taken as not known.
const NESTING: usize = 100;

/// A value and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// All of it, quotation marks and brackets included.
    pub(crate) at: Span,
    pub(crate) kind: ValueKind,
}

#[derive(Clone, Debug)]
pub(crate) enum ValueKind {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(Text),
    List(Vec<Value>),
    /// A list without order or repetition: each item is its own key.
    Set(Vec<Value>),
    /// The members in their order. Keys have the place of the key.
    Object(Vec<(Key, Value)>),
    /// A text that holds this value as JSON: what `jsonencode` gives.
    Json(Box<Value>),
    /// An object as it stands in the tree, with nothing in it that stands for anything else.
    AsItStands(Slot),
    /// Not known, under this name.
    Unknown(String),
    /// In a list: any number of values that are not known, under this name.
    Several(String),
}

/// The key of a member.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) at: Span,
    pub(crate) text: Text,
}

/// A text in pieces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    pub(crate) pieces: Vec<Piece>,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// What it reads. Of a hole: `${name}`.
    pub(crate) text: String,
    /// The bytes it comes from.
    pub(crate) at: Span,
    pub(crate) kind: PieceKind,
}

#[derive(Clone, Debug)]
pub(crate) enum PieceKind {
    /// The bytes of the file as they are.
    Exact,
    /// What stands for something else: an escape sequence, a reference to a known text.
    Replaced,
    /// What is not known.
    Hole,
    /// A reference to a value that is no text: where the whole text is JSON, the value stands in it.
    Embedded(Box<Value>),
}

impl Value {
    pub(crate) fn new(at: Span, kind: ValueKind) -> Self {
        Self { at, kind }
    }

    /// A text that is not written as such: the name of an element, say.
    pub(crate) fn text(at: Span, text: impl Into<String>) -> Self {
        Self { at, kind: ValueKind::Text(Text::replaced(text, at)) }
    }

    /// A value that is not known.
    pub(crate) fn unknown(at: Span, name: &str) -> Self {
        Self { at, kind: ValueKind::Unknown(hole_name(name)) }
    }

    /// A text that is not known. Unlike a value that is not known, it is one text, and no list.
    pub(crate) fn hole(at: Span, name: &str) -> Self {
        Self { at, kind: ValueKind::Text(Text::hole(at, name)) }
    }

    /// The text, if it is known to the last character.
    pub(crate) fn known_text(&self) -> Option<String> {
        match &self.kind {
            ValueKind::Text(text) => text.known(),
            ValueKind::Number(number) => Some(number.clone()),
            ValueKind::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// What the value is called, if it is not known; else where it stands.
    pub(crate) fn name(&self) -> String {
        match &self.kind {
            ValueKind::Unknown(name) | ValueKind::Several(name) if !name.is_empty() => name.clone(),
            ValueKind::Text(text) => text.decoded().replace(['$', '{', '}'], ""),
            ValueKind::Object(members) => members
                .last()
                .map_or_else(String::new, |(_, value)| value.known_text().unwrap_or_else(|| value.name())),
            _ => format!("value {}", self.at.start()),
        }
    }

    /// The value of the last member with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        let ValueKind::Object(members) = &self.kind else { return None };
        members.iter().rev().find(|(name, _)| name.text.is(key)).map(|(_, value)| value)
    }

    /// What stands for this value inside a text that is written at `at`.
    pub(crate) fn into_pieces(self, at: Span, name: &str) -> Vec<Piece> {
        let replaced = |text: String| vec![Piece { text, at, kind: PieceKind::Replaced }];
        match self.kind {
            ValueKind::Text(text) => text
                .pieces
                .into_iter()
                .map(|piece| Piece {
                    at,
                    kind: match piece.kind {
                        PieceKind::Exact => PieceKind::Replaced,
                        other => other,
                    },
                    text: piece.text,
                })
                .collect(),
            ValueKind::Number(number) => replaced(number),
            ValueKind::Bool(value) => replaced(value.to_string()),
            ValueKind::Null => Vec::new(),
            ValueKind::Json(value) => vec![Piece {
                text: format!("${{{}}}", hole_name(name)),
                at,
                kind: PieceKind::Embedded(value),
            }],
            ValueKind::Unknown(known) | ValueKind::Several(known) => {
                let name = if known.is_empty() { hole_name(name) } else { known };
                vec![Piece { text: format!("${{{name}}}"), at, kind: PieceKind::Hole }]
            }
            ValueKind::List(_) | ValueKind::Set(_) | ValueKind::Object(_) | ValueKind::AsItStands(_) => {
                vec![Piece { text: format!("${{{}}}", hole_name(name)), at, kind: PieceKind::Hole }]
            }
        }
    }

    /// What stands for this value as the key of an object, which is written as `name`. A key that is written out keeps
    /// its bytes.
    pub(crate) fn into_pieces_of_key(self, name: &str) -> Vec<Piece> {
        match self.kind {
            ValueKind::Text(text) => text.pieces,
            _ => {
                let at = self.at;
                self.into_pieces(at, name)
            }
        }
    }

    /// The value of a node: of the file itself, or of a text that was parsed on its own.
    pub(crate) fn of(node: Node<'_>, within: Within<'_>) -> Self {
        Self::of_node(node, within, NESTING)
    }

    fn of_node(node: Node<'_>, within: Within<'_>, depth: usize) -> Self {
        let at = within.span(node.span());
        let unknown = || ValueKind::Unknown(String::new());
        let kind = match node.kind() {
            _ if depth == 0 => unknown(),
            Kind::Null => ValueKind::Null,
            Kind::Bool(value) => ValueKind::Bool(value),
            Kind::Number => ValueKind::Number(node.as_str().unwrap_or_default().to_owned()),
            Kind::String => ValueKind::Text(within.text(node)),
            Kind::Array => {
                ValueKind::List(node.items().map(|item| Self::of_node(item, within, depth - 1)).collect())
            }
            Kind::Object => ValueKind::Object(
                node.members()
                    .map(|member| {
                        let key = Key { at: within.span(member.key.span()), text: within.text(member.key) };
                        (key, Self::of_node(member.value, within, depth - 1))
                    })
                    .collect(),
            ),
            Kind::Unknown => match (within.embedded(node.span()), node.placeholder()) {
                (Some(embedded), _) => return embedded,
                (None, Some(placeholder)) => {
                    let name = placeholder.trim_start_matches("${").trim_end_matches('}');
                    ValueKind::Unknown(hole_name(name))
                }
                (None, None) => unknown(),
            },
        };
        Self { at, kind }
    }

    /// Writes the value into an arena, as a root of its own or as part of what is open there.
    pub(crate) fn write(&self, arena: &mut Arena) -> Slot {
        self.write_at(arena, NESTING)
    }

    fn write_at(&self, arena: &mut Arena, depth: usize) -> Slot {
        match &self.kind {
            _ if depth == 0 => arena.scalar(Kind::Unknown, self.at, 0),
            ValueKind::Null => arena.scalar(Kind::Null, self.at, 0),
            ValueKind::Bool(value) => arena.scalar(Kind::Bool(*value), self.at, 0),
            ValueKind::Number(number) => {
                let start = arena.begin_text();
                arena.decoded(start, self.at.start(), number);
                arena.number(start, self.at)
            }
            ValueKind::Text(text) => text.write(self.at, arena),
            ValueKind::List(items) | ValueKind::Set(items) => {
                let list = arena.open(Kind::Array, self.at.start());
                for item in items {
                    item.write_at(arena, depth - 1);
                }
                arena.close(list, self.at.end());
                list
            }
            ValueKind::Object(members) => {
                let object = arena.open(Kind::Object, self.at.start());
                for (key, value) in members {
                    key.text.write(key.at, arena);
                    value.write_at(arena, depth - 1);
                }
                arena.close(object, self.at.end());
                object
            }
            ValueKind::Json(value) => value.write_at(arena, depth - 1),
            ValueKind::AsItStands(slot) => arena.copy(*slot),
            ValueKind::Several(_) => arena.scalar(Kind::Unknown, self.at, 0),
            ValueKind::Unknown(name) if name.is_empty() => arena.scalar(Kind::Unknown, self.at, 0),
            ValueKind::Unknown(name) => {
                let start = arena.begin_text();
                arena.decoded(start, self.at.start(), &format!("${{{name}}}"));
                arena.decoded(start, self.at.start(), "");
                arena.unknown(start, self.at, self.at.end())
            }
        }
    }

    /// Calls `look` with every text in it that is no key.
    pub(crate) fn for_each_text(&self, look: &mut dyn FnMut(&Text)) {
        match &self.kind {
            ValueKind::Text(text) => look(text),
            ValueKind::List(items) | ValueKind::Set(items) => {
                for item in items {
                    item.for_each_text(look);
                }
            }
            ValueKind::Object(members) => members.iter().for_each(|(_, value)| value.for_each_text(look)),
            ValueKind::Json(value) => value.for_each_text(look),
            _ => {}
        }
    }

    /// Calls `found` with the name and the place of everything in the value that is not known.
    pub(crate) fn for_each_unknown(&self, found: &mut dyn FnMut(&str, Span)) {
        match &self.kind {
            ValueKind::Unknown(name) | ValueKind::Several(name) => found(name, self.at),
            ValueKind::Text(text) => text.for_each_hole(found),
            ValueKind::List(items) | ValueKind::Set(items) => {
                for item in items {
                    item.for_each_unknown(found);
                }
            }
            ValueKind::Object(members) => members.iter().for_each(|(key, value)| {
                key.text.for_each_hole(found);
                value.for_each_unknown(found);
            }),
            ValueKind::Json(value) => value.for_each_unknown(found),
            ValueKind::Null | ValueKind::Bool(_) | ValueKind::Number(_) | ValueKind::AsItStands(_) => {}
        }
    }
}

impl Key {
    /// The name of a member, which stands in the file in other words.
    pub(crate) fn named(name: &str, at: Span) -> Self {
        Self { at, text: Text::replaced(name, at) }
    }
}

impl Text {
    /// A text that stands for the bytes `at` and is not the same as they are.
    pub(crate) fn replaced(text: impl Into<String>, at: Span) -> Self {
        Self { pieces: vec![Piece { text: text.into(), at, kind: PieceKind::Replaced }] }
    }

    /// A text that is not known.
    pub(crate) fn hole(at: Span, name: &str) -> Self {
        let text = format!("${{{}}}", hole_name(name));
        Self { pieces: vec![Piece { text, at, kind: PieceKind::Hole }] }
    }

    /// Adds a piece. An exact one that goes on where an exact one ended becomes part of it.
    pub(crate) fn push(&mut self, text: &str, at: Span, exact: bool) {
        if text.is_empty() {
            return;
        }
        if let Some(last) = self.pieces.last_mut()
            && exact
            && matches!(last.kind, PieceKind::Exact)
            && last.at.end() == at.start()
        {
            last.text.push_str(text);
            last.at = Span::new(last.at.start(), at.end());
            return;
        }
        let kind = if exact { PieceKind::Exact } else { PieceKind::Replaced };
        self.pieces.push(Piece { text: text.to_owned(), at, kind });
    }

    /// The whole text, holes as `${…}`.
    pub(crate) fn decoded(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// The text, if it has no hole.
    pub(crate) fn known(&self) -> Option<String> {
        let is_known = |piece: &Piece| matches!(piece.kind, PieceKind::Exact | PieceKind::Replaced);
        self.pieces.iter().all(is_known).then(|| self.decoded())
    }

    /// Whether it is this text.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self.pieces.as_slice() {
            [] => text.is_empty(),
            [only] => only.text == text,
            _ => self.decoded() == text,
        }
    }

    /// The part between two offsets of the decoded text.
    pub(crate) fn slice(&self, start: usize, end: usize) -> Self {
        slice(&self.pieces, 0, start, end)
    }

    /// The bytes that a range of the decoded text comes from.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        span(&self.slice(start, end.max(start + 1)), start >= end, self)
    }

    fn write(&self, at: Span, arena: &mut Arena) -> Slot {
        let start = arena.begin_text();
        let mut pieces = self.pieces.iter().filter(|piece| !piece.text.is_empty()).peekable();
        while let Some(piece) = pieces.next() {
            let (at, text) = (piece.at, piece.text.as_str());
            // Of equal length, the piece would count as copied byte by byte.
            let first = text.chars().next().map_or(0, char::len_utf8);
            let (first, rest) = match text.split_at_checked(first) {
                Some((first, rest))
                    if !matches!(piece.kind, PieceKind::Exact) && text.len() == at.len() as usize =>
                {
                    (first, rest)
                }
                _ => ("", text),
            };
            for part in [first, rest].into_iter().filter(|part| !part.is_empty()) {
                arena.decoded(start, at.start(), part);
            }
            // What lies between two pieces belongs to neither.
            if pieces.peek().is_some_and(|next| next.at.start() != at.end()) {
                arena.decoded(start, at.end(), "");
            }
        }
        let end = self.pieces.last().map_or_else(|| at.end(), |last| last.at.end());
        arena.text(start, at, end)
    }

    fn for_each_hole(&self, found: &mut dyn FnMut(&str, Span)) {
        for piece in &self.pieces {
            match &piece.kind {
                PieceKind::Hole => {
                    found(piece.text.trim_start_matches("${").trim_end_matches('}'), piece.at);
                }
                PieceKind::Embedded(value) => value.for_each_unknown(found),
                PieceKind::Exact | PieceKind::Replaced => {}
            }
        }
    }
}

/// A name for what is not known, out of the words by which the user refers to it: without the characters that mean
/// something in a text of JSON or in a policy variable.
pub(crate) fn hole_name(words: &str) -> String {
    let mut name = String::with_capacity(words.len());
    for word in words.split_whitespace() {
        if !name.is_empty() {
            name.push(' ');
        }
        name.extend(word.chars().map(|character| match character {
            '"' | '\\' => '\'',
            '{' => '(',
            '}' => ')',
            other => other,
        }));
    }
    name
}
