//! Where nodes are kept, and how they get there.

use keylint_source::Span;

use crate::Kind;

/// Where the nodes of a tree live. An arena can be filled again and again: its memory is kept.
#[derive(Debug, Default)]
pub struct Arena {
    pub(crate) nodes: Vec<Stored>,
    pub(crate) texts: Vec<StoredText>,
    pub(crate) pool: String,
    pub(crate) segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// One past the last descendant. The children of an object are key, value, key, value, ….
    pub(crate) next: u32,
    /// Which of `texts`, or [`VERBATIM`].
    pub(crate) text: u32,
    pub(crate) kind: Kind,
    /// Bytes of quotation mark at each end.
    pub(crate) quote: u8,
}

pub(crate) const VERBATIM: u32 = u32::MAX;

/// Decoded text: a range of the pool, and a range of the segments that lead back to the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredText {
    pub(crate) pool: (u32, u32),
    pub(crate) segments: (u32, u32),
}

/// From `decoded` (an offset into the decoded text) on, the text comes from `source` (a byte of the file) on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) decoded: u32,
    pub(crate) source: u32,
}

/// Identifies a node while an arena is being filled. What is made of a parsed tree (a policy whose references are
/// followed, say) is written into the same arena as further roots; parsers and those who write so use the same few
/// methods: [`Arena::scalar`], [`Arena::open`] and [`Arena::close`], and [`Arena::begin_text`] for decoded text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(pub(crate) u32);

impl Slot {
    /// The index of the node, for [`crate::Tree::get`].
    pub const fn id(self) -> u32 {
        self.0
    }
}

pub(crate) fn offset(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Arena {
    /// Forgets the nodes and keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.texts.clear();
        self.pool.clear();
        self.segments.clear();
    }

    /// The number of nodes, keys included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Makes a node, by its index, one whose value is not known; its descendants are no longer reached.
    pub fn forget(&mut self, id: u32) {
        if let Some(node) = self.nodes.get_mut(id as usize) {
            node.kind = Kind::Unknown;
        }
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds a scalar, or a string whose text stands in the file as it is, between `quote` bytes at each end.
    pub fn scalar(&mut self, kind: Kind, span: Span, quote: u8) -> Slot {
        self.add(kind, span, VERBATIM, quote)
    }

    /// Begins a decoded text: push to it with [`Arena::decoded`], end it with [`Arena::text`].
    pub fn begin_text(&self) -> TextStart {
        TextStart { pool: offset(self.pool.len()), segments: offset(self.segments.len()) }
    }

    /// Adds a piece of decoded text that comes from the byte `source` of the file on. A piece is either copied from
    /// the file byte by byte or stands for one escape sequence.
    pub fn decoded(&mut self, start: TextStart, source: u32, piece: &str) {
        let decoded = offset(self.pool.len()) - start.pool;
        self.segments.push(Segment { decoded, source });
        self.pool.push_str(piece);
    }

    /// Ends a decoded text whose content ends at the byte `source_end` of the file, and adds the string.
    pub fn text(&mut self, start: TextStart, span: Span, source_end: u32) -> Slot {
        self.text_of(Kind::String, start, span, source_end)
    }

    /// Ends the text of a number that is written elsewhere, and adds the number.
    pub fn number(&mut self, start: TextStart, span: Span) -> Slot {
        self.text_of(Kind::Number, start, span, span.end())
    }

    /// Ends a text that names a value that is not known, and adds the value: see [`crate::Node::placeholder`].
    pub fn unknown(&mut self, start: TextStart, span: Span, source_end: u32) -> Slot {
        self.text_of(Kind::Unknown, start, span, source_end)
    }

    fn text_of(&mut self, kind: Kind, start: TextStart, span: Span, source_end: u32) -> Slot {
        let pool_end = offset(self.pool.len());
        self.segments.push(Segment { decoded: pool_end - start.pool, source: source_end });
        let text = offset(self.texts.len());
        self.texts.push(StoredText {
            pool: (start.pool, pool_end),
            segments: (start.segments, offset(self.segments.len())),
        });
        self.add(kind, span, text, 0)
    }

    /// Opens an array or an object; its descendants are what is added until [`Arena::close`].
    pub fn open(&mut self, kind: Kind, start: u32) -> Slot {
        self.add(kind, Span::empty(start), VERBATIM, 0)
    }

    /// Closes what [`Arena::open`] opened; `end` is the offset behind its last byte.
    pub fn close(&mut self, slot: Slot, end: u32) {
        let next = offset(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(slot.0 as usize) {
            node.end = end.max(node.start);
            node.next = next;
        }
    }

    /// Copies a node and its descendants to the end of the arena, with their places: what an alias stands for, a part
    /// of something that is put together. Of a node that does not exist, nothing is copied.
    pub fn copy(&mut self, slot: Slot) -> Slot {
        let copied = Slot(offset(self.nodes.len()));
        let Some(&Stored { next, .. }) = self.nodes.get(slot.0 as usize) else {
            return copied;
        };
        let moved = offset(self.nodes.len()) - slot.0;
        for index in slot.0..next {
            if let Some(&node) = self.nodes.get(index as usize) {
                self.nodes.push(Stored { next: node.next + moved, ..node });
            }
        }
        copied
    }

    /// The number of nodes that a node and its descendants take.
    pub(crate) fn size(&self, slot: Slot) -> usize {
        self.nodes.get(slot.0 as usize).map_or(0, |node| (node.next - slot.0) as usize)
    }

    /// What a node is.
    pub(crate) fn kind(&self, slot: Slot) -> Kind {
        self.nodes.get(slot.0 as usize).map_or(Kind::Unknown, |node| node.kind)
    }

    /// How many arrays and objects are inside one another in a node, itself included.
    pub(crate) fn depth(&self, slot: Slot) -> usize {
        let mut deepest = 0;
        let mut ends = Vec::new();
        for index in slot.0..slot.0 + offset(self.size(slot)) {
            while ends.last().is_some_and(|&end| end <= index) {
                ends.pop();
            }
            if let Some(node) = self.nodes.get(index as usize)
                && matches!(node.kind, Kind::Array | Kind::Object)
            {
                ends.push(node.next);
                deepest = deepest.max(ends.len());
            }
        }
        deepest
    }

    fn add(&mut self, kind: Kind, span: Span, text: u32, quote: u8) -> Slot {
        let id = offset(self.nodes.len());
        self.nodes.push(Stored { start: span.start(), end: span.end(), next: id + 1, text, kind, quote });
        Slot(id)
    }
}

/// Where a decoded text began. See [`Arena::begin_text`].
#[derive(Clone, Copy, Debug)]
pub struct TextStart {
    pool: u32,
    segments: u32,
}

/// The place of the character that starts at `decoded`.
pub(crate) fn source_start(segments: &[Segment], decoded: u32) -> u32 {
    let index = segments.partition_point(|segment| segment.decoded <= decoded).saturating_sub(1);
    let Some(segment) = segments.get(index) else {
        return 0;
    };
    let Some(next) = segments.get(index + 1) else {
        return segment.source;
    };
    if is_copied(*segment, *next) { segment.source + (decoded - segment.decoded) } else { segment.source }
}

/// The place behind the character that ends at `decoded`.
pub(crate) fn source_end(segments: &[Segment], decoded: u32) -> u32 {
    let index = segments.partition_point(|segment| segment.decoded < decoded).saturating_sub(1);
    let Some(segment) = segments.get(index) else {
        return 0;
    };
    let Some(next) = segments.get(index + 1) else {
        return segment.source;
    };
    if is_copied(*segment, *next) { segment.source + (decoded - segment.decoded) } else { next.source }
}

/// Whether the decoded bytes of a segment are the bytes of the file, one for one.
fn is_copied(segment: Segment, next: Segment) -> bool {
    next.decoded - segment.decoded == next.source.saturating_sub(segment.source)
}
