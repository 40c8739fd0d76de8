//! Variables of a script that have one value wherever they are used: `KEY=arn:aws:kms:…`, once, at the start of a line.
//!
//! Whatever could give such a variable another value (a second assignment, `read`, a loop, `unset`) has its name in it
//! without a `$`, so a name that stands so anywhere else is no constant. Neither is one whose value is put together.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

/// Longer values are no identifiers.
const LENGTH: usize = 2000;
/// More variables than a script of a person's has.
const MOST: usize = 200;

/// The constants of a text, by their names.
#[derive(Debug, Default)]
pub(super) struct Constants {
    values: BTreeMap<String, Range<usize>>,
}

impl Constants {
    pub(super) fn of(text: &str) -> Self {
        let mut values = BTreeMap::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if let Some((name, value)) = assignment(line)
                && values.len() < MOST
                && !values.contains_key(name)
                && is_named_once(text, name)
            {
                values.insert(name.to_owned(), start + value.start..start + value.end);
            }
            start += line.len();
        }
        Self { values }
    }

    /// Where the value stands of what is used at a place; `None` if it is not known there.
    pub(super) fn value(&self, name: &str, used_at: usize) -> Option<Range<usize>> {
        self.values.get(name).filter(|value| value.end <= used_at).cloned()
    }
}

/// The variable that a line assigns, and which bytes of the line are its value, if the line does nothing else and the value
/// is written out.
fn assignment(line: &str) -> Option<(&str, Range<usize>)> {
    let code = ["export ", "readonly "].iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
    let (name, rest) = code.split_once('=')?;
    if !name.starts_with(|first: char| first == '_' || first.is_ascii_alphabetic())
        || !name.bytes().all(is_in_name)
    {
        return None;
    }
    let start = line.len() - rest.len();
    let (from, length) = match rest.bytes().next()? {
        quote @ (b'"' | b'\'') => {
            let inside = rest.get(1..)?;
            let length = inside.bytes().position(|byte| byte == quote)?;
            let is_open = quote == b'"' && inside.get(..length)?.contains(['$', '`', '\\']);
            if is_open || inside.get(..length)?.contains('\n') {
                return None;
            }
            (1, length)
        }
        _ => (0, rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len())),
    };
    let behind = rest.get(from + length + from..)?.trim();
    let is_all = behind.is_empty() || behind == ";" || behind.starts_with('#');
    (is_all && (1..LENGTH).contains(&length)).then_some((name, start + from..start + from + length))
}

/// Whether a name stands in a text only once without being a reference.
fn is_named_once(text: &str, name: &str) -> bool {
    let bytes = text.as_bytes();
    let is_named = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        let is_part =
            before.is_some_and(is_in_name) || bytes.get(at + name.len()).copied().is_some_and(is_in_name);
        let is_in_braces =
            before == Some(b'{') && at.checked_sub(2).and_then(|at| bytes.get(at)) == Some(&b'$');
        !is_part && !is_in_braces && before != Some(b'$')
    };
    memmem::find_iter(bytes, name).filter(is_named).take(2).count() == 1
}

fn is_in_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// What a word without quotes has in it that the shell leaves as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./:=@%+,-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
        text.get(Constants::of(text).value(name, text.len())?)
    }

    #[test]
    fn a_variable_that_is_assigned_once_is_a_constant() {
        for text in
            ["KEY=a/b\necho \"$KEY\" ${KEY}", "export KEY=\"a/b\" # the key\n", "readonly KEY='a/b';\n"]
        {
            assert_eq!(value(text, "KEY"), Some("a/b"), "{text}");
        }
        assert_eq!(value("OPS=\"Encrypt Decrypt\"\n", "OPS"), Some("Encrypt Decrypt"));
    }

    #[test]
    fn what_may_have_another_value_is_none() {
        for text in [
            "KEY=a\nKEY=b\n",
            "KEY=a\nif x; then KEY=b; fi\n",
            "  KEY=a\n",
            "KEY=a\nread -r KEY\n",
            "KEY=a\nfor KEY in b c; do\n",
            "KEY=a\nunset KEY\n",
            "KEY=$1\n",
            "KEY=\"$(aws)\"\n",
            "KEY=${KEY:-a}\n",
            "KEY=a aws kms\n",
            "KEY=a\\\nb\n",
            "KEY=\n",
            "KEY =a\n",
        ] {
            assert_eq!(value(text, "KEY"), None, "{text}");
        }
        // Not before it is assigned.
        assert_eq!(Constants::of("echo $KEY\nKEY=a\n").value("KEY", 5), None);
    }
}
