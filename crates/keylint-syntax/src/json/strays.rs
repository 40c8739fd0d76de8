//! What stands where JSON has something else: what to say about it, and where to go on.

use keylint_source::{Problem, Span};

use super::{Expected, Parser, scan};
use crate::report::{quoted, span};
use crate::{Kind, limits};

impl Parser<'_> {
    /// Skips blanks, and with a problem what is meant as one: comments, other characters that look blank.
    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        self.at = scan::blanks_end(self.bytes, self.at);
        while self.peek().is_some_and(|byte| matches!(byte, b'/' | b'#' | 0x80.. | ..0x20))
            && !self.report.is_full()
            && self.skip_stray_blank()
        {
            self.at = scan::blanks_end(self.bytes, self.at);
        }
    }

    fn skip_stray_blank(&mut self) -> bool {
        let start = self.at;
        let rest = self.source.get(start..).unwrap_or_default();
        let problem = if rest.starts_with("/*") {
            let text = rest.get(2..).unwrap_or_default();
            self.comment(text.find("*/").map_or(self.bytes.len(), |end| start + 2 + end + 2))
        } else if rest.starts_with("//") || rest.starts_with('#') {
            self.comment(scan::line_end(self.bytes, start))
        } else {
            let is_blank = |character: char| {
                character.is_whitespace()
                    || character.is_control()
                    || matches!(character, '\u{feff}' | '\u{200b}')
            };
            let length = rest.find(|character| !is_blank(character)).unwrap_or(rest.len());
            let Some(first) = rest.chars().next().filter(|_| length > 0) else {
                return false;
            };
            self.at = start + length;
            let code = u32::from(first);
            Problem::new(
                span(start, start + first.len_utf8()),
                format!("the character U+{code:04X} is no blank of JSON"),
            )
            .with_help("replace it with a space, or remove it")
        };
        self.problem(problem);
        true
    }

    fn comment(&mut self, end: usize) -> Problem {
        let start = self.at;
        let text = self.source.get(start..end).unwrap_or_default().trim_end();
        self.at = end;
        Problem::new(span(start, start + text.len()), "JSON has no comments").with_help("remove the comment")
    }

    pub(super) fn trailing_comma(&mut self, closing: &str) {
        self.problem(
            Problem::new(self.last, format!("unexpected `,` before `{closing}`"))
                .with_help("remove the comma"),
        );
    }

    /// No value begins here.
    pub(super) fn no_value(&mut self, found: Option<u8>, expected: Expected) -> Expected {
        let in_list = matches!(expected, Expected::FirstItem | Expected::Item);
        match found {
            None => {
                if expected == Expected::Value {
                    self.missing_value();
                }
                Expected::End
            }
            Some(b',' | b'}' | b']') if expected == Expected::Value => {
                self.problem(Problem::new(self.last, "expected a value after this `:`"));
                self.missing_value();
                Expected::Separator
            }
            Some(b',') if in_list => {
                self.take();
                self.problem(
                    Problem::new(self.last, "expected a value before this `,`").with_help("remove the comma"),
                );
                expected
            }
            Some(b'}' | b']') if in_list => self.wrong_close(expected),
            Some(mark @ (b',' | b'}' | b']' | b':')) => {
                self.take();
                let mark = char::from(mark);
                self.problem(Problem::new(self.last, format!("expected a value, found `{mark}`")));
                expected
            }
            Some(b'+' | b'.') if self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit) => {
                self.wrong_number();
                Expected::Separator
            }
            Some(_) if self.other_quotes() => Expected::Separator,
            Some(_) => {
                self.unquoted_value(expected);
                Expected::Separator
            }
        }
    }

    /// No key begins here.
    pub(super) fn no_key(&mut self, found: Option<u8>, expected: Expected) -> Expected {
        match found {
            None => Expected::End,
            Some(b',') => {
                self.take();
                self.problem(
                    Problem::new(self.last, "expected a key before this `,`").with_help("remove the comma"),
                );
                expected
            }
            Some(b']') => self.wrong_close(expected),
            Some(b'{' | b'[') => {
                let start = self.at;
                self.skip_brackets();
                self.last = span(start, start + 1);
                let bracket = self.source.get(start..=start).unwrap_or_default();
                self.problem(Problem::new(
                    self.last,
                    format!("expected a key in double quotes, found `{bracket}`"),
                ));
                Expected::Separator
            }
            Some(b':') => {
                self.take();
                self.problem(Problem::new(self.last, "expected a key before this `:`"));
                self.quiet_rest_of_line();
                expected
            }
            Some(_) if self.other_quotes() => Expected::Colon,
            Some(_) => {
                let word = self.words(|byte| matches!(byte, b':' | b',' | b'{' | b'}' | b'[' | b']' | b'"'));
                let shown = quoted(self.source.get(word.range()).unwrap_or_default());
                if !matches!(self.bytes.get(scan::blanks_end(self.bytes, self.at)), Some(b':' | b'=')) {
                    self.problem(Problem::new(
                        word,
                        format!("expected a key in double quotes, found {shown}"),
                    ));
                    return Expected::Separator;
                }
                self.problem(
                    Problem::new(word, format!("the key {shown} is not in double quotes"))
                        .with_help("put it in double quotes"),
                );
                self.unreadable_string(word, word, expected);
                Expected::Colon
            }
        }
    }

    /// No colon stands behind a key.
    pub(super) fn no_colon(&mut self, found: Option<u8>) -> Expected {
        match found {
            Some(b'=') => {
                let start = self.at;
                self.at += if self.bytes.get(start + 1) == Some(&b'>') { 2 } else { 1 };
                self.last = span(start, self.at);
                self.problem(
                    Problem::new(self.last, "expected `:` between a key and its value")
                        .with_help("JSON separates them with `:`"),
                );
                Expected::Value
            }
            None => {
                self.missing_value();
                Expected::End
            }
            Some(b',' | b'}' | b']') => {
                let problem = Problem::new(self.last, "expected `:` and a value after this key");
                self.problem(problem.with_help("write several values as a list in `[` and `]`"));
                self.missing_value();
                Expected::Separator
            }
            Some(_) => {
                let touches = self.at == self.last.end() as usize;
                self.problem(Problem::new(self.last, "expected `:` after this key"));
                if touches {
                    // `"key"word`: a quotation mark too many, or one too few. What follows cannot be told apart.
                    self.quiet_rest_of_line();
                }
                Expected::Value
            }
        }
    }

    /// Neither a comma nor the right bracket stands behind a value.
    pub(super) fn no_separator(&mut self, found: Option<u8>, kind: Kind) -> Expected {
        let (closing, next) = if kind == Kind::Object { ("}", Expected::Key) } else { ("]", Expected::Item) };
        match found {
            None => Expected::End,
            Some(b'}' | b']') => self.wrong_close(Expected::Separator),
            Some(mark @ (b':' | b';' | b'=')) => {
                self.take();
                let mark = char::from(mark);
                self.problem(Problem::new(self.last, format!("expected `,` or `{closing}`, found `{mark}`")));
                // A semicolon stands for a comma. Behind the others is a value that belongs to nothing.
                self.quiet_rest_of_line();
                next
            }
            Some(found) => {
                self.problem(
                    Problem::new(self.last, format!("expected `,` or `{closing}` after this value"))
                        .with_help("add a comma"),
                );
                let touches = self.at == self.last.end() as usize;
                let begins_value = matches!(found, b'"' | b'{' | b'[');
                if touches && !begins_value {
                    // `"a"b"`: a quotation mark inside of a string, or one that is missing. Skip what it spoils.
                    self.quiet_rest_of_line();
                    self.words(|byte| matches!(byte, b',' | b'}' | b']'));
                    return Expected::Separator;
                }
                next
            }
        }
    }

    /// A bracket of the wrong kind. If it closes one further out, then those inside are not closed.
    fn wrong_close(&mut self, expected: Expected) -> Expected {
        let kind = if self.peek() == Some(b'}') { Kind::Object } else { Kind::Array };
        let Some(index) = self.open.iter().rposition(|bracket| bracket.kind == kind) else {
            let closing = if kind == Kind::Object { "}" } else { "]" };
            self.take();
            self.problem(Problem::new(self.last, format!("this `{closing}` closes nothing")));
            return expected;
        };
        if let Some(innermost) = self.open.last() {
            let bracket = self.source.get(innermost.at..=innermost.at).unwrap_or_default();
            let at = span(innermost.at, innermost.at + 1);
            self.problem(Problem::new(at, format!("this `{bracket}` is not closed")));
        }
        // What is left of the file may belong to brackets that were taken as closed.
        self.gave_up = true;
        while self.open.len() > index + 1
            && let Some(bracket) = self.open.pop()
        {
            self.arena.close(bracket.slot, self.last.end());
        }
        self.close()
    }

    /// A number that JSON does not know begins here.
    pub(super) fn wrong_number(&mut self) {
        let word = self.words(|byte| !scan::is_word(byte));
        let text = self.source.get(word.range()).unwrap_or_default();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let shown = quoted(text);
        let problem = if text.starts_with('+') {
            Problem::new(word, format!("{shown} begins with `+`, which no number of JSON does"))
                .with_help("remove the `+`")
        } else if digits.len() > 1
            && digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            Problem::new(word, format!("the number {shown} begins with a zero"))
                .with_help("remove the zero, or put the digits in double quotes if they are a name")
        } else {
            Problem::new(word, format!("{shown} is no number of JSON")).with_help("put text in double quotes")
        };
        self.problem(problem);
        self.arena.scalar(Kind::Unknown, word, 0);
    }

    /// Words that are not in quotes, where a value should be.
    fn unquoted_value(&mut self, expected: Expected) {
        let word = self.words(|byte| matches!(byte, b',' | b'{' | b'}' | b'[' | b']' | b'"'));
        let text = self.source.get(word.range()).unwrap_or_default();
        let meant = match text {
            "True" | "TRUE" => Some("true"),
            "False" | "FALSE" => Some("false"),
            "None" | "Null" | "NULL" | "nil" | "undefined" => Some("null"),
            _ => None,
        };
        let found = quoted(text);
        let problem = if expected == Expected::Root {
            // This is no JSON at all; what follows is not worth a word.
            self.gave_up = true;
            Problem::new(word, format!("expected a JSON value, found {found}"))
        } else {
            let help = meant.map_or("put text in double quotes".to_owned(), |word| format!("write `{word}`"));
            Problem::new(word, format!("expected a value, found {found}")).with_help(help)
        };
        self.problem(problem);
        self.arena.scalar(Kind::Unknown, word, 0);
    }

    /// Reads `${…}`, what a template fills in, if it begins here and ends. Braces and quotes inside it are paired.
    pub(super) fn placeholder(&mut self) -> bool {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        if !rest.starts_with(b"${") {
            return false;
        }
        let (mut depth, mut at) = (0_usize, start + 1);
        while let Some(&byte) = self.bytes.get(at) {
            at += 1;
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                b'"' => {
                    at = scan::string_stop(self.bytes, at);
                    while self.bytes.get(at) == Some(&b'\\') {
                        at = scan::string_stop(self.bytes, at + 2);
                    }
                    at += 1;
                }
                _ => {}
            }
            if depth == 0 {
                self.at = at;
                self.last = span(start, at);
                self.arena.scalar(Kind::Unknown, self.last, 0);
                return true;
            }
        }
        false
    }

    /// Reads a string in other quotation marks than JSON's, if one begins here and ends in this line.
    fn other_quotes(&mut self) -> bool {
        let start = self.at;
        let line = self.source.get(start..scan::line_end(self.bytes, start)).unwrap_or_default();
        let Some(mark) = line.chars().next() else {
            return false;
        };
        let closing: &[char] = match mark {
            '\'' => &['\''],
            '\u{201c}' | '\u{201d}' | '\u{201e}' => &['\u{201c}', '\u{201d}'],
            '\u{2018}' | '\u{2019}' => &['\u{2018}', '\u{2019}'],
            _ => return false,
        };
        let length = mark.len_utf8();
        let Some(content) = line.get(length..).and_then(|rest| rest.find(closing)) else {
            return false;
        };
        self.at = start + length + content + length;
        self.last = span(start, self.at);
        self.problem(
            Problem::new(self.last, format!("a string of JSON is in double quotes, not in `{mark}`"))
                .with_help("use `\"` at both ends"),
        );
        self.arena.scalar(Kind::String, self.last, u8::try_from(length).unwrap_or(1));
        true
    }

    /// Goes to the end of the words that begin here: the end of the line, or the first byte that `is_end`.
    fn words(&mut self, is_end: impl Fn(u8) -> bool) -> Span {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(|&byte| matches!(byte, b'\n' | b'\r') || is_end(byte));
        let text = self.source.get(start..start + length.unwrap_or(rest.len())).unwrap_or_default();
        self.at = start + text.trim_end().len();
        self.last = span(start, self.at);
        self.last
    }

    /// Adds a value that is not there, so that its key has one.
    fn missing_value(&mut self) {
        self.arena.scalar(Kind::Unknown, Span::empty(self.last.end()), 0);
    }

    fn quiet_rest_of_line(&mut self) {
        self.quiet_until = self.quiet_until.max(scan::line_end(self.bytes, self.at));
    }

    /// Skips an array or an object that is nested too deeply, and everything in it.
    pub(super) fn too_deep(&mut self) -> Expected {
        let start = self.at;
        if !self.is_too_deep {
            self.is_too_deep = true;
            let limit = limits::NESTING;
            self.problem(Problem::new(
                span(start, start + 1),
                format!("more than {limit} arrays and objects inside one another"),
            ));
        }
        self.skip_brackets();
        self.last = span(start, self.at);
        self.arena.scalar(Kind::Unknown, self.last, 0);
        Expected::Separator
    }

    /// Goes behind the bracket that closes the one that stands here, whatever is between them.
    fn skip_brackets(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => self.skip_string(),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
        // The end of the file closes nothing, but that is not what is worth saying about it.
        self.gave_up = true;
    }

    /// Goes behind the end of the string whose quotation mark was just read, or to the end of its line.
    fn skip_string(&mut self) {
        loop {
            self.at = scan::string_stop(self.bytes, self.at);
            match self.peek() {
                Some(b'"') => return self.at += 1,
                Some(b'\\') => self.at = (self.at + 2).min(self.bytes.len()),
                Some(b'\n' | b'\r') | None => return,
                Some(_) => self.at += 1,
            }
        }
    }
}
