//! The baseline: findings that were there when keylint came, so that only new ones are reported.
//!
//! It is a JSON file with an entry a line, sorted, so that changes to it can be reviewed. An entry recognises its finding
//! by a [fingerprint](keylint_report::fingerprint), which has neither line nor path.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use keylint_report::fingerprint;
use keylint_source::{Diagnostic, Location, SourceFile, Sources};
use serde::{Deserialize, Serialize};

use crate::lint::{absolute, is_failure};
use crate::reading::{read_text, reason, shown};
use crate::{Stop, output};

/// The name under which a baseline is written where nobody gives another.
pub(crate) const NAME: &str = "keylint-baseline.json";
/// Raised when entries mean something else.
const VERSION: u32 = 1;

/// A baseline, and where it is.
#[derive(Debug)]
pub(crate) struct Baseline {
    path: PathBuf,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

/// A finding. What its fingerprint is made of is there for whoever reads the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Entry {
    /// Relative to the folder of the baseline, with `/` between its parts.
    file: String,
    rule: String,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    fingerprint: String,
}

/// What came of comparing findings with a baseline.
pub(crate) struct Compared {
    /// How many findings are in it and were left out.
    pub(crate) known: usize,
    /// The entries that no finding has, as far as their files were checked or are gone.
    stale: BTreeSet<usize>,
}

impl Compared {
    /// How many entries no finding has any more.
    pub(crate) fn stale(&self) -> usize {
        self.stale.len()
    }
}

impl Baseline {
    /// Reads a baseline.
    pub(crate) fn read(path: &Path) -> Result<Self, Stop> {
        let text = read_text(path).map_err(|error| {
            Stop::new(format!("cannot read the baseline `{}`: {}", shown(path), reason(&error)))
                .with_help("`keylint baseline` writes one")
        })?;
        let wrong = |what: String| {
            Stop::new(format!("`{}` is no baseline: {what}", shown(path)))
                .with_help("`keylint baseline` writes it anew")
        };
        let written: Written = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if written.version != VERSION {
            return Err(wrong(format!(
                "its version is {}, and this keylint knows {VERSION}",
                written.version
            )));
        }
        Ok(Self { path: path.to_path_buf(), entries: written.findings })
    }

    /// The baseline of these findings. What kept keylint from its job is no part of it.
    pub(crate) fn of(path: &Path, found: &[Diagnostic], sources: &Sources) -> Self {
        let folder = folder_of(path);
        let found = found.iter().filter(|finding| !is_failure(finding));
        let mut entries: Vec<Entry> = found.map(|finding| Entry::of(finding, sources, &folder)).collect();
        entries.sort();
        Self { path: path.to_path_buf(), entries }
    }

    /// The baseline with the entries of another about files that are there and were not checked.
    pub(crate) fn with_rest_of(mut self, other: Self, is_checked: impl Fn(&Path) -> bool) -> Self {
        let folder = folder_of(&self.path);
        let is_of_rest = |entry: &Entry| {
            let path = absolute(&folder.join(&entry.file));
            path.exists() && !is_checked(&path)
        };
        self.entries.extend(other.entries.into_iter().filter(is_of_rest));
        self.entries.sort();
        self
    }

    /// How many findings it has.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Leaves out the findings that are in it, each entry once. An entry is about its file; if that is gone, it may have
    /// another name now. `is_checked` tells whether a file was checked, by its absolute path.
    pub(crate) fn compare(
        &self,
        found: &mut Vec<Diagnostic>,
        sources: &Sources,
        is_checked: impl Fn(&Path) -> bool,
    ) -> Compared {
        let folder = folder_of(&self.path);
        let of_found: Vec<Entry> = found.iter().map(|finding| Entry::of(finding, sources, &folder)).collect();
        let paths: Vec<PathBuf> =
            self.entries.iter().map(|entry| absolute(&folder.join(&entry.file))).collect();
        let is_gone: Vec<bool> = paths.iter().map(|path| !path.exists()).collect();
        let mut unused: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            unused.entry(&entry.fingerprint).or_default().push(index);
        }
        let mut known = vec![false; found.len()];
        for by_name in [true, false] {
            for (wanted, known) in of_found.iter().zip(&mut known).filter(|(_, known)| !**known) {
                let Some(alike) = unused.get_mut(wanted.fingerprint.as_str()) else { continue };
                let same = alike.iter().position(|index| {
                    let entry = self.entries.get(*index).zip(is_gone.get(*index));
                    entry.is_some_and(|(entry, gone)| entry.file == wanted.file || (*gone && !by_name))
                });
                if let Some(at) = same {
                    alike.remove(at);
                    *known = true;
                }
            }
        }
        let mut known = known.into_iter();
        let before = found.len();
        found.retain(|finding| known.next() != Some(true) || is_failure(finding));
        let is_stale = |index: &usize| {
            let path = paths.get(*index).zip(is_gone.get(*index));
            path.is_some_and(|(path, gone)| *gone || is_checked(path))
        };
        Compared {
            known: before - found.len(),
            stale: unused.into_values().flatten().filter(is_stale).collect(),
        }
    }

    /// The baseline without the entries that no finding has any more.
    pub(crate) fn pruned(self, compared: &Compared) -> Self {
        let entries = self.entries.into_iter().enumerate();
        let kept = entries.filter(|(index, _)| !compared.stale.contains(index)).map(|(_, entry)| entry);
        Self { entries: kept.collect(), path: self.path }
    }

    /// Writes it where it belongs.
    pub(crate) fn write(&self) -> Result<(), Stop> {
        let mut text = format!("{{\"version\": {VERSION}, \"findings\": [");
        for (index, entry) in self.entries.iter().enumerate() {
            let separator = if index == 0 { "\n" } else { ",\n" };
            let line = serde_json::to_string(entry).map_err(|error| Stop::new(error.to_string()))?;
            write!(text, "{separator}{line}").ok();
        }
        text.push_str("\n]}\n");
        output::to_file(&self.path, |out| out.write_all(text.as_bytes()))
    }
}

impl Entry {
    fn of(finding: &Diagnostic, sources: &Sources, folder: &Path) -> Self {
        let Location { file, .. } = finding.primary.at;
        let path = sources.get(file).map_or("", SourceFile::path);
        Self {
            file: shown(&from(folder, &absolute(Path::new(path)))).into_owned(),
            rule: finding.rule.to_string(),
            message: finding.message.clone(),
            sid: finding.statement.as_ref().and_then(|statement| statement.sid.clone()),
            fingerprint: fingerprint(sources, finding),
        }
    }
}

/// The path that leads from a folder to a file, both absolute.
fn from(folder: &Path, file: &Path) -> PathBuf {
    let up = folder.ancestors().position(|above| file.starts_with(above));
    let shared = up.and_then(|up| folder.ancestors().nth(up));
    match shared.and_then(|shared| file.strip_prefix(shared).ok()) {
        Some(rest) => std::iter::repeat_n("..", up.unwrap_or(0)).collect::<PathBuf>().join(rest),
        // On another drive.
        None => file.to_path_buf(),
    }
}

/// The folder of a baseline, as an absolute path.
fn folder_of(path: &Path) -> PathBuf {
    absolute(path.parent().unwrap_or(Path::new("")))
}
