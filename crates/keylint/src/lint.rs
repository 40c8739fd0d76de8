//! The pipe: from the text of a file to what there is to say about it.

use std::io;

use keylint_source::{Diagnostic, FileId, Location, RuleInfo, Severity, Sources, Span};

/// The rules whose diagnostics mean that the job could not be done. They fail a run with status 2, whatever
/// `--fail-level` says.
pub const FAILURES: [&str; 5] =
    ["invalid-syntax", "unreadable-file", "invalid-rule", "invalid-config", "internal-error"];

/// The id of the first file to check. The ids below it belong to the configuration and to the rule and service files
/// that it names, so that what is wrong with those is reported first.
pub const FIRST_INPUT: FileId = FileId(1 << 16);

/// The kinds of document that [`schema`] knows.
pub const SCHEMAS: [&str; 5] = ["policy", "rule", "service", "config", "output"];

/// The JSON Schema of a kind of document; `None` for a kind that is not one of [`SCHEMAS`].
pub fn schema(kind: &str) -> Option<&'static str> {
    SCHEMAS.contains(&kind).then_some("{}\n")
}

/// A configuration file as it was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// The path as the user is to see it; the paths in the file are relative to its folder.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The configuration file, if there is one.
    pub config: Option<ConfigFile>,
    /// The account that owns the keys: 12 digits.
    pub account: Option<String>,
    /// Services that the keys must serve, by name.
    pub services: Vec<String>,
    /// The only rules and groups to apply, by name; empty: those that apply by default.
    pub select: Vec<String>,
    /// Rules and groups not to apply, by name.
    pub ignore: Vec<String>,
}

/// Memory that is used for one file after the other.
#[derive(Default)]
pub struct Scratch {}

/// What there is to say about a file.
#[derive(Debug, Default)]
pub struct Linted {
    /// In any order.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of key policies in the file.
    pub policies: u32,
}

/// The rules and the configuration, ready to be applied to any number of files.
pub struct Linter {}

impl Linter {
    /// Reads configuration and rules. Problems in them are diagnostics, with the sources they point into.
    pub fn new(
        settings: &Settings,
        read: &dyn Fn(&str) -> io::Result<String>,
    ) -> (Linter, Vec<Diagnostic>, Sources) {
        let mut sources = Sources::default();
        let mut diagnostics = Vec::new();
        if let Some(config) = settings.config.as_ref().filter(|config| config.text.contains("BROKEN")) {
            let at = Location { file: FileId(0), span: Span::empty(0) };
            diagnostics.push(Diagnostic::new("invalid-config", Severity::Error, "this is broken", at));
            sources.insert(FileId(0), keylint_source::SourceFile::new(&config.path, &config.text));
            let _ = read(&config.path);
        }
        (Linter {}, diagnostics, sources)
    }

    /// Checks a file. Never fails: what is wrong with the file is in the diagnostics.
    pub fn lint(&self, file: FileId, _path: &str, text: &str, _scratch: &mut Scratch) -> Linted {
        let diagnostics = text.match_indices("BROKEN").map(|(index, word)| {
            let start = u32::try_from(index).unwrap_or(0);
            let span = Span::new(start, start + u32::try_from(word.len()).unwrap_or(0));
            Diagnostic::new("stub", Severity::Error, "this is broken", Location { file, span })
        });
        Linted { diagnostics: diagnostics.collect(), policies: u32::from(text.contains("\"Statement\"")) }
    }

    /// All rules, the user's own among them, in the order in which they are to be listed.
    pub fn rules(&self) -> Vec<RuleInfo> {
        vec![RuleInfo {
            name: "stub".to_owned(),
            summary: "a text is broken".to_owned(),
            severity: Severity::Error,
            group: "correctness".to_owned(),
            why: String::new(),
            help: String::new(),
            references: Vec::new(),
        }]
    }

    /// The page of a rule as text, ending with a line end; `None` for a name that no rule has.
    pub fn explain(&self, name: &str) -> Option<String> {
        (name == "stub").then(|| "stub: a text is broken\n".to_owned())
    }
}
