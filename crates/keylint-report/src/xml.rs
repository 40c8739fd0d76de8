//! XML that build servers read: test results of `JUnit`, and the report of Checkstyle.

use std::io;

use keylint_source::Severity;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::Report;
use crate::entry::{Entry, by_file};

type Xml<'w> = Writer<&'w mut dyn io::Write>;

/// Writes a test suite for each file and a test case for each finding. A note does not fail its case. Without a finding
/// there is one case that passes, because some servers take a report without cases for a failure.
pub(crate) fn write_junit(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let files = by_file(report);
    let all = || files.iter().flatten();
    document(out, |xml| {
        let suites = xml.create_element("testsuites").with_attributes([
            ("name", "keylint"),
            ("tests", &all().count().max(1).to_string()),
            ("failures", &failures(all()).to_string()),
            ("errors", "0"),
        ]);
        suites.write_inner_content(|xml| {
            if files.is_empty() {
                let attributes = [("name", "keylint"), ("tests", "1"), ("failures", "0"), ("errors", "0")];
                let suite = xml.create_element("testsuite").with_attributes(attributes);
                suite.write_inner_content(|xml| {
                    let case = [("name", "no problems"), ("classname", "keylint")];
                    xml.create_element("testcase").with_attributes(case).write_empty()?;
                    Ok(())
                })?;
            }
            for file in &files {
                suite(xml, report, file)?;
            }
            Ok(())
        })?;
        Ok(())
    })
}

fn suite(xml: &mut Xml<'_>, report: &Report<'_>, file: &[Entry<'_>]) -> io::Result<()> {
    let Some(first) = file.first() else { return Ok(()) };
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", first.path.as_str()),
        ("tests", &file.len().to_string()),
        ("failures", &failures(file.iter()).to_string()),
        ("errors", "0"),
        ("package", "keylint"),
    ]);
    suite.write_inner_content(|xml| {
        for entry in file {
            let start = entry.start();
            let case = xml.create_element("testcase").with_attributes([
                ("name", entry.rule().as_str()),
                ("classname", &entry.path),
                ("file", &entry.path),
                ("line", &start.line.to_string()),
            ]);
            let place = format!("{}:{}:{}: ", entry.path, start.line, start.column);
            let mut text = place + &entry.message;
            for line in entry.details(report) {
                text.push('\n');
                text.push_str(&line);
            }
            case.write_inner_content(|xml| {
                let text = BytesText::new(&text);
                if entry.severity() == Severity::Note {
                    xml.create_element("system-out").write_text_content(text)?;
                } else {
                    let attributes =
                        [("message", entry.message.as_str()), ("type", entry.severity().as_str())];
                    xml.create_element("failure").with_attributes(attributes).write_text_content(text)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn failures<'e, 'r: 'e>(entries: impl Iterator<Item = &'e Entry<'r>>) -> usize {
    entries.filter(|entry| entry.severity() != Severity::Note).count()
}

/// Writes the findings of each file.
pub(crate) fn write_checkstyle(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    document(out, |xml| {
        let root = xml.create_element("checkstyle").with_attribute(("version", "4.3"));
        root.write_inner_content(|xml| {
            for file in by_file(report) {
                let name = file.first().map_or("", |first| first.path.as_str());
                let element = xml.create_element("file").with_attribute(("name", name));
                element.write_inner_content(|xml| {
                    for entry in &file {
                        checkstyle_error(xml, entry)?;
                    }
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        Ok(())
    })
}

fn checkstyle_error(xml: &mut Xml<'_>, entry: &Entry<'_>) -> io::Result<()> {
    let start = entry.start();
    let severity = match entry.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "info",
    };
    let error = xml.create_element("error").with_attributes([
        ("line", start.line.to_string().as_str()),
        ("column", &start.column.to_string()),
        ("severity", severity),
        ("message", &entry.message),
        ("source", &format!("keylint.{}", entry.rule())),
    ]);
    error.write_empty()?;
    Ok(())
}

fn document(
    mut out: &mut dyn io::Write,
    content: impl FnOnce(&mut Xml<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut xml: Xml<'_> = Writer::new_with_indent(&mut out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    content(&mut xml)?;
    writeln!(out)
}
