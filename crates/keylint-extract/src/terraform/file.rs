//! Files that a module reads by `file` and `templatefile`.

use std::collections::BTreeMap;

use keylint_source::Span;

/// Files that one module reads, at most.
const FILES: usize = 60;

/// How a file is read, by its path relative to the module's folder; nothing where that fails.
pub type Read<'r> = dyn Fn(&str) -> Option<String> + 'r;

/// The files that were read. Their places follow those of the module's own files.
pub(super) struct Files<'r> {
    read: &'r Read<'r>,
    next: u32,
    known: BTreeMap<String, Option<usize>>,
    pub(super) opened: Vec<ReadFile>,
}

/// A file that a module read.
#[derive(Debug)]
pub struct ReadFile {
    /// The path, relative to the module's folder.
    pub path: String,
    /// The text.
    pub text: String,
    /// Where it begins among the places of the module.
    pub offset: u32,
}

impl ReadFile {
    /// All of it, among the places of the module.
    pub fn span(&self) -> Span {
        Span::new(self.offset, self.offset.saturating_add(u32::try_from(self.text.len()).unwrap_or(u32::MAX)))
    }
}

impl<'r> Files<'r> {
    /// `next` is the first place that no file of the module has.
    pub(super) fn new(read: &'r Read<'r>, next: u32) -> Self {
        Self { read, next, known: BTreeMap::new(), opened: Vec::new() }
    }

    /// The text of a file, and where it begins.
    pub(super) fn open(&mut self, path: &str) -> Option<(&str, u32)> {
        let path = path.trim_start_matches("./");
        if path.is_empty() || path.starts_with('/') || path.contains('\\') {
            return None;
        }
        if !self.known.contains_key(path) {
            let text = if self.opened.len() < FILES { (self.read)(path) } else { None };
            let index = text.map(|text| {
                let offset = self.next;
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                self.next = self.next.saturating_add(length).saturating_add(1);
                self.opened.push(ReadFile { path: path.to_owned(), text, offset });
                self.opened.len() - 1
            });
            self.known.insert(path.to_owned(), index);
        }
        let index = (*self.known.get(path)?)?;
        self.opened.get(index).map(|file| (file.text.as_str(), file.offset))
    }
}
