//! A Code Quality report of GitLab.
//!
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>

use std::collections::BTreeMap;
use std::io;

use keylint_source::Severity;
use serde::Serialize;

use crate::Report;
use crate::entry::{Entry, entries};
use crate::fingerprint::{digest, fingerprint};

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

/// Writes one array.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let issue = |entry: Entry<'_>| {
        let path = report.path_from_root(&entry.path);
        let start = entry.start();
        // GitLab takes findings with the same fingerprint for one.
        let same = digest(&[&path, &fingerprint(report.sources, entry.diagnostic)]);
        let count = seen.entry(same.clone()).and_modify(|count| *count += 1).or_insert(1);
        let fingerprint = if *count == 1 { same } else { digest(&[&same, &count.to_string()]) };
        let end = entry.place.last_line(start.line);
        Issue {
            description: entry.message.clone(),
            check_name: entry.rule(),
            fingerprint,
            severity: match entry.severity() {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Note => "info",
            },
            location: Location { path, lines: Lines { begin: start.line, end } },
        }
    };
    let issues: Vec<Issue> = entries(report).into_iter().map(issue).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    writeln!(out)
}
