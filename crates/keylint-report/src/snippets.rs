//! The source text that one diagnostic shows, cut out and ready for miette to draw.
//!
//! Miette is never given a whole file: it would read it from the start for each label, print a one-line document
//! whole, and know one file only. [`Snippets`] holds a few windows, each with some lines of some file, one behind
//! the other in one text. To miette they are distant parts of one source, and it draws a frame around each.

use std::fmt;
use std::ops::Range;

use keylint_source::{Diagnostic, FileId, Label, Position, Sources};
use miette::{LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::line::{Cut, Line};
use crate::place::Place;
use crate::visible::visible;

/// A label over more lines than this is drawn over its first line only.
const LONGEST_LABEL: u32 = 6;
/// Labels with at most this many lines between them share a window.
const NEAR: u32 = 3;

/// The windows of one diagnostic with their labels: the primary label's window first, then the others in the order
/// of their labels.
#[derive(Debug)]
pub(crate) struct Snippets {
    /// The lines of all windows, with one byte between windows so that each offset belongs to one of them.
    text: String,
    windows: Vec<Window>,
    /// In offsets of `text`.
    labels: Vec<LabeledSpan>,
}

/// Some lines of a file.
#[derive(Debug)]
struct Window {
    /// The file's path, made visible.
    path: String,
    /// What the window is headed with: where its first label starts in the file.
    place: Position,
    first_line: u32,
    lines: usize,
    /// The lines in the text of the snippets.
    range: Range<usize>,
}

/// A label before it is drawn.
struct Mark<'r> {
    file: FileId,
    place: Place<'r>,
    text: &'r str,
    start: Position,
    /// The last line that is drawn.
    last_line: u32,
    /// Whether the label goes on behind its last line.
    goes_on: bool,
    /// The bytes of the file that are drawn over. Even an empty label takes a column.
    drawn: Range<usize>,
}

impl Snippets {
    /// Cuts out what a diagnostic points at.
    pub(crate) fn new(sources: &Sources, diagnostic: &Diagnostic, cut: Cut) -> Self {
        let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.related);
        let mut groups: Vec<Vec<Mark<'_>>> = Vec::new();
        for mark in labels.map(|label| Mark::new(sources, label)) {
            match groups.iter_mut().find(|group| mark.belongs_to(group)) {
                Some(group) => group.push(mark),
                None => groups.push(vec![mark]),
            }
        }
        let mut snippets = Self { text: String::new(), windows: Vec::new(), labels: Vec::new() };
        for group in &groups {
            snippets.push(group, cut);
        }
        snippets
    }

    /// Adds a window around labels of one file.
    fn push(&mut self, marks: &[Mark<'_>], cut: Cut) {
        let Some(Mark { place: Place { file, .. }, start: place, .. }) = marks.first() else {
            return;
        };
        let text = file.text();
        let start = self.text.len();
        let (first_line, last_line) = lines_around(marks);
        let mut ends = vec![0..0; marks.len()];
        for number in first_line..=last_line {
            let mut source = file.line_span(number).range();
            if number == 1 && text.starts_with('\u{feff}') {
                source.start = source.start.max('\u{feff}'.len_utf8()).min(source.end);
            }
            let here = |mark: &&Mark<'_>| mark.start.line <= number && number <= mark.last_line;
            let labels: Vec<_> = marks.iter().filter(here).map(|mark| mark.place.span.range()).collect();
            let goes_on = marks.iter().any(|mark| mark.goes_on && mark.last_line == number);
            let line = Line::push(&mut self.text, text, source, &labels, goes_on, cut);
            for (mark, range) in marks.iter().zip(&mut ends) {
                if mark.start.line == number {
                    range.start = line.start_of(text, mark.place.span.range().start);
                }
                if mark.last_line == number {
                    range.end = match mark.place.span.range() {
                        span if span.is_empty() => range.start,
                        _ if mark.goes_on => line.end(),
                        span => line.end_of(text, span.end),
                    };
                }
            }
        }
        // A file that could not be read has no line to show, unless something is to be said beside it.
        if text.is_empty() && marks.iter().all(|mark| mark.text.is_empty()) {
            self.text.truncate(start);
        }
        for (mark, range) in marks.iter().zip(ends) {
            let words = (!mark.text.is_empty()).then(|| visible(mark.text).into_owned());
            self.labels.push(LabeledSpan::new(words, range.start, range.len()));
        }
        self.windows.push(Window {
            path: visible(file.path()).into_owned(),
            place: *place,
            first_line,
            lines: (last_line - first_line + 1) as usize,
            range: start..self.text.len(),
        });
        self.text.push('\n');
    }
}

/// The lines of a window: those of its labels, and one more on each side where there is one.
fn lines_around(marks: &[Mark<'_>]) -> (u32, u32) {
    let first = marks.iter().map(|mark| mark.start.line).min().unwrap_or(1);
    let last = marks.iter().map(|mark| mark.last_line).max().unwrap_or(1);
    let behind = marks.first().is_some_and(|Mark { place: Place { file, .. }, .. }| {
        // What follows the last line end of a file is a line to the machine, and nothing to the reader.
        last < file.line_count() && !(last + 1 == file.line_count() && file.line_span(last + 1).is_empty())
    });
    (first.saturating_sub(1).max(1), last + u32::from(behind))
}

impl<'r> Mark<'r> {
    fn new(sources: &'r Sources, label: &'r Label) -> Self {
        let place = Place::new(sources, label.at);
        let start = place.start();
        let last_line = place.last_line(start.line);
        let goes_on = last_line - start.line >= LONGEST_LABEL;
        let last_line = if goes_on { start.line } else { last_line };
        let mut drawn = place.span.range();
        if goes_on {
            drawn.end = place.file.line_span(start.line).range().end;
        }
        drawn.end = drawn.end.max(drawn.start + 1);
        Self { file: label.at.file, place, text: &label.text, start, last_line, goes_on, drawn }
    }

    /// Whether the label can be drawn in the window of these labels: it is near one of them, and over none. Miette
    /// draws the second of two labels over the same text beside it, under the wrong text.
    fn belongs_to(&self, group: &[Self]) -> bool {
        let near = |other: &Self| {
            self.file == other.file
                && self.start.line <= other.last_line + NEAR + 1
                && other.start.line <= self.last_line + NEAR + 1
        };
        let over = |other: &Self| self.drawn.start < other.drawn.end && other.drawn.start < self.drawn.end;
        group.iter().any(near) && !group.iter().any(over)
    }
}

impl SourceCode for Snippets {
    /// The whole window that the span lies in; a span over two windows is refused, so that miette keeps them apart.
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let within = |window: &&Window| window.range.start <= start && end <= window.range.end;
        let window = self.windows.iter().find(within).ok_or(MietteError::OutOfBounds)?;
        // Without context miette asks for the place to head the frame with, else for the lines to draw in it.
        let (line, column) = match (lines_before, lines_after) {
            (0, 0) => (window.place.line, window.place.column),
            _ => (window.first_line, 1),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            window.path.clone(),
            self.text.get(window.range.clone()).unwrap_or_default().as_bytes(),
            (window.range.start, window.range.len()).into(),
            line.saturating_sub(1) as usize,
            column.saturating_sub(1) as usize,
            window.lines,
        )))
    }
}

impl fmt::Display for Snippets {
    /// Nothing: the message is not miette's to write.
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Snippets {}

impl miette::Diagnostic for Snippets {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::visible::visible_source;
    use keylint_source::{Location, Severity, SourceFile, Span};
    use pretty_assertions::assert_eq;

    /// For every place within a line of a text of difficult characters, at several widths: what is underlined in
    /// the text that is drawn is the text of the place.
    #[test]
    fn the_text_of_the_place_is_underlined() {
        let text = "\u{feff}{\r\n\t\"é日😀\u{1b}[2J\u{202e}\":\t[\"0123456789012345678901234567890123456789\"]\n\n}\r\n";
        let mut sources = Sources::default();
        sources.insert(FileId(0), SourceFile::new("x.json", text));
        let ends: Vec<usize> =
            text.char_indices().map(|(index, _)| index).skip(1).chain([text.len()]).collect();
        for (&start, &end) in ends.iter().flat_map(|start| ends.iter().map(move |end| (start, end))) {
            let Some(expected) = text.get(start..end).filter(|place| !place.contains(['\r', '\n'])) else {
                continue;
            };
            let expected = visible_source(expected);
            let span = Span::new(u32::try_from(start).unwrap(), u32::try_from(end).unwrap());
            let diagnostic = Diagnostic::new("x", Severity::Error, "x", Location { file: FileId(0), span });
            for width in [20, 30, 100] {
                let snippets = Snippets::new(&sources, &diagnostic, Cut { width, mark: "…" });
                let label = &snippets.labels[0];
                let drawn = snippets.text.get(label.offset()..label.offset() + label.len()).unwrap();
                match drawn.split_once('…') {
                    None => assert_eq!(drawn, expected),
                    Some((first, last)) => {
                        assert!(
                            expected.starts_with(first) && expected.ends_with(last),
                            "{drawn} for {expected}"
                        );
                        assert!(first.len() > 4 && last.len() > 4 && drawn.len() < expected.len(), "{drawn}");
                    }
                }
            }
        }
    }
}
