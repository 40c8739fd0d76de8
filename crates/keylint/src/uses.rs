//! Finds and reads the files of the uses that the configuration declares: they may be other files than those to check.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use keylint_extract::Language;
use keylint_source::{FileId, SourceFile};
use memchr::memmem;

use crate::discovery::{Input, Source};
use crate::driver::file_id;
use crate::lint::{LintedUses, Linter, OfUse, absolute};
use crate::reading::{read_text, shown};

/// What there is to say about the declared uses of which a file is to be checked, and the files that it points into.
pub(crate) fn check_uses(linter: &Linter, inputs: &[Input]) -> (LintedUses, Vec<(FileId, SourceFile)>) {
    let is_file = |input: &&Input| input.source == Source::File;
    let asked = || inputs.iter().enumerate().filter(|(_, input)| is_file(input) && input.is_asked);
    let mut wanted: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut is_any = false;
    for declared in linter.declared_uses() {
        is_any = true;
        let mut paths: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for files in declared.files() {
            paths.extend(linter.files_of(files).into_iter().map(|path| (absolute(&path), path)));
            // What is checked may be hidden, or under another name.
            let named = asked().filter(|(_, input)| linter.covers(files, &input.path.to_string_lossy()));
            paths.extend(named.map(|(_, input)| (absolute(&input.path), input.path.clone())));
        }
        if let Some(resource) = declared.resource() {
            let last = resource.rsplit('.').next().unwrap_or(resource);
            let names_it = |path: &Path| {
                let is_read = Language::of_path(&shown(path)).is_some_and(|it| it != Language::Other);
                let text = if is_read { read_text(path).ok() } else { None };
                text.is_some_and(|text| memmem::find(text.as_bytes(), last.as_bytes()).is_some())
            };
            let named = asked().filter(|(_, input)| names_it(&input.path));
            paths.extend(named.map(|(_, input)| (absolute(&input.path), input.path.clone())));
        }
        let is_asked = asked().any(|(_, input)| {
            paths.contains_key(&absolute(&input.path)) || linter.is_configuration(&input.path)
        });
        if is_asked {
            wanted.extend(paths);
        }
    }
    if !is_any || wanted.is_empty() {
        return (LintedUses::default(), Vec::new());
    }
    let siblings: Vec<PathBuf> = wanted.values().flat_map(|path| rest_of_module(path)).collect();
    for path in siblings {
        wanted.entry(absolute(&path)).or_insert(path);
    }
    let known: BTreeMap<PathBuf, usize> =
        inputs.iter().enumerate().map(|(index, input)| (absolute(&input.path), index)).collect();
    let mut next = inputs.len();
    let mut files: Vec<(FileId, String, String)> = Vec::new();
    for (absolute, path) in wanted {
        let Ok(text) = read_text(&path) else { continue };
        let (id, path) = match known.get(&absolute).and_then(|index| Some((*index, inputs.get(*index)?))) {
            Some((index, input)) => (file_id(index), shown(&input.path).into_owned()),
            None => {
                next += 1;
                (file_id(next - 1), shown(&path).into_owned())
            }
        };
        files.push((id, path, text));
    }
    let of_use: Vec<OfUse<'_>> =
        files.iter().map(|(file, path, text)| OfUse { file: *file, path, text }).collect();
    let linted = linter.lint_uses(&of_use, &|path| read_text(path).ok(), file_id(next));
    let sources = files.into_iter().map(|(id, path, text)| (id, SourceFile::new(path, text)));
    (linted, sources.collect())
}

/// The other files of the module that a file belongs to.
fn rest_of_module(path: &Path) -> Vec<PathBuf> {
    let is_of_module =
        |path: &Path| matches!(Language::of_path(&shown(path)), Some(Language::Terraform { .. }));
    if !is_of_module(path) {
        return Vec::new();
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| folder.join(entry.file_name()));
    paths.filter(|path| is_of_module(path) && path.is_file()).collect()
}
