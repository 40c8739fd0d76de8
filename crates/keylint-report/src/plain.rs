//! Everything that there is to say, without a drawing: for screen readers, and for logs that cannot show one.

use std::io;

use keylint_source::Position;

use crate::Report;
use crate::entry::entries;
use crate::place::Place;
use crate::visible::visible;

/// Writes each diagnostic, with an empty line between two.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for (index, entry) in entries(report).iter().enumerate() {
        let diagnostic = entry.diagnostic;
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{} {}: {}", diagnostic.severity, entry.rule(), visible(&diagnostic.message))?;
        let primary = std::iter::once((&diagnostic.primary, "at"));
        for (label, word) in primary.chain(diagnostic.related.iter().map(|label| (label, "and at"))) {
            let place = Place::new(report.sources, label.at);
            let Position { line, column } = place.start();
            let separator = if label.text.is_empty() { "" } else { ": " };
            let path = visible(place.file.path());
            writeln!(out, "  {word} {path}:{line}:{column}{separator}{}", visible(&label.text))?;
        }
        let resource = diagnostic.resource.iter().map(|name| ("in", format!("`{name}`")));
        let notes = diagnostic.notes.iter().map(|note| ("note", note.clone()));
        let help = diagnostic.help.iter().map(|help| ("help", help.clone()));
        for (kind, text) in resource.chain(notes).chain(help) {
            let lines: Vec<_> = text.lines().map(visible).collect();
            writeln!(out, "  {kind}: {}", lines.join("\n    "))?;
        }
    }
    Ok(())
}
