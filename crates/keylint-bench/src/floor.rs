//! The floor: programs that find the same files as keylint, in the same way, and do less with them.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use ignore::{WalkBuilder, WalkState};
use rayon::prelude::*;
use serde_json::Value;

/// Finds the files below a folder with an extension, in any order. What cannot be walked is left out.
fn find(root: &Path, wanted: &'static str) -> Vec<PathBuf> {
    let (sender, receiver) = mpsc::channel();
    WalkBuilder::new(root).build_parallel().run(|| {
        let sender = sender.clone();
        Box::new(move |entry| {
            let found = entry.ok().filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
            if let Some(path) = found.map(ignore::DirEntry::into_path)
                && path.extension().is_some_and(|extension| extension == wanted)
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
    each(root, "json", |content| Ok(content.len()))
}

/// Finds and reads the JSON files below a folder, parses them into [`Value`]s, and returns how many it parsed. What is
/// no JSON is passed over.
///
/// # Errors
///
/// The first file that cannot be read.
pub fn parse(root: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    each(root, "json", |content| Ok(usize::from(serde_json::from_slice::<Value>(content).is_ok())))
}

/// Finds and reads the YAML files below a folder, parses them with the parser that keylint has, and returns how many
/// events it yielded.
///
/// # Errors
///
/// The first file that cannot be read.
pub fn parse_yaml(root: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    each(root, "yaml", |content| {
        Ok(granit_parser::Parser::new_from_str(std::str::from_utf8(content)?).count())
    })
}

/// Finds and reads the files of Terraform below a folder, parses them with the parser that keylint has, and returns how
/// many blocks and arguments they have.
///
/// # Errors
///
/// The first file that cannot be read or parsed.
pub fn parse_hcl(root: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    each(root, "tf", |content| Ok(hcl_edit::parser::parse_body(std::str::from_utf8(content)?)?.len()))
}

/// The sum of what `work` makes of each file.
fn each(
    root: &Path,
    extension: &'static str,
    work: impl Fn(&[u8]) -> Result<usize, Box<dyn Error + Send + Sync>> + Sync,
) -> Result<usize, Box<dyn Error + Send + Sync>> {
    find(root, extension)
        .par_iter()
        .map_init(Vec::new, |buffer, path| {
            buffer.clear();
            // As keylint reads: without `take`, reading to the end asks for the file's size first.
            File::open(path)?.take(u64::MAX).read_to_end(buffer)?;
            work(buffer)
        })
        .sum()
}
