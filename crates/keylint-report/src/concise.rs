//! One line for each diagnostic, as GCC writes them: what editors and problem matchers read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use keylint_source::{Diagnostic, FileId};

use crate::Report;
use crate::place::Place;
use crate::visible::visible;

/// Writes `path:line:col: severity: message [rule]` for each diagnostic. Where a file has findings about several
/// resources, the message says about which.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let several = files_with_several_resources(report.diagnostics);
    for diagnostic in report.diagnostics {
        let resource =
            diagnostic.resource.as_deref().filter(|_| several.contains(&diagnostic.primary.at.file));
        let place = Place::new(report.sources, diagnostic.primary.at);
        let start = place.start();
        writeln!(
            out,
            "{}:{}:{}: {}: {}{} [{}]",
            visible(place.file.path()),
            start.line,
            start.column,
            diagnostic.severity,
            visible(&diagnostic.message),
            resource.map(|resource| format!(", in `{}`", visible(resource))).unwrap_or_default(),
            visible(&diagnostic.rule),
        )?;
    }
    Ok(())
}

fn files_with_several_resources(diagnostics: &[Diagnostic]) -> BTreeSet<FileId> {
    let mut first: BTreeMap<FileId, &str> = BTreeMap::new();
    let mut several = BTreeSet::new();
    for diagnostic in diagnostics {
        let file = diagnostic.primary.at.file;
        if let Some(resource) = &diagnostic.resource
            && *first.entry(file).or_insert(resource) != resource.as_str()
        {
            several.insert(file);
        }
    }
    several
}
