//! Checks many files at the same time. What comes out does not depend on how many.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::atomic::{AtomicUsize, Ordering};

use keylint_report::Summary;
use keylint_source::{Diagnostic, FileId, Location, Severity, SourceFile, Span};
use rayon::prelude::*;

use crate::discovery::{Input, Source};
use crate::lint::{FIRST_INPUT, Linted, Scratch};
use crate::reading::{is_utf16, may_concern_kms, read_file, read_standard_input, shown};

/// A buffer that one enormous file has stretched is not kept for the small ones behind it.
const KEPT_BUFFER: usize = 4 << 20;

/// What came of all files. Only those with diagnostics are kept.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) sources: Vec<(FileId, SourceFile)>,
    pub(crate) policies: usize,
    /// Files that were more than glanced at.
    pub(crate) files: usize,
}

impl Checked {
    /// What both have, this one's first.
    fn and(mut self, mut other: Self) -> Self {
        self.diagnostics.append(&mut other.diagnostics);
        self.sources.append(&mut other.sources);
        self.policies += other.policies;
        self.files += other.files;
        self
    }

    /// How many there are of what.
    pub(crate) fn summary(&self) -> Summary {
        let count = |severity| self.diagnostics.iter().filter(|found| found.severity == severity).count();
        Summary {
            policies: self.policies,
            files: self.files,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            notes: count(Severity::Note),
        }
    }
}

/// Checks all inputs with `lint`, on the threads of the current pool, and counts them in `done`.
pub(crate) fn check_all<Lint>(inputs: &[Input], done: &AtomicUsize, lint: Lint) -> Checked
where
    Lint: Fn(FileId, &str, &str, &mut Scratch) -> Linted + Sync,
{
    let check = |mut worker: Worker, (index, input): (usize, &Input)| {
        worker.check(file_id(index), input, &lint);
        done.fetch_add(1, Ordering::Relaxed);
        worker
    };
    if inputs.len() < 2 {
        // Starting the pool takes longer than checking a file.
        return inputs.iter().enumerate().fold(Worker::default(), check).checked;
    }
    inputs
        .par_iter()
        .enumerate()
        .fold(Worker::default, check)
        .map(|worker| worker.checked)
        .reduce(Checked::default, Checked::and)
}

fn file_id(index: usize) -> FileId {
    FileId(FIRST_INPUT.0.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)))
}

/// What checking one file after the other uses again and again.
#[derive(Default)]
struct Worker {
    buffer: Vec<u8>,
    scratch: Scratch,
    checked: Checked,
}

impl Worker {
    fn check<Lint>(&mut self, file: FileId, input: &Input, lint: &Lint)
    where
        Lint: Fn(FileId, &str, &str, &mut Scratch) -> Linted,
    {
        let read = match &input.source {
            Source::File => read_file(&input.path, &mut self.buffer),
            Source::StandardInput => read_standard_input(&input.path, &mut self.buffer),
            Source::Nowhere(unreadable) => Err(unreadable.as_ref().clone()),
        };
        let path = shown(&input.path);
        if let Err(unreadable) = read {
            self.checked.keep(file, &path, String::new(), [unreadable.diagnostic(file)]);
        } else if may_concern_kms(&self.buffer) {
            self.checked.files += 1;
            match std::str::from_utf8(&self.buffer) {
                Ok(text) => match contained(|| lint(file, &path, text, &mut self.scratch)) {
                    Ok(linted) => {
                        self.checked.policies += linted.policies as usize;
                        if !linted.diagnostics.is_empty() {
                            self.checked.keep(file, &path, text.to_owned(), linted.diagnostics);
                        }
                    }
                    Err(panic) => {
                        self.scratch = Scratch::default();
                        self.checked.keep(file, &path, text.to_owned(), [internal_error(file, panic)]);
                    }
                },
                Err(error) => {
                    // What is in front of the place is kept as it is, so line and column are right.
                    let text = String::from_utf8_lossy(&self.buffer).into_owned();
                    let diagnostic = not_utf8(file, error.valid_up_to(), is_utf16(&self.buffer));
                    self.checked.keep(file, &path, text, [diagnostic]);
                }
            }
        }
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
    }
}

impl Checked {
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

    fn missing(count: usize) -> Vec<Input> {
        let path = |index| std::path::PathBuf::from(format!("{index:04}"));
        (0..count).map(|index| Input { path: path(index), source: Source::File }).collect()
    }

    #[test]
    fn order_is_kept_and_everything_is_counted() {
        let done = AtomicUsize::new(0);
        let checked = check_all(&missing(1000), &done, |_, _, _, _| Linted::default());
        let files: Vec<u32> = checked.diagnostics.iter().map(|found| found.primary.at.file.0).collect();
        assert_eq!(files, (0..1000).map(|index| FIRST_INPUT.0 + index).collect::<Vec<_>>());
        assert_eq!(checked.sources.len(), 1000);
        assert_eq!((checked.files, checked.summary().errors, done.into_inner()), (0, 1000, 1000));
    }

    #[test]
    fn a_panic_is_a_diagnostic_and_the_next_file_is_checked() {
        keep_panics(true);
        let file =
            Input { path: concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").into(), source: Source::File };
        // The manifest of this package mentions KMS, so it is not passed over.
        let mut worker = Worker::default();
        worker.check(FileId(1), &file, &|_, _: &str, _: &str, _: &mut Scratch| panic!("over the edge"));
        worker.check(FileId(2), &file, &|_, _: &str, _: &str, _: &mut Scratch| Linted {
            policies: 3,
            ..Linted::default()
        });
        let [found] = worker.checked.diagnostics.as_slice() else { panic!("one diagnostic") };
        assert_eq!((&*found.rule, found.primary.at.file), ("internal-error", FileId(1)));
        assert!(found.notes[0].contains("driver.rs"), "{:?}", found.notes);
        assert!(found.notes[0].contains("over the edge"), "{:?}", found.notes);
        assert_eq!((worker.checked.policies, worker.checked.files), (3, 2));
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
