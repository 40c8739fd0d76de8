//! Checks many files at the same time. What comes out does not depend on how many.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use keylint_report::{Summary, Unknown};
use keylint_source::{Diagnostic, FileId, Location, Severity, SourceFile, Span};
use rayon::prelude::*;

use crate::discovery::{Input, Source};
use crate::ignores::Ignore;
use crate::lint::{FIRST_INPUT, Linted, Linter, OfModule, OtherFiles, Scratch};
use crate::reading::{
    is_surely_meant, is_utf16, may_concern_keys, may_concern_kms, read_file, read_standard_input, read_text,
    shown,
};

/// The ids that each input has: its own, and those of files that are read because it names them.
const IDS: u32 = 64;

/// A buffer that one enormous file has stretched is not kept for the small ones behind it.
const KEPT_BUFFER: usize = 4 << 20;

/// What came of all files. Only those with diagnostics are kept.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) sources: Vec<(FileId, SourceFile)>,
    pub(crate) policies: usize,
    pub(crate) grants: usize,
    pub(crate) identity_policies: usize,
    /// Files that were more than glanced at.
    pub(crate) files: usize,
    /// How many values are not known before deployment.
    pub(crate) unknown: usize,
    /// What is not to be reported, as files say it.
    pub(crate) ignores: Vec<Ignore>,
    /// Which, if that is asked for.
    pub(crate) unknown_values: Vec<Unknown>,
    /// The files of which all is said: see [`Linted::settled`].
    settled: Vec<FileId>,
}

/// What is done with inputs.
pub(crate) trait Lint: Sync {
    /// Checks a file.
    fn file(&self, file: FileId, path: &str, text: &str, scratch: &mut Scratch) -> Linted;

    /// Checks a module: see [`Linter::lint_module`].
    fn module(&self, files: &[OfModule<'_>], others: &OtherFiles<'_>, scratch: &mut Scratch) -> Linted;
}

impl Lint for Linter {
    fn file(&self, file: FileId, path: &str, text: &str, scratch: &mut Scratch) -> Linted {
        self.lint(file, path, text, scratch)
    }

    fn module(&self, files: &[OfModule<'_>], others: &OtherFiles<'_>, scratch: &mut Scratch) -> Linted {
        self.lint_module(files, others, scratch)
    }
}

impl Checked {
    /// What both have, this one's first.
    fn and(mut self, mut other: Self) -> Self {
        self.diagnostics.append(&mut other.diagnostics);
        self.sources.append(&mut other.sources);
        self.policies += other.policies;
        self.grants += other.grants;
        self.identity_policies += other.identity_policies;
        self.files += other.files;
        self.unknown += other.unknown;
        self.ignores.append(&mut other.ignores);
        self.unknown_values.append(&mut other.unknown_values);
        self.settled.append(&mut other.settled);
        self
    }

    /// How many there are of what.
    pub(crate) fn summary(&self) -> Summary {
        let count = |severity| self.diagnostics.iter().filter(|found| found.severity == severity).count();
        Summary {
            policies: self.policies,
            grants: self.grants,
            identity_policies: self.identity_policies,
            files: self.files,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
            unknown: self.unknown,
            ..Summary::default()
        }
    }
}

/// Checks all inputs with `lint`, on the threads of the current pool, and counts them in `done`. Values that are not
/// known are kept only if that is asked for: there can be many.
pub(crate) fn check_all(
    inputs: &[Input],
    done: &AtomicUsize,
    lint: &impl Lint,
    keeps_unknown: bool,
) -> Checked {
    let units = units(inputs);
    let has_modules = units.iter().any(|unit| matches!(unit, Unit::Module(_)));
    let named = if has_modules { inputs } else { &[] };
    let by_path = named.iter().enumerate().map(|(index, input)| (input.path.as_path(), index)).collect();
    let run = Run { inputs, by_path, lint, keeps_unknown };
    let check = |mut worker: Worker, unit: &Unit| {
        match unit {
            Unit::File(index) => worker.file(*index, &run),
            Unit::Module(indices) => worker.module(indices, &run),
        }
        done.fetch_add(unit.len(), Ordering::Relaxed);
        worker
    };
    let all = |units: &[Unit]| {
        if units.len() < 2 {
            // Starting the pool takes longer than checking a file.
            return units.iter().fold(Worker::default(), check).checked;
        }
        units
            .par_iter()
            .fold(Worker::default, check)
            .map(|worker| worker.checked)
            .reduce(Checked::default, Checked::and)
    };
    // Modules first: a file that is part of the policy of one is no policy by itself.
    let (modules, mut files): (Vec<Unit>, Vec<Unit>) =
        units.into_iter().partition(|unit| matches!(unit, Unit::Module(_)));
    let checked = all(&modules);
    let settled: HashSet<FileId> = checked.settled.iter().copied().collect();
    files.retain(|unit| !matches!(unit, Unit::File(index) if settled.contains(&file_id(*index))));
    checked.and(all(&files))
}

/// What is checked at once.
enum Unit {
    /// One input.
    File(usize),
    /// The inputs that are files of one module.
    Module(Vec<usize>),
}

impl Unit {
    fn len(&self) -> usize {
        match self {
            Self::File(_) => 1,
            Self::Module(indices) => indices.len(),
        }
    }
}

/// The units, in the order of their first inputs.
fn units(inputs: &[Input]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::with_capacity(inputs.len());
    let mut modules: HashMap<&Path, usize> = HashMap::new();
    for (index, input) in inputs.iter().enumerate() {
        let Some(folder) = input.module() else {
            units.push(Unit::File(index));
            continue;
        };
        let place = *modules.entry(folder).or_insert(units.len());
        match units.get_mut(place) {
            Some(Unit::Module(indices)) => indices.push(index),
            _ => units.push(Unit::Module(vec![index])),
        }
    }
    units
}

/// The id of an input.
pub(crate) fn file_id(index: usize) -> FileId {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    FileId(FIRST_INPUT.0.saturating_add(index.saturating_mul(IDS)))
}

/// What all workers share.
struct Run<'r, L> {
    inputs: &'r [Input],
    /// The inputs by path, where a module may name them.
    by_path: HashMap<&'r Path, usize>,
    lint: &'r L,
    keeps_unknown: bool,
}

/// What checking one file after the other uses again and again.
#[derive(Default)]
struct Worker {
    buffer: Vec<u8>,
    scratch: Scratch,
    checked: Checked,
}

impl Worker {
    fn file(&mut self, index: usize, run: &Run<'_, impl Lint>) {
        let Some(input) = run.inputs.get(index) else { return };
        let (file, path) = (file_id(index), shown(&input.path));
        if self.read(file, input, &path) && may_concern_keys(&path, &self.buffer) {
            self.checked.files += 1;
            match std::str::from_utf8(&self.buffer) {
                Ok(text) => match contained(|| run.lint.file(file, &path, text, &mut self.scratch)) {
                    Ok(mut linted) => {
                        self.checked.count(&mut linted, run.keeps_unknown);
                        let is_shown = !linted.diagnostics.is_empty() || !linted.ignores.is_empty();
                        self.checked.ignores.append(&mut linted.ignores);
                        if is_shown || run.keeps_unknown {
                            self.checked.keep(file, &path, text.to_owned(), linted.diagnostics);
                        }
                    }
                    Err(panic) => {
                        self.scratch = Scratch::default();
                        self.checked.keep(file, &path, text.to_owned(), [internal_error(file, panic)]);
                    }
                },
                Err(error) if is_surely_meant(&path, &self.buffer) => {
                    self.not_utf8(file, &path, error.valid_up_to());
                }
                // Documentation, or code, in which KMS is mentioned.
                Err(_) => self.checked.files -= 1,
            }
        }
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
    }

    /// Checks a module. Its files are read first; whether it concerns KMS shows in any of them.
    fn module(&mut self, indices: &[usize], run: &Run<'_, impl Lint>) {
        let mut texts: Vec<(FileId, &Input, String, String)> = Vec::with_capacity(indices.len());
        let mut concerns_kms = false;
        for &index in indices {
            let Some(input) = run.inputs.get(index) else { continue };
            let (file, path) = (file_id(index), shown(&input.path));
            if !self.read(file, input, &path) {
                continue;
            }
            let may_concern = may_concern_kms(&self.buffer);
            match std::str::from_utf8(&self.buffer) {
                Ok(text) => {
                    concerns_kms |= may_concern;
                    self.checked.files += usize::from(may_concern && input.is_asked);
                    texts.push((file, input, path.into_owned(), text.to_owned()));
                }
                Err(error) if input.is_asked && is_surely_meant(&path, &self.buffer) => {
                    self.checked.files += 1;
                    self.not_utf8(file, &path, error.valid_up_to());
                }
                Err(_) => {}
            }
        }
        if !concerns_kms {
            return;
        }
        let files: Vec<OfModule<'_>> = texts
            .iter()
            .map(|(file, input, path, text)| OfModule { file: *file, path, text, is_asked: input.is_asked })
            .collect();
        let Some(first) = texts.first() else { return };
        let folder = first.1.path.parent().unwrap_or(Path::new(""));
        let named = |path: &str| tidy_up(&folder.join(path));
        let read = |path: &str| read_text(&named(path)).ok();
        let reported_as = |index: usize, path: &str| {
            let path = named(path);
            let id = match run.by_path.get(path.as_path()) {
                Some(input) => file_id(*input),
                None => FileId(first.0.0.saturating_add(u32::try_from(index + 1).unwrap_or(u32::MAX))),
            };
            (id, shown(&path).into_owned())
        };
        let others = OtherFiles { read: &read, reported_as: &reported_as };
        match contained(|| run.lint.module(&files, &others, &mut self.scratch)) {
            Ok(mut linted) => {
                self.checked.count(&mut linted, run.keeps_unknown);
                self.checked.sources.append(&mut linted.read_files);
                for (file, _, path, text) in texts {
                    let is_shown = run.keeps_unknown
                        || linted.ignores.iter().any(|ignore| ignore.at.file == file)
                        || linted.diagnostics.iter().any(|found| {
                            std::iter::once(&found.primary)
                                .chain(&found.related)
                                .any(|label| label.at.file == file)
                        });
                    if is_shown {
                        self.checked.sources.push((file, SourceFile::new(path, text)));
                    }
                }
                self.checked.diagnostics.append(&mut linted.diagnostics);
                self.checked.ignores.append(&mut linted.ignores);
            }
            Err(panic) => {
                self.scratch = Scratch::default();
                let (file, _, path, text) = first;
                self.checked.keep(*file, path, text.clone(), [internal_error(*file, panic)]);
            }
        }
    }

    /// Reads an input into the buffer; whether that is done. A file that nobody asked for may be missing.
    fn read(&mut self, file: FileId, input: &Input, path: &str) -> bool {
        let read = match &input.source {
            Source::File => read_file(&input.path, &mut self.buffer),
            Source::StandardInput => read_standard_input(&input.path, &mut self.buffer),
            Source::Nowhere(unreadable) => Err(unreadable.as_ref().clone()),
        };
        if let Err(unreadable) = &read
            && input.is_asked
        {
            self.checked.keep(file, path, String::new(), [unreadable.diagnostic(file)]);
        }
        read.is_ok()
    }

    fn not_utf8(&mut self, file: FileId, path: &str, valid_up_to: usize) {
        // What is in front of the place is kept as it is, so line and column are right.
        let text = String::from_utf8_lossy(&self.buffer).into_owned();
        let diagnostic = not_utf8(file, valid_up_to, is_utf16(&self.buffer));
        self.checked.keep(file, path, text, [diagnostic]);
    }
}

/// A path without `.` and without the folders that `..` leaves.
fn tidy_up(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            component => tidied.push(component),
        }
    }
    tidied
}

impl Checked {
    /// Takes what is only counted, or kept on demand.
    fn count(&mut self, linted: &mut Linted, keeps_unknown: bool) {
        self.policies += linted.policies as usize;
        self.grants += linted.grants as usize;
        self.identity_policies += linted.identity_policies as usize;
        self.settled.append(&mut linted.settled);
        self.unknown += linted.unknown.len();
        if keeps_unknown {
            self.unknown_values.append(&mut linted.unknown);
        }
    }

    fn keep(
        &mut self,
        file: FileId,
        path: &str,
        text: String,
        diagnostics: impl IntoIterator<Item = Diagnostic>,
    ) {
        self.diagnostics.extend(diagnostics);
        self.sources.push((file, SourceFile::new(path, text)));
    }
}

fn not_utf8(file: FileId, offset: usize, is_utf16: bool) -> Diagnostic {
    let start = u32::try_from(offset).unwrap_or(u32::MAX);
    let replacement = u32::try_from(char::REPLACEMENT_CHARACTER.len_utf8()).unwrap_or(0);
    let at = Location { file, span: Span::new(start, start.saturating_add(replacement)) };
    let mut diagnostic = Diagnostic::new("invalid-syntax", Severity::Error, "this is not UTF-8 text", at);
    "the first byte that is not UTF-8".clone_into(&mut diagnostic.primary.text);
    diagnostic.help = Some(if is_utf16 {
        "the file is UTF-16, as PowerShell writes it: save it as UTF-8".to_owned()
    } else {
        "save the file as UTF-8".to_owned()
    });
    diagnostic
}

fn internal_error(file: FileId, panic: String) -> Diagnostic {
    let at = Location { file, span: Span::empty(0) };
    let message = "keylint failed while checking this file";
    let mut diagnostic = Diagnostic::new("internal-error", Severity::Error, message, at);
    diagnostic.notes.push(panic);
    diagnostic.help =
        Some("this is a bug in keylint: please report it, with the file if you can share it".to_owned());
    diagnostic
}

thread_local! {
    /// What the panic hook was told last on this thread.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what panics say for [`contained`] to tell. Only `aloud` it goes to standard error too, with a backtrace if
/// the environment asks for one.
pub(crate) fn keep_panics(aloud: bool) {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        LAST_PANIC.set(panic.to_string().replace('\n', " "));
        if aloud {
            print(panic);
        }
    }));
}

/// Runs `work`; a panic in it is an error that says where it was and what it said.
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| match LAST_PANIC.take() {
        message if message.is_empty() => "panicked".to_owned(),
        message => message,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn input(path: impl Into<PathBuf>) -> Input {
        Input { path: path.into(), source: Source::File, is_asked: true }
    }

    /// Does the same with each file.
    struct Each<F>(F);

    impl<F: Fn(FileId) -> Linted + Sync> Lint for Each<F> {
        fn file(&self, file: FileId, _: &str, _: &str, _: &mut Scratch) -> Linted {
            self.0(file)
        }

        fn module(&self, files: &[OfModule<'_>], _: &OtherFiles<'_>, _: &mut Scratch) -> Linted {
            self.0(files[0].file)
        }
    }

    #[test]
    fn order_is_kept_and_everything_is_counted() {
        let done = AtomicUsize::new(0);
        let missing: Vec<Input> = (0..1000).map(|index| input(format!("{index:04}"))).collect();
        let checked = check_all(&missing, &done, &Each(|_| Linted::default()), false);
        let files: Vec<FileId> = checked.diagnostics.iter().map(|found| found.primary.at.file).collect();
        assert_eq!(files, (0..1000).map(file_id).collect::<Vec<_>>());
        assert_eq!(checked.sources.len(), 1000);
        assert_eq!((checked.files, checked.summary().errors, done.into_inner()), (0, 1000, 1000));
    }

    #[test]
    fn a_panic_is_a_diagnostic_and_the_next_file_is_checked() {
        keep_panics(true);
        // A key policy, so that it is not passed over.
        let key = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/uses/three-documents/kms/ebs.json");
        let lint = Each(|file| {
            assert_ne!(file, file_id(0), "over the edge");
            Linted { policies: 3, ..Linted::default() }
        });
        let checked = check_all(&[input(key), input(key)], &AtomicUsize::new(0), &lint, false);
        let [found] = checked.diagnostics.as_slice() else { panic!("{:#?}", checked.diagnostics) };
        assert_eq!((&*found.rule, found.primary.at.file), ("internal-error", file_id(0)));
        assert!(found.notes[0].contains("driver.rs"), "{:?}", found.notes);
        assert!(found.notes[0].contains("over the edge"), "{:?}", found.notes);
        assert_eq!((checked.policies, checked.files), (3, 2));
    }

    #[test]
    fn the_files_of_a_folder_are_one_module() {
        let inputs = ["a.json", "m/a.tf", "m/b.json", "m/b.tf.json", "n/a.tofu"].map(input);
        let of = |unit: Unit| match unit {
            Unit::File(index) => vec![index],
            Unit::Module(indices) => indices,
        };
        let units: Vec<Vec<usize>> = units(&inputs).into_iter().map(of).collect();
        assert_eq!(units, [vec![0], vec![1, 3], vec![2], vec![4]]);
        assert_eq!(tidy_up(Path::new("m/../n/./a.json")), Path::new("n/a.json"));
        assert_eq!(tidy_up(Path::new("../a.json")), Path::new("../a.json"));
    }

    #[test]
    fn a_place_that_is_not_utf8_has_the_right_column() {
        let bytes = b"{\n \"\xc3\xa9\xff\"".to_vec();
        let offset = std::str::from_utf8(&bytes).unwrap_err().valid_up_to();
        let diagnostic = not_utf8(FileId(0), offset, false);
        let source = SourceFile::new("x", String::from_utf8_lossy(&bytes));
        assert_eq!(source.slice(diagnostic.primary.at.span), "\u{fffd}");
        let position = source.position(diagnostic.primary.at.span.start(), keylint_source::Unit::CodePoints);
        assert_eq!((position.line, position.column), (2, 4));
    }
}
