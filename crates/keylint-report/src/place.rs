//! The file and the bytes that a diagnostic points at, made safe.

use std::sync::LazyLock;

use keylint_source::{Location, Position, SourceFile, Sources, Span, Unit};

/// A location whose file exists and whose span lies inside of it, on character boundaries.
#[derive(Clone, Copy)]
pub(crate) struct Place<'r> {
    pub(crate) file: &'r SourceFile,
    pub(crate) span: Span,
}

impl<'r> Place<'r> {
    /// Looks the file up, and moves what lies behind its end to the end. A span that splits a character covers it.
    pub(crate) fn new(sources: &'r Sources, at: Location) -> Self {
        static UNKNOWN: LazyLock<SourceFile> = LazyLock::new(|| SourceFile::new("<unknown>", ""));
        let file = sources.get(at.file).unwrap_or(&UNKNOWN);
        let length = u32::try_from(file.text().len()).unwrap_or(u32::MAX);
        let splits = |offset: u32| !file.text().is_char_boundary(offset as usize);
        let (mut start, mut end) = (at.span.start().min(length), at.span.end().min(length));
        while splits(start) {
            start -= 1;
        }
        while splits(end) {
            end += 1;
        }
        Self { file, span: Span::new(start, end) }
    }

    /// Where it starts, and where it ends: the position behind the last character.
    pub(crate) fn region(&self, unit: Unit) -> (Position, Position) {
        let position = |offset| self.file.position(offset, unit);
        (position(self.span.start()), position(self.span.end()))
    }

    /// Where it starts, in code points.
    pub(crate) fn start(&self) -> Position {
        self.file.position(self.span.start(), Unit::CodePoints)
    }

    /// Where it ends, in code points.
    pub(crate) fn end(&self) -> Position {
        self.file.position(self.span.end(), Unit::CodePoints)
    }

    /// The last line that the span touches, for one that starts in the line `first`. A line break belongs to the
    /// line that it ends.
    pub(crate) fn last_line(&self, first: u32) -> u32 {
        // Asking for a position counts the characters before it, which is slow in a long line.
        if self.file.slice(self.span).contains('\n') {
            self.file.position(self.span.end() - 1, Unit::Bytes).line
        } else {
            first
        }
    }
}
