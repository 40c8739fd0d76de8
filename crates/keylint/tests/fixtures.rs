//! Whole files: each says what its `.expected` says, in the `concise` format, and nothing else.
//!
//! `UPDATE=1 cargo test --test fixtures` rewrites the expectations. Read the difference before it is committed.

#![cfg(test)]

mod cases;

use std::fs;

use keylint::lint::FIRST_INPUT;
use keylint_report::{Format, Report, Style, Summary};
use keylint_source::{Diagnostic, SourceFile, Sources};
use pretty_assertions::assert_eq;

use cases::{Case, cases, folder, lint};

/// What the `concise` format prints.
fn concise(case: &Case, diagnostics: &[Diagnostic]) -> String {
    let mut sources = Sources::default();
    sources.insert(FIRST_INPUT, SourceFile::new(case.path(), case.text.as_str()));
    let report = Report {
        sources: &sources,
        diagnostics,
        unknown: &[],
        summary: &Summary::default(),
        version: "0.0.0",
    };
    let style = Style { color: false, width: 0, unicode: true };
    let mut out = Vec::new();
    keylint_report::write(Format::Concise, &report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn files_say_what_is_expected_and_nothing_else() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differing = Vec::new();
    for case in cases() {
        let diagnostics = lint(&case.linter(&[]), &case.path(), &case.text);
        let found = concise(&case, &diagnostics);
        let expected = folder().join(&case.name).with_extension("expected");
        if update {
            fs::write(expected, found).unwrap();
        } else {
            let wanted = fs::read_to_string(expected).unwrap_or_else(|_| "(no such file)".to_owned());
            if found != wanted {
                differing.push((case.path(), wanted, found));
            }
        }
    }
    let (wanted, found): (Vec<_>, Vec<_>) =
        differing.into_iter().map(|(path, wanted, found)| ((path.clone(), wanted), (path, found))).unzip();
    assert_eq!(found, wanted);
}

#[test]
fn every_expectation_has_its_file() {
    let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let name = file.split('.').next().unwrap().to_owned();
        assert!(names.contains(&name), "{file} belongs to no file that is checked");
    }
}

#[test]
fn escapes_are_underlined_as_they_are_written() {
    let case = cases().into_iter().find(|case| case.name == "escapes").unwrap();
    let diagnostics = lint(&case.linter(&[]), &case.path(), &case.text);
    let underlined: Vec<&str> =
        diagnostics.iter().map(|found| case.text.get(found.primary.at.span.range()).unwrap()).collect();
    assert_eq!(underlined, [r"k\u006ds:Decr\u0079pd", r"kms:\u0044escribeKe\u0079s"]);
}
