//! The Reviewdog Diagnostic Format: one document (`rdjson`), or a line for each diagnostic (`rdjsonl`).
//!
//! Columns count bytes of UTF-8 from 1, and the end is exclusive.
//! <https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>

use std::io;

use keylint_source::{Label, Position, Severity, Unit};
use serde::Serialize;

use crate::Report;
use crate::entry::{Entry, entries};
use crate::place::Place;
use crate::visible::visible;

#[derive(Serialize)]
struct Document {
    source: Source,
    diagnostics: Vec<Found>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Found {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

#[derive(Serialize)]
struct Code {
    value: String,
}

#[derive(Serialize)]
struct Related {
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    range: Range,
}

#[derive(Serialize)]
struct Range {
    start: Point,
    end: Point,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
}

/// Writes one document.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let diagnostics = entries(report).iter().map(|entry| Found::new(report, entry)).collect();
    let document = Document { source: Source { name: "keylint" }, diagnostics };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// Writes a line for each diagnostic.
pub(crate) fn write_lines(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for entry in entries(report) {
        let found = Found { source: Some(Source { name: "keylint" }), ..Found::new(report, &entry) };
        serde_json::to_writer(&mut *out, &found)?;
        writeln!(out)?;
    }
    Ok(())
}

impl Found {
    fn new(report: &Report<'_>, entry: &Entry<'_>) -> Self {
        let related = |label: &Label| Related {
            message: visible(&label.text).into_owned(),
            location: Location::new(&Place::new(report.sources, label.at)),
        };
        let diagnostic = entry.diagnostic;
        // Places are listed by themselves.
        let line = |line| format!("\n{}", visible(line));
        let help = diagnostic.help.iter().flat_map(|help| help.lines().map(line));
        Self {
            message: entry.message.clone() + &help.collect::<String>(),
            location: Location::new(&entry.place),
            severity: match entry.severity() {
                Severity::Error => "ERROR",
                Severity::Warning => "WARNING",
                Severity::Note => "INFO",
            },
            code: Code { value: entry.rule() },
            related_locations: diagnostic.related.iter().map(related).collect(),
            source: None,
        }
    }
}

impl Location {
    fn new(place: &Place<'_>) -> Self {
        let (start, end) = place.region(Unit::Bytes);
        let point = |Position { line, column }| Point { line, column };
        let path = visible(place.file.path()).into_owned();
        Self { path, range: Range { start: point(start), end: point(end) } }
    }
}
