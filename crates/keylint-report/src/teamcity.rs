//! Service messages of `TeamCity`: inspections.
//!
//! <https://www.jetbrains.com/help/teamcity/service-messages.html#Reporting+Inspections>

use std::collections::BTreeMap;
use std::io;

use keylint_source::Severity;

use crate::Report;
use crate::entry::{Entry, entries};

/// Characters that `TeamCity` takes for a name, and for a description.
const NAME: usize = 255;
const DESCRIPTION: usize = 4000;

/// Writes a message for each rule that found something, and one for each finding.
pub(crate) fn write(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let entries = entries(report);
    let types: BTreeMap<String, &Entry<'_>> = entries.iter().map(|entry| (entry.rule(), entry)).collect();
    for name in types.keys() {
        let info = report.rules.iter().find(|rule| rule.name == *name);
        let (description, group) =
            info.map_or((name.as_str(), "keylint"), |rule| (rule.summary.as_str(), rule.group.as_str()));
        let id = value(name, NAME);
        writeln!(
            out,
            "##teamcity[inspectionType id='{id}' name='{id}' description='{}' category='{}']",
            value(description, DESCRIPTION),
            value(group, NAME),
        )?;
    }
    for entry in &entries {
        let severity = match entry.severity() {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        };
        writeln!(
            out,
            "##teamcity[inspection typeId='{}' message='{}' file='{}' line='{}' SEVERITY='{severity}']",
            value(&entry.rule(), NAME),
            value(&entry.message, DESCRIPTION),
            value(&report.path_from_root(&entry.path), DESCRIPTION),
            entry.start().line,
        )?;
    }
    Ok(())
}

/// A value with what has a meaning in it escaped, cut where it is too long.
fn value(text: &str, most: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().take(most) {
        if matches!(character, '|' | '\'' | '[' | ']') {
            escaped.push('|');
        }
        escaped.push(character);
    }
    escaped
}
