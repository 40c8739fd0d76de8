//! One line for each diagnostic, as GCC writes them: what editors and problem matchers read.

use std::io;

use crate::Report;
use crate::entry::entries;

/// Writes `path:line:col: severity: message [rule]` for each diagnostic.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for entry in entries(report) {
        let start = entry.start();
        writeln!(
            out,
            "{}:{}:{}: {}: {} [{}]",
            entry.path,
            start.line,
            start.column,
            entry.severity(),
            entry.message,
            entry.rule(),
        )?;
    }
    Ok(())
}
