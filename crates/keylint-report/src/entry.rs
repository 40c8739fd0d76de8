//! What the formats for machines need of a diagnostic, made safe once for all of them.

use std::collections::{BTreeMap, BTreeSet};

use keylint_source::{Diagnostic, FileId, Position, Severity};

use crate::Report;
use crate::place::Place;
use crate::visible::visible;

/// A diagnostic with its place.
pub(crate) struct Entry<'r> {
    pub(crate) diagnostic: &'r Diagnostic,
    pub(crate) place: Place<'r>,
    /// The path as the user is to see it.
    pub(crate) path: String,
    /// The message; where the file has findings about several resources, it says about which.
    pub(crate) message: String,
}

/// The diagnostics in their order.
pub(crate) fn entries<'r>(report: &Report<'r>) -> Vec<Entry<'r>> {
    let several = files_with_several_resources(report.diagnostics);
    let entry = |diagnostic: &'r Diagnostic| {
        let at = diagnostic.primary.at;
        let resource = diagnostic.resource.as_deref().filter(|_| several.contains(&at.file));
        let resource = resource.map(|resource| format!(", in `{}`", visible(resource)));
        let place = Place::new(report.sources, at);
        // A line that starts with two colons is a command to the log of GitHub Actions.
        let safe = if place.file.path().starts_with("::") { "./" } else { "" };
        Entry {
            diagnostic,
            path: visible(&format!("{safe}{}", place.file.path())).into_owned(),
            place,
            message: visible(&diagnostic.message).into_owned() + resource.as_deref().unwrap_or_default(),
        }
    };
    report.diagnostics.iter().map(entry).collect()
}

/// The diagnostics of each file, in the order in which the files first occur.
pub(crate) fn by_file<'r>(report: &Report<'r>) -> Vec<Vec<Entry<'r>>> {
    let mut files: Vec<Vec<Entry<'r>>> = Vec::new();
    let mut index = BTreeMap::new();
    for entry in entries(report) {
        let of_file = *index.entry(entry.path.clone()).or_insert(files.len());
        match files.get_mut(of_file) {
            Some(file) => file.push(entry),
            None => files.push(vec![entry]),
        }
    }
    files
}

impl Entry<'_> {
    pub(crate) fn rule(&self) -> String {
        visible(&self.diagnostic.rule).into_owned()
    }

    pub(crate) fn severity(&self) -> Severity {
        self.diagnostic.severity
    }

    /// Where it starts, in code points.
    pub(crate) fn start(&self) -> Position {
        self.place.start()
    }

    /// Where it ends, in code points.
    pub(crate) fn end(&self) -> Position {
        self.place.end()
    }

    /// What there is to say beside the message, a line each: the places with their words, the notes, the help.
    pub(crate) fn details(&self, report: &Report<'_>) -> Vec<String> {
        let diagnostic = self.diagnostic;
        let mut lines = Vec::new();
        if !diagnostic.primary.text.is_empty() {
            lines.push(visible(&diagnostic.primary.text).into_owned());
        }
        for label in &diagnostic.related {
            let place = Place::new(report.sources, label.at);
            let Position { line, column } = place.start();
            let words = if label.text.is_empty() { "see here" } else { &label.text };
            lines.push(format!("{}:{line}:{column}: {}", visible(place.file.path()), visible(words)));
        }
        let paragraph = |kind: &str, text: &str| {
            let lines: Vec<_> = text.lines().map(visible).collect();
            format!("{kind}: {}", lines.join(" "))
        };
        lines.extend(diagnostic.notes.iter().map(|note| paragraph("note", note)));
        lines.extend(diagnostic.help.iter().map(|help| paragraph("help", help)));
        lines
    }
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
