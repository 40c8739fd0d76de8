//! One line for each diagnostic, as GCC writes them: what editors and problem matchers read.

use std::io;

use crate::Report;
use crate::place::Place;
use crate::visible::visible;

/// Writes `path:line:col: severity: message [rule]` for each diagnostic.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for diagnostic in report.diagnostics {
        let place = Place::new(report.sources, diagnostic.primary.at);
        let start = place.start();
        writeln!(
            out,
            "{}:{}:{}: {}: {} [{}]",
            visible(place.file.path()),
            start.line,
            start.column,
            diagnostic.severity,
            visible(&diagnostic.message),
            visible(&diagnostic.rule),
        )?;
    }
    Ok(())
}
