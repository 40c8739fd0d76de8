use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::Span;

/// Names a file of a run. Ids follow the order in which the paths are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// What a column counts. Every output format prescribes its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// Unicode code points.
    CodePoints,
    /// UTF-16 code units.
    Utf16,
}

/// A line and a column, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line; lines end with LF or CR LF.
    pub line: u32,
    /// The column, in the [`Unit`] that was asked for.
    pub column: u32,
}

/// A file as it was read: the path as the user is to see it, and the text.
///
/// A byte order mark at the start belongs to the text (so that offsets are offsets of the file) but to no column:
/// the character behind it stands in column 1.
#[derive(Debug)]
pub struct SourceFile {
    path: String,
    text: String,
    line_starts: OnceLock<Box<[u32]>>,
}

impl SourceFile {
    /// A file with its text. Lines are indexed when a position is first asked for.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into(), line_starts: OnceLock::new() }
    }

    /// The path as the user is to see it: relative where it was given so, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text, with its byte order mark and line ends as they are on disk.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text under a span. What lies outside of the file or splits a character gives the empty text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The number of lines; a file without text has one.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.line_starts().len()).unwrap_or(u32::MAX)
    }

    /// The bytes of a line (counted from 1) without its line end. A line that does not exist is empty, at the end.
    pub fn line_span(&self, line: u32) -> Span {
        let starts = self.line_starts();
        let index = line.saturating_sub(1) as usize;
        let length = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let Some(&start) = starts.get(index) else { return Span::empty(length) };
        let end = starts.get(index + 1).map_or(length, |&next| next);
        let line = self.text.get(start as usize..end as usize).unwrap_or_default();
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        Span::new(start, start + u32::try_from(content.len()).unwrap_or(0))
    }

    /// Turns a byte offset into a line and a column: the only place in the project that does.
    ///
    /// An offset behind the end of the file is taken as the end; one inside a character as that character's start.
    pub fn position(&self, offset: u32, unit: Unit) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start as usize <= offset).max(1);
        let start = starts.get(line - 1).map_or(0, |&start| start as usize);
        let before = self.text.get(start..offset).unwrap_or_default();
        let before = if start == 0 { before.strip_prefix('\u{feff}').unwrap_or(before) } else { before };
        let column = match unit {
            Unit::Bytes => before.len(),
            Unit::CodePoints => before.chars().count(),
            Unit::Utf16 => before.encode_utf16().count(),
        };
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX - 1) + 1,
        }
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let newlines = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(newlines.map(|(index, _)| u32::try_from(index + 1).unwrap_or(u32::MAX)))
                .collect()
        })
    }
}

/// The files that diagnostics of a run point into.
///
/// Files about which there is nothing to say are not kept: memory does not grow with the number of clean files.
#[derive(Debug, Default)]
pub struct Sources {
    files: BTreeMap<FileId, SourceFile>,
}

impl Sources {
    /// Keeps a file. A second file under the same id replaces the first.
    pub fn insert(&mut self, id: FileId, file: SourceFile) {
        self.files.insert(id, file);
    }

    /// The file with this id, if it was kept.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn at(text: &str, needle: &str, unit: Unit) -> (u32, u32) {
        let file = SourceFile::new("x.json", text);
        let offset = u32::try_from(text.find(needle).unwrap()).unwrap();
        let position = file.position(offset, unit);
        (position.line, position.column)
    }

    #[test]
    fn columns_are_counted_in_the_unit_asked_for() {
        let text = "{}\r\n\t\"é日😀\": x\n";
        assert_eq!(at(text, "x", Unit::Bytes), (2, 15));
        assert_eq!(at(text, "x", Unit::CodePoints), (2, 9));
        assert_eq!(at(text, "x", Unit::Utf16), (2, 10));
    }

    #[test]
    fn a_byte_order_mark_takes_no_column() {
        assert_eq!(at("\u{feff}{}", "{", Unit::Bytes), (1, 1));
        assert_eq!(at("\u{feff}{}", "}", Unit::CodePoints), (1, 2));
    }

    #[test]
    fn offsets_outside_of_the_file_and_inside_a_character_have_a_position() {
        let file = SourceFile::new("x", "é\n");
        assert_eq!(file.position(1, Unit::CodePoints), Position { line: 1, column: 1 });
        assert_eq!(file.position(99, Unit::CodePoints), Position { line: 2, column: 1 });
        assert_eq!(SourceFile::new("x", "").position(0, Unit::Bytes), Position { line: 1, column: 1 });
    }

    #[test]
    fn a_line_is_given_without_its_end() {
        let file = SourceFile::new("x", "ab\r\ncd\n");
        assert_eq!(file.slice(file.line_span(1)), "ab");
        assert_eq!(file.slice(file.line_span(2)), "cd");
        assert_eq!(file.slice(file.line_span(3)), "");
        assert_eq!(file.slice(file.line_span(9)), "");
    }
}
