//! Finds and reads the configuration, and makes a linter of it.

use std::io;
use std::path::{Path, PathBuf};

use keylint_source::{Diagnostic, Sources};

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

/// The root of the repository that the current folder is in, and the path from there to the current folder, as
/// [`keylint_report::Base`] takes them. Outside of a repository the current folder is the root.
pub(crate) fn repository() -> (String, String) {
    let folder = std::env::current_dir().unwrap_or_default();
    let root = folder.ancestors().nth(depth(&folder)).unwrap_or(&folder);
    let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
    (shown(root).into_owned(), shown(below).into_owned())
}

/// How many folders lie between a folder and the root of its repository.
fn depth(folder: &Path) -> usize {
    folder.ancestors().position(|ancestor| ancestor.join(".git").exists()).unwrap_or(0)
}

/// The path of the nearest configuration, relative to `folder`.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let candidates = folder.ancestors().take(depth(folder) + 1).enumerate();
    let (up, _) = candidates.into_iter().find(|(_, ancestor)| ancestor.join(NAME).is_file())?;
    Some(std::iter::repeat_n("..", up).collect::<PathBuf>().join(NAME))
}

/// A linter for these settings, and what is wrong with the files it was made of.
pub(crate) fn linter(settings: &Settings) -> Result<(Linter, Vec<Diagnostic>, Sources), Stop> {
    let read =
        |path: &str| read_text(Path::new(path)).map_err(|error| io::Error::new(error.kind(), reason(&error)));
    Linter::new(settings, &read).map_err(|unknown| Stop::new(unknown.message).with_help(unknown.help))
}
