//! Whatever a file holds: no panic, every place lies in the file and on character boundaries, and every format can
//! show it.
#![no_main]

use std::sync::LazyLock;

use keylint::lint::{Linter, Scratch, Settings};
use keylint_report::{Format, Report, Style, Summary};
use keylint_source::{FileId, SourceFile, Sources};
use libfuzzer_sys::fuzz_target;

static LINTER: LazyLock<Linter> = LazyLock::new(|| {
    let settings = Settings {
        select: vec!["all".to_owned()],
        services: vec!["autoscaling".to_owned()],
        ..Settings::default()
    };
    let linter = Linter::new(&settings, &|_| unreachable!("no file is named"));
    linter.unwrap_or_else(|unknown| panic!("{}", unknown.message)).0
});

/// The name of a file decides how it is read.
const PATHS: [&str; 5] = ["fuzz.json", "fuzz.yaml", "fuzz.tf", "fuzz.tf.json", "fuzz.sh"];

fuzz_target!(|text: &str| {
    PATHS.iter().for_each(|path| check(path, text));
});

fn check(path: &str, text: &str) {
    let file = FileId(0);
    let diagnostics = LINTER.lint(file, path, text, &mut Scratch::default()).diagnostics;
    for label in diagnostics.iter().flat_map(|found| std::iter::once(&found.primary).chain(&found.related)) {
        assert!(text.get(label.at.span.range()).is_some(), "{label:?} is not a part of the file");
    }
    let mut sources = Sources::default();
    sources.insert(file, SourceFile::new(path, text));
    let report = Report {
        sources: &sources,
        diagnostics: &diagnostics,
        unknown: &[],
        chains: &[],
        summary: &Summary::default(),
        version: "0",
    };
    for format in Format::ALL {
        let style = Style { color: false, width: 80, unicode: true };
        keylint_report::write(format, &report, style, &mut std::io::sink()).expect("a sink takes everything");
    }
}
