//! What a finding is recognised by when its file has changed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use keylint_source::{Diagnostic, Sources};

use crate::place::Place;

/// The fingerprint of a finding: 16 hexadecimal digits.
///
/// It is made of the rule, the message, the resource, the `Sid` of the statement, and the text that the finding points
/// at without its blanks. It has no line and no path: reformatting, moving the statement, and renaming the file leave it
/// as it is. Two findings that say the same of the same text have the same fingerprint.
pub fn fingerprint(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let place = Place::new(sources, diagnostic.primary.at);
    let text: String = place.file.slice(place.span).split_whitespace().collect();
    let sid = diagnostic.statement.as_ref().and_then(|statement| statement.sid.as_deref());
    let resource = diagnostic.resource.as_deref();
    let parts =
        [&*diagnostic.rule, &*diagnostic.message, resource.unwrap_or(""), sid.unwrap_or(""), text.as_str()];
    digest(&parts)
}

/// The hash FNV-1a of 64 bits over parts that cannot be mistaken for others.
///
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

/// Characters that count for the hash of a line.
const WINDOW: usize = 100;
/// What each step multiplies by.
const FACTOR: u64 = 37;
/// Stands behind the last character of a file.
const END: u16 = u16::MAX;

/// The `primaryLocationLineHash` of lines, as GitHub's code scanning computes it: a hash of the first 100 characters
/// from the start of the line on that are no blanks, and how often it occurred in the file up to there.
///
/// Characters are UTF-16 code units; every line end counts as a line feed.
/// <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning#data-for-preventing-duplicated-alerts>
pub(crate) fn line_hashes(text: &str, lines: &BTreeSet<u32>) -> BTreeMap<u32, String> {
    let mut hashes = Hashes {
        window: std::iter::repeat_n(0, WINDOW).collect(),
        starts: VecDeque::new(),
        read: 0,
        hash: 0,
        seen: BTreeMap::new(),
        lines,
        found: BTreeMap::new(),
    };
    let mut line: u32 = 0;
    let mut is_start = true;
    let mut is_after_cr = false;
    for unit in text.encode_utf16().chain([END]) {
        let is_rest_of_line_end = is_after_cr && unit == u16::from(b'\n');
        is_after_cr = unit == u16::from(b'\r');
        if is_rest_of_line_end || unit == u16::from(b' ') || unit == u16::from(b'\t') {
            continue;
        }
        let unit = if is_after_cr { u16::from(b'\n') } else { unit };
        hashes.finish_line();
        if is_start {
            line += 1;
            hashes.starts.push_back((hashes.read, line));
        }
        is_start = unit == u16::from(b'\n');
        hashes.read(unit);
    }
    for _ in 0..WINDOW {
        hashes.finish_line();
        hashes.read(0);
    }
    hashes.found
}

struct Hashes<'l> {
    /// The last characters, the oldest first.
    window: VecDeque<u16>,
    /// Lines whose hash is not complete: the count of characters before their start, and their numbers.
    starts: VecDeque<(usize, u32)>,
    /// Characters that were read.
    read: usize,
    hash: u64,
    seen: BTreeMap<u64, u32>,
    lines: &'l BTreeSet<u32>,
    found: BTreeMap<u32, String>,
}

impl Hashes<'_> {
    /// Takes the hash of the line whose first characters are in the window, if they fill it.
    fn finish_line(&mut self) {
        let Some((start, line)) = self.starts.front().copied() else { return };
        if self.read - start < WINDOW {
            return;
        }
        self.starts.pop_front();
        let count = self.seen.entry(self.hash).or_insert(0);
        *count += 1;
        if self.lines.contains(&line) {
            self.found.insert(line, format!("{:x}:{count}", self.hash));
        }
    }

    fn read(&mut self, unit: u16) {
        let oldest = self.window.pop_front().unwrap_or(0);
        self.window.push_back(unit);
        let power = FACTOR.wrapping_pow(u32::try_from(WINDOW).unwrap_or(0));
        self.hash = FACTOR
            .wrapping_mul(self.hash)
            .wrapping_add(u64::from(unit))
            .wrapping_sub(power.wrapping_mul(u64::from(oldest)));
        self.read += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn hashes(text: &str) -> Vec<String> {
        line_hashes(text, &(1..100).collect()).into_values().collect()
    }

    /// The values are those that GitHub's own code gives for these texts.
    #[test]
    fn lines_have_the_hashes_that_code_scanning_gives_them() {
        assert_eq!(hashes(""), ["c129715d7a2bc9a3:1"]);
        let four = ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"];
        assert_eq!(hashes(" a\nb\n  \t\tc\n d"), four);
        let seven = [
            "e9496ae3ebfced30:1",
            "fb7c023a8b9ccb3f:1",
            "ce8ba1a563dcdaca:1",
            "e20e36e16fcb0cc8:1",
            "b3edc88f2938467e:1",
            "c8e28b0b4002a3a0:1",
            "c129715d7a2bc9a3:1",
        ];
        assert_eq!(hashes(" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n"), seven);
        assert_eq!(hashes(" hello; \t\r\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n"), seven);
        let repeated = hashes(&"Lorem ipsum dolor sit amet.\n".repeat(10));
        assert_eq!(repeated.get(5).map(String::as_str), Some("a7f2ff13bc495cf2:6"));
        assert_eq!(repeated.get(6).map(String::as_str), Some("a7f2ff1481e87703:1"));
    }

    #[test]
    fn parts_are_told_from_one_another() {
        assert_ne!(digest(&["a", "b"]), digest(&["ab", ""]));
        assert_eq!(digest(&[]), "cbf29ce484222325");
    }
}
