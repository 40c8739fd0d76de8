//! Logging commands of Azure Pipelines.
//!
//! <https://learn.microsoft.com/en-us/azure/devops/pipelines/scripts/logging-commands>

use std::io;

use keylint_source::Severity;

use crate::Report;
use crate::entry::entries;

/// Writes a command for each diagnostic. Azure knows errors and warnings only, so a note is a line of the log.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for entry in entries(report) {
        let start = entry.start();
        let kind = match entry.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => {
                let place = format!("{}:{}:{}", entry.path, start.line, start.column);
                writeln!(out, "{place}: note: {} [{}]", entry.message, entry.rule())?;
                continue;
            }
        };
        writeln!(
            out,
            "##vso[task.logissue type={kind};sourcepath={};linenumber={};columnnumber={};code={};]{}",
            property(&report.path_from_root(&entry.path)),
            start.line,
            start.column,
            property(&entry.rule()),
            entry.message.replace('%', "%AZP25"),
        )?;
    }
    Ok(())
}

fn property(text: &str) -> String {
    text.replace('%', "%AZP25").replace(';', "%3B").replace(']', "%5D")
}
