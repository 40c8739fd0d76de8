//! The way from the decoded text of a scalar back to the bytes of the file.
//!
//! The parser decodes, and does not say how; but each style changes the text in few ways (quotes double, backslashes
//! escape, line breaks fold, indentation goes), so that file and text can be read side by side.

use granit_parser::ScalarStyle;
use keylint_source::Span;

use crate::arena::{Slot, TextStart, offset};
use crate::report::span;
use crate::{Arena, Kind};

/// Adds the string `value`, which was decoded from the bytes `at`.
pub(super) fn add(arena: &mut Arena, source: &str, at: Span, value: &str, style: ScalarStyle) -> Slot {
    let written = source.get(at.range()).unwrap_or_default();
    let (start, end) = (at.start() as usize, at.end() as usize);
    let content = match style {
        ScalarStyle::Plain => {
            if written == value {
                return arena.scalar(Kind::String, at, 0);
            }
            start..end
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let content = start + 1..end.saturating_sub(1).max(start + 1);
            if source.get(content.clone()) == Some(value) {
                return arena.scalar(Kind::String, at, 1);
            }
            content
        }
        // The parser's place of a block begins behind `|` or `>`, and ends behind its last line break.
        ScalarStyle::Literal | ScalarStyle::Folded => start..start + written.trim_end_matches(is_blank).len(),
    };
    let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
    let whole = span(start, if is_block { content.end } else { end });
    let text = arena.begin_text();
    let written = source.get(content.clone()).unwrap_or_default();
    let mut aligner =
        Aligner { arena, text, style, written, value, start: content.start, here: (0, 0), copied: (0, 0) };
    if aligner.align().is_some() {
        return arena.text(text, whole, offset(content.end));
    }
    // Should the two not fit together after all, the whole text leads to the whole content; or to its start, where
    // both are equally long and the text would count as copied.
    let text = arena.begin_text();
    arena.decoded(text, offset(content.start), value);
    if value.len() == content.len() {
        arena.decoded(text, offset(content.start), "");
    }
    arena.text(text, whole, offset(content.end))
}

struct Aligner<'a> {
    arena: &'a mut Arena,
    text: TextStart,
    style: ScalarStyle,
    /// The content as it is written, and where in the file that begins.
    written: &'a str,
    start: usize,
    /// The content as it reads.
    value: &'a str,
    /// How far both have been read: `written`, then `value`.
    here: (usize, usize),
    /// From there on both are the same, and not yet in the arena.
    copied: (usize, usize),
}

impl Aligner<'_> {
    /// Reads what is written and what it was decoded to side by side; `None` if they do not fit.
    fn align(&mut self) -> Option<()> {
        loop {
            let written = self.written.get(self.here.0..)?;
            let value = self.value.get(self.here.1..)?;
            if written.is_empty() || value.is_empty() {
                break;
            }
            let (taken, read) = self.piece(written, value)?;
            if written.get(..taken)? == value.get(..read)? {
                self.here = (self.here.0 + taken, self.here.1 + read);
            } else {
                self.copy()?;
                self.replace(taken, read)?;
            }
        }
        self.copy()?;
        // What is left of the text are the blanks at the end of a block scalar; what is left in the file is nothing
        // that reads as text.
        let rest = self.value.get(self.here.1..)?;
        rest.trim_end_matches(is_blank).is_empty().then_some(())?;
        self.replace(self.written.len() - self.here.0, rest.len())
    }

    /// Adds what is copied so far.
    fn copy(&mut self) -> Option<()> {
        let piece = self.value.get(self.copied.1..self.here.1)?;
        if !piece.is_empty() {
            self.arena.decoded(self.text, offset(self.start + self.copied.0), piece);
        }
        Some(())
    }

    /// Adds a piece that reads otherwise than it is written, given the bytes of both.
    fn replace(&mut self, written: usize, decoded: usize) -> Option<()> {
        let piece = self.value.get(self.here.1..self.here.1 + decoded)?;
        self.arena.decoded(self.text, offset(self.start + self.here.0), piece);
        self.here = (self.here.0 + written, self.here.1 + decoded);
        self.copied = self.here;
        Some(())
    }

    /// The bytes of the next piece, written and decoded. `None` if it cannot be.
    fn piece(&self, written: &str, value: &str) -> Option<(usize, usize)> {
        let first = value.chars().next().map_or(0, char::len_utf8);
        match (self.style, written.chars().next()?) {
            (ScalarStyle::DoubleQuoted, '\\') => {
                let rest = written.get(1..)?;
                if rest.starts_with(['\n', '\r']) {
                    let blanks = blanks(rest);
                    return Some((1 + blanks.len(), breaks(blanks).saturating_sub(1)));
                }
                let is_pair = value.chars().next().is_some_and(|character| u32::from(character) > 0xFFFF);
                let length = match rest.chars().next()? {
                    'x' => 4,
                    'u' if is_pair => 12,
                    'u' => 6,
                    'U' => 10,
                    other => 1 + other.len_utf8(),
                };
                Some((length, first))
            }
            (ScalarStyle::SingleQuoted, '\'') => Some((2, 1)),
            // Empty lines at the start of a block can lie before the parser's place of it.
            (ScalarStyle::Literal | ScalarStyle::Folded, written)
                if !is_blank(written) && value.starts_with(is_blank) =>
            {
                Some((0, blanks(value).len()))
            }
            (ScalarStyle::Literal | ScalarStyle::Folded, ' ' | '\t' | '\n' | '\r') => {
                Some((blanks(written).len(), blanks(value).len()))
            }
            (_, ' ' | '\t' | '\n' | '\r') => {
                let blanks = blanks(written);
                let decoded = match breaks(blanks) {
                    0 => blanks.len(),
                    1 => 1,
                    more => more - 1,
                };
                Some((blanks.len(), decoded))
            }
            _ => {
                let is_special = |character| match character {
                    ' ' | '\t' | '\n' | '\r' => true,
                    '\\' => self.style == ScalarStyle::DoubleQuoted,
                    '\'' => self.style == ScalarStyle::SingleQuoted,
                    _ => false,
                };
                let length = written.find(is_special).unwrap_or(written.len());
                (written.get(..length) == value.get(..length)).then_some((length, length))
            }
        }
    }
}

const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// The blanks and line breaks that a text begins with.
fn blanks(text: &str) -> &str {
    let end = text.find(|character| !is_blank(character)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The number of line breaks; CR LF is one.
fn breaks(blanks: &str) -> usize {
    blanks.bytes().filter(|&byte| byte == b'\n').count()
        + blanks.bytes().filter(|&byte| byte == b'\r').count()
        - blanks.matches("\r\n").count()
}
