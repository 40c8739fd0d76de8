//! What a command stands in: a comment, quotes, a block of YAML.

use std::ops::Range;

use super::reader::{Enclosure, Folding, Reader};

/// How much of a line before a command is looked at: a file may be one long line.
const REACH: usize = 1000;

/// A text, and what there is to know of it as a whole.
pub(super) struct Surroundings<'t> {
    pub(super) text: &'t str,
    /// Whether it is documentation, in which `#` begins a heading, or is a prompt.
    is_documentation: bool,
    /// The blocks of YAML (`run: >-`) in which ends of lines are blanks.
    folded: Vec<Range<usize>>,
}

/// Quotes, or brackets, that are open.
struct Open {
    character: char,
    /// Whether the quotes are those of a string in data or in a program, and not of the shell: all in them is escaped.
    is_data: bool,
    /// Whether `{…}` is an expression in them.
    is_formatted: bool,
}

impl<'t> Surroundings<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, is_documentation: is_documentation(text), folded: folded_blocks(text) }
    }

    /// A reader at the beginning of a command; `None` if it is a comment.
    pub(super) fn reader(&self, start: usize) -> Option<Reader<'t>> {
        let before = self.text.get(..start)?;
        let line = before.rfind('\n').map_or(0, |end| end + 1).max(start.saturating_sub(REACH));
        let line = (line..=start).find(|at| self.text.is_char_boundary(*at))?;
        let line = self.text.get(line..start)?;
        if self.is_comment(line) {
            return None;
        }
        let open = open_at_end(line, self.is_documentation)?;
        let open = open.iter().find(|open| open.is_data).or(open.last());
        let enclosure = match open.map(|open| open.character) {
            Some('"') => Enclosure::Double,
            Some('\'') => Enclosure::Single,
            Some('`') => Enclosure::Backtick,
            _ => Enclosure::None,
        };
        let block = self.folded.partition_point(|block| block.end <= start);
        let block = self.folded.get(block).filter(|block| block.contains(&start));
        Some(Reader {
            text: self.text,
            at: start,
            end: block.map_or(self.text.len(), |block| block.end),
            enclosure,
            folding: match block {
                Some(_) => Folding::Block,
                None if is_in_yaml(line) => Folding::BeforeOptions,
                None => Folding::None,
            },
            is_formatted: open.is_some_and(|open| open.is_formatted),
        })
    }

    /// Whether a command at this place begins its line, but for a prompt and what pipelines and Makefiles put there; and
    /// whether a script runs it whatever happens.
    pub(super) fn place_of(&self, start: usize) -> (bool, bool) {
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        let mut rest = line.trim();
        for word in ["$", "#", ">", "-", "run:", "@"] {
            rest = rest.strip_prefix(word).unwrap_or(rest).trim();
        }
        (rest.is_empty(), line.is_empty() && !self.is_documentation)
    }

    /// Whether what follows this beginning of a line is a comment because of it.
    fn is_comment(&self, line: &str) -> bool {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix('#') {
            // The prompt of the superuser.
            return !self.is_documentation || !rest.trim().is_empty();
        }
        let word = line.trim_start_matches('@').split_whitespace().next().unwrap_or_default();
        line.starts_with("//") || line.starts_with("<!--") || word.eq_ignore_ascii_case("rem")
    }
}

/// Quotes and brackets that are open at the end of this part of a line; `None` if a comment is.
fn open_at_end(line: &str, is_documentation: bool) -> Option<Vec<Open>> {
    let mut open: Vec<Open> = Vec::new();
    let mut characters = line.char_indices().peekable();
    let mut last = ' ';
    while let Some((at, character)) = characters.next() {
        let next = characters.peek().map_or(' ', |(_, next)| *next);
        let before = line.get(..at).unwrap_or_default();
        let is_quote = matches!(character, '"' | '\'');
        let data = if is_quote { open.iter().position(|open| open.is_data) } else { None };
        let data = data.filter(|index| open.get(*index).is_some_and(|open| open.character == character));
        match (open.last().map(|open| open.character), character) {
            (Some('"' | '(' | '`') | None, '\\') => {
                characters.next();
            }
            // Two of them are the quotes of reStructuredText.
            (None | Some('(' | '`'), '`') if next == '`' => {}
            _ if data.is_some() => open.truncate(data.unwrap_or_default()),
            (Some(quote @ ('"' | '\'' | '`')), _) if quote == character => {
                open.pop();
            }
            (Some('"'), '(') if last == '$' => open.push(Open::brackets()),
            (Some('"'), '`') => open.push(Open::quotes(character, before)),
            (Some('"' | '\''), _) => {}
            // A comment, unless it is a sentence.
            (_, '#') if last.is_whitespace() && !is_documentation => return None,
            (_, '(') => open.push(Open::brackets()),
            (Some('('), ')') => {
                open.pop();
            }
            // An apostrophe.
            (_, '\'') if last.is_alphanumeric() && (next.is_alphanumeric() || prefix(before).is_none()) => {}
            (_, '"' | '\'' | '`') => open.push(Open::quotes(character, before)),
            _ => {}
        }
        last = character;
    }
    Some(open)
}

impl Open {
    fn brackets() -> Self {
        Self { character: '(', is_data: false, is_formatted: false }
    }

    /// Quotes that open behind this beginning of a line.
    fn quotes(character: char, before: &str) -> Self {
        let prefix = prefix(before).unwrap_or_default();
        let before = before.strip_suffix(prefix).unwrap_or(before);
        let trimmed = before.trim_end();
        Self {
            character,
            is_data: character != '`'
                && (trimmed.ends_with([':', ',', '[', '{'])
                    || (trimmed.ends_with('(') && !trimmed.ends_with("$("))
                    || (trimmed.ends_with('=') && trimmed.len() < before.len())
                    || trimmed.trim_start() == "-"),
            is_formatted: prefix.contains(['f', 'F', '$']),
        }
    }
}

/// The letters directly before quotes that say how they are read, as in Python and C#.
fn prefix(before: &str) -> Option<&str> {
    let is_letter = |character: char| "fFrRbBuU$@".contains(character);
    let start = before.trim_end_matches(is_letter).len();
    let letters = before.get(start..).filter(|letters| (1..=2).contains(&letters.len()))?;
    let before = before.get(..start)?.chars().next_back();
    (!before.is_some_and(char::is_alphanumeric)).then_some(letters)
}

/// Whether a text is Markdown or reStructuredText.
fn is_documentation(text: &str) -> bool {
    !text.starts_with("#!")
        && text.lines().any(|line| {
            let start = line.trim_start();
            start.starts_with("```")
                || start.starts_with("~~~")
                || start.starts_with(".. code")
                || (line.trim_end().ends_with("::") && !start.starts_with(['#', '/', '*']))
        })
}

/// Whether a line begins as an item or a member in YAML.
fn is_in_yaml(line: &str) -> bool {
    let line = line.trim_start();
    let item = line.trim_start_matches("- ");
    let is_key = |key: &str| {
        !key.is_empty()
            && key.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character))
    };
    item.len() < line.len() || item.split_once(": ").is_some_and(|(key, _)| is_key(key))
}

/// The blocks that are introduced with `>`, without their first lines.
fn folded_blocks(text: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    // Of the block that lines may still belong to: how far its parent is indented.
    let mut parent: Option<usize> = None;
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let start = end;
        end += line.len();
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if let Some(outer) = parent {
            if content.trim().is_empty() || indent > outer {
                if let Some(block) = blocks.last_mut() {
                    block.end = end;
                }
                continue;
            }
            parent = None;
        }
        if let Some(key) = introduces_folded(content) {
            parent = Some(indent + key);
            blocks.push(start + line.len()..end);
        }
    }
    blocks
}

/// Whether a line without its indentation ends with the sign of a folded block; then how much further than the line its
/// parent is indented.
fn introduces_folded(line: &str) -> Option<usize> {
    let line = line.trim_end();
    let (before, sign) = line.rsplit_once('>')?;
    let is_sign = sign.len() <= 2 && sign.chars().all(|mark| matches!(mark, '+' | '-' | '0'..='9'));
    let before = before.strip_suffix(' ').filter(|_| is_sign)?;
    let member = before.trim_start_matches(['-', ' ']);
    let dashes = before.strip_suffix(member)?;
    if member.is_empty() {
        // The item of a list in a list, at most.
        return dashes.starts_with('-').then(|| dashes.trim_end().len().saturating_sub(1));
    }
    let key = member.strip_suffix(':')?;
    let is_key = !key.is_empty() && !key.contains(['"', '\'', '(', '$', ' ']);
    is_key.then_some(dashes.len())
}
