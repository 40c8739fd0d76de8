//! From the arguments to the files to check: each once, in one order.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc;

use ignore::{WalkBuilder, WalkState};
use keylint_extract::Language;
use keylint_source::did_you_mean;

use crate::reading::{Unreadable, shown};

/// What a walk takes; a file that is named is taken whatever its extension.
const EXTENSIONS: [&str; 15] = [
    "json", "yaml", "yml", "template", "tf", "tofu", // policies, templates, modules
    "sh", "bash", "zsh", "ps1", "bat", "cmd", "mk", "md", "rst", // commands that create grants
];
/// The names of files that have commands and no extension.
const NAMES: [&str; 6] =
    ["makefile", "gnumakefile", "justfile", "dockerfile", "containerfile", "jenkinsfile"];
/// What a walk does not enter beside hidden and ignored folders: copies of other people's files, and built ones.
const SKIPPED: [&str; 3] = ["node_modules", ".terraform", "cdk.out"];
/// For the hint to who mistypes a command.
pub(crate) const COMMANDS: [&str; 11] = [
    "check",
    "can",
    "ignores",
    "baseline",
    "rules",
    "explain",
    "config",
    "schema",
    "problem-matcher",
    "completions",
    "man",
];

/// Something to check.
#[derive(Debug)]
pub(crate) struct Input {
    /// As the user is to see it, and relative to the current folder where it was given so.
    pub(crate) path: PathBuf,
    pub(crate) source: Source,
    /// Whether it was asked for. Else it is a file of a module of which another file was.
    pub(crate) is_asked: bool,
}

impl Input {
    fn new(path: PathBuf, source: Source) -> Self {
        Self { path, source, is_asked: true }
    }

    /// The folder of the module that it is a file of; nothing for what is no file of a module.
    pub(crate) fn module(&self) -> Option<&Path> {
        if self.source != Source::File || !is_of_module(&self.path) {
            return None;
        }
        self.path.parent()
    }
}

fn is_of_module(path: &Path) -> bool {
    matches!(Language::of_path(&path.to_string_lossy()), Some(Language::Terraform { .. }))
}

/// Where the content of an [`Input`] comes from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The file at the input's path.
    File,
    /// Standard input, which goes by the input's path.
    StandardInput,
    /// It is known already that there is none.
    Nowhere(Box<Unreadable>),
}

/// What the arguments came to.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    /// Sorted by path.
    pub(crate) inputs: Vec<Input>,
    /// Whether a folder or a pattern was searched, so that finding no policy is worth a word.
    pub(crate) searched: bool,
}

impl Inputs {
    /// Standard input alone, under a name.
    pub(crate) fn standard_input(name: &str) -> Self {
        Self { inputs: vec![Input::new(PathBuf::from(name), Source::StandardInput)], searched: false }
    }
}

/// Collects what arguments stand for.
#[derive(Default)]
pub(crate) struct Discovery {
    found: Vec<Found>,
    searched: bool,
    /// Walks and single paths. What one walk finds it finds once.
    origins: usize,
    threads: usize,
}

struct Found {
    input: Input,
    /// The same for two paths of one file.
    identity: PathBuf,
    is_link: bool,
}

impl Discovery {
    /// `threads` walk folders at the same time; 0: as many as there are processors.
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, ..Self::default() }
    }

    /// Adds a path as it stands on the command line: a file, a folder, or a pattern that is not the name of a file.
    pub(crate) fn argument(&mut self, argument: &Path) {
        match argument.to_str() {
            Some(pattern) if has_wildcard(pattern) && fs::symlink_metadata(argument).is_err() => {
                self.pattern(pattern);
            }
            _ => self.path(argument),
        }
    }

    /// Adds the file or the folder of this name.
    pub(crate) fn path(&mut self, path: &Path) {
        let path = tidy(path);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => self.folder(&path),
            Ok(_) => self.file(path),
            Err(error) => {
                let mut unreadable = Unreadable::from_error(&path, &error);
                let word = path.to_str().unwrap_or_default();
                unreadable.help = if COMMANDS.contains(&word) {
                    Some(format!("a command stands before all options: `keylint {word} …`"))
                } else {
                    did_you_mean(word, COMMANDS)
                        .map(|command| format!("did you mean the command `{command}`?"))
                };
                self.nowhere(path, unreadable);
            }
        }
    }

    /// Each file once, sorted.
    pub(crate) fn finish(self) -> Inputs {
        let mut inputs: Vec<Input> = if self.origins > 1 {
            unique(self.found)
        } else {
            self.found.into_iter().map(|found| found.input).collect()
        };
        inputs.extend(rest_of_modules(&inputs));
        inputs.sort_unstable_by(|left, right| bytes(left).cmp(bytes(right)));
        Inputs { inputs, searched: self.searched }
    }

    fn file(&mut self, path: PathBuf) {
        self.origins += 1;
        let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
        let identity = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        self.found.push(Found { input: Input::new(path, Source::File), identity, is_link });
    }

    fn nowhere(&mut self, path: PathBuf, unreadable: Unreadable) {
        self.origins += 1;
        let identity = path.clone();
        let source = Source::Nowhere(Box::new(unreadable));
        self.found.push(Found { input: Input::new(path, source), identity, is_link: false });
    }

    /// Adds what a pattern matches: files, and folders as if they were named.
    fn pattern(&mut self, pattern: &str) {
        self.searched = true;
        let tidied = tidy(Path::new(pattern));
        let compiled = match glob::Pattern::new(&tidied.to_string_lossy()) {
            Ok(compiled) => compiled,
            Err(error) => {
                let message = format!("`{pattern}` is no pattern: {}", error.msg);
                return self.nowhere(pattern.into(), Unreadable::new(message));
            }
        };
        let is_plain = |part: &Component<'_>| !has_wildcard(&part.as_os_str().to_string_lossy());
        let mut base: PathBuf = tidied.components().take_while(is_plain).collect();
        let deeper = tidied.components().skip_while(is_plain).count();
        if base.as_os_str().is_empty() {
            base.push(".");
        }
        let before = self.found.len();
        let mut folders = Vec::new();
        if base.is_dir() {
            let depth = if pattern.contains("**") { None } else { Some(deeper) };
            folders = self.walk(&base, depth, &Wanted::Matching(compiled));
        }
        if folders.is_empty() && self.found.len() == before {
            let mut nothing = Unreadable::new(format!("no file matches `{pattern}`"));
            nothing.help = Some("a pattern finds no hidden and no ignored files: name those".to_owned());
            self.nowhere(pattern.into(), nothing);
        }
        for folder in folders {
            self.folder(&folder);
        }
    }

    fn folder(&mut self, root: &Path) {
        self.searched = true;
        self.walk(root, None, &Wanted::Known);
    }

    /// Walks a folder, adds the files that are wanted, and returns the folders that are.
    ///
    /// Links to files count as files. Links to folders are not followed: they lead out of what was asked for, or back
    /// into it.
    fn walk(&mut self, root: &Path, depth: Option<usize>, wanted: &Wanted) -> Vec<PathBuf> {
        self.origins += 1;
        let identity = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
        let walk = WalkBuilder::new(root)
            .threads(self.threads)
            .max_depth(depth)
            .filter_entry(|entry| {
                entry.depth() == 0 || !SKIPPED.iter().any(|name| entry.file_name() == OsStr::new(name))
            })
            .build_parallel();
        let (sender, receiver) = mpsc::channel();
        walk.run(|| {
            let sender = sender.clone();
            Box::new(move |entry| {
                if let Some(step) = step(entry, wanted) {
                    // The receiver outlives the walk.
                    sender.send(step).ok();
                }
                WalkState::Continue
            })
        });
        drop(sender);
        let mut folders = Vec::new();
        for step in receiver {
            match step {
                Step::File(path) => {
                    let identity = identity.join(path.strip_prefix(root).unwrap_or(&path));
                    let path = without_dot(&path).to_path_buf();
                    self.found.push(Found {
                        input: Input::new(path, Source::File),
                        identity,
                        is_link: false,
                    });
                }
                Step::Link(path) => {
                    let path = tidy(&path);
                    match fs::metadata(&path) {
                        Ok(metadata) if metadata.is_file() => self.file(path),
                        Ok(_) => {}
                        Err(error) => {
                            let unreadable = Unreadable::from_error(&path, &error);
                            self.nowhere(path, unreadable);
                        }
                    }
                }
                Step::Folder(path) => folders.push(path),
                Step::Failed(error) => {
                    let (path, unreadable) = walk_error(root, &error);
                    self.nowhere(path, unreadable);
                }
            }
        }
        folders
    }
}

/// What a walk looks for.
enum Wanted {
    /// Files with an extension that is known.
    Known,
    /// Files and folders that match.
    Matching(glob::Pattern),
}

impl Wanted {
    fn file(&self, path: &Path) -> bool {
        match self {
            Self::Known => {
                let among = |name: Option<&OsStr>, known: &[&str]| {
                    name.is_some_and(|name| known.iter().any(|known| name.eq_ignore_ascii_case(known)))
                };
                among(path.extension(), &EXTENSIONS) || among(path.file_name(), &NAMES)
            }
            Self::Matching(_) => self.folder(path),
        }
    }

    fn folder(&self, path: &Path) -> bool {
        let Self::Matching(pattern) = self else {
            return false;
        };
        // As in a shell, `*` stays within a folder.
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        pattern.matches_path_with(without_dot(path), options)
    }
}

/// What a walk came across.
enum Step {
    File(PathBuf),
    Link(PathBuf),
    Folder(PathBuf),
    Failed(ignore::Error),
}

fn step(entry: Result<ignore::DirEntry, ignore::Error>, wanted: &Wanted) -> Option<Step> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return Some(Step::Failed(error)),
    };
    let kind = entry.file_type()?;
    if kind.is_dir() {
        wanted.folder(entry.path()).then(|| Step::Folder(entry.into_path()))
    } else if !wanted.file(entry.path()) {
        None
    } else if kind.is_file() {
        Some(Step::File(entry.into_path()))
    } else {
        kind.is_symlink().then(|| Step::Link(entry.into_path()))
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The path that an error is about, and the words for it.
fn walk_error(root: &Path, error: &ignore::Error) -> (PathBuf, Unreadable) {
    let mut path = root;
    let mut inner = error;
    loop {
        match inner {
            ignore::Error::WithPath { path: about, err } => (path, inner) = (about, err),
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => inner = err,
            ignore::Error::Io(error) => return (tidy(path), Unreadable::from_error(path, error)),
            other => {
                return (tidy(path), Unreadable::new(format!("cannot read `{}`: {other}", shown(path))));
            }
        }
    }
}

/// The files that belong to a module of which another file is an input: what one file says is explained by the others.
fn rest_of_modules(inputs: &[Input]) -> Vec<Input> {
    let folders: BTreeSet<&Path> = inputs.iter().filter_map(Input::module).collect();
    if folders.is_empty() {
        return Vec::new();
    }
    let known: HashSet<&Path> = inputs.iter().map(|input| input.path.as_path()).collect();
    let mut rest = Vec::new();
    for folder in folders {
        let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // A folder that cannot be listed leaves the module with the files that are known.
        let entries = fs::read_dir(listed).into_iter().flatten().flatten();
        let paths = entries.map(|entry| folder.join(entry.file_name()));
        let is_new = |path: &PathBuf| is_of_module(path) && !known.contains(path.as_path()) && path.is_file();
        rest.extend(
            paths.filter(is_new).map(|path| Input { is_asked: false, ..Input::new(path, Source::File) }),
        );
    }
    rest
}

/// Keeps one path of each file: the file itself rather than a link to it, then the path that sorts first.
fn unique(found: Vec<Found>) -> Vec<Input> {
    let mut inputs: Vec<(Input, bool)> = Vec::with_capacity(found.len());
    let mut places: HashMap<OsString, usize> = HashMap::with_capacity(found.len());
    for Found { input, identity, is_link } in found {
        let place = *places.entry(identity.into_os_string()).or_insert(inputs.len());
        match inputs.get_mut(place) {
            Some(kept) => {
                if (is_link, bytes(&input)) < (kept.1, bytes(&kept.0)) {
                    *kept = (input, is_link);
                }
            }
            None => inputs.push((input, is_link)),
        }
    }
    inputs.into_iter().map(|(input, _)| input).collect()
}

fn bytes(input: &Input) -> &[u8] {
    input.path.as_os_str().as_encoded_bytes()
}

/// A path below the current folder as it is written without saying so.
fn without_dot(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

/// A path without what says nothing: `./a//b` is `a/b`.
fn tidy(path: &Path) -> PathBuf {
    let tidy: PathBuf = path.components().filter(|part| !matches!(part, Component::CurDir)).collect();
    if tidy.as_os_str().is_empty() && !path.as_os_str().is_empty() { PathBuf::from(".") } else { tidy }
}

/// The paths in a list: separated by NUL when there is one, else by line ends.
pub(crate) fn listed_paths(list: &[u8]) -> Vec<PathBuf> {
    let separator = if list.contains(&0) { 0 } else { b'\n' };
    list.split(|byte| *byte == separator)
        .map(|path| if separator == b'\n' { path.strip_suffix(b"\r").unwrap_or(path) } else { path })
        .filter(|path| !path.is_empty())
        .map(path_from_bytes)
        .collect()
}

#[cfg(unix)]
fn path_from_bytes(path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(OsStr::from_bytes(path))
}

#[cfg(not(unix))]
fn path_from_bytes(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn paths_are_tidied() {
        let tidied = |path: &str| tidy(Path::new(path)).to_str().unwrap().to_owned();
        assert_eq!(tidied("./a.json"), "a.json");
        assert_eq!(tidied("././a//b/./c.json"), "a/b/c.json");
        assert_eq!(tidied("../a.json"), "../a.json");
        assert_eq!(tidied("/a/./b"), "/a/b");
        assert_eq!(tidied("./"), ".");
    }

    #[test]
    fn a_list_has_lines_or_nuls() {
        let listed = |list: &str| listed_paths(list.as_bytes());
        assert_eq!(listed("a b\r\n\nc\n"), [PathBuf::from("a b"), PathBuf::from("c")]);
        assert_eq!(listed("a\nb\0c\0"), [PathBuf::from("a\nb"), PathBuf::from("c")]);
        assert_eq!(listed(""), Vec::<PathBuf>::new());
    }

    #[test]
    fn of_two_paths_the_file_is_kept_and_not_the_link() {
        let found = |path: &str, is_link| Found {
            input: Input::new(path.into(), Source::File),
            identity: "/x".into(),
            is_link,
        };
        for found in [
            vec![found("a-link", true), found("c", false), found("b", false)],
            vec![found("b", false), found("a-link", true), found("c", false)],
        ] {
            let kept: Vec<PathBuf> = unique(found).into_iter().map(|input| input.path).collect();
            assert_eq!(kept, [PathBuf::from("b")]);
        }
    }
}
