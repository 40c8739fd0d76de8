//! Finds and reads the configuration, and makes a linter of it.

use std::io;
use std::path::{Path, PathBuf};

use keylint_source::{Diagnostic, Sources, did_you_mean};

use crate::Stop;
use crate::lint::{ConfigFile, Linter, Settings};
use crate::reading::{read_text, reason, shown};

/// The name under which the configuration is looked for.
const NAME: &str = "keylint.yaml";

/// The configuration at `named`, or else the nearest one from the current folder up to the root of the repository.
/// Outside of a repository only the current folder is looked at.
pub(crate) fn find(named: Option<&Path>) -> Result<Option<ConfigFile>, Stop> {
    let path = match named {
        Some(named) => Some(named.to_path_buf()),
        None => std::env::current_dir().ok().and_then(|folder| nearest(&folder)),
    };
    let Some(path) = path else { return Ok(None) };
    match read_text(&path) {
        Ok(text) => Ok(Some(ConfigFile { path: shown(&path).into_owned(), text })),
        Err(error) => {
            Err(Stop::new(format!("cannot read the configuration `{}`: {}", shown(&path), reason(&error))))
        }
    }
}

/// The path of the nearest configuration, relative to `folder`.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let root = folder.ancestors().position(|ancestor| ancestor.join(".git").exists()).unwrap_or(0);
    let (up, _) =
        folder.ancestors().take(root + 1).enumerate().find(|(_, ancestor)| ancestor.join(NAME).is_file())?;
    Some(std::iter::repeat_n("..", up).collect::<PathBuf>().join(NAME))
}

/// A linter for these settings, and what is wrong with the files it was made of.
pub(crate) fn linter(settings: &Settings) -> Result<(Linter, Vec<Diagnostic>, Sources), Stop> {
    let read =
        |path: &str| read_text(Path::new(path)).map_err(|error| io::Error::new(error.kind(), reason(&error)));
    let made = Linter::new(settings, &read);
    for name in settings.select.iter().chain(&settings.ignore) {
        known_rule_or_group(&made.0, name)?;
    }
    Ok(made)
}

fn known_rule_or_group(linter: &Linter, name: &str) -> Result<(), Stop> {
    let rules = linter.rules();
    let known = || rules.iter().flat_map(|rule| [rule.name.as_str(), rule.group.as_str()]).chain(["all"]);
    if known().any(|known| known == name) {
        return Ok(());
    }
    let stop = Stop::new(format!("no rule or group is named `{name}`"));
    Err(stop.with_help(match did_you_mean(name, known()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`keylint rules` lists them".to_owned(),
    }))
}
