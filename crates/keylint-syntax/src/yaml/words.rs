//! What the parser found wrong, in plain words.

use granit_parser::{ErrorKind, ScanError};
use keylint_source::{Problem, Span};

use crate::report::span;

/// Says what a syntax error is.
pub(super) fn problem(error: &ScanError, source: &str) -> Problem {
    use ErrorKind as Kind;
    let offset = error.marker().byte_offset().unwrap_or_default();
    let at = character(source, u32::try_from(offset).unwrap_or(u32::MAX));
    if let Kind::MismatchedFlowCollectionEnd { open, close } = error.kind() {
        return Problem::new(at, format!("this `{open}` is closed by `{close}`"));
    }
    let (message, help) = match error.kind() {
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => ("a tab cannot indent YAML", "use spaces"),
        Kind::UnclosedQuotedScalar | Kind::DocumentIndicatorInQuotedScalar => {
            ("this string is not closed", "add the quotation mark at its end")
        }
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => {
            ("unexpected text after a string in quotes", "put all of it in quotes")
        }
        Kind::UnexpectedEofFlowSequence
        | Kind::UnexpectedEofFlowMapping
        | Kind::UnexpectedEofImplicitFlowMapping
        | Kind::UnclosedFlowCollection { .. } => ("a `[` or `{` is not closed", "add the closing bracket"),
        Kind::MisplacedFlowCollectionEnd => {
            ("this bracket closes nothing", "remove it, or put the text in quotes")
        }
        Kind::ExpectedFlowMappingSeparator => ("expected `,` or `}` here", "separate the members with `,`"),
        Kind::ExpectedFlowSequenceSeparator => ("expected `,` or `]` here", "separate the items with `,`"),
        Kind::MappingValueNotAllowed | Kind::InvalidColonPlacement => {
            ("unexpected `:` here", "put text with `: ` in it in quotes, or begin a new line")
        }
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => {
            ("expected `:` after this key", "write `key: value`, or put text of several lines in quotes")
        }
        Kind::ExpectedBlockMappingKey | Kind::InvalidIndentation | Kind::ExpectedBlockSequenceEntry => {
            ("this line is indented otherwise than the lines it belongs to", "use the same number of spaces")
        }
        Kind::InvalidQuotedScalarIndent | Kind::InvalidFlowScalarIndent | Kind::InvalidBlockScalarIndent => {
            ("this line is indented too little", "use more spaces than the line that it belongs to")
        }
        Kind::BlockSequenceEntryNotAllowed | Kind::BlockEntryInFlowCollection => {
            ("a list item cannot begin here", "begin it on a line of its own, or put the text in quotes")
        }
        Kind::InvalidBlockEntryWhitespace
        | Kind::InvalidMappingValueWhitespace
        | Kind::ExpectedWhitespace => ("a space is missing here", "add a space"),
        Kind::CommentNotSeparated | Kind::CommentInterceptedScalar => {
            ("a comment cannot begin here", "add a space before the `#`, or put the text in quotes")
        }
        Kind::UnexpectedCharacter { .. } | Kind::PlainScalarStartsWithDashFlowIndicator => {
            ("a plain text cannot begin with this character", "put the text in quotes")
        }
        Kind::UnknownQuotedScalarEscape | Kind::InvalidQuotedScalarHexEscape | Kind::InvalidUnicodeEscape => {
            ("this is no escape sequence of YAML", "write a backslash as `\\\\`, or use single quotes")
        }
        Kind::InvalidLowSurrogate
        | Kind::InvalidLowSurrogateHexEscape
        | Kind::MissingLowSurrogate
        | Kind::UnpairedLowSurrogate => {
            ("this is half of a surrogate pair and no character", "write the character itself")
        }
        Kind::ZeroBlockScalarIndent | Kind::InvalidBlockScalarHeader => (
            "nothing but an indentation and `+` or `-` can follow `|` and `>`",
            "begin the text on the next line",
        ),
        Kind::MissingAnchorOrAliasName => {
            ("expected a name after `&` or `*`", "put a text that begins with this character in quotes")
        }
        Kind::UndeclaredTagHandle
        | Kind::MissingTagUri
        | Kind::InvalidTagTerminator
        | Kind::UnclosedVerbatimTag => {
            ("this is no tag of YAML", "put a text that begins with `!` in quotes")
        }
        Kind::ExpectedDocumentStart | Kind::InvalidDocumentEnd => {
            ("expected the end of this document", "indent the line, or begin a new document with `---`")
        }
        _ => ("this is no YAML", ""),
    };
    let problem = Problem::new(at, message);
    if help.is_empty() { problem } else { problem.with_help(help) }
}

/// The character at an offset. Behind the last text of the file, the last character of that; at the end of a line,
/// the place itself.
pub(super) fn character(source: &str, at: u32) -> Span {
    let text = source.trim_end();
    let mut start = (at as usize).min(text.len());
    while !source.is_char_boundary(start) {
        start -= 1;
    }
    let rest = text.get(start..).unwrap_or_default();
    match rest.chars().next() {
        Some('\n' | '\r') => span(start, start),
        Some(character) => span(start, start + character.len_utf8()),
        None => span(start - text.chars().next_back().map_or(0, char::len_utf8), start),
    }
}
