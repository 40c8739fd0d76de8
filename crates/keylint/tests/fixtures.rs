//! Whole files and whole modules: each says what its `.expected` says, in the `concise` format, and nothing else.
//!
//! The folders of `fixtures` are the containers. In them, a file is a case, and so is a folder: a module of Terraform. In
//! `uses`, a case is a folder that is checked as a whole, with its `keylint.yaml`, by the program itself.
//!
//! `UPDATE=1 cargo test --test fixtures` rewrites the expectations. Read the difference before it is committed.

#![cfg(test)]

mod cases;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keylint::lint::{FIRST_INPUT, Linter, OfModule, OtherFiles, Scratch};
use keylint_extract::Language;
use keylint_report::{Format, Report, Style, Summary};
use keylint_source::{Diagnostic, FileId, SourceFile, Sources};
use pretty_assertions::assert_eq;

use cases::{cases, lint, linter};

/// Each case of each container: the path of its file or folder.
fn paths() -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let containers = list(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"));
    let mut paths: Vec<PathBuf> = containers.iter().flat_map(|container| list(container)).collect();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.retain(|path| !name(path).ends_with(".expected") && !name(path).ends_with(".keylint.yaml"));
    paths.sort();
    assert!(paths.len() > 80, "the files are not where they are looked for");
    paths
}

/// The diagnostics of a case, and the files that they are about.
fn linted(path: &Path) -> (Vec<Diagnostic>, Sources) {
    let config = fs::read_to_string(path.with_extension("keylint.yaml")).ok();
    let linter = linter(config.as_deref(), &[]);
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut sources = Sources::default();
    if path.is_file() {
        let text = fs::read_to_string(path).unwrap();
        let diagnostics = lint(&linter, &name(path), &text);
        sources.insert(FIRST_INPUT, SourceFile::new(name(path), text));
        return (diagnostics, sources);
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let is_of_module =
        |path: &PathBuf| matches!(Language::of_path(&name(path)), Some(Language::Terraform { .. }));
    let mut files: Vec<PathBuf> = entries.filter(is_of_module).collect();
    files.sort();
    let texts: Vec<(String, String)> =
        files.iter().map(|file| (name(file), fs::read_to_string(file).unwrap())).collect();
    (module(&linter, path, &texts, &mut sources), sources)
}

fn module(
    linter: &Linter,
    folder: &Path,
    texts: &[(String, String)],
    sources: &mut Sources,
) -> Vec<Diagnostic> {
    let id = |index: usize| FileId(FIRST_INPUT.0 + u32::try_from(index).unwrap());
    let files: Vec<OfModule<'_>> = texts
        .iter()
        .enumerate()
        .map(|(index, (path, text))| OfModule { file: id(index), path, text, is_asked: true })
        .collect();
    let read = |path: &str| fs::read_to_string(folder.join(path)).ok();
    let reported_as = |index: usize, path: &str| (id(texts.len() + index), path.to_owned());
    let linted = linter.lint_module(
        &files,
        &OtherFiles { read: &read, reported_as: &reported_as },
        &mut Scratch::default(),
    );
    for file in files {
        sources.insert(file.file, SourceFile::new(file.path, file.text));
    }
    for (id, file) in linted.read_files {
        sources.insert(id, file);
    }
    let mut diagnostics = linted.diagnostics;
    diagnostics.sort_by(Diagnostic::order);
    diagnostics
}

/// What the program prints when it is run in a folder.
fn run_in(folder: &Path) -> String {
    let mut keylint = Command::new(env!("CARGO_BIN_EXE_keylint"));
    keylint.args(["--output-format", "concise", "--explain-chain"]).current_dir(folder);
    let output = keylint.env_clear().stdin(Stdio::null()).output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Whether a case is a folder that is checked as a whole.
fn is_use(path: &Path) -> bool {
    path.parent().unwrap().ends_with("uses")
}

/// What the `concise` format prints.
fn concise((diagnostics, sources): &(Vec<Diagnostic>, Sources)) -> String {
    let summary = Summary::default();
    let report = Report::new(sources, diagnostics, &summary);
    let style = Style { color: false, width: 0, unicode: true };
    let mut out = Vec::new();
    keylint_report::write(Format::Concise, &report, style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn files_say_what_is_expected_and_nothing_else() {
    let update = std::env::var_os("UPDATE").is_some();
    let (mut all_found, mut all_wanted) = (Vec::new(), Vec::new());
    for path in paths() {
        let found = if is_use(&path) { run_in(&path) } else { concise(&linted(&path)) };
        let expected = path.with_extension("expected");
        if update {
            fs::write(expected, found).unwrap();
        } else {
            let wanted = fs::read_to_string(expected).unwrap_or_else(|_| "(no such file)".to_owned());
            if found != wanted {
                all_found.push((path.clone(), found));
                all_wanted.push((path, wanted));
            }
        }
    }
    assert_eq!(all_found, all_wanted);
}

#[test]
fn every_expectation_has_its_file() {
    let expectations: Vec<PathBuf> = paths().iter().map(|path| path.with_extension("expected")).collect();
    for container in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap() {
        for entry in fs::read_dir(container.unwrap().path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "expected") {
                assert!(expectations.contains(&path), "{path:?} belongs to no file that is checked");
            }
        }
    }
}

/// What a person reads underlined is what the message speaks of, in every file of every container.
#[test]
fn what_a_message_quotes_is_what_is_underlined() {
    let mut count = 0;
    for path in paths().into_iter().filter(|path| !is_use(path)) {
        let (diagnostics, sources) = linted(&path);
        let named = ["unknown-action", "unknown-condition-key", "unknown-operator"];
        for found in diagnostics.iter().filter(|found| named.contains(&&*found.rule)) {
            let underlined = sources.get(found.primary.at.file).unwrap().slice(found.primary.at.span);
            // An escape sequence reads otherwise than it is written, and so does a reference.
            if !underlined.contains(['\\', '$']) {
                count += 1;
                assert!(found.message.contains(&format!("`{underlined}`")), "{path:?}: {found:?}");
            }
        }
    }
    assert!(count > 30, "{count} were seen");
}

#[test]
fn escapes_are_underlined_as_they_are_written() {
    let case = cases().into_iter().find(|case| case.name == "escapes").unwrap();
    let diagnostics = lint(&case.linter(&[]), &case.path(), &case.text);
    let underlined: Vec<&str> =
        diagnostics.iter().map(|found| case.text.get(found.primary.at.span.range()).unwrap()).collect();
    assert_eq!(underlined, [r"k\u006ds:Decr\u0079pd", r"kms:\u0044escribeKe\u0079s"]);
}
