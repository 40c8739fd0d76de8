//! Makes text safe to print: what is invisible, moves the cursor or turns the direction of writing is shown as
//! what it is, and what is a command to the log of a build server no longer is one.

use std::borrow::Cow;

/// The text with every character replaced that a terminal would obey or that nobody would see.
///
/// Control characters become their pictures (`␛`), everything else its number (`<U+202E>`). The result is one line.
/// `##[`, which starts a command anywhere in a log, gets a blank, and so does `::` where the text starts, and with it
/// perhaps a line.
pub fn visible(text: &str) -> Cow<'_, str> {
    let shown = without_commands(replace(text, is_hidden, picture), " #");
    match shown.trim_start().strip_prefix("::") {
        Some(rest) => Cow::Owned(format!(": :{rest}")),
        None => shown,
    }
}

/// The same for a piece of a source line, in which tabs stay: whoever draws the line gives them their width.
pub(crate) fn visible_source(text: &str) -> Cow<'_, str> {
    without_commands(replace(text, |character| character != '\t' && is_hidden(character), picture), " #")
}

/// The same for a JSON document, which means what it meant before: such characters stand in its strings only, line
/// ends aside, and there an escape is as good as the character.
pub(crate) fn visible_json(document: &str) -> Cow<'_, str> {
    let shown = replace(document, |character| character != '\n' && is_hidden(character), json_escape);
    without_commands(shown, "\\u0023")
}

/// Breaks what the logs of GitHub Actions, Azure Pipelines (`##[error]`, `##vso[`) and `TeamCity` (`##teamcity[`) obey
/// wherever it stands, by writing the second `#` in another way.
fn without_commands<'t>(text: Cow<'t, str>, second: &str) -> Cow<'t, str> {
    let starts_command =
        |rest: &str| rest.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()).starts_with('[');
    if !text.match_indices("##").any(|(at, _)| text.get(at + 2..).is_some_and(starts_command)) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut parts = text.split('#').peekable();
    let mut is_behind_sign = false;
    while let Some(part) = parts.next() {
        shown.push_str(part);
        let is_second = is_behind_sign && part.is_empty();
        if let Some(next) = parts.peek() {
            shown.push_str(if is_second && starts_command(next) { second } else { "#" });
            is_behind_sign = true;
        }
    }
    Cow::Owned(shown)
}

fn replace(text: &str, hidden: impl Fn(char) -> bool, shown_as: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if hidden(character) {
            shown.push_str(&shown_as(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

fn picture(character: char) -> String {
    let code = u32::from(character);
    let picture = match code {
        0..=0x1f => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    picture.map_or_else(|| format!("<U+{code:04X}>"), String::from)
}

fn json_escape(character: char) -> String {
    let mut units = [0; 2];
    let escapes = character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"));
    escapes.collect::<Vec<_>>().concat()
}

/// Control characters; marks that turn the direction of writing; separators of lines and paragraphs; and characters
/// without a width that could make two different names look the same.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                // No characters, and not allowed in XML.
                | '\u{fffe}'..='\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(visible("\u{1b}[31m\r\n\t\0\u{7f}"), "␛[31m␍␊␉␀␡");
        assert_eq!(visible("\u{9b}2J a\u{202e}b\u{200b}c"), "<U+009B>2J a<U+202E>b<U+200B>c");
    }

    #[test]
    fn only_source_keeps_its_tabs() {
        assert_eq!(visible("\ta\n"), "␉a␊");
        assert_eq!(visible_source("\ta\u{8}"), "\ta␈");
    }

    #[test]
    fn json_means_what_it_meant() {
        let document = "{\n  \"a\": \"\u{9b}\u{202e}\u{e0001}é\"\n}\n";
        let shown = visible_json(document);
        assert_eq!(shown, "{\n  \"a\": \"\\u009b\\u202e\\udb40\\udc01é\"\n}\n");
        let value = |document: &str| serde_json::from_str::<serde_json::Value>(document).unwrap();
        assert_eq!(value(&shown), value(document));
    }

    #[test]
    fn logs_are_given_no_commands() {
        assert_eq!(
            visible("a ##[error]b ##vso[x] ###[y] ## [z] #[w]"),
            "a # #[error]b # #vso[x] ## #[y] ## [z] #[w]"
        );
        assert_eq!(visible(" ::error::a"), ": :error::a");
        assert_eq!(visible_json("\"##teamcity[\""), "\"#\\u0023teamcity[\"");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(visible("kms:Decrypt é 日 😀 …"), Cow::Borrowed("kms:Decrypt é 日 😀 …")));
    }
}
