//! What is not known of a command before it runs: variables of shells, of `make` and of pipelines, expressions of
//! templates, and placeholders in documentation.

use super::reader::{Enclosure, Reader};

/// Longer ones are no variables: a sign of one without its end.
const LENGTH: usize = 1000;

/// The quotes of the shell that something stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Double,
    Single,
}

/// Something that is not known.
pub(super) struct Hole<'t> {
    pub(super) name: String,
    /// Whether it is any number of words, quotes or not.
    pub(super) is_several: bool,
    /// Whether it is to be replaced by the reader, and not by a program.
    pub(super) is_placeholder: bool,
    pub(super) after: Reader<'t>,
}

impl<'t> Hole<'t> {
    fn new(name: impl Into<String>, after: Reader<'t>) -> Self {
        Self { name: name.into(), is_several: false, is_placeholder: false, after }
    }
}

/// What is not known, if that is what comes next.
pub(super) fn hole(reader: Reader<'_>, quotes: Quotes) -> Option<Hole<'_>> {
    let first = reader.peek()?;
    match first.character {
        '$' => variable(reader, quotes),
        '{' if reader.is_formatted => {
            let inner = first.is_exact.then(|| reader.strip("{"))??;
            balanced(inner, '{', '}').map(|(name, after)| Hole::new(name, after))
        }
        '{' => {
            let (inner, close) = match reader.strip("{{") {
                Some(inner) => (inner, "}}"),
                None => (reader.strip("{%")?, "%}"),
            };
            on_this_line(inner, close).map(|(name, after)| Hole::new(name, after))
        }
        '#' => balanced(reader.strip("#{")?, '{', '}').map(|(name, after)| Hole::new(name, after)),
        '<' => placeholder(reader),
        '%' => {
            let mut after = reader.strip("%")?;
            if reader.enclosure != Enclosure::None
                && after.peek().is_some_and(|unit| matches!(unit.character, 's' | 'v' | 'd' | 'q'))
                && !after.second().is_some_and(|next| is_in_name(next) || next == '%')
            {
                after.next();
                // Each is another value, and the same name would be the same one.
                return Some(Hole::new(format!("%s {}", first.start), after));
            }
            let name = name(&mut after)?;
            Some(Hole::new(name, after.strip("%")?))
        }
        // Within backticks it would be their end. Before the end of a line it continues the line.
        '`' if quotes != Quotes::Single && reader.enclosure != Enclosure::Backtick => {
            let (name, after) = on_this_line(reader.strip("`")?, "`")?;
            Some(Hole::new(name, after))
        }
        _ => None,
    }
}

/// What stands between brackets that a reader stands behind the first of.
pub(super) fn balanced(mut reader: Reader<'_>, open: char, close: char) -> Option<(String, Reader<'_>)> {
    let mut inside = String::new();
    let mut depth = 0_usize;
    while let Some(unit) = reader.next().filter(|_| inside.len() < LENGTH) {
        if unit.character == close {
            if depth == 0 {
                return Some((inside, reader));
            }
            depth -= 1;
        } else if unit.character == open {
            depth += 1;
        }
        inside.push(unit.character);
    }
    None
}

/// `$NAME`, `${NAME}`, `$(command)`, `${{ expression }}`; in a Makefile `$(NAME)` and `$$NAME`.
fn variable(reader: Reader<'_>, quotes: Quotes) -> Option<Hole<'_>> {
    let mut after = reader.strip("$")?;
    // Single quotes keep the shell away, but not what writes the command for it.
    let is_quoted = quotes == Quotes::Single && reader.enclosure == Enclosure::None;
    if let Some(expression) = after.strip("{{") {
        return on_this_line(expression, "}}").map(|(name, after)| Hole::new(name, after));
    }
    let doubled = after.strip("$").filter(|rest| {
        rest.peek()
            .is_some_and(|unit| matches!(unit.character, '{' | '(') || is_first_in_name(unit.character))
    });
    after = doubled.unwrap_or(after);
    let next = after.peek()?.character;
    match next {
        '{' => {
            let inner = after.strip("{")?;
            let (inside, after) = balanced(inner, '{', '}').or_else(|| expression(inner))?;
            let (name, is_several) = parameter(&inside);
            Some(Hole { is_several, ..Hole::new(name, after) })
        }
        '(' => {
            let (inside, after) = balanced(after.strip("(")?, '(', ')')?;
            (!is_quoted || inside.chars().all(is_in_name)).then(|| Hole::new(inside, after))
        }
        _ if is_quoted && doubled.is_none() => None,
        _ if is_first_in_name(next) => {
            let mut name = name(&mut after)?;
            // Only scopes of PowerShell: elsewhere a colon ends the name, as in an ARN.
            if ["env", "global", "script"].contains(&name.as_str())
                && let Some(mut rest) = after.strip(":")
                && let Some(inner) = self::name(&mut rest)
            {
                name = format!("{name}:{inner}");
                after = rest;
            }
            Some(Hole::new(name, after))
        }
        '0'..='9' | '@' | '*' | '#' | '?' | '!' | '$' => {
            after.next();
            Some(Hole { is_several: matches!(next, '@' | '*'), ..Hole::new(next, after) })
        }
        _ => None,
    }
}

/// The expression of a template, up to its `}`, in a string whose quotes it may repeat: `"${role["name"].arn}"`.
fn expression(reader: Reader<'_>) -> Option<(String, Reader<'_>)> {
    let outside = Reader { enclosure: Enclosure::None, ..reader };
    let (inside, after) = balanced(outside, '{', '}').filter(|(inside, _)| !inside.contains('\n'))?;
    Some((inside, Reader { enclosure: reader.enclosure, ..after }))
}

/// The name of what stands in `${…}`, and whether it is any number of words. What is said for the case that there is
/// none does not belong to the name.
fn parameter(inside: &str) -> (String, bool) {
    let name: String =
        inside.chars().take_while(|character| is_in_name(*character) && *character != '-').collect();
    let rest = inside.strip_prefix(name.as_str()).unwrap_or_default();
    let is_several = rest.starts_with("[@]") || rest.starts_with("[*]") || inside == "@" || inside == "*";
    let has_default = rest.starts_with([':', '-', '=', '?', '+']);
    if !name.is_empty() && (is_several || has_default) {
        // A name that goes on with a dot is an expression of a template.
        (name, is_several)
    } else {
        (inside.trim().to_owned(), is_several)
    }
}

/// `<key-id>`, `<%= key %>`. A redirection has no end, or a blank before it.
fn placeholder(reader: Reader<'_>) -> Option<Hole<'_>> {
    let inner = reader.strip("<")?;
    if let Some(expression) = inner.strip("%") {
        return on_this_line(expression, "%>")
            .map(|(name, after)| Hole::new(name.trim_start_matches('=').trim(), after));
    }
    inner.peek().filter(|unit| unit.character.is_alphabetic())?;
    let (name, after) = on_this_line(inner, ">")?;
    let is_name = !name.ends_with([' ', '\t'])
        && name.chars().all(|character| character.is_alphanumeric() || " _-.:/,'|*".contains(character));
    is_name.then(|| Hole { is_placeholder: true, ..Hole::new(name, after) })
}

/// What stands before `close` on the same line, and behind it.
fn on_this_line<'t>(mut reader: Reader<'t>, close: &str) -> Option<(String, Reader<'t>)> {
    let mut inside = String::new();
    let mut left = LENGTH;
    while left > 0 {
        if let Some(after) = reader.strip(close) {
            let is_placeholder = close == ">";
            let name = if is_placeholder { inside } else { inside.trim().to_owned() };
            return Some((name, after));
        }
        let unit = reader.next().filter(|unit| unit.character != '\n')?;
        inside.push(unit.character);
        left -= 1;
    }
    None
}

/// Reads a name of a variable.
fn name(reader: &mut Reader<'_>) -> Option<String> {
    reader.peek().filter(|unit| is_first_in_name(unit.character))?;
    let mut name = String::new();
    while let Some(unit) =
        reader.peek().filter(|unit| unit.character == '_' || unit.character.is_ascii_alphanumeric())
    {
        name.push(unit.character);
        reader.next();
    }
    Some(name)
}

fn is_first_in_name(character: char) -> bool {
    character == '_' || character.is_ascii_alphabetic()
}

fn is_in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-.".contains(character)
}
