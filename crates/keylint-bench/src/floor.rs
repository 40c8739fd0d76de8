//! The floor: programs that find the same files as keylint, in the same way, and do less with them.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use serde_json::Value;

/// Finds the JSON files below a folder, in any order. What cannot be walked is left out.
fn find(root: &Path) -> Vec<PathBuf> {
    let (sender, receiver) = mpsc::channel();
    WalkBuilder::new(root).build_parallel().run(|| {
        let sender = sender.clone();
        Box::new(move |entry| {
            let found = entry.ok().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
            if let Some(path) = found.map(ignore::DirEntry::into_path)
                && path.extension().is_some_and(|extension| extension == "json")
            {
                // The receiver outlives the walk.
                sender.send(path).ok();
            }
            WalkState::Continue
        })
    });
    drop(sender);
    receiver.into_iter().collect()
}

/// Finds and reads the JSON files below a folder, and returns how many bytes they have.
///
/// # Errors
///
/// The first file that cannot be read.
pub fn read(root: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    each(root, |content| Ok(content.len()))
}

/// Finds and reads the JSON files below a folder, parses them into [`Value`]s, and returns how many it parsed. What is
/// no JSON is passed over.
///
/// # Errors
///
/// The first file that cannot be read.
pub fn parse(root: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    each(root, |content| Ok(usize::from(serde_json::from_slice::<Value>(content).is_ok())))
}

/// The sum of what `work` makes of each file.
fn each(
    root: &Path,
    work: impl Fn(&[u8]) -> Result<usize, Box<dyn Error + Send + Sync>> + Sync,
) -> Result<usize, Box<dyn Error + Send + Sync>> {
    find(root)
        .par_iter()
        .map_init(Vec::new, |buffer, path| {
            buffer.clear();
            // As keylint reads: without `take`, reading to the end asks for the file's size first.
            File::open(path)?.take(u64::MAX).read_to_end(buffer)?;
            work(buffer)
        })
        .sum()
}
