//! Workflow commands of GitHub Actions: annotations on the changed lines.
//!
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use std::io;

use keylint_source::Severity;

use crate::Report;
use crate::entry::entries;

/// Annotations of each kind that GitHub shows of one step.
const SHOWN: usize = 10;

/// Writes a command for each diagnostic, the worst first, because GitHub shows only the first of each kind; what it does
/// not show is counted in a notice.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let entries = entries(report);
    let mut hidden = 0;
    for severity in [Severity::Error, Severity::Warning] {
        hidden += entries.iter().filter(|entry| entry.severity() == severity).count().saturating_sub(SHOWN);
    }
    let notes = entries.iter().filter(|entry| entry.severity() == Severity::Note).count();
    hidden += (notes + usize::from(hidden > 0)).saturating_sub(SHOWN);
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let command = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        if severity == Severity::Note && hidden > 0 {
            writeln!(out, "::notice title=keylint::{hidden} more findings are in the log of this step")?;
        }
        for entry in entries.iter().filter(|entry| entry.severity() == severity) {
            let (start, end) = (entry.start(), entry.end());
            // GitHub takes no columns for a place of several lines.
            let place = if start.line == end.line {
                format!(
                    "line={},col={},endLine={},endColumn={}",
                    start.line, start.column, end.line, end.column
                )
            } else {
                format!("line={},endLine={}", start.line, entry.place.last_line(start.line))
            };
            let path = report.path_from_root(&entry.path);
            // The log shows the message alone.
            let mut text = format!("{}:{}:{}: {}", entry.path, start.line, start.column, entry.message);
            for line in entry.details(report) {
                text.push_str("\n  ");
                text.push_str(&line);
            }
            writeln!(
                out,
                "::{command} file={},{place},title=keylint ({})::{}",
                property(&path),
                property(&entry.rule()),
                data(&text)
            )?;
        }
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
