//! Diagnostics for people: what is wrong, the source text it is about, what is known and what to do.

use std::io;

use keylint_source::{Diagnostic, Severity, Sources};
use miette::{GraphicalReportHandler, GraphicalTheme};

use crate::line::Cut;
use crate::snippets::Snippets;
use crate::visible::visible;
use crate::{Report, Style};

/// Columns of the terminal where nobody knows them: a file, a pipe, the log of a build.
const UNKNOWN_WIDTH: usize = 120;
/// Columns that stand before a source line: its number and the frame.
const MARGIN: usize = 10;

/// Writes each diagnostic, with an empty line between two.
pub(crate) fn write(report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let drawing = Drawing::new(style);
    for (index, diagnostic) in report.diagnostics.iter().enumerate() {
        if index > 0 {
            out.write_all(b"\n")?;
        }
        let heading = header(diagnostic, drawing.paint);
        out.write_all(drawing.draw(report.sources, diagnostic, heading)?.as_bytes())?;
    }
    Ok(())
}

/// Writes an answer: its heading, and below it what a diagnostic has below its own.
pub(crate) fn answer(
    (verdict, message): (&str, &str),
    sources: &Sources,
    shown: &Diagnostic,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let drawing = Drawing::new(style);
    let heading = format!("{}: {}", drawing.paint.words("1;36", verdict), visible(message));
    out.write_all(drawing.draw(sources, shown, heading)?.as_bytes())
}

/// How everything is drawn.
struct Drawing {
    handler: GraphicalReportHandler,
    cut: Cut,
    paint: Paint,
}

impl Drawing {
    fn new(style: Style) -> Self {
        let theme = match (style.unicode, style.color) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme::ascii(),
            (false, false) => GraphicalTheme::none(),
        };
        let width = if style.width == 0 { UNKNOWN_WIDTH } else { style.width.clamp(40, 200) };
        Self {
            handler: GraphicalReportHandler::new_themed(theme).with_wrap_lines(false),
            cut: Cut { width: width - MARGIN, mark: if style.unicode { "…" } else { "..." } },
            paint: Paint { color: style.color },
        }
    }

    /// The heading, the source text with its labels, notes, and help.
    fn draw(&self, sources: &Sources, diagnostic: &Diagnostic, heading: String) -> io::Result<String> {
        let mut text = heading;
        let snippets = Snippets::new(sources, diagnostic, self.cut);
        // Miette starts with a line for the message, which is empty here: its line end ends the header.
        self.handler.render_report(&mut text, &snippets).map_err(io::Error::other)?;
        if let Some(resource) = &diagnostic.resource {
            text.push_str(&paragraph("in", &format!("`{resource}`"), self.paint));
        }
        for note in &diagnostic.notes {
            text.push_str(&paragraph("note", note, self.paint));
        }
        if let Some(help) = &diagnostic.help {
            text.push_str(&paragraph("help", help, self.paint));
        }
        Ok(text)
    }
}

/// `error[rule]: message`, without a line end.
fn header(diagnostic: &Diagnostic, paint: Paint) -> String {
    let color = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    };
    let kind = format!("{}[{}]", diagnostic.severity, visible(&diagnostic.rule));
    format!("{}: {}", paint.words(color, &kind), paint.words("1", &visible(&diagnostic.message)))
}

/// `note: words`, further lines below the first.
fn paragraph(kind: &str, words: &str, paint: Paint) -> String {
    let lines: Vec<_> = words.lines().map(visible).collect();
    format!("  {}: {}\n", paint.words("36", kind), lines.join("\n        "))
}

#[derive(Clone, Copy)]
struct Paint {
    color: bool,
}

impl Paint {
    /// The words in a colour, which is given as the parameters of the terminal's escape sequence for it.
    fn words(self, color: &str, words: &str) -> String {
        if self.color { format!("\u{1b}[{color}m{words}\u{1b}[0m") } else { words.to_owned() }
    }
}
