//! SARIF 2.1.0, with what GitHub's code scanning needs of it.
//!
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>,
//! <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use keylint_source::{FileId, Label, RuleInfo, Severity, Unit};
use serde_json::{Map, Value, json};

use crate::Report;
use crate::entry::{Entry, entries};
use crate::fingerprint::{fingerprint, line_hashes};
use crate::place::Place;
use crate::visible::{visible, visible_json};

/// Groups whose findings are about security.
const SECURITY: [&str; 2] = ["security", "grants"];
/// Characters that code scanning takes of a description.
const DESCRIPTION: usize = 1024;

/// Writes one run.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let entries = entries(report);
    let run = json!({
        "tool": { "driver": {
            "name": "keylint",
            "semanticVersion": report.version,
            "rules": report.rules.iter().map(|info| rule(info)).collect::<Vec<_>>(),
        } },
        "columnKind": "unicodeCodePoints",
        "invocations": [{
            "executionSuccessful": report.is_complete,
            "toolExecutionNotifications": report.unknown.iter().map(|unknown| {
                let place = Place::new(report.sources, unknown.at);
                json!({
                    "level": "note",
                    "message": { "text": format!("Not known before deployment: `{}`.", visible(&unknown.name)) },
                    "locations": [{ "physicalLocation": physical_location(report, &place) }],
                })
            }).collect::<Vec<_>>(),
        }],
        "results": results(report, &entries),
    });
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    let document = serde_json::to_string_pretty(&document)?;
    writeln!(out, "{}", visible_json(&document))
}

fn rule(info: &RuleInfo) -> Value {
    let mut properties = Map::new();
    let mut tags = BTreeSet::from([info.group.as_str(), "aws", "kms"]);
    let score = match info.severity {
        Severity::Error => "8.0",
        Severity::Warning => "5.5",
        Severity::Note => "2.0",
    };
    if SECURITY.contains(&info.group.as_str()) {
        tags.insert("security");
        properties.insert("security-severity".to_owned(), score.into());
    } else {
        let kind = match info.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "recommendation",
        };
        properties.insert("problem.severity".to_owned(), kind.into());
    }
    properties.insert("tags".to_owned(), json!(tags));
    let precision = if info.group == "pedantic" { "medium" } else { "very-high" };
    properties.insert("precision".to_owned(), precision.into());
    let references: Vec<String> = info.references.iter().map(|url| format!("- <{url}>")).collect();
    let references =
        if references.is_empty() { String::new() } else { format!("\n\n{}", references.join("\n")) };
    json!({
        "id": id(&info.name),
        "name": info.name,
        "shortDescription": { "text": sentence(&info.summary) },
        "fullDescription": { "text": info.why.chars().take(DESCRIPTION).collect::<String>() },
        "help": {
            "text": format!("{}\n\n{}", info.why, info.help),
            "markdown": format!("{}\n\n**What to do:** {}{references}", info.why, info.help),
        },
        "defaultConfiguration": { "level": info.severity.as_str() },
        "properties": properties,
    })
}

fn results(report: &Report<'_>, entries: &[Entry<'_>]) -> Vec<Value> {
    let mut lines: BTreeMap<FileId, BTreeSet<u32>> = BTreeMap::new();
    for entry in entries {
        lines.entry(entry.diagnostic.primary.at.file).or_default().insert(entry.start().line);
    }
    let hashes: BTreeMap<FileId, BTreeMap<u32, String>> = lines
        .iter()
        .filter_map(|(file, lines)| Some((*file, line_hashes(report.sources.get(*file)?.text(), lines))))
        .collect();
    let indices: BTreeMap<&str, usize> =
        report.rules.iter().enumerate().map(|(index, rule)| (rule.name.as_str(), index)).collect();
    let mut seen: BTreeMap<(&str, FileId, u32), usize> = BTreeMap::new();
    let mut results = Vec::new();
    for entry in entries {
        let diagnostic = entry.diagnostic;
        let (file, line) = (diagnostic.primary.at.file, entry.start().line);
        let mut fingerprints = Map::new();
        if let Some(hash) = hashes.get(&file).and_then(|of_file| of_file.get(&line)) {
            // Code scanning takes what a rule finds twice in a line for one, unless the hashes differ.
            let count = seen.entry((&*diagnostic.rule, file, line)).or_insert(0);
            *count += 1;
            let hash = if *count == 1 { hash.clone() } else { format!("{hash}/{count}") };
            fingerprints.insert("primaryLocationLineHash".to_owned(), hash.into());
        }
        fingerprints.insert("keylint/v1".to_owned(), fingerprint(report.sources, diagnostic).into());
        let mut text = vec![sentence(&entry.message)];
        let notes = diagnostic.notes.iter().map(String::as_str);
        let help = diagnostic.help.iter().map(|help| help.lines().collect::<Vec<_>>().join(" "));
        text.extend(notes.map(|note| sentence(&visible(note))));
        text.extend(help.map(|help| sentence(&visible(&help))));
        let mut result = json!({
            "ruleId": id(&entry.rule()),
            "level": diagnostic.severity.as_str(),
            "message": { "text": text.join(" ") },
            "locations": [location(report, &diagnostic.primary)],
            "partialFingerprints": fingerprints,
        });
        if let Some(object) = result.as_object_mut() {
            if let Some(index) = indices.get(&*diagnostic.rule) {
                object.insert("ruleIndex".to_owned(), json!(index));
            }
            if !diagnostic.related.is_empty() {
                let all = std::iter::once(&diagnostic.primary).chain(&diagnostic.related);
                let places: Vec<Value> =
                    all.map(|label| json!({ "location": location(report, label) })).collect();
                object.insert("codeFlows".to_owned(), json!([{ "threadFlows": [{ "locations": places }] }]));
            }
            let sid = diagnostic.statement.as_ref().and_then(|statement| statement.sid.as_ref());
            let properties = [("resource", diagnostic.resource.as_ref()), ("sid", sid)];
            let properties = properties.into_iter().filter_map(|(name, value)| Some((name, value?)));
            object.insert("properties".to_owned(), json!(properties.collect::<BTreeMap<_, _>>()));
        }
        results.push(result);
    }
    results
}

fn location(report: &Report<'_>, label: &Label) -> Value {
    let place = Place::new(report.sources, label.at);
    let mut location = json!({ "physicalLocation": physical_location(report, &place) });
    if let (false, Some(object)) = (label.text.is_empty(), location.as_object_mut()) {
        object.insert("message".to_owned(), json!({ "text": sentence(&visible(&label.text)) }));
    }
    location
}

fn physical_location(report: &Report<'_>, place: &Place<'_>) -> Value {
    let (start, end) = place.region(Unit::CodePoints);
    json!({
        "artifactLocation": { "uri": uri(&report.path_from_root(place.file.path())) },
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    })
}

fn id(rule: &str) -> String {
    format!("keylint/{rule}")
}

/// A sentence: it starts with a capital letter, unless it starts with the user's own text, and ends with a full stop.
/// What SARIF would take for a link is none.
fn sentence(text: &str) -> String {
    let text =
        &if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text.to_owned() };
    let mut characters = text.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let stop = if text.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    format!("{first}{}{stop}", characters.as_str())
}

/// A path as a relative reference, or, if it is absolute, as a URI with the scheme `file`.
fn uri(path: &str) -> String {
    let is_drive = path.get(1..3) == Some(":/");
    let mut uri = match (path.starts_with('/'), is_drive) {
        (true, _) => "file://".to_owned(),
        (_, true) => "file:///".to_owned(),
        _ => String::new(),
    };
    for byte in path.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
        if is_plain || (is_drive && byte == b':') {
            uri.push(char::from(byte));
        } else {
            write!(uri, "%{byte:02X}").ok();
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn paths_are_written_as_uris() {
        assert_eq!(uri("kms/other key é.json"), "kms/other%20key%20%C3%A9.json");
        assert_eq!(uri("a:b.json"), "a%3Ab.json");
        assert_eq!(uri("/tmp/a.json"), "file:///tmp/a.json");
        assert_eq!(uri("C:/a.json"), "file:///C:/a.json");
    }

    #[test]
    fn sentences_start_and_end_as_sentences_do() {
        assert_eq!(sentence("nobody may"), "Nobody may.");
        assert_eq!(sentence("`kms:x` is no operation"), "`kms:x` is no operation.");
        assert_eq!(sentence("a [b](c)"), "A \\[b\\](c).");
        assert_eq!(sentence(""), ".");
    }
}
