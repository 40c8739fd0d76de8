//! What the tests of several modules look at values with.

use keylint_syntax::{Arena, Tree, to_json};
use pretty_assertions::assert_eq;

use crate::value::{PieceKind, Value, ValueKind};

/// A value in JSON, without the blanks before a line.
pub(crate) fn written(value: &Value, source: &str) -> String {
    let mut arena = Arena::default();
    let slot = value.write(&mut arena);
    to_json(Tree::new(source, &arena).get(slot.id())).lines().map(str::trim_start).collect()
}

/// Exact pieces are the bytes of the file, also when they are written into an arena.
pub(crate) fn assert_places(value: &Value, source: &str) {
    match &value.kind {
        ValueKind::Text(text) => {
            let mut arena = Arena::default();
            let slot = value.write(&mut arena);
            let node = Tree::new(source, &arena).get(slot.id());
            let mut from = 0;
            for piece in &text.pieces {
                let to = from + piece.text.len();
                assert_eq!(node.text_span(from..to), piece.at, "{piece:?} of {text:?}");
                if matches!(piece.kind, PieceKind::Exact) {
                    assert_eq!(&source[piece.at.range()], piece.text);
                }
                from = to;
            }
        }
        ValueKind::List(items) => items.iter().for_each(|item| assert_places(item, source)),
        ValueKind::Object(members) => members.iter().for_each(|(_, value)| assert_places(value, source)),
        ValueKind::Json(value) => assert_places(value, source),
        _ => {}
    }
}
