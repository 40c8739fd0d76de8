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
    Linter::new(settings, &read).map_err(|unknown| Stop::new(unknown.message).with_help(unknown.help))
}
