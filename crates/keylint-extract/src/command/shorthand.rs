//! The AWS CLI's own syntax for structures: `EncryptionContextSubset={Department=IT}`.
//!
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html>

use keylint_source::Span;

use crate::value::{Key, Piece, PieceKind, Text, Value, ValueKind};
use crate::within::Indexed;

/// Structures in one another. Those of a grant are two deep.
const NESTING: usize = 10;

/// Stands for what is not known, which has no characters.
const HOLE: char = '\u{FFFC}';

/// The members that a text gives; `None` if it is no such syntax.
pub(super) fn members(text: &Text) -> Option<Vec<(Key, Value)>> {
    let indexed = Indexed::new(text);
    let mut parser = Parser { text: &indexed, marks: marks(text), at: 0 };
    parser.members(None, NESTING)
}

/// A character, and where it is in the text.
#[derive(Clone, Copy)]
struct Mark {
    character: char,
    start: usize,
    end: usize,
}

fn marks(text: &Text) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut start = 0;
    for piece in &text.pieces {
        if matches!(piece.kind, PieceKind::Exact | PieceKind::Replaced) {
            marks.extend(piece.text.char_indices().map(|(offset, character)| Mark {
                character,
                start: start + offset,
                end: start + offset + character.len_utf8(),
            }));
        } else {
            marks.push(Mark { character: HOLE, start, end: start + piece.text.len() });
        }
        start += piece.text.len();
    }
    marks
}

struct Parser<'t> {
    text: &'t Indexed<'t>,
    marks: Vec<Mark>,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.marks.get(self.at).map(|mark| mark.character)
    }

    fn eat(&mut self, character: char) -> Option<()> {
        self.skip_blanks();
        (self.peek() == Some(character)).then(|| self.at += 1)
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// The offset in the text of the mark `at`.
    fn offset(&self, at: usize) -> usize {
        let end = || self.marks.last().map_or(0, |last| last.end);
        self.marks.get(at).map_or_else(end, |mark| mark.start)
    }

    fn text(&self, from: usize, to: usize) -> Text {
        self.text.slice(self.offset(from), self.offset(to))
    }

    fn span(&self, from: usize, to: usize) -> Span {
        self.text.span(self.offset(from), self.offset(to))
    }

    /// Members up to `close`, or to the end.
    fn members(&mut self, close: Option<char>, depth: usize) -> Option<Vec<(Key, Value)>> {
        let mut members = Vec::new();
        if close.is_some_and(|close| self.eat(close).is_some()) {
            return Some(members);
        }
        loop {
            self.skip_blanks();
            let start = self.at;
            while self
                .peek()
                .is_some_and(|next| next.is_alphanumeric() || "_-.#/:@+".contains(next) || next == HOLE)
            {
                self.at += 1;
            }
            if self.at == start {
                return None;
            }
            let key = Key { at: self.span(start, self.at), text: self.text(start, self.at) };
            self.eat('=')?;
            members.push((key, self.value(depth)?));
            self.skip_blanks();
            if self.peek() == close {
                self.at += 1;
                return Some(members);
            }
            self.eat(',')?;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip_blanks();
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => {
                self.at += 1;
                ValueKind::Object(self.members(Some('}'), depth.checked_sub(1)?)?)
            }
            Some('[') => {
                self.at += 1;
                ValueKind::List(self.items(depth.checked_sub(1)?)?)
            }
            Some(quote @ ('"' | '\'')) => {
                self.at += 1;
                ValueKind::Text(self.quoted(quote)?)
            }
            _ => {
                let mut end = start;
                while let Some(next) = self.peek().filter(|next| !matches!(next, ',' | '}' | ']')) {
                    self.at += 1;
                    if !next.is_whitespace() {
                        end = self.at;
                    }
                }
                let text = self.text(start, end);
                let at = self.span(start, end);
                // What is not known may be a structure, where one can be.
                let is_alone = depth == NESTING
                    && matches!(text.pieces.as_slice(), [Piece { kind: PieceKind::Hole, .. }]);
                let value = Value::new(at, ValueKind::Text(text));
                return Some(if is_alone { Value::unknown(at, &value.name()) } else { value });
            }
        };
        Some(Value::new(self.span(start, self.at), kind))
    }

    fn items(&mut self, depth: usize) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        while self.eat(']').is_none() {
            if !items.is_empty() {
                self.eat(',')?;
            }
            items.push(self.value(depth)?);
        }
        Some(items)
    }

    /// A text in quotes, behind the first. A backslash keeps a quote, or another one, from its meaning.
    fn quoted(&mut self, quote: char) -> Option<Text> {
        let mut text = Text::default();
        loop {
            let start = self.at;
            let next = self.peek()?;
            self.at += 1;
            if next == quote {
                return Some(text);
            }
            if next == '\\' && self.peek().is_some_and(|next| next == quote || next == '\\') {
                self.at += 1;
                text.push(&self.text(start + 1, self.at).decoded(), self.span(start, self.at), false);
                continue;
            }
            for piece in self.text(start, self.at).pieces {
                match piece.kind {
                    PieceKind::Exact => text.push(&piece.text, piece.at, true),
                    _ => text.pieces.push(piece),
                }
            }
        }
    }
}
