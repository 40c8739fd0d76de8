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

fuzz_target!(|text: &str| {
    let file = FileId(0);
    let diagnostics = LINTER.lint(file, "fuzz.json", text, &mut Scratch::default()).diagnostics;
    for label in diagnostics.iter().flat_map(|found| std::iter::once(&found.primary).chain(&found.related)) {
        assert!(text.get(label.at.span.range()).is_some(), "{label:?} is not a part of the file");
    }
    let mut sources = Sources::default();
    sources.insert(file, SourceFile::new("fuzz.json", text));
    let report = Report {
        sources: &sources,
        diagnostics: &diagnostics,
        summary: &Summary::default(),
        version: "0",
    };
    for format in Format::ALL {
        let style = Style { color: false, width: 80, unicode: true };
        keylint_report::write(format, &report, style, &mut std::io::sink()).expect("a sink takes everything");
    }
});
