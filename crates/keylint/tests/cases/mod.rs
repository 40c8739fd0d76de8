//! The files of `fixtures/key-policy`, and what keylint says of them.

use std::fs;
use std::path::{Path, PathBuf};

use keylint::lint::{ConfigFile, FIRST_INPUT, Linter, Scratch, Settings};
use keylint_source::Diagnostic;
use pretty_assertions::assert_eq;

/// A file to check.
pub(crate) struct Case {
    /// The file's name without `.json`.
    pub(crate) name: String,
    pub(crate) text: String,
    /// The configuration for this file alone: `NAME.keylint.yaml` beside it.
    config: Option<String>,
}

/// The folder of the files.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/key-policy")
}

/// All files, by name.
pub(crate) fn cases() -> Vec<Case> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<Case> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| Case {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            text: fs::read_to_string(&path).unwrap(),
            config: fs::read_to_string(path.with_extension("keylint.yaml")).ok(),
        })
        .collect();
    cases.sort_by(|left, right| left.name.cmp(&right.name));
    assert!(cases.len() > 40, "the files are not where they are looked for");
    cases
}

impl Case {
    /// The path under which the file is reported.
    pub(crate) fn path(&self) -> String {
        format!("{}.json", self.name)
    }

    /// What checks this file, as `select` says.
    pub(crate) fn linter(&self, select: &[&str]) -> Linter {
        linter(self.config.as_deref(), select)
    }
}

/// What checks files, as a configuration and `select` say.
pub(crate) fn linter(config_text: Option<&str>, select: &[&str]) -> Linter {
    let config = |text: &str| ConfigFile { path: "keylint.yaml".to_owned(), text: text.to_owned() };
    let settings = Settings {
        config: config_text.map(config),
        select: select.iter().map(|&name| name.to_owned()).collect(),
        ..Settings::default()
    };
    let (linter, problems, _) = Linter::new(&settings, &|_| unreachable!("no file is named")).unwrap();
    assert_eq!(problems, []);
    linter
}

/// What a linter says of a text, in the order in which it is reported.
pub(crate) fn lint(linter: &Linter, path: &str, text: &str) -> Vec<Diagnostic> {
    let mut diagnostics = linter.lint(FIRST_INPUT, path, text, &mut Scratch::default()).diagnostics;
    diagnostics.sort_by(Diagnostic::order);
    diagnostics
}
