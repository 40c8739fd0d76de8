//! YAML 1.2 into the tree.
//!
//! The crate `granit-parser` reads the syntax and yields events with byte offsets; this file builds the tree from
//! them, within bounds: aliases are expanded up to [`limits::ALIAS_NODES`]. `text` finds the way from decoded text
//! back to the file, `scalars` tells numbers from strings, `short_forms` knows the tags of CloudFormation, and `words` says
//! in plain words what the parser found wrong.

mod scalars;
mod short_forms;
mod text;
mod words;

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle, Tag};
use keylint_source::{Problem, Span};

use crate::arena::{Slot, offset};
use crate::report::{Report, quoted, span};
use crate::{Arena, Kind, limits};

/// Parses a file into `arena`, which is cleared first, and adds what is wrong to `problems`.
///
/// Each document of the file is a root of the tree; a file with nothing but comments has none. Keys are strings whatever they look like; values follow the
/// core schema of YAML 1.2 (`yes` is a string). An alias becomes a copy of what it stands for, with the places of
/// the original. Merge keys (`<<`) stay as they are. A syntax error ends its document: what was read until there
/// is in the tree, and the next document is read.
///
/// The short forms of CloudFormation become the objects that they are short for, as templates in JSON have them:
/// `!Sub x` is `{"Fn::Sub": x}`, where the object spans from the tag to the end of the node, and the tag is its key.
/// Other tags than these and `!!str` are ignored: the node is what it would be without.
pub fn parse(source: &str, arena: &mut Arena, problems: &mut Vec<Problem>) {
    arena.clear();
    let mut report = Report::new(problems);
    if report.is_too_long(source) {
        return;
    }
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: limits::NESTING,
        block_nesting_limit: limits::NESTING,
    };
    let builder = Builder {
        source,
        events: Parser::new_from_str_with_options(source, options),
        arena,
        report,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        last_end: 0,
        alias_nodes: 0,
        has_too_many_aliases: false,
        is_too_deep: false,
    };
    builder.run();
}

struct Builder<'s> {
    source: &'s str,
    events: Parser<'s, StrInput<'s>>,
    arena: &'s mut Arena,
    report: Report<'s>,
    /// The sequences, mappings, and short forms that are open, from the outermost to the innermost.
    open: Vec<Collection>,
    /// What an alias can stand for, by the parser's numbers. A collection enters when it ends.
    anchors: BTreeMap<usize, Slot>,
    /// The end of the last node.
    last_end: u32,
    /// Nodes that aliases were expanded to.
    alias_nodes: usize,
    has_too_many_aliases: bool,
    is_too_deep: bool,
}

struct Collection {
    slot: Slot,
    kind: Kind,
    anchor: usize,
    /// Of a mapping: whether a key comes next.
    expects_key: bool,
    ending: Ending,
}

/// How an open collection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With its bracket.
    Bracket,
    /// With its last node, when the parser says so.
    LastNode,
    /// With the one node that it has: the object that a short form stands for.
    OnlyNode,
}

/// A tag that is the short form of a function: the function's name, and where the tag stands.
#[derive(Clone, Copy)]
struct ShortForm {
    function: &'static str,
    at: Span,
}

impl<'s> Builder<'s> {
    fn run(mut self) {
        while !self.report.is_full() {
            let result = match self.events.next_event() {
                None => break,
                Some(Ok((event, at))) => self.event(event, at),
                Some(Err(error)) => Err(error),
            };
            if let Err(error) = result {
                self.syntax_error(&error);
                self.close_all();
                if !self.events.proceed_next_document().unwrap_or(false) {
                    break;
                }
            }
        }
        self.close_all();
    }

    fn event(&mut self, event: Event<'s>, place: granit_parser::Span) -> Result<(), ScanError> {
        let at = self.place(place);
        let short_form = event.tag().and_then(|tag| self.short_form(tag, place));
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                self.scalar(&value, style, anchor, tag.as_deref(), short_form, at);
            }
            Event::SequenceStart(style, anchor, _) => {
                return self.open(Kind::Array, style, anchor, short_form, at);
            }
            Event::MappingStart(style, anchor, _) => {
                return self.open(Kind::Object, style, anchor, short_form, at);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::UnresolvedAlias(name) => {
                let message = format!("the alias {} stands for nothing", quoted(&format!("*{name}")));
                let help = format!("mark what it stands for with `&{name}`, before this place");
                self.report.add(Problem::new(at, message).with_help(help));
                return self.unreadable(at);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the node that comes now is the key of a member.
    fn is_key(&mut self) -> bool {
        let Some(collection) = self.open.last_mut().filter(|collection| collection.kind == Kind::Object)
        else {
            return false;
        };
        collection.expects_key = !collection.expects_key;
        !collection.expects_key
    }

    /// The short form that a tag is.
    fn short_form(&self, tag: &Tag, place: granit_parser::Span) -> Option<ShortForm> {
        let function = short_forms::function(tag)?;
        Some(ShortForm { function, at: self.place(place.tag_span()?) })
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        short_form: Option<ShortForm>,
        at: Span,
    ) {
        let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.core_suffix() == Some("str"));
        // A node that is left out has no bytes, and reads as `~`.
        let value = if at.is_empty() { "" } else { value };
        let is_key = self.is_key();
        let short_form = short_form.filter(|_| !is_key);
        self.last_end = self.last_end.max(at.end());
        if short_form.is_some() && self.open.len() >= limits::NESTING {
            self.too_deep(at);
            self.arena.scalar(Kind::Unknown, at, 0);
            return;
        }
        let anchor = self.open_short_form(short_form, anchor);
        let kind = if is_key || is_text { Kind::String } else { scalars::kind(value) };
        let slot = if kind == Kind::String {
            text::add(self.arena, self.source, at, value, style)
        } else {
            self.arena.scalar(kind, at, 0)
        };
        self.remember(anchor, slot);
        self.close_short_form();
    }

    fn open(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        short_form: Option<ShortForm>,
        at: Span,
    ) -> Result<(), ScanError> {
        if self.is_key() {
            return self.drop_member(at, true);
        }
        if self.open.len() + usize::from(short_form.is_some()) >= limits::NESTING {
            self.too_deep(at);
            self.arena.scalar(Kind::Unknown, Span::empty(at.start()), 0);
            return self.skip_node(true);
        }
        let anchor = self.open_short_form(short_form, anchor);
        let slot = self.arena.open(kind, at.start());
        self.last_end = self.last_end.max(at.start());
        let ending = if style == StructureStyle::Flow { Ending::Bracket } else { Ending::LastNode };
        self.open.push(Collection { slot, kind, anchor, expects_key: true, ending });
        Ok(())
    }

    fn close(&mut self, at: Span) {
        let Some(collection) = self.open.pop() else { return };
        if collection.ending == Ending::Bracket {
            self.last_end = self.last_end.max(at.end());
        }
        self.arena.close(collection.slot, self.last_end);
        self.remember(collection.anchor, collection.slot);
        self.close_short_form();
    }

    /// Opens the object that a short form stands for, up to its value, which comes next. The anchor of the node is
    /// then the object's; what is given back is the anchor that is left for the value.
    fn open_short_form(&mut self, short_form: Option<ShortForm>, anchor: usize) -> usize {
        let Some(ShortForm { function, at }) = short_form else { return anchor };
        let slot = self.arena.open(Kind::Object, at.start());
        let text = self.arena.begin_text();
        self.arena.decoded(text, at.start(), function);
        self.arena.text(text, at, at.end());
        self.last_end = self.last_end.max(at.end());
        let kind = Kind::Object;
        self.open.push(Collection { slot, kind, anchor, expects_key: false, ending: Ending::OnlyNode });
        0
    }

    /// Closes the object of a short form, if the node that ended was its value.
    fn close_short_form(&mut self) {
        if let Some(object) = self.open.pop_if(|open| open.ending == Ending::OnlyNode) {
            self.arena.close(object.slot, self.last_end);
            self.remember(object.anchor, object.slot);
        }
    }

    /// Keeps what an alias may stand for; without an anchor the parser's number is 0.
    fn remember(&mut self, anchor: usize, slot: Slot) {
        if anchor != 0 {
            self.anchors.insert(anchor, slot);
        }
    }

    /// Ends what a syntax error, or the limit of problems, left open.
    fn close_all(&mut self) {
        while let Some(collection) = self.open.pop() {
            if collection.kind == Kind::Object && !collection.expects_key {
                self.arena.scalar(Kind::Unknown, Span::empty(self.last_end), 0);
            }
            self.arena.close(collection.slot, self.last_end);
        }
    }

    /// Puts a copy of what an alias stands for in its place.
    fn alias(&mut self, anchor: usize, at: Span) -> Result<(), ScanError> {
        let Some(&slot) = self.anchors.get(&anchor) else {
            self.report.add(Problem::new(at, "this alias stands for a node that it is part of"));
            return self.unreadable(at);
        };
        let size = self.arena.size(slot);
        if self.alias_nodes + size > limits::ALIAS_NODES {
            if !self.has_too_many_aliases {
                self.has_too_many_aliases = true;
                let limit = limits::ALIAS_NODES;
                let message = format!("the aliases of this file stand for more than {limit} values");
                self.report.add(Problem::new(at, message));
            }
            return self.unreadable(at);
        }
        if self.open.len() + self.arena.depth(slot) > limits::NESTING {
            self.too_deep(at);
            return self.unreadable(at);
        }
        let is_string = self.arena.kind(slot) == Kind::String;
        if self.is_key() && !is_string {
            return self.drop_member(at, false);
        }
        self.alias_nodes += size;
        self.arena.copy(slot);
        self.last_end = self.last_end.max(at.end());
        Ok(())
    }

    /// A node that was there and could not be read.
    fn unreadable(&mut self, at: Span) -> Result<(), ScanError> {
        self.last_end = self.last_end.max(at.end());
        if self.is_key() {
            // The problem with the key is reported; its value belongs to nothing.
            if let Some(collection) = self.open.last_mut() {
                collection.expects_key = true;
            }
            return self.skip_node(false);
        }
        self.arena.scalar(Kind::Unknown, at, 0);
        Ok(())
    }

    /// Leaves out a member whose key is no scalar. Of the key, the first event was read; `is_open` tells whether
    /// others belong to it.
    fn drop_member(&mut self, at: Span, is_open: bool) -> Result<(), ScanError> {
        self.report
            .add(Problem::new(words::character(self.source, at.start()), "a key must be a plain text"));
        if let Some(collection) = self.open.last_mut() {
            collection.expects_key = true;
        }
        if is_open {
            self.skip_node(true)?;
        }
        self.skip_node(false)
    }

    /// Reads a node without keeping it. If it `is_open`, its first event was read.
    fn skip_node(&mut self, is_open: bool) -> Result<(), ScanError> {
        let mut depth = usize::from(is_open);
        while let Some(event) = self.events.next_event() {
            let (event, at) = event?;
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.last_end = self.last_end.max(self.place(at).end());
            if depth == 0 {
                break;
            }
        }
        Ok(())
    }

    fn syntax_error(&mut self, error: &ScanError) {
        if matches!(error.kind(), granit_parser::ErrorKind::RecursionLimitExceeded) {
            let at = error.marker().byte_offset().unwrap_or_default();
            self.too_deep(words::character(self.source, offset(at)));
        } else {
            self.report.add(words::problem(error, self.source));
        }
    }

    fn too_deep(&mut self, at: Span) {
        if !self.is_too_deep {
            self.is_too_deep = true;
            let limit = limits::NESTING;
            let at = words::character(self.source, at.start());
            self.report
                .add(Problem::new(at, format!("more than {limit} lists and mappings inside one another")));
        }
    }

    fn place(&self, at: granit_parser::Span) -> Span {
        let byte =
            |marker: granit_parser::Marker| marker.byte_offset().unwrap_or_default().min(self.source.len());
        span(byte(at.start), byte(at.end))
    }
}
