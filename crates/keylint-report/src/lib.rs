//! The output formats.
//!
//! A format maps diagnostics to text. It never filters, sorts or judges: what it is given it writes, in the order
//! in which it is given. Formats differ in what they are for:
//!
//! - [`Format::Full`] is read by people: source text, drawn by miette, with everything there is to say;
//!   [`Format::Plain`] says the same without a drawing.
//! - [`Format::Concise`] is read by editors and problem matchers: one line each, as compilers write them.
//! - [`Format::Json`] is read by programs: one versioned document, described by [`OUTPUT_SCHEMA`].
//! - The others are prescribed by who reads them: code hosts, build servers, review tools.
//!
//! Columns are counted in the unit that each format prescribes; where it prescribes none, in code points.
//!
//! Nothing that a format writes depends on anything but the report and the [`Style`]: not on the environment, not
//! on the terminal.

mod azure;
mod chains;
mod concise;
mod entry;
mod fingerprint;
mod full;
mod github;
mod gitlab;
mod json;
mod line;
mod markdown;
mod place;
mod plain;
mod rdjson;
mod sarif;
mod snippets;
mod teamcity;
mod unknown;
mod visible;
mod xml;

pub use chains::{Chain, ChainLink, LinkState, list_chains};
pub use fingerprint::fingerprint;
pub use unknown::{Unknown, list_unknown};
pub use visible::visible;

use std::fmt;
use std::io::{self, Write as _};

use keylint_source::{Diagnostic, RuleInfo, Sources};

/// The JSON Schema of what [`Format::Json`] writes.
pub const OUTPUT_SCHEMA: &str = include_str!("../schemas/output.json");

/// How diagnostics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Message, source text with the places marked, notes and help.
    Full,
    /// The same in words alone.
    Plain,
    /// `path:line:col: severity: message [rule]`, and nothing else.
    Concise,
    /// One JSON document.
    Json,
    /// The diagnostics of the JSON document, a line each.
    JsonLines,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// A Code Quality report of GitLab.
    Gitlab,
    /// Test results.
    Junit,
    /// The report of Checkstyle.
    Checkstyle,
    /// The Reviewdog Diagnostic Format.
    Rdjson,
    /// The same, a line for each diagnostic.
    RdjsonLines,
    /// Logging commands of Azure Pipelines.
    Azure,
    /// Service messages of `TeamCity`.
    Teamcity,
    /// A table.
    Markdown,
}

impl Format {
    /// Every format, in the order in which help lists them.
    pub const ALL: [Self; 15] = [
        Self::Full,
        Self::Plain,
        Self::Concise,
        Self::Json,
        Self::JsonLines,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Checkstyle,
        Self::Rdjson,
        Self::RdjsonLines,
        Self::Azure,
        Self::Teamcity,
        Self::Markdown,
    ];

    /// The name that the command line uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Plain => "plain",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Checkstyle => "checkstyle",
            Self::Rdjson => "rdjson",
            Self::RdjsonLines => "rdjsonl",
            Self::Azure => "azure",
            Self::Teamcity => "teamcity",
            Self::Markdown => "markdown",
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

    /// Whether it writes what is not known before deployment.
    pub const fn tells_unknown(self) -> bool {
        matches!(self, Self::Json | Self::Sarif)
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
    /// Diagnostics that are left out because somebody said so.
    pub ignored: usize,
    /// Diagnostics that are left out because they are in the baseline.
    pub baselined: usize,
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
        let aside = [
            (self.ignored, format!("{} ignored", self.ignored)),
            (self.baselined, format!("{} in the baseline", self.baselined)),
            (self.unknown, format!("{} not known before deployment", count(self.unknown, "value", "values"))),
        ];
        let aside: Vec<String> =
            aside.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
        if !aside.is_empty() {
            write!(formatter, " ({})", aside.join(", "))?;
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
    /// All rules, for the formats that describe them.
    pub rules: &'r [&'r RuleInfo],
    /// What policies depend on and nobody knows before deployment, for the formats that
    /// [tell it](Format::tells_unknown).
    pub unknown: &'r [Unknown],
    /// How the documents of declared uses hang together. Only [`Format::Json`] writes it.
    pub chains: &'r [Chain],
    /// What was looked at. Only [`Format::Json`] writes it; who writes for people or editors decides where the
    /// sentence belongs.
    pub summary: &'r Summary,
    /// The version of keylint, for the formats that have a place for it.
    pub version: &'r str,
    /// Whether keylint could do its job: read and parse what it was to check.
    pub is_complete: bool,
    /// The folder from which paths are shown, for the formats whose paths start at the root of the repository.
    pub base: Base<'r>,
}

/// Where the paths of a report start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Base<'r> {
    /// The root of the repository, as an absolute path with `/` between its parts and none at its end.
    pub root: &'r str,
    /// The folder from which paths are shown, from the root on; empty where it is the root.
    pub folder: &'r str,
}

impl<'r> Report<'r> {
    /// A report of a run that did its job, with nothing but diagnostics in it.
    pub const fn new(sources: &'r Sources, diagnostics: &'r [Diagnostic], summary: &'r Summary) -> Self {
        Self {
            sources,
            diagnostics,
            rules: &[],
            unknown: &[],
            chains: &[],
            summary,
            version: "",
            is_complete: true,
            base: Base { root: "", folder: "" },
        }
    }

    /// A path from the root of the repository on, with `/` between its parts. One that leads out of the repository stays
    /// as it is.
    pub(crate) fn path_from_root(&self, path: &str) -> String {
        let Base { root, folder } = self.base;
        let is_absolute = path.starts_with('/') || path.get(1..3) == Some(":/");
        if is_absolute {
            let inside = path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
            return inside.filter(|_| !root.is_empty()).unwrap_or(path).to_owned();
        }
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "." | "" => {}
                ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }
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
        Format::Plain => plain::write(report, &mut out)?,
        Format::Concise => concise::write(report, &mut out)?,
        Format::Json => json::write(report, &mut out)?,
        Format::JsonLines => json::write_lines(report, &mut out)?,
        Format::Sarif => sarif::write(report, &mut out)?,
        Format::Github => github::write(report, &mut out)?,
        Format::Gitlab => gitlab::write(report, &mut out)?,
        Format::Junit => xml::write_junit(report, &mut out)?,
        Format::Checkstyle => xml::write_checkstyle(report, &mut out)?,
        Format::Rdjson => rdjson::write(report, &mut out)?,
        Format::RdjsonLines => rdjson::write_lines(report, &mut out)?,
        Format::Azure => azure::write(report, &mut out)?,
        Format::Teamcity => teamcity::write(report, &mut out)?,
        Format::Markdown => markdown::write(report, &mut out)?,
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
        assert_eq!(names.iter().filter_map(|name| Format::from_name(name)).collect::<Vec<_>>(), Format::ALL);
        assert_eq!(Format::from_name("Full"), None);
    }

    #[test]
    fn paths_start_at_the_root_of_the_repository() {
        let (sources, summary) = (Sources::default(), Summary::default());
        let report =
            |root, folder| Report { base: Base { root, folder }, ..Report::new(&sources, &[], &summary) };
        let from = |folder, path| report("/repo", folder).path_from_root(path);
        assert_eq!(from("", "./kms//a.json"), "kms/a.json");
        assert_eq!(from("infra/kms", "../iam/a.json"), "infra/iam/a.json");
        assert_eq!(from("infra", "../../a.json"), "../a.json");
        assert_eq!(from("infra", "/repo/a.json"), "a.json");
        assert_eq!(from("infra", "/repository/a.json"), "/repository/a.json");
        assert_eq!(report("", "").path_from_root("/a.json"), "/a.json");
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
