//! Looking ahead in bytes, eight at a time where that pays.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

fn eight(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// The bytes that are zero in `word`, as their high bits. Exact up to and with the lowest of them.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH_BITS
}

/// From `at` on, the first byte that is not simply the text of a string: a quotation mark, a backslash or a control
/// character. The end of the bytes if there is none.
#[inline]
pub(super) fn string_stop(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = eight(bytes, at) {
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH_BITS;
        let stops = zero_bytes(word ^ (ONES * u64::from(b'"')))
            | zero_bytes(word ^ (ONES * u64::from(b'\\')))
            | control;
        if stops != 0 {
            return at + (stops.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at.min(bytes.len())
}

/// From `at` on, the first byte that is no blank (space, tab, line feed, carriage return).
#[inline]
pub(super) fn blanks_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b' ') => {
                // Indentation: most of the blanks of a file.
                while let Some(word) = eight(bytes, at) {
                    let others = word ^ (ONES * u64::from(b' '));
                    let spaces = (others.trailing_zeros() / 8) as usize;
                    at += spaces;
                    if spaces < 8 {
                        break;
                    }
                }
                while bytes.get(at) == Some(&b' ') {
                    at += 1;
                }
            }
            Some(b'\n' | b'\r' | b'\t') => at += 1,
            _ => return at,
        }
    }
}

/// The end of the number that begins at `at`, by the grammar of RFC 8259; `None` if none begins there.
#[inline]
pub(super) fn number_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        Some(b'1'..=b'9') => digits_end(bytes, at),
        _ => return None,
    };
    if bytes.get(at) == Some(&b'.') {
        at = some_digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = some_digits_end(bytes, at + 1 + sign)?;
    }
    Some(at)
}

fn some_digits_end(bytes: &[u8], at: usize) -> Option<usize> {
    let end = digits_end(bytes, at);
    (end > at).then_some(end)
}

fn digits_end(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Whether a byte can be part of a word such as `true`, `NaN` or `0x1F`, so that a literal ends only before others.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-' | b'$') || byte >= 0x80
}

/// The end of the line that `at` is in: the offset of its line end, or the end of the bytes.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_text_of_a_string_ends_at_the_first_special_byte() {
        for stop in ["\"", "\\", "\n", "\u{1f}", "\0"] {
            for length in 0..20 {
                let text =
                    format!("{}{stop}é\"\\", "aé~\u{7f} ".chars().cycle().take(length).collect::<String>());
                let expected = text.find(stop).unwrap();
                assert_eq!(string_stop(text.as_bytes(), 0), expected, "{text:?}");
            }
        }
        assert_eq!(string_stop("日本語日本語".as_bytes(), 0), 18);
    }

    #[test]
    fn blanks_end_at_the_first_other_byte() {
        for text in
            ["x", " x", "\t\r\n  x", "         x", "                x       ", "\n        \n        \n x"]
        {
            assert_eq!(blanks_end(text.as_bytes(), 0), text.find('x').unwrap(), "{text:?}");
        }
        assert_eq!(blanks_end(b"         ", 0), 9);
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for text in ["0", "-0", "10", "1.50", "1e5", "1E+05", "-1.5e-7", "123456789012345678901234567890"] {
            assert_eq!(number_end(text.as_bytes(), 0), Some(text.len()), "{text}");
        }
        for text in ["", "-", ".5", "+1", "1.", "1.e5", "1e", "1e+", "-a"] {
            assert_eq!(number_end(text.as_bytes(), 0), None, "{text}");
        }
        assert_eq!(number_end(b"012", 0), Some(1));
    }
}
