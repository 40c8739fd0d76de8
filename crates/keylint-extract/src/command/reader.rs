//! The characters of a command as the shell gets them, when the command is itself written in a string.

use keylint_source::Span;

/// What a command stands in, and ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enclosure {
    None,
    Double,
    Single,
    Backtick,
}

/// Which ends of lines are blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folding {
    None,
    /// All but those before an empty line.
    Block,
    /// Those before a line that begins with an option, which no command of a script does.
    BeforeOptions,
}

/// A character, and the bytes that it comes from.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    pub(super) character: char,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it is written as itself.
    pub(super) is_exact: bool,
}

/// A place in a text, up to which it was read. A copy looks ahead.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) end: usize,
    pub(super) enclosure: Enclosure,
    pub(super) folding: Folding,
    /// Whether `{…}` is an expression of a program.
    pub(super) is_formatted: bool,
}

impl Reader<'_> {
    /// The next character; `None` at the end of the text, and at the end of what the command stands in.
    pub(super) fn peek(self) -> Option<Unit> {
        let rest = self.text.get(self.at..self.end)?;
        let mut characters = rest.chars();
        let first = characters.next()?;
        let second = characters.next();
        let stands_for = |character: char, length: usize| {
            Some(Unit { character, start: self.at, end: self.at + length, is_exact: false })
        };
        match (self.enclosure, first, second) {
            // In the shell, and in YAML.
            (Enclosure::Single, '\'', _) if rest.starts_with("'\\''") => stands_for('\'', 4),
            (Enclosure::Single, '\'', Some('\'')) => stands_for('\'', 2),
            (Enclosure::Double, '"', _) | (Enclosure::Single, '\'', _) | (Enclosure::Backtick, '`', _) => {
                None
            }
            (Enclosure::Double, '\\', Some(escaped @ ('"' | '\\' | '/' | '$' | '`'))) => {
                stands_for(escaped, 2)
            }
            (Enclosure::Double, '\\', Some('n')) => stands_for('\n', 2),
            (Enclosure::Double, '\\', Some('r')) => stands_for('\r', 2),
            (Enclosure::Double, '\\', Some('t')) => stands_for('\t', 2),
            (Enclosure::Double, '\\', Some('u')) if code(rest).is_some() => {
                code(rest).and_then(|character| stands_for(character, 6))
            }
            (Enclosure::Backtick, '\\', Some('`')) => stands_for('`', 2),
            (_, '{', Some('{')) | (_, '}', Some('}')) if self.is_formatted => stands_for(first, 2),
            (_, '\n', _) if self.is_folded(rest) => stands_for(' ', 1),
            _ => Some(Unit {
                character: first,
                start: self.at,
                end: self.at + first.len_utf8(),
                is_exact: true,
            }),
        }
    }

    /// Reads a character.
    pub(super) fn next(&mut self) -> Option<Unit> {
        let unit = self.peek()?;
        self.at = unit.end;
        Some(unit)
    }

    /// The character behind the next one.
    pub(super) fn second(mut self) -> Option<char> {
        self.next()?;
        self.peek().map(|unit| unit.character)
    }

    /// Reads these characters, if they are next.
    pub(super) fn strip(mut self, expected: &str) -> Option<Self> {
        for character in expected.chars() {
            self.next().filter(|unit| unit.character == character)?;
        }
        Some(self)
    }

    /// Reads while the characters are such ones.
    pub(super) fn skip_while(&mut self, is_such: impl Fn(char) -> bool) {
        while self.peek().is_some_and(|unit| is_such(unit.character)) {
            self.next();
        }
    }

    /// Whether the end of a line, which the rest begins with, is a blank.
    fn is_folded(self, rest: &str) -> bool {
        let next_line = rest.strip_prefix('\n').unwrap_or_default().trim_start_matches([' ', '\t']);
        match self.folding {
            Folding::None => false,
            Folding::Block => !next_line.is_empty() && !next_line.starts_with(['\n', '\r']),
            Folding::BeforeOptions => next_line
                .strip_prefix("--")
                .is_some_and(|option| option.starts_with(|first: char| first.is_ascii_lowercase())),
        }
    }
}

/// The bytes between two offsets.
pub(super) fn span(start: usize, end: usize) -> Span {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span::new(offset(start), offset(end))
}

/// What `\uXXXX` stands for, which a text begins with.
fn code(text: &str) -> Option<char> {
    let digits = text.get(2..6).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}
