//! Reading files, and telling early which of them cannot concern keylint.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use keylint_extract::Language;
use keylint_source::{Diagnostic, FileId, Location, Severity, Span};
use keylint_syntax::limits::FILE_BYTES;
use memchr::{memchr2_iter, memmem};

/// Why a file or a folder cannot be read, or a pattern finds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Unreadable {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    /// For what the operating system answered about a path.
    pub(crate) fn from_error(path: &Path, error: &io::Error) -> Self {
        Self::new(match error.kind() {
            io::ErrorKind::NotFound => format!("`{}` does not exist", shown(path)),
            _ => format!("cannot read `{}`: {}", shown(path), reason(error)),
        })
    }

    /// The diagnostic, at the start of what cannot be read.
    pub(crate) fn diagnostic(&self, file: FileId) -> Diagnostic {
        let at = Location { file, span: Span::empty(0) };
        let mut diagnostic = Diagnostic::new("unreadable-file", Severity::Error, self.message.as_str(), at);
        diagnostic.help.clone_from(&self.help);
        diagnostic
    }
}

/// What the operating system says, as the rest of a sentence.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => {
            let words = error.to_string();
            words.split_once(" (os error").map_or(words.as_str(), |(words, _)| words).to_lowercase()
        }
    }
}

/// A path as the user is to see it: with `/` between its parts.
pub(crate) fn shown(path: &Path) -> Cow<'_, str> {
    let path = path.to_string_lossy();
    if cfg!(windows) { Cow::Owned(path.replace('\\', "/")) } else { path }
}

/// Replaces the buffer's content with a file's.
pub(crate) fn read_file(path: &Path, buffer: &mut Vec<u8>) -> Result<(), Unreadable> {
    let read = File::open(path).and_then(|mut file| read_at_most(&mut file, FILE_BYTES, buffer));
    understood(path, read)
}

/// Replaces the buffer's content with what there is on standard input; `name` is used in messages.
pub(crate) fn read_standard_input(name: &Path, buffer: &mut Vec<u8>) -> Result<(), Unreadable> {
    understood(name, read_at_most(&mut io::stdin().lock(), FILE_BYTES, buffer))
}

/// Reads a file that has to be text: a configuration, or what it names.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut buffer = Vec::new();
    if !read_at_most(&mut File::open(path)?, FILE_BYTES, &mut buffer)? {
        return Err(io::Error::other(too_large()));
    }
    String::from_utf8(buffer).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

fn understood(path: &Path, read: io::Result<bool>) -> Result<(), Unreadable> {
    match read {
        Ok(true) => Ok(()),
        Ok(false) => Err(Unreadable::new(format!("cannot read `{}`: {}", shown(path), too_large()))),
        Err(error) => Err(Unreadable::from_error(path, &error)),
    }
}

fn too_large() -> String {
    format!("it has more than {} MiB", FILE_BYTES >> 20)
}

/// Replaces the buffer's content with what the reader has; `false` when that is more than `limit` bytes.
///
/// Through `take`, because reading a `File` to its end asks for its size and position first: two system calls that
/// cost more than reading a small file into a buffer that is already there.
fn read_at_most(reader: &mut impl Read, limit: usize, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    let past_limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(past_limit).read_to_end(buffer)?;
    Ok(buffer.len() <= limit)
}

/// Whether a file may hold something about KMS: whether it has the letters `kms` in any case, or in a spelling that
/// hides them from a plain search (an escape of JSON, UTF-16).
///
/// Most JSON files of a repository do not, and cost no more than this.
pub(crate) fn may_concern_kms(bytes: &[u8]) -> bool {
    has_letters(bytes, 1) || has_escaped_letter(bytes) || (is_utf16(bytes) && has_letters(bytes, 2))
}

/// Whether a file may hold a document, by its name and its bytes: in a language that keylint does not parse, these are
/// commands that create grants.
pub(crate) fn may_concern_keys(path: &str, bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(bytes, word).is_some();
    if Language::of_path(path) == Some(Language::Other) {
        return has(b"create-grant");
    }
    // The request for a grant need not name the service that it is sent to.
    may_concern_kms(bytes) || has(b"GranteePrincipal")
}

/// Whether a file that is no text as a whole surely has what is to be checked: what it says of KMS may be a remark.
pub(crate) fn is_surely_meant(path: &str, bytes: &[u8]) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| memmem::find(bytes, word.as_bytes()).is_some());
    match Language::of_path(path) {
        Some(Language::Other) => has(&["kms create-grant --", "kms create-grant \\"]),
        Some(Language::Yaml) => {
            has(&["AWS::KMS::", "AWS::IAM::", "services.k8s.aws/", "aws:kms", "GranteePrincipal"])
        }
        Some(Language::Terraform { .. }) => has(&["aws_kms_", "aws_iam_"]),
        Some(Language::Json) | None => true,
    }
}

/// Whether k, m, and s follow one another at this distance.
fn has_letters(bytes: &[u8], distance: usize) -> bool {
    let letter =
        |index: usize, letter| bytes.get(index).is_some_and(|byte| byte.eq_ignore_ascii_case(&letter));
    memchr2_iter(b'k', b'K', bytes).any(|k| letter(k + distance, b'm') && letter(k + 2 * distance, b's'))
}

/// Whether one of the letters is written as an escape of JSON, such as `\u006b`.
fn has_escaped_letter(bytes: &[u8]) -> bool {
    memmem::find_iter(bytes, b"\\u00").any(|start| {
        let digits = bytes.get(start + 4..start + 6).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        value.is_some_and(|value| matches!(value.to_ascii_lowercase(), b'k' | b'm' | b's'))
    })
}

/// Whether the text starts with a byte order mark of UTF-16.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn a_limit_is_kept_and_the_buffer_replaced() {
        let mut buffer = b"old".to_vec();
        assert!(read_at_most(&mut &b"1234"[..], 4, &mut buffer).unwrap());
        assert_eq!(buffer, b"1234");
        assert!(!read_at_most(&mut &b"12345678"[..], 4, &mut buffer).unwrap());
    }

    #[test]
    fn every_spelling_of_the_service_is_seen() {
        for text in ["kms:*", "x KMS", "a kk kMs", r"\u006bms", r"k\u004Ds", r"km\u0053:Encrypt"] {
            assert!(may_concern_kms(text.as_bytes()), "{text}");
        }
        for text in ["", "k", "km", "k ms", "s3:*", r"\u0061\u00", r"\u00zz", "kilometers"] {
            assert!(!may_concern_kms(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn the_service_is_seen_in_utf_16() {
        for mark in [[0xff, 0xfe], [0xfe, 0xff]] {
            let text =
                |word: &str| [&mark[..], &word.bytes().flat_map(|b| [b, 0]).collect::<Vec<_>>()].concat();
            assert!(may_concern_kms(&text("a kms")));
            assert!(!may_concern_kms(&text("a k ms")));
        }
    }

    #[test]
    fn reasons_read_as_the_rest_of_a_sentence() {
        assert_eq!(reason(&io::Error::from_raw_os_error(13)), "permission denied");
        let path = Path::new("a.json");
        let error = io::Error::from(io::ErrorKind::NotFound);
        assert_eq!(Unreadable::from_error(path, &error).message, "`a.json` does not exist");
    }
}
