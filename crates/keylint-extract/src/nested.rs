//! Policies that are written as JSON inside of a text: a heredoc, a `!Sub` block, an escaped string.

use keylint_source::{Problem, Span};
use keylint_syntax::{Arena, Tree, json};

use crate::value::{PieceKind, Text, Value, ValueKind};
use crate::within::{Indexed, Within};

/// The value that a text holds as JSON, and what is wrong with it, at places of the file. With something wrong there is
/// no value: what could be read may be less than what is there.
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
    let indexed = Indexed::new(text);
    let value = Tree::new(&decoded, &arena).root().map(|root| Value::of(root, Within::Text(&indexed)));
    if let Some(hole) = problems.iter().find_map(|problem| hole_beside(text, problem.at)) {
        return (Value::unknown(at, inside(hole)), Vec::new());
    }
    for problem in &mut problems {
        problem.at = Within::Text(&indexed).span(problem.at);
    }
    let value = value.filter(|_| problems.is_empty());
    (value.unwrap_or_else(|| Value::new(at, ValueKind::Null)), problems)
}

/// What stands between `${` and `}`.
pub(crate) fn inside(hole: &str) -> &str {
    hole.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(hole)
}

/// What is filled in beside a mistake in the JSON: then it may be none.
fn hole_beside(text: &Text, at: Span) -> Option<&str> {
    let decoded = text.decoded();
    let (start, end) = (at.start() as usize, at.end() as usize);
    let before = decoded.get(..start).unwrap_or_default().trim_end().len();
    let after = decoded.get(end..).unwrap_or_default();
    let after = end + after.len() - after.trim_start().len();
    let mut from = 0;
    text.pieces.iter().find_map(|piece| {
        let to = from + piece.text.len();
        let touches = from <= after && before <= to;
        from = to;
        let is_open = matches!(piece.kind, PieceKind::Hole | PieceKind::Embedded(_));
        (is_open && (touches || piece.text.starts_with("${%"))).then_some(piece.text.as_str())
    })
}
