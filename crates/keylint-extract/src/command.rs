//! Commands of the AWS CLI that create a grant, wherever they are written: a shell script, a Makefile, the code in a
//! Markdown file, the steps of a pipeline, a string in a program.
//!
//! No language is parsed as a whole. What a command is, is the same in all of them; from the line that it stands on
//! follows where it ends and which characters are escaped.
//!
//! | module | reads |
//! | --- | --- |
//! | `surroundings` | comments, quotes and blocks that a command stands in |
//! | `reader` | the characters as the shell gets them |
//! | `words` | the words of a command |
//! | `constants` | variables of a script that have one value |
//! | `holes` | what is not known before the command runs: variables, placeholders |
//! | `request` | the options, in the form of the API's request |
//! | `shorthand` | the CLI's own syntax for structures |
//!
//! <https://docs.aws.amazon.com/cli/latest/reference/kms/create-grant.html>

mod constants;
mod holes;
mod reader;
mod request;
mod shorthand;
mod surroundings;
mod words;

#[cfg(test)]
mod tests;

use keylint_source::Span;
use memchr::memmem;

use self::constants::Constants;
use self::reader::{Enclosure, Reader};
use self::surroundings::Surroundings;
use self::words::{Word, Words};
use crate::value::Value;

/// The name of the command, which no text that has one can do without.
const SIGN: &str = "create-grant";

/// How far before its name a command is taken to begin: what stands between are options for the whole of the CLI.
const REACH: usize = 2000;

/// A command that creates a grant.
#[derive(Debug)]
pub(crate) struct GrantCommand {
    /// The words `aws kms create-grant`, with the options that stand between them.
    pub(crate) at: Span,
    /// What it asks for, in the form of the API's request, and the `Region` that it is sent to.
    pub(crate) request: Value,
    /// Whether it begins its line, as a command of a script does.
    pub(crate) begins_line: bool,
    /// Whether a script runs it whatever happens: it is no example, and it stands in no branch, as far as that shows.
    pub(crate) is_always_run: bool,
}

/// Whether a text may have such a command, so that it is worth looking through.
pub(crate) fn has_sign(text: &str) -> bool {
    memmem::find(text.as_bytes(), SIGN.as_bytes()).is_some()
}

/// The commands in a text, in its order.
pub(crate) fn grant_commands(text: &str) -> Vec<GrantCommand> {
    let mut commands = Vec::new();
    if !has_sign(text) {
        return commands;
    }
    let surroundings = Surroundings::of(text);
    let constants = Constants::of(text);
    // Everything before has been read, so that no byte is read again and again.
    let mut read_to = 0;
    for sign in memmem::find_iter(text.as_bytes(), SIGN) {
        if sign < read_to {
            continue;
        }
        let found = command_at(&surroundings, &constants, read_to, sign);
        read_to = sign + SIGN.len();
        if let Some((command, end)) = found {
            read_to = read_to.max(end);
            commands.push(command);
        }
    }
    commands
}

/// The command whose name stands at `sign`, and where it ends.
fn command_at(
    surroundings: &Surroundings<'_>,
    constants: &Constants,
    from: usize,
    sign: usize,
) -> Option<(GrantCommand, usize)> {
    let text = surroundings.text;
    let from = from.max(sign.saturating_sub(REACH));
    let from = (from..sign).find(|at| text.is_char_boundary(*at))?;
    let before = text.get(from..sign)?;
    // A name of a profile may be `aws` too. More than a few are a text about something else.
    memmem::rfind_iter(before.as_bytes(), "aws")
        .map(|offset| from + offset)
        .filter(|start| is_program(text, *start))
        .take(4)
        .find_map(|start| {
            let reader = surroundings.reader(start)?;
            let (at, request, end) = command(reader, constants, sign)?;
            let (begins_line, is_always_run) = surroundings.place_of(start);
            Some((GrantCommand { at, request, begins_line, is_always_run }, end))
        })
}

/// Whether `aws` at this place is the name of a program, and no part of another word.
fn is_program(text: &str, start: usize) -> bool {
    let (Some(before), Some(rest)) = (text.get(..start), text.get(start..)) else { return false };
    let begins = match before.chars().next_back() {
        None => true,
        // `-` and `@` before a recipe of a Makefile.
        Some('-') => before.trim_end_matches('-').ends_with(['\n', '\t']),
        Some(last) => last.is_whitespace() || "\"'`$(;|&@={[>/\\!,".contains(last),
    };
    let name = rest.strip_prefix("aws").unwrap_or_default();
    // The image of the CLI is run in its place.
    let name = name.strip_prefix(".exe").or_else(|| name.strip_prefix("-cli")).unwrap_or(name);
    begins && name.starts_with([' ', '\t', '\r', '\n', '\\', '`', '^'])
}

/// The command that a reader stands at the beginning of, if its name stands at `sign`: its first words, what it asks
/// for, and where it ends.
fn command(reader: Reader<'_>, constants: &Constants, sign: usize) -> Option<(Span, Value, usize)> {
    let mut words = Words::new(reader);
    let program = words.next()?;
    let mut options: Vec<Word> = Vec::new();
    let mut service = None;
    let name = loop {
        let word = words.next().filter(|word| word.at.start() as usize <= sign)?;
        if word.is_option() {
            let takes_value = request::takes_value(&word);
            options.push(word);
            if takes_value {
                options.push(words.next()?);
            }
        } else if service.is_none() && word.text.is("kms") {
            service = Some(word);
        } else if service.is_some() && word.text.is(SIGN) {
            break word;
        } else {
            return None;
        }
    };
    let first = words.next().filter(|word| word.is_option() || word.is_several || word.is_variable())?;
    let is_prose = !first.is_option() && first.is_placeholder();
    options.push(first);
    options.extend(words.by_ref());
    if is_prose && !options.iter().any(Word::is_option) {
        return None;
    }
    let end = words.read_to();
    let rest = words.rest(options.last_mut());
    let last = options.last().map_or(name.at, |last| last.at);
    // In the string of a program, a variable is not one of the text around it.
    if reader.enclosure == Enclosure::None {
        options = options.into_iter().flat_map(|word| word.with_constants(constants, reader.text)).collect();
    }
    let request = request::request(options, rest, program.at.to(last))?;
    Some((program.at.to(name.at), request, end))
}
