//! Strings: what does not stand in the file as it is meant.

use keylint_source::{Problem, Span};

use super::{Expected, Parser, scan};
use crate::Kind;
use crate::arena::{TextStart, offset};
use crate::report::{quoted, span};

/// Stands for what cannot be decoded.
const REPLACEMENT: &str = "\u{fffd}";

impl Parser<'_> {
    /// Reads the string that begins here.
    #[inline]
    pub(super) fn string(&mut self, expected: Expected) {
        let start = self.at;
        let stop = scan::string_stop(self.bytes, start + 1);
        if self.bytes.get(stop) == Some(&b'"') {
            self.at = stop + 1;
            self.last = span(start, self.at);
            self.arena.scalar(Kind::String, self.last, 1);
        } else {
            self.decode(start, stop, expected);
        }
    }

    /// Reads a string that begins at `start` and has an escape, a control character or no end at `stop`.
    fn decode(&mut self, start: usize, mut stop: usize, expected: Expected) {
        let text = self.arena.begin_text();
        let mut copied = start + 1;
        let mut has_control = false;
        loop {
            if copied < stop {
                let piece = self.source.get(copied..stop).unwrap_or_default();
                self.arena.decoded(text, offset(copied), piece);
            }
            copied = match self.bytes.get(stop) {
                Some(b'"') => {
                    self.last = span(start, stop + 1);
                    self.at = stop + 1;
                    self.arena.text(text, self.last, offset(stop));
                    return;
                }
                Some(b'\\') => self.escape(text, stop),
                Some(b'\n' | b'\r') if !self.goes_on_behind_line(start, stop) => {
                    return self.unclosed(start, stop, expected);
                }
                None => return self.unclosed(start, stop, expected),
                Some(&control) => {
                    if !has_control {
                        has_control = true;
                        self.control(stop, control);
                    }
                    self.arena.decoded(text, offset(stop), char::from(control).encode_utf8(&mut [0; 4]));
                    stop + 1
                }
            };
            stop = scan::string_stop(self.bytes, copied);
        }
    }

    /// Decodes the escape sequence at `at` and returns the offset behind it.
    fn escape(&mut self, text: TextStart, at: usize) -> usize {
        let decoded = match self.bytes.get(at + 1) {
            Some(b'"') => "\"",
            Some(b'\\') => "\\",
            Some(b'/') => "/",
            Some(b'b') => "\u{8}",
            Some(b'f') => "\u{c}",
            Some(b'n') => "\n",
            Some(b'r') => "\r",
            Some(b't') => "\t",
            Some(b'u') => return self.unicode_escape(text, at),
            // The missing end of the string is reported.
            None | Some(b'\n' | b'\r') => return at + 1,
            Some(_) => {
                let rest = self.source.get(at + 1..).unwrap_or_default();
                let end = at + 1 + rest.chars().next().map_or(0, char::len_utf8);
                let sequence = self.source.get(at..end).unwrap_or_default();
                self.problem(
                    Problem::new(
                        span(at, end),
                        format!("{} is no escape sequence of JSON", quoted(sequence)),
                    )
                    .with_help("write a backslash as `\\\\`"),
                );
                self.arena.decoded(text, offset(at), self.source.get(at + 1..end).unwrap_or_default());
                return end;
            }
        };
        self.arena.decoded(text, offset(at), decoded);
        at + 2
    }

    /// Decodes `\uXXXX`, or two of them that are a surrogate pair.
    fn unicode_escape(&mut self, text: TextStart, at: usize) -> usize {
        let (unit, mut end) = self.code_unit(at);
        let Some(unit) = unit else {
            let sequence = self.source.get(at..end).unwrap_or_default();
            self.problem(
                Problem::new(
                    span(at, end),
                    format!("{} is not followed by four hexadecimal digits", quoted(sequence)),
                )
                .with_help("write `\\u` with four digits, or a backslash as `\\\\`"),
            );
            self.arena.decoded(text, offset(at), REPLACEMENT);
            return end;
        };
        let mut character = char::from_u32(unit);
        if (0xD800..0xDC00).contains(&unit)
            && let (Some(low @ 0xDC00..0xE000), low_end) = self.code_unit(end)
        {
            character = char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            end = low_end;
        }
        if let Some(character) = character {
            self.arena.decoded(text, offset(at), character.encode_utf8(&mut [0; 4]));
        } else {
            let sequence = self.source.get(at..end).unwrap_or_default();
            self.problem(
                Problem::new(
                    span(at, end),
                    format!("`{sequence}` is half of a surrogate pair and no character"),
                )
                .with_help("write the character itself, or both halves of its pair"),
            );
            self.arena.decoded(text, offset(at), REPLACEMENT);
        }
        end
    }

    /// The number after `\u` at `at`, and the offset behind the digits that are there.
    fn code_unit(&self, at: usize) -> (Option<u32>, usize) {
        if self.bytes.get(at..at + 2) != Some(b"\\u") {
            return (None, at);
        }
        let mut unit = 0;
        for index in 0..4 {
            let digit = self.bytes.get(at + 2 + index).and_then(|&byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return (None, at + 2 + index);
            };
            unit = unit * 16 + digit;
        }
        (Some(unit), at + 6)
    }

    fn control(&mut self, at: usize, control: u8) {
        let (name, escape) = match control {
            b'\t' => ("tab".to_owned(), "\\t".to_owned()),
            b'\n' | b'\r' => ("line break".to_owned(), "\\n".to_owned()),
            _ => (format!("control character U+{control:04X}"), format!("\\u{control:04x}")),
        };
        self.problem(
            Problem::new(span(at, at + 1), format!("a string cannot hold a {name} as it is"))
                .with_help(format!("write `{escape}`, or remove it")),
        );
    }

    /// Whether a string that begins at `start` and has a line break at `line_break` seems to go on in the next line,
    /// rather than to lack its closing quotation mark: neither does this line end like one of JSON, nor does the
    /// next one begin so.
    fn goes_on_behind_line(&self, start: usize, line_break: usize) -> bool {
        // More blanks than this count as the end of the string, so that a run of line breaks is read once.
        const BLANKS: usize = 256;
        let bytes = self.bytes.get(start + 1..line_break).unwrap_or_default();
        let line = bytes.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let ends_like_json =
            matches!(line.trim_ascii_end().last(), Some(b',' | b':' | b'{' | b'}' | b'[' | b']'));
        let near = self.bytes.get(..line_break + BLANKS).unwrap_or(self.bytes);
        let next = near.get(scan::blanks_end(near, line_break));
        let begins_like_json =
            matches!(next, None | Some(b'"' | b'{' | b'}' | b'[' | b']' | b',' | b':' | b'/'));
        !ends_like_json && !begins_like_json
    }

    /// Ends a string that is not closed: where its line ends, or before the commas and brackets there, which most
    /// likely stand for themselves.
    fn unclosed(&mut self, start: usize, stop: usize, expected: Expected) {
        let first = start + 1;
        let rest = self.source.get(first..stop).unwrap_or_default();
        let line = rest.trim_end();
        let has_open = line.contains(['[', '{']);
        let content = line.trim_end_matches(|character| match character {
            ',' | ' ' => true,
            ']' | '}' => !has_open,
            _ => false,
        });
        let end = first + content.len();
        self.problem(
            Problem::new(span(start, end), "this string is not closed").with_help("add a `\"` at its end"),
        );
        self.quiet_until = self.quiet_until.max(scan::line_end(self.bytes, end));
        // A file that ends in a string was cut off: that its brackets are open too is no news.
        self.gave_up |= stop == self.bytes.len();
        self.at = end;
        self.last = span(start, end);
        self.unreadable_string(span(start, end), span(first, end), expected);
    }

    /// Adds a string of which only the text is known: a key keeps it, since a member needs a key; a value does not,
    /// since rules must not judge what may have been meant otherwise.
    pub(super) fn unreadable_string(&mut self, whole: Span, content: Span, expected: Expected) {
        if matches!(expected, Expected::FirstKey | Expected::Key) {
            let text = self.arena.begin_text();
            let piece = self.source.get(content.range()).unwrap_or_default();
            self.arena.decoded(text, content.start(), piece);
            self.arena.text(text, whole, content.end());
        } else {
            self.arena.scalar(Kind::Unknown, whole, 0);
        }
    }
}
