//! The words of a command, as the shell takes them apart.

use keylint_source::Span;

use super::constants::Constants;
use super::holes::{Quotes, balanced, hole};
use super::reader::{Enclosure, Reader, Unit, span};
use crate::value::{Piece, PieceKind, Text};

/// A word, without its quotes.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: Text,
    /// All of it, quotes included.
    pub(super) at: Span,
    /// Whether it is any number of words, quotes or not.
    pub(super) is_several: bool,
    is_quoted: bool,
    is_placeholder: bool,
}

impl Word {
    pub(super) fn new(text: Text, at: Span) -> Self {
        Self { text, at, is_several: false, is_quoted: false, is_placeholder: false }
    }

    /// Whether it begins as an option.
    pub(super) fn is_option(&self) -> bool {
        self.text.pieces.first().is_some_and(|first| {
            // The dashes may have quotes between them, but nobody writes that.
            matches!(first.kind, PieceKind::Exact | PieceKind::Replaced) && first.text.starts_with("--")
        })
    }

    /// Whether all of it is not known.
    pub(super) fn is_hole(&self) -> bool {
        matches!(self.text.pieces.as_slice(), [Piece { kind: PieceKind::Hole, .. }])
    }

    /// Whether it is a variable that the shell may take apart into any number of words.
    pub(super) fn is_variable(&self) -> bool {
        self.is_hole() && !self.is_quoted
    }

    /// Whether the reader is to put something in its place.
    pub(super) fn is_placeholder(&self) -> bool {
        self.is_placeholder
    }

    /// The words that the shell makes of it, with the values of constants in the place of their names. Without quotes a
    /// value is taken apart at its blanks.
    pub(super) fn with_constants(mut self, constants: &Constants, source: &str) -> Vec<Self> {
        if self.is_several {
            return vec![self];
        }
        let splits = self.is_variable();
        for piece in &mut self.text.pieces {
            let written = source.get(piece.at.range()).unwrap_or_default();
            let name = written
                .strip_prefix('$')
                .map(|name| name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
            let used_at = piece.at.start() as usize;
            let value = name.filter(|_| matches!(piece.kind, PieceKind::Hole));
            if let Some(value) = value.and_then(|name| constants.value(name, used_at)) {
                let text = source.get(value.clone()).unwrap_or_default().to_owned();
                *piece = Piece { text, at: span(value.start, value.end), kind: PieceKind::Exact };
            }
        }
        let (true, [Piece { text, at, kind: PieceKind::Exact }]) = (splits, self.text.pieces.as_slice())
        else {
            return vec![self];
        };
        let offset = |part: &str| at.start() as usize + (part.as_ptr().addr() - text.as_ptr().addr());
        let word = |part: &str| {
            let mut one = Text::default();
            one.push(part, span(offset(part), offset(part) + part.len()), true);
            Self { text: one, ..self.clone() }
        };
        text.split_ascii_whitespace().map(word).collect()
    }

    /// The part behind an offset of the text.
    pub(super) fn part(&self, from: usize) -> Self {
        let end = self.text.decoded().len();
        let at = self.text.span(from, end);
        let at = if at.is_empty() { Span::empty(self.at.end()) } else { at };
        Self { text: self.text.slice(from, end), at, ..*self }
    }
}

/// What follows a command, where its end in the file is not its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// Something is added to the text.
    More,
    /// Something is filled in at places of the text.
    FilledIn,
}

/// The words of a command up to its end. Redirections are left out.
pub(super) struct Words<'t> {
    reader: Reader<'t>,
    is_at_end: bool,
}

impl<'t> Words<'t> {
    pub(super) fn new(reader: Reader<'t>) -> Self {
        Self { reader, is_at_end: false }
    }

    /// Up to where words were read.
    pub(super) fn read_to(&self) -> usize {
        self.reader.at
    }

    /// What follows the string that a command is written in: `"aws … --key-id " + key`. A `last` word that it would be
    /// added to is not known to its end.
    pub(super) fn rest(&self, last: Option<&mut Word>) -> Rest {
        let reader = self.reader;
        let quote = match reader.enclosure {
            Enclosure::Double => '"',
            Enclosure::Single => '\'',
            Enclosure::None | Enclosure::Backtick => return Rest::Nothing,
        };
        let after = reader.text.get(reader.at..).and_then(|rest| rest.strip_prefix(quote));
        let Some(after) = after.filter(|_| reader.peek().is_none()) else { return Rest::Nothing };
        // Three quotes in Python.
        let after = after.strip_prefix([quote; 2].iter().collect::<String>().as_str()).unwrap_or(after);
        let behind = after.trim_start_matches([' ', '\t']);
        let next_line = if behind.starts_with(['\r', '\n']) { behind.trim_start() } else { "" };
        if behind.starts_with(".format(") || behind.starts_with("% ") || behind.starts_with("%(") {
            return Rest::FilledIn;
        }
        let goes_on = after.starts_with(|next: char| next.is_alphanumeric() || "\"'${".contains(next))
            || behind.starts_with('+')
            || next_line.starts_with(['"', '\'', '+'])
            || next_line.starts_with("f\"")
            || next_line.starts_with("f'");
        if !goes_on {
            return Rest::Nothing;
        }
        if let Some(last) = last.filter(|last| last.at.end() as usize == reader.at) {
            last.text.pieces.extend(Text::hole(Span::empty(last.at.end()), "rest").pieces);
        }
        Rest::More
    }

    /// Skips blanks and continued ends of lines.
    fn skip_blanks(&mut self) {
        loop {
            self.reader.skip_while(is_blank);
            let Some(unit) = self.reader.peek() else { return };
            let mut behind = self.reader;
            behind.next();
            match unit.character {
                '\\' if behind.peek().is_some_and(|next| is_blank(next.character)) => {
                    // Also where the lines of an example were put on one line.
                    behind.skip_while(is_blank);
                }
                '\\' => {}
                '^' => behind.skip_while(|character| character == '\r'),
                '`' if self.reader.enclosure != Enclosure::Backtick => behind.skip_while(is_blank),
                _ => return,
            }
            match behind.strip("\n") {
                Some(next_line) => self.reader = without_prompt(next_line),
                None if unit.character == '\\' && behind.at > unit.end => self.reader = behind,
                None => return,
            }
        }
    }

    /// Skips a redirection and the word that belongs to it.
    fn skip_redirection(&mut self) {
        self.reader.next();
        self.reader.skip_while(|character| "<>&|".contains(character));
        self.skip_blanks();
        self.word();
    }

    /// Reads a word; `None` if what comes next is none.
    fn word(&mut self) -> Option<Word> {
        let start = self.reader.at;
        let mut word = Word::new(Text::default(), Span::default());
        while let Some(unit) = self.reader.peek() {
            if self.hole(Quotes::None, &mut word) {
                continue;
            }
            match unit.character {
                '(' if unit.start == start => {
                    let mut inner = self.reader;
                    inner.next();
                    let Some((name, after)) = balanced(inner, '(', ')') else { break };
                    word.text = Text::hole(span(start, after.at), &name);
                    self.reader = after;
                }
                ';' | '|' | '&' | '(' | ')' | '<' | '>' | '`' | '\n' => break,
                character if is_blank(character) => break,
                '^' if matches!(self.reader.second(), Some('\r' | '\n')) => break,
                '\\' => {
                    if self.continues_line() {
                        break;
                    }
                    self.reader.next();
                    match self.reader.next() {
                        Some(escaped) if escaped.character == '\n' => {}
                        Some(escaped) => push(&mut word.text, escaped, unit.start),
                        None => break,
                    }
                }
                '\'' | '"' => {
                    if !self.quoted(&mut word) {
                        self.is_at_end = true;
                        break;
                    }
                }
                '$' if matches!(self.reader.second(), Some('\'' | '"')) => {
                    let is_literal = self.reader.second() == Some('\'');
                    let before = self.reader;
                    self.reader.next();
                    if !(if is_literal { self.ansi_quoted(&mut word) } else { self.quoted(&mut word) }) {
                        self.reader = before;
                        self.is_at_end = true;
                        break;
                    }
                }
                _ => {
                    push(&mut word.text, unit, unit.start);
                    self.reader.next();
                }
            }
        }
        word.at = span(start, self.reader.at);
        if word.at.is_empty() {
            return None;
        }
        if !word.is_quoted {
            name_what_is_left_out(&mut word);
        }
        Some(word)
    }

    /// Whether a backslash comes before blanks at the end of a line.
    fn continues_line(&self) -> bool {
        let mut behind = self.reader;
        behind.next();
        let start = behind.at;
        behind.skip_while(is_blank);
        behind.at > start && behind.strip("\n").is_some()
    }

    /// Reads what is not known; whether there is something.
    fn hole(&mut self, quotes: Quotes, word: &mut Word) -> bool {
        let Some(hole) = hole(self.reader, quotes) else { return false };
        let at = span(self.reader.at, hole.after.at);
        word.text.pieces.extend(Text::hole(at, &hole.name).pieces);
        word.is_several |= hole.is_several;
        word.is_placeholder |= hole.is_placeholder;
        self.reader = hole.after;
        true
    }

    /// Reads what stands in quotes. If they have no end, they are the end of what the command stands in: nothing is
    /// read.
    fn quoted(&mut self, word: &mut Word) -> bool {
        let before = (self.reader, word.clone());
        let quote = self.reader.next().map_or('"', |unit| unit.character);
        let quotes = if quote == '"' { Quotes::Double } else { Quotes::Single };
        let has_begun = word.text.pieces.last().is_some_and(|last| !last.text.ends_with('='));
        let is_end = self.reader.peek().is_none_or(|next| "\r\n;),".contains(next.character));
        if !(has_begun && is_end) {
            while let Some(unit) = self.reader.peek() {
                if unit.character == quote {
                    self.reader.next();
                    word.is_quoted = true;
                    return true;
                }
                if self.hole(quotes, word) {
                    continue;
                }
                self.reader.next();
                let escaped = self.reader.peek().filter(|next| "\"\\$`\n".contains(next.character));
                match escaped.filter(|_| unit.character == '\\' && quotes == Quotes::Double) {
                    Some(escaped) => {
                        self.reader.next();
                        if escaped.character != '\n' {
                            push(&mut word.text, escaped, unit.start);
                        }
                    }
                    None => push(&mut word.text, unit, unit.start),
                }
            }
        }
        (self.reader, *word) = before;
        false
    }

    /// Reads what stands between `$'` and `'`.
    fn ansi_quoted(&mut self, word: &mut Word) -> bool {
        self.reader.next();
        while let Some(unit) = self.reader.next() {
            match unit.character {
                '\'' => {
                    word.is_quoted = true;
                    return true;
                }
                '\\' => {
                    let Some(escaped) = self.reader.next() else { return false };
                    let character = match escaped.character {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    };
                    push(&mut word.text, Unit { character, ..escaped }, unit.start);
                }
                _ => push(&mut word.text, unit, unit.start),
            }
        }
        false
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        while !self.is_at_end {
            let before = self.reader;
            self.skip_blanks();
            let next = self.reader.peek().map(|unit| unit.character);
            let is_redirection = match next {
                Some('>') => true,
                Some('<') => hole(self.reader, Quotes::None).is_none(),
                Some('&') => self.reader.second() == Some('>'),
                _ => false,
            };
            if is_redirection {
                self.skip_redirection();
                continue;
            }
            let is_comment = next == Some('#') && self.reader.second() != Some('{');
            let word = if is_comment { None } else { self.word() };
            let Some(word) = word else {
                // What is between the last word and the end of the text that it stands in is no part of it.
                if self.reader.peek().is_some() {
                    self.reader = before;
                }
                self.is_at_end = true;
                return None;
            };
            // The number of what is redirected.
            let is_redirected = matches!(self.reader.peek(), Some(Unit { character: '<' | '>', .. }));
            let is_number =
                |text: String| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
            if !(is_redirected && !word.is_quoted && is_number(word.text.decoded())) {
                return Some(word);
            }
        }
        None
    }
}

/// `...` in documentation, and `@options` in PowerShell.
fn name_what_is_left_out(word: &mut Word) {
    let [piece] = word.text.pieces.as_slice() else { return };
    let written = piece.text.as_str();
    if matches!(written, "..." | "…" | "[...]") {
        word.text = Text::hole(word.at, &format!("... {}", word.at.start()));
        word.is_several = true;
        word.is_placeholder = true;
    } else if let Some(name) = written.strip_prefix('@')
        && !name.is_empty()
        && name.chars().all(|character| character == '_' || character.is_ascii_alphanumeric())
    {
        word.text = Text::hole(word.at, name);
        word.is_several = true;
    }
}

/// Adds a character that is written from `start` on.
fn push(text: &mut Text, unit: Unit, start: usize) {
    let mut buffer = [0; 4];
    let is_exact = unit.is_exact && unit.start == start;
    text.push(unit.character.encode_utf8(&mut buffer), span(start, unit.end), is_exact);
}

/// Behind the prompt of a continued line in an example, or the sign of a quotation: `> --key-id …`.
fn without_prompt(line: Reader<'_>) -> Reader<'_> {
    let mut behind = line;
    behind.skip_while(is_blank);
    let Some(mut behind) = behind.strip("> ") else { return line };
    behind.skip_while(is_blank);
    if behind.strip("--").is_some() { behind } else { line }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r')
}
