//! JSON (RFC 8259) into the tree.
//!
//! The parser reads on after a mistake: it says what is wrong once, takes what was most likely meant, and goes on
//! behind it. It keeps its own stack of open brackets, so that no input can exhaust the machine's.
//!
//! This file holds the structure (brackets, commas, colons); `text` reads strings, `strays` what is no JSON at all,
//! `scan` looks ahead in bytes.

mod scan;
mod strays;
mod text;

use keylint_source::{Problem, Span};

use crate::arena::{Slot, offset};
use crate::report::{Report, span};
use crate::{Arena, Kind, limits};

/// Parses a file into `arena`, which is cleared first, and adds what is wrong to `problems`.
///
/// Offsets are bytes of `source`; a byte order mark at its start is skipped. A value that could not be read becomes
/// [`Kind::Unknown`], and so does `${…}` where a value should be: the file is a template then, and says so. A file
/// without any value leaves the arena empty. The tree is complete and right exactly if no
/// problem is added. Duplicate keys, huge numbers and a missing line end are no problems.
pub fn parse(source: &str, arena: &mut Arena, problems: &mut Vec<Problem>) {
    arena.clear();
    let mut report = Report::new(problems);
    if report.is_too_long(source) {
        return;
    }
    let start = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let parser = Parser {
        source,
        bytes: source.as_bytes(),
        at: start,
        arena,
        report,
        open: Vec::with_capacity(16),
        last: span(start, start),
        quiet_until: 0,
        gave_up: false,
        is_too_deep: false,
    };
    parser.run();
}

struct Parser<'p> {
    source: &'p str,
    bytes: &'p [u8],
    /// Where to read next.
    at: usize,
    arena: &'p mut Arena,
    report: Report<'p>,
    /// The brackets that are open, from the outermost to the innermost.
    open: Vec<Bracket>,
    /// The last thing that was read: a scalar, a bracket, a comma or a colon.
    last: Span,
    /// Nothing is reported before this offset: one mistake, such as a missing quotation mark, makes the rest of its
    /// line meaningless.
    quiet_until: usize,
    /// A bracket was lost, so that the end of the file says nothing about the user's brackets.
    gave_up: bool,
    /// Too deep nesting was reported.
    is_too_deep: bool,
}

#[derive(Clone, Copy)]
struct Bracket {
    slot: Slot,
    kind: Kind,
    at: usize,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The value of the file.
    Root,
    /// An item, or the end of the array if none was there yet.
    FirstItem,
    /// An item, behind a comma.
    Item,
    /// A key, or the end of the object if none was there yet.
    FirstKey,
    /// A key, behind a comma.
    Key,
    /// The colon behind a key.
    Colon,
    /// The value of a member.
    Value,
    /// A comma or the end of what is open.
    Separator,
    /// Nothing more.
    End,
}

impl Parser<'_> {
    fn run(mut self) {
        let mut expected = Expected::Root;
        while !self.report.is_full() {
            self.skip_blanks();
            expected = match expected {
                Expected::FirstKey | Expected::Key => self.key(expected),
                Expected::Colon => self.colon(),
                Expected::Separator => self.separator(),
                Expected::FirstItem | Expected::Item => self.item(expected),
                Expected::Root | Expected::Value => self.value(expected),
                Expected::End => break,
            }
        }
        self.finish();
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn problem(&mut self, problem: Problem) {
        if problem.at.start() as usize >= self.quiet_until {
            self.report.add(problem);
        }
    }

    /// Reads one byte of punctuation.
    #[inline]
    fn take(&mut self) {
        self.last = span(self.at, self.at + 1);
        self.at += 1;
    }

    #[inline]
    fn value(&mut self, expected: Expected) -> Expected {
        match self.peek() {
            Some(b'"') => self.string(expected),
            Some(b'{') => return self.open(Kind::Object),
            Some(b'[') => return self.open(Kind::Array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') if self.literal("true", Kind::Bool(true)) => {}
            Some(b'f') if self.literal("false", Kind::Bool(false)) => {}
            Some(b'n') if self.literal("null", Kind::Null) => {}
            Some(b'$') if self.placeholder() => {}
            found => return self.no_value(found, expected),
        }
        Expected::Separator
    }

    fn item(&mut self, expected: Expected) -> Expected {
        match self.peek() {
            Some(b']') => {
                if expected == Expected::Item {
                    self.trailing_comma("]");
                }
                self.close()
            }
            _ => self.value(expected),
        }
    }

    fn key(&mut self, expected: Expected) -> Expected {
        match self.peek() {
            Some(b'"') => {
                self.string(expected);
                Expected::Colon
            }
            Some(b'}') => {
                if expected == Expected::Key {
                    self.trailing_comma("}");
                }
                self.close()
            }
            found => self.no_key(found, expected),
        }
    }

    fn colon(&mut self) -> Expected {
        match self.peek() {
            Some(b':') => {
                self.take();
                Expected::Value
            }
            found => self.no_colon(found),
        }
    }

    fn separator(&mut self) -> Expected {
        let Some(bracket) = self.open.last() else {
            return self.end();
        };
        match (self.peek(), bracket.kind) {
            (Some(b','), Kind::Object) => {
                self.take();
                Expected::Key
            }
            (Some(b','), _) => {
                self.take();
                Expected::Item
            }
            (Some(b'}'), Kind::Object) | (Some(b']'), Kind::Array) => self.close(),
            (found, kind) => self.no_separator(found, kind),
        }
    }

    fn open(&mut self, kind: Kind) -> Expected {
        let at = self.at;
        if self.open.len() >= limits::NESTING {
            return self.too_deep();
        }
        let slot = self.arena.open(kind, offset(at));
        self.open.push(Bracket { slot, kind, at });
        self.take();
        if kind == Kind::Object { Expected::FirstKey } else { Expected::FirstItem }
    }

    /// Reads the bracket that closes the innermost open one.
    fn close(&mut self) -> Expected {
        self.take();
        if let Some(bracket) = self.open.pop() {
            self.arena.close(bracket.slot, self.last.end());
        }
        Expected::Separator
    }

    #[inline]
    fn literal(&mut self, word: &str, kind: Kind) -> bool {
        let end = self.at + word.len();
        let is_there = self.bytes.get(self.at..end) == Some(word.as_bytes())
            && self.bytes.get(end).is_none_or(|&byte| !scan::is_word(byte));
        if is_there {
            self.scalar(kind, end);
        }
        is_there
    }

    #[inline]
    fn number(&mut self) {
        match scan::number_end(self.bytes, self.at) {
            Some(end) if self.bytes.get(end).is_none_or(|&byte| !scan::is_word(byte)) => {
                self.scalar(Kind::Number, end);
            }
            _ => self.wrong_number(),
        }
    }

    /// Adds what stands between here and `end`, and goes there.
    #[inline]
    fn scalar(&mut self, kind: Kind, end: usize) {
        self.last = span(self.at, end);
        self.arena.scalar(kind, self.last, 0);
        self.at = end;
    }

    /// Behind the value of the file.
    fn end(&mut self) -> Expected {
        if self.at < self.bytes.len() && !self.gave_up {
            let end = scan::line_end(self.bytes, self.at);
            let text = self.source.get(self.at..end).unwrap_or_default().trim_end();
            let found = crate::report::quoted(text);
            self.problem(Problem::new(
                span(self.at, self.at + text.len()),
                format!("expected the end of the file after this JSON value, found {found}"),
            ));
        }
        Expected::End
    }

    /// Closes what is still open at the end of the file.
    fn finish(mut self) {
        if let Some(innermost) = self.open.last()
            && !self.gave_up
        {
            let bracket = self.source.get(innermost.at..=innermost.at).unwrap_or_default();
            let mut problem =
                Problem::new(span(innermost.at, innermost.at + 1), format!("this `{bracket}` is not closed"));
            if self.open.len() > 1 {
                let count = self.open.len();
                problem =
                    problem.with_help(format!("{count} brackets are still open at the end of the file"));
            }
            // Wherever the quotation mark or bracket is missing, this is what the file lacks at its end.
            self.quiet_until = 0;
            self.problem(problem);
        }
        while let Some(bracket) = self.open.pop() {
            self.arena.close(bracket.slot, offset(self.bytes.len()));
        }
        if self.arena.is_empty() {
            let message = if self.source.trim_start_matches('\u{feff}').trim().is_empty() {
                "this file is empty"
            } else {
                "this file holds no JSON value"
            };
            self.report.add(Problem::new(Span::empty(0), message));
        }
    }
}
