//! One JSON document. These types are its shape, in the order in which the fields are written; the schema in
//! `schemas/output.json` describes them to its readers.

use std::io;

use keylint_source::{Diagnostic, Label, Position, Sources, StatementId};
use serde::Serialize;

use crate::fingerprint::fingerprint;
use crate::place::Place;
use crate::visible::visible_json;
use crate::{Chain, ChainLink, LinkState, Report, Summary, Unknown};

/// Raised when a field is removed or changes its meaning; new fields leave it as it is.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'r> {
    version: u32,
    keylint: &'r str,
    diagnostics: Vec<Finding<'r>>,
    unknown: Vec<NotKnown<'r>>,
    uses: Vec<Use<'r>>,
    summary: &'r Summary,
}

#[derive(Serialize)]
struct Finding<'r> {
    rule: &'r str,
    severity: &'static str,
    message: &'r str,
    #[serde(flatten)]
    primary: Marked<'r>,
    related: Vec<Marked<'r>>,
    notes: &'r [String],
    help: Option<&'r str>,
    resource: Option<&'r str>,
    statement: Option<Statement<'r>>,
    fingerprint: String,
}

#[derive(Serialize)]
struct NotKnown<'r> {
    name: &'r str,
    file: &'r str,
    start: Point,
    end: Point,
    default: Option<&'r str>,
    resource: Option<&'r str>,
}

#[derive(Serialize)]
struct Use<'r> {
    title: &'r str,
    documents: Vec<UseDocument<'r>>,
}

#[derive(Serialize)]
struct UseDocument<'r> {
    kind: &'r str,
    state: LinkState,
    file: Option<&'r str>,
    start: Option<Point>,
    says: &'r str,
}

#[derive(Serialize)]
struct Marked<'r> {
    file: &'r str,
    start: Point,
    end: Point,
    label: Option<&'r str>,
}

#[derive(Serialize)]
struct Point {
    line: u32,
    column: u32,
    offset: u32,
}

#[derive(Serialize)]
struct Statement<'r> {
    index: u32,
    sid: Option<&'r str>,
}

/// Writes the whole report as one indented document with a line end, safe to look at in a terminal.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        keylint: report.version,
        diagnostics: report
            .diagnostics
            .iter()
            .map(|diagnostic| Finding::new(report.sources, diagnostic))
            .collect(),
        unknown: report.unknown.iter().map(|unknown| NotKnown::new(report.sources, unknown)).collect(),
        uses: report.chains.iter().map(|chain| Use::new(report.sources, chain)).collect(),
        summary: report.summary,
    };
    let document = serde_json::to_string_pretty(&document)?;
    writeln!(out, "{}", visible_json(&document))
}

/// Writes each diagnostic as the document has it, a line each.
pub(crate) fn write_lines(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    for diagnostic in report.diagnostics {
        let line = serde_json::to_string(&Finding::new(report.sources, diagnostic))?;
        writeln!(out, "{}", visible_json(&line))?;
    }
    Ok(())
}

impl<'r> Finding<'r> {
    fn new(sources: &'r Sources, diagnostic: &'r Diagnostic) -> Self {
        Self {
            rule: &diagnostic.rule,
            severity: diagnostic.severity.as_str(),
            message: &diagnostic.message,
            primary: Marked::new(sources, &diagnostic.primary),
            related: diagnostic.related.iter().map(|label| Marked::new(sources, label)).collect(),
            notes: &diagnostic.notes,
            help: diagnostic.help.as_deref(),
            resource: diagnostic.resource.as_deref(),
            statement: diagnostic.statement.as_ref().map(Statement::new),
            fingerprint: fingerprint(sources, diagnostic),
        }
    }
}

impl<'r> NotKnown<'r> {
    fn new(sources: &'r Sources, unknown: &'r Unknown) -> Self {
        let place = Place::new(sources, unknown.at);
        Self {
            name: &unknown.name,
            file: place.file.path(),
            start: Point::new(place.start(), place.span.start()),
            end: Point::new(place.end(), place.span.end()),
            default: unknown.default.as_deref(),
            resource: unknown.resource.as_deref(),
        }
    }
}

impl<'r> Use<'r> {
    fn new(sources: &'r Sources, chain: &'r Chain) -> Self {
        let document = |link: &'r ChainLink| {
            let place = link.at.map(|at| Place::new(sources, at));
            UseDocument {
                kind: link.document,
                state: link.state,
                file: place.map(|place| place.file.path()),
                start: place.map(|place| Point::new(place.start(), place.span.start())),
                says: &link.says,
            }
        };
        Self { title: &chain.title, documents: chain.links.iter().map(document).collect() }
    }
}

impl<'r> Marked<'r> {
    fn new(sources: &'r Sources, Label { at, text }: &'r Label) -> Self {
        let place = Place::new(sources, *at);
        Self {
            file: place.file.path(),
            start: Point::new(place.start(), place.span.start()),
            end: Point::new(place.end(), place.span.end()),
            label: (!text.is_empty()).then_some(text),
        }
    }
}

impl Point {
    const fn new(Position { line, column }: Position, offset: u32) -> Self {
        Self { line, column, offset }
    }
}

impl<'r> Statement<'r> {
    fn new(statement: &'r StatementId) -> Self {
        Self { index: statement.index, sid: statement.sid.as_deref() }
    }
}
