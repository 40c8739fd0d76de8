//! The output formats.
//!
//! A format maps diagnostics to text. It never filters, sorts or judges: what it is given it writes, in the order
//! in which it is given. Formats differ in what they are for:
//!
//! - [`Format::Full`] is read by people: source text, drawn by miette, with everything there is to say.
//! - [`Format::Concise`] is read by editors and problem matchers: one line each, as compilers write them.
//! - [`Format::Json`] is read by programs: one versioned document, described by [`OUTPUT_SCHEMA`].
//!
//! Nothing that a format writes depends on anything but the report and the [`Style`]: not on the environment, not
//! on the terminal.

mod chains;
mod concise;
mod full;
mod json;
mod line;
mod place;
mod snippets;
mod unknown;
mod visible;

pub use chains::{Chain, ChainLink, LinkState, list_chains};
pub use unknown::{Unknown, list_unknown};

use std::fmt;
use std::io::{self, Write as _};

use keylint_source::{Diagnostic, Sources};

/// The JSON Schema of what [`Format::Json`] writes.
pub const OUTPUT_SCHEMA: &str = include_str!("../schemas/output.json");

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Message, source text with the places marked, notes and help.
    Full,
    /// `path:line:col: severity: message [rule]`, and nothing else.
    Concise,
    /// One JSON document.
    Json,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 3] = [Self::Full, Self::Concise, Self::Json];

    /// The name that the command line uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Concise => "concise",
            Self::Json => "json",
        }
    }

    /// Reads the name that [`Format::as_str`] writes; case counts.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The names of all formats, in the order of [`Format::ALL`].
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::as_str)
    }
}

/// How the output for people looks. The other formats look the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour. Without, no escape sequence is written at all.
    pub color: bool,
    /// The columns of the terminal, which limit how much of a long source line is quoted. 0 means unknown. Messages
    /// are not wrapped: the terminal does that, and keeps them whole for whoever copies them.
    pub width: usize,
    /// Whether to draw with box characters or with ASCII. Text that is quoted stays as it is.
    pub unicode: bool,
}

/// What was looked at and what came of it, counted by the caller.
///
/// Displayed, it is the sentence that a run ends with: `Checked 4 key policies in 3 files: 1 error, 2 warnings.`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Key policies that were checked.
    pub policies: usize,
    /// Grants that were checked.
    pub grants: usize,
    /// IAM policies that were checked.
    pub identity_policies: usize,
    /// Files that they were in.
    pub files: usize,
    /// Diagnostics that are errors.
    pub errors: usize,
    /// Diagnostics that are warnings.
    pub warnings: usize,
    /// Diagnostics that are notes.
    pub notes: usize,
    /// Values that policies depend on and that are not known before deployment.
    pub unknown: usize,
}

impl Summary {
    /// How many documents were checked, of whichever kind.
    pub const fn documents(&self) -> usize {
        self.policies + self.grants + self.identity_policies
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |number: usize, one: &str, many: &str| match number {
            1 => format!("1 {one}"),
            _ => format!("{number} {many}"),
        };
        let found = [
            (self.errors, "error", "errors"),
            (self.warnings, "warning", "warnings"),
            (self.notes, "note", "notes"),
        ];
        let found: Vec<String> = found
            .into_iter()
            .filter(|(number, ..)| *number > 0)
            .map(|(n, one, many)| count(n, one, many))
            .collect();
        let found = if found.is_empty() { "no problems".to_owned() } else { found.join(", ") };
        let checked = [
            (self.policies, "key policy", "key policies"),
            (self.grants, "grant", "grants"),
            (self.identity_policies, "IAM policy", "IAM policies"),
        ];
        let is_any = checked.iter().any(|(number, ..)| *number > 0);
        // Without anything, it is key policies that were looked for.
        let counted = checked
            .into_iter()
            .enumerate()
            .filter(|(index, (number, ..))| *number > 0 || (!is_any && *index == 0));
        let counted: Vec<String> = counted.map(|(_, (n, one, many))| count(n, one, many)).collect();
        let checked = match counted.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            all => all.concat(),
        };
        let files = count(self.files, "file", "files");
        write!(formatter, "Checked {checked} in {files}: {found}")?;
        if self.unknown > 0 {
            let values = count(self.unknown, "value", "values");
            write!(formatter, " ({values} not known before deployment)")?;
        }
        formatter.write_str(".")
    }
}

/// Everything that a format may write.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r> {
    /// The files that the diagnostics point into. A file that is missing here is shown as `<unknown>`, one without
    /// text with its path; a place in either is line 1, column 1.
    pub sources: &'r Sources,
    /// What there is to say, in the order in which it is to be said.
    pub diagnostics: &'r [Diagnostic],
    /// What policies depend on and nobody knows before deployment. Only [`Format::Json`] writes it.
    pub unknown: &'r [Unknown],
    /// How the documents of declared uses hang together. Only [`Format::Json`] writes it.
    pub chains: &'r [Chain],
    /// What was looked at. Only [`Format::Json`] writes it; who writes for people or editors decides where the
    /// sentence belongs.
    pub summary: &'r Summary,
    /// The version of keylint. Only [`Format::Json`] writes it.
    pub version: &'r str,
}

/// Writes a report in one format. Places outside of their file are moved to its end; nothing else can be wrong
/// with a report.
///
/// # Errors
///
/// Whatever `out` answers, the closed pipe of a reader that had enough included.
pub fn write(format: Format, report: &Report<'_>, style: Style, out: &mut dyn io::Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    match format {
        Format::Full => full::write(report, style, &mut out)?,
        Format::Concise => concise::write(report, &mut out)?,
        Format::Json => json::write(report, &mut out)?,
    }
    out.flush()
}

/// Writes an answer to a question for people, drawn as [`Format::Full`] draws a diagnostic: the verdict and a message
/// as its heading, then the places, notes and help of `shown`.
///
/// # Errors
///
/// Whatever `out` answers.
pub fn write_answer(
    heading: (&str, &str),
    sources: &Sources,
    shown: &Diagnostic,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    full::answer(heading, sources, shown, style, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn formats_are_read_by_the_names_they_have() {
        let names: Vec<&str> = Format::names().collect();
        assert_eq!(names, ["full", "concise", "json"]);
        assert_eq!(names.iter().filter_map(|name| Format::from_name(name)).collect::<Vec<_>>(), Format::ALL);
        assert_eq!(Format::from_name("Full"), None);
    }

    #[test]
    fn the_summary_counts_in_words() {
        let clean = Summary { policies: 4, files: 3, ..Summary::default() };
        assert_eq!(clean.to_string(), "Checked 4 key policies in 3 files: no problems.");
        let found = Summary { policies: 1, files: 1, errors: 2, notes: 1, unknown: 1, ..Summary::default() };
        let sentence =
            "Checked 1 key policy in 1 file: 2 errors, 1 note (1 value not known before deployment).";
        assert_eq!(found.to_string(), sentence);
        let all = Summary { policies: 1, grants: 2, identity_policies: 1, files: 3, ..Summary::default() };
        let sentence = "Checked 1 key policy, 2 grants and 1 IAM policy in 3 files: no problems.";
        assert_eq!(all.to_string(), sentence);
        let grants = Summary { grants: 1, files: 1, ..Summary::default() };
        assert_eq!(grants.to_string(), "Checked 1 grant in 1 file: no problems.");
        assert_eq!(Summary::default().to_string(), "Checked 0 key policies in 0 files: no problems.");
    }
}
