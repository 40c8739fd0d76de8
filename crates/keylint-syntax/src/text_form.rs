//! A tree as JSON text, for people and for tools that take text.

use serde_json::Value;

use crate::{Kind, Node};

/// A node and its descendants as JSON, indented by two, members in their order. What is not known is `null`.
///
/// Arrays of scalars stay on one line.
pub fn to_json(node: Node<'_>) -> String {
    let mut text = String::new();
    write(node, 0, &mut text);
    text
}

fn write(node: Node<'_>, depth: usize, text: &mut String) {
    match node.kind() {
        Kind::Null | Kind::Unknown => text.push_str("null"),
        Kind::Bool(value) => text.push_str(if value { "true" } else { "false" }),
        Kind::Number => text.push_str(node.as_str().unwrap_or_default()),
        Kind::String => text.push_str(&quoted(node)),
        Kind::Array => {
            let scalar = |item: Node<'_>| !matches!(item.kind(), Kind::Array | Kind::Object);
            let in_line = node.items().all(scalar);
            items(['[', ']'], node.items(), in_line, depth, text, write);
        }
        Kind::Object => items(['{', '}'], node.members(), false, depth, text, |member, depth, text| {
            text.push_str(&quoted(member.key));
            text.push_str(": ");
            write(member.value, depth, text);
        }),
    }
}

fn items<T>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    in_line: bool,
    depth: usize,
    text: &mut String,
    each: impl Fn(T, usize, &mut String),
) {
    let new_line = |depth: usize, text: &mut String| {
        if !in_line {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", depth));
        }
    };
    text.push(open);
    let mut any = false;
    for item in items {
        if any {
            text.push_str(if in_line { ", " } else { "," });
        }
        any = true;
        new_line(depth + 1, text);
        each(item, depth + 1, text);
    }
    if any {
        new_line(depth, text);
    }
    text.push(close);
}

fn quoted(node: Node<'_>) -> String {
    Value::from(node.as_str().unwrap_or_default()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arena, Tree, json};
    use pretty_assertions::assert_eq;

    #[test]
    fn what_is_written_reads_as_it_was() {
        let source = r#"{"b": ["x\n", 1, true, null], "a": [{"c": {}}, []]}"#;
        let mut arena = Arena::default();
        json::parse(source, &mut arena, &mut Vec::new());
        let text = to_json(Tree::new(source, &arena).root().unwrap());
        assert_eq!(text.lines().nth(1), Some(r#"  "b": ["x\n", 1, true, null],"#));
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&text), read(source));
    }
}
