//! Policies that are written as JSON inside of a text: a heredoc, a `!Sub` block, an escaped string.

use keylint_source::{Problem, Span};
use keylint_syntax::{Arena, Tree, json};

use crate::value::{PieceKind, Text, Value, ValueKind, Within};

/// The value that a text holds as JSON, and what is wrong with it, at places of the file.
///
/// A text that is not known, or whose form depends on what is not known, gives a value that is not known.
pub(crate) fn json_in(text: &Text) -> (Value, Vec<Problem>) {
    let decoded = text.decoded();
    let at = text.span(0, decoded.len());
    if let [piece] = text.pieces.as_slice() {
        match &piece.kind {
            PieceKind::Hole => return (Value::unknown(at, inside(&piece.text)), Vec::new()),
            PieceKind::Embedded(value) => return (value.as_ref().clone(), Vec::new()),
            PieceKind::Exact | PieceKind::Replaced => {}
        }
    }
    let mut arena = Arena::default();
    let mut problems = Vec::new();
    json::parse(&decoded, &mut arena, &mut problems);
    let value = Tree::new(&decoded, &arena).root().map(|root| Value::of(root, Within::Text(text)));
    if problems.iter().any(|problem| is_due_to_hole(text, problem.at)) {
        return (Value::new(at, ValueKind::Unknown(String::new())), Vec::new());
    }
    for problem in &mut problems {
        problem.at = Within::Text(text).span(problem.at);
    }
    (value.unwrap_or_else(|| Value::new(at, ValueKind::Unknown(String::new()))), problems)
}

/// What stands between `${` and `}`.
pub(crate) fn inside(hole: &str) -> &str {
    hole.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(hole)
}

/// Whether a mistake in the JSON stands beside something that is filled in later: then it may be none.
fn is_due_to_hole(text: &Text, at: Span) -> bool {
    let decoded = text.decoded();
    let (start, end) = (at.start() as usize, at.end() as usize);
    let before = decoded.get(..start).unwrap_or_default().trim_end().len();
    let after = decoded.get(end..).unwrap_or_default();
    let after = end + after.len() - after.trim_start().len();
    let mut from = 0;
    text.pieces.iter().any(|piece| {
        let to = from + piece.text.len();
        let touches = from <= after && before <= to;
        from = to;
        let is_open = matches!(piece.kind, PieceKind::Hole | PieceKind::Embedded(_));
        is_open && (touches || piece.text.starts_with("${%"))
    })
}
