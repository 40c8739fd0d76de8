//! A line of source as it is shown: made visible, and cut around its labels where it is too long to be read.

use std::ops::Range;

use crate::visible::visible_source;

/// How source lines are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// The characters of a line that are shown.
    pub(crate) width: usize,
    /// What stands for text that is left out.
    pub(crate) mark: &'static str,
}

/// Where the pieces of one source line ended up in the text that is drawn.
pub(crate) struct Line {
    /// The bytes of the file that the line has, without its line end.
    source: Range<usize>,
    /// The bytes of the file that are shown, and where they start in the text. At least one piece, in order.
    pieces: Vec<(Range<usize>, usize)>,
    /// Where the line ends in the text; the line end follows.
    end: usize,
}

impl Line {
    /// Appends the line `source` of the file's `text` to `shown`, with a line end.
    ///
    /// `labels` are the parts of the line that must be seen. `goes_on` adds the mark for what is left out behind
    /// the line. All ranges are bytes of the file.
    pub(crate) fn push(
        shown: &mut String,
        text: &str,
        source: Range<usize>,
        labels: &[Range<usize>],
        goes_on: bool,
        cut: Cut,
    ) -> Self {
        let mut pieces = Vec::new();
        let mut written = source.start;
        for piece in pieces_to_show(text, &source, labels, cut) {
            if piece.start > written {
                shown.push_str(cut.mark);
            }
            pieces.push((piece.clone(), shown.len()));
            written = piece.end;
            shown.push_str(&visible_source(text.get(piece).unwrap_or_default()));
        }
        if written < source.end {
            shown.push_str(cut.mark);
        }
        if goes_on {
            shown.push(' ');
            shown.push_str(cut.mark);
        }
        let end = shown.len();
        shown.push('\n');
        Self { source, pieces, end }
    }

    /// Where a label that starts at this byte of the file starts in the text.
    pub(crate) fn start_of(&self, text: &str, offset: usize) -> usize {
        let offset = offset.clamp(self.source.start, self.source.end);
        for (piece, shown_at) in &self.pieces {
            if offset <= piece.end {
                let before = text.get(piece.start..offset).unwrap_or_default();
                return shown_at + visible_source(before).len();
            }
        }
        self.end
    }

    /// Where a label that ends before this byte of the file ends in the text. One that covers the line end reaches
    /// one column further than the line.
    pub(crate) fn end_of(&self, text: &str, offset: usize) -> usize {
        if offset > self.source.end { self.end + 1 } else { self.start_of(text, offset) }
    }

    /// Where a label ends that goes on behind the line: behind everything that is shown of it.
    pub(crate) const fn end(&self) -> usize {
        self.end
    }
}

/// The parts of a line that are shown: all of a line that fits, else what is around the labels.
///
/// Each label gets an equal share of the width. One that is longer than its share loses its middle.
fn pieces_to_show(text: &str, line: &Range<usize>, labels: &[Range<usize>], cut: Cut) -> Vec<Range<usize>> {
    if text.get(line.clone()).unwrap_or_default().chars().nth(cut.width).is_none() {
        return vec![line.clone()];
    }
    let back = |from: usize, characters: usize| {
        let before = text.get(line.start..from).unwrap_or_default();
        before.char_indices().rev().take(characters).last().map_or(from, |(index, _)| line.start + index)
    };
    let forward = |from: usize, characters: usize| {
        let after = text.get(from..line.end).unwrap_or_default();
        after.char_indices().nth(characters).map_or(line.end, |(index, _)| from + index)
    };
    let count =
        |range: Range<usize>, most: usize| text.get(range).unwrap_or_default().chars().take(most).count();

    let share = (cut.width / labels.len().max(1)).max(20);
    let mut wanted = Vec::new();
    for label in labels {
        let (start, end) = (label.start.clamp(line.start, line.end), label.end.clamp(line.start, line.end));
        let length = count(start..end, share);
        if length < share {
            // Half of what is left goes before the label, or more where there is less behind it.
            let room = share - length;
            let before =
                count(line.start..start, room).min((room / 2).max(room - count(end..line.end, room)));
            wanted.push(back(start, before)..forward(end, room - before));
        } else {
            let (outside, inside) = (share / 8, share * 3 / 8);
            wanted.push(back(start, outside)..forward(start, inside));
            wanted.push(back(end, inside)..forward(end, outside));
        }
    }
    if labels.is_empty() {
        wanted.push(line.start..forward(line.start, cut.width));
    }
    wanted.sort_by_key(|piece| piece.start);

    let mut pieces: Vec<Range<usize>> = Vec::new();
    for piece in wanted {
        match pieces.last_mut() {
            // A gap that is no longer than the mark for it is not worth one.
            Some(last) if piece.start <= forward(last.end, cut.mark.chars().count()) => {
                last.end = last.end.max(piece.end);
            }
            _ => pieces.push(piece),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    const CUT: Cut = Cut { width: 24, mark: "…" };

    /// The text that is drawn for one line and one label, with the label in brackets.
    fn drawn(text: &str, label: Range<usize>) -> String {
        let mut shown = String::new();
        let line = Line::push(&mut shown, text, 0..text.len(), std::slice::from_ref(&label), false, CUT);
        let (start, end) = (line.start_of(text, label.start), line.end_of(text, label.end));
        shown.insert(end, ']');
        shown.insert(start, '[');
        shown
    }

    #[test]
    fn a_line_that_fits_is_shown_whole() {
        assert_eq!(drawn("0123456789", 3..5), "012[34]56789\n");
        assert_eq!(drawn("é日😀\u{1b}x", 9..10), "é日😀[␛]x\n");
    }

    #[test]
    fn a_long_line_is_cut_on_both_sides_of_a_label() {
        let text = format!("{}LABEL{}", "a".repeat(1000), "é".repeat(1000));
        assert_eq!(drawn(&text, 1000..1005), "…aaaaaaaaa[LABEL]éééééééééé…\n");
        assert_eq!(drawn(&text, 0..1), "[a]aaaaaaaaaaaaaaaaaaaaaaa…\n");
        assert_eq!(drawn(&text, 3005..3005), "…éééééééééééééééééééééééé[]\n");
    }

    #[test]
    fn a_long_label_loses_its_middle() {
        let text = format!("{}START{}END{}", "a".repeat(50), "b".repeat(1000), "c".repeat(50));
        assert_eq!(drawn(&text, 50..1058), "…aaa[STARTbbbb…bbbbbbEND]ccc…\n");
    }

    #[test]
    fn a_gap_that_the_mark_would_fill_is_not_cut() {
        let text = format!("{}12345678901234567890{}", "a".repeat(50), "b".repeat(50));
        let mut shown = String::new();
        Line::push(&mut shown, &text, 0..text.len(), &[50..58, 65..70], false, CUT);
        assert_eq!(shown, "…aaaaaa12345678901234567890bbbbbbbb…\n");
    }
}
