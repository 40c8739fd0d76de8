//! The tree: a flat arena in pre-order, and cheap handles into it.

use std::ops::Range;

use keylint_source::Span;

use crate::Arena;
use crate::arena::{Segment, Slot, Stored, VERBATIM, offset, source_end, source_start};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`, or a YAML value that is left out.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, kept as it is written: [`Node::as_str`] gives its text.
    Number,
    /// A string.
    String,
    /// An array; see [`Node::items`].
    Array,
    /// An object; see [`Node::members`].
    Object,
    /// A value that could not be read, or is not known before deployment.
    Unknown,
}

/// A parsed file: its text and the nodes that were made of it.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'t> {
    source: &'t str,
    arena: &'t Arena,
}

impl<'t> Tree<'t> {
    /// The view of an arena that was filled from `source`.
    pub fn new(source: &'t str, arena: &'t Arena) -> Self {
        Self { source, arena }
    }

    /// The text of the file.
    pub fn source(self) -> &'t str {
        self.source
    }

    /// The outermost node; `None` for a file without a value. A YAML file with several documents has more of them:
    /// see [`Tree::roots`].
    pub fn root(self) -> Option<Node<'t>> {
        self.roots().next()
    }

    /// The outermost nodes, in order.
    pub fn roots(self) -> Items<'t> {
        Items { tree: self, next: 0, end: offset(self.arena.nodes.len()) }
    }

    /// The character that a span begins with; no bytes if it has none.
    pub fn character(self, span: Span) -> Span {
        let text = self.source.get(span.range()).unwrap_or_default();
        let length = text.chars().next().map_or(0, char::len_utf8);
        Span::new(span.start(), span.start() + offset(length))
    }

    /// The node with this index; an index that no node has gives one whose value is not known.
    pub fn get(self, id: u32) -> Node<'t> {
        Node { tree: self, id }
    }
}

/// A node of a [`Tree`]. As cheap to copy as a reference.
#[derive(Clone, Copy, Debug)]
pub struct Node<'t> {
    tree: Tree<'t>,
    id: u32,
}

impl PartialEq for Node<'_> {
    /// Whether both are the same node of the same tree.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.tree.arena, other.tree.arena)
    }
}

impl Eq for Node<'_> {}

impl<'t> Node<'t> {
    /// The tree it belongs to.
    pub fn tree(self) -> Tree<'t> {
        self.tree
    }

    /// Whether it or one of its descendants could not be read, or is not known.
    pub fn has_unknown(self) -> bool {
        let nodes = self.tree.arena.nodes.get(self.id as usize..self.stored().next as usize);
        nodes.unwrap_or_default().iter().any(|node| node.kind == Kind::Unknown)
    }

    /// Whether it is written without quotation marks, as YAML allows.
    pub fn is_plain(self) -> bool {
        let stored = self.stored();
        stored.text == VERBATIM && stored.quote == 0
    }

    /// The decoded texts of all strings, keys, numbers and placeholders in it, in their order.
    pub fn texts(self) -> impl Iterator<Item = &'t str> {
        let nodes = self.tree.arena.nodes.get(self.id as usize..self.stored().next as usize);
        let has_text = |node: &&Stored| {
            matches!(node.kind, Kind::String | Kind::Number)
                || (node.kind == Kind::Unknown && node.text != VERBATIM)
        };
        nodes.unwrap_or_default().iter().filter(has_text).map(move |node| self.text(node))
    }

    /// The index behind its last descendant.
    pub fn next_id(self) -> u32 {
        self.stored().next
    }

    /// Where it is in its arena, to be copied.
    pub fn slot(self) -> Slot {
        Slot(self.id)
    }

    /// The node and its descendants, in pre-order, keys included.
    pub fn descendants(self) -> impl Iterator<Item = Node<'t>> {
        (self.id..self.next_id()).map(move |id| self.tree.get(id))
    }

    /// Its index in the arena, in pre-order.
    pub fn id(self) -> u32 {
        self.id
    }

    /// Where its arena lies in memory: together with the index, what tells it from every other node.
    pub(crate) fn arena_address(self) -> usize {
        std::ptr::from_ref(self.tree.arena).addr()
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.stored().kind
    }

    /// The bytes it was read from, quotation marks included.
    pub fn span(self) -> Span {
        let stored = self.stored();
        Span::new(stored.start, stored.end)
    }

    /// The character that it begins with, the best place for what is said of it as a whole; no bytes if it has none.
    pub fn first_character(self) -> Span {
        self.tree.character(self.span())
    }

    /// The decoded text of a string, or a number as it is written.
    pub fn as_str(self) -> Option<&'t str> {
        let stored = self.stored();
        if !matches!(stored.kind, Kind::String | Kind::Number) {
            return None;
        }
        Some(self.text(&stored))
    }

    /// The decoded text of a string, and of nothing else.
    pub fn as_string(self) -> Option<&'t str> {
        if self.kind() == Kind::String { self.as_str() } else { None }
    }

    /// The text that stands for a value that is not known: `${…}`. Of the same value it is the same text. Empty where
    /// nothing more is known of the value than that it is there, or may be.
    pub fn placeholder(self) -> Option<&'t str> {
        let stored = self.stored();
        (stored.kind == Kind::Unknown).then(|| self.text(&stored)).filter(|text| text.starts_with("${"))
    }

    /// The value of a boolean.
    pub fn as_bool(self) -> Option<bool> {
        if let Kind::Bool(value) = self.kind() { Some(value) } else { None }
    }

    /// The items of an array; nothing for any other node.
    pub fn items(self) -> Items<'t> {
        self.children(Kind::Array)
    }

    /// The members of an object in their order, duplicates included; nothing for any other node.
    pub fn members(self) -> Members<'t> {
        Members { nodes: self.children(Kind::Object) }
    }

    /// The value of the last member with this key, which is the one that JSON parsers keep.
    pub fn get(self, key: &str) -> Option<Node<'t>> {
        self.members().filter(|member| member.key.as_str() == Some(key)).last().map(|member| member.value)
    }

    /// The bytes of a string's content, without quotation marks. For other nodes, [`Node::span`].
    pub fn content_span(self) -> Span {
        match self.as_string() {
            Some(text) => self.text_span(0..text.len()),
            None => self.span(),
        }
    }

    /// The bytes of the file that a range of the decoded text came from.
    ///
    /// Offsets are bytes of the decoded text, on character boundaries; past its end they count as its end. Half of
    /// an escape sequence is the whole sequence.
    pub fn text_span(self, range: Range<usize>) -> Span {
        let stored = self.stored();
        if stored.text == VERBATIM {
            let from = stored.start + u32::from(stored.quote);
            let to = stored.end.saturating_sub(u32::from(stored.quote)).max(from);
            let at = |decoded: usize| from.saturating_add(offset(decoded)).min(to);
            return Span::new(at(range.start), at(range.end));
        }
        let segments = self.segments(stored.text);
        Span::new(source_start(segments, offset(range.start)), source_end(segments, offset(range.end)))
    }

    /// The decoded text of a string in pieces: each with the bytes it came from, and whether those are the text as it
    /// is (the others stand for an escape sequence or a line break).
    pub fn pieces(self) -> impl Iterator<Item = (&'t str, Span, bool)> {
        let stored = self.stored();
        let text = self.as_string().unwrap_or_default();
        let segments = if stored.text == VERBATIM { &[] } else { self.segments(stored.text) };
        let whole = (stored.text == VERBATIM).then(|| (text, self.text_span(0..text.len()), true));
        let decoded = segments.iter().zip(segments.iter().skip(1)).filter_map(move |(segment, next)| {
            let piece = text.get(segment.decoded as usize..next.decoded as usize)?;
            let at = Span::new(segment.source, next.source.max(segment.source));
            let source = self.tree.source.get(at.range());
            (!piece.is_empty()).then_some((piece, at, source == Some(piece)))
        });
        whole.into_iter().chain(decoded)
    }

    fn children(self, kind: Kind) -> Items<'t> {
        let stored = self.stored();
        let end = if stored.kind == kind { stored.next } else { self.id + 1 };
        Items { tree: self.tree, next: self.id + 1, end }
    }

    fn text(self, stored: &Stored) -> &'t str {
        if stored.text == VERBATIM {
            let quote = usize::from(stored.quote);
            let range = stored.start as usize + quote..(stored.end as usize).saturating_sub(quote);
            return self.tree.source.get(range).unwrap_or_default();
        }
        let text = self.tree.arena.texts.get(stored.text as usize);
        text.and_then(|text| self.tree.arena.pool.get(text.pool.0 as usize..text.pool.1 as usize))
            .unwrap_or_default()
    }

    fn segments(self, text: u32) -> &'t [Segment] {
        let range = self.tree.arena.texts.get(text as usize).map(|text| text.segments);
        range
            .and_then(|(start, end)| self.tree.arena.segments.get(start as usize..end as usize))
            .unwrap_or_default()
    }

    fn stored(self) -> Stored {
        // An id comes from the arena itself; the fallback is there so that no mistake can become a panic.
        let missing =
            Stored { start: 0, end: 0, next: self.id + 1, text: VERBATIM, kind: Kind::Unknown, quote: 0 };
        self.tree.arena.nodes.get(self.id as usize).copied().unwrap_or(missing)
    }
}

/// The children of a node; see [`Node::items`].
#[derive(Clone, Debug)]
pub struct Items<'t> {
    tree: Tree<'t>,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Items<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        if self.next >= self.end {
            return None;
        }
        let node = self.tree.get(self.next);
        self.next = node.stored().next.max(self.next + 1);
        Some(node)
    }
}

/// A key of an object and its value.
#[derive(Clone, Copy, Debug)]
pub struct Member<'t> {
    /// The key: a string.
    pub key: Node<'t>,
    /// The value.
    pub value: Node<'t>,
}

/// The members of an object; see [`Node::members`].
#[derive(Clone, Debug)]
pub struct Members<'t> {
    nodes: Items<'t>,
}

impl<'t> Iterator for Members<'t> {
    type Item = Member<'t>;

    fn next(&mut self) -> Option<Member<'t>> {
        Some(Member { key: self.nodes.next()?, value: self.nodes.next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn decoded_text_leads_back_through_escapes() {
        // "kms:\u0045ncrypt" as a parser of JSON would store it.
        let source = r#""kms:\u0045ncrypt""#;
        let mut arena = Arena::default();
        let start = arena.begin_text();
        arena.decoded(start, 1, "kms:");
        arena.decoded(start, 5, "E");
        arena.decoded(start, 11, "ncrypt");
        arena.text(start, Span::new(0, 18), 17);
        let node = Tree::new(source, &arena).root().unwrap();
        let cut = |range: Range<usize>| source.get(node.text_span(range).range()).unwrap();
        assert_eq!(node.as_str(), Some("kms:Encrypt"));
        assert_eq!(cut(0..11), r"kms:\u0045ncrypt");
        assert_eq!(cut(4..5), r"\u0045");
        assert_eq!(cut(0..4), "kms:");
        assert_eq!(cut(5..11), "ncrypt");
        assert_eq!(cut(2..99), r"s:\u0045ncrypt");
    }

    #[test]
    fn objects_keep_order_and_duplicates() {
        let source = r#"{"a":1,"a":2}"#;
        let mut arena = Arena::default();
        let object = arena.open(Kind::Object, 0);
        for (key, value) in [(1, 5), (7, 11)] {
            arena.scalar(Kind::String, Span::new(key, key + 3), 1);
            arena.scalar(Kind::Number, Span::new(value, value + 1), 0);
        }
        arena.close(object, 13);
        let root = Tree::new(source, &arena).root().unwrap();
        let members: Vec<_> = root.members().map(|m| (m.key.as_str(), m.value.as_str())).collect();
        assert_eq!(members, [(Some("a"), Some("1")), (Some("a"), Some("2"))]);
        assert_eq!(root.get("a").and_then(Node::as_str), Some("2"));
        assert_eq!(root.items().count(), 0);
    }
}
