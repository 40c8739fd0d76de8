//! A module: the files of one folder, read when they are needed.
//!
//! <https://developer.hashicorp.com/terraform/language/modules>

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};
use hcl_edit::{Span as _, parser};
use keylint_source::{Problem, Span};
use keylint_syntax::{Arena, Kind, Node, Tree, json};
use memchr::memmem;

use super::block::{Block, Expr, Place};
use crate::Language;

/// A file of a module.
#[derive(Clone, Copy, Debug)]
pub struct ModuleFile<'m> {
    /// The path, as the user is to see it.
    pub path: &'m str,
    /// The text.
    pub text: &'m str,
}

/// A module. Places are counted through all of its files, in their order.
pub(super) struct Module<'m> {
    files: Vec<File<'m>>,
    /// What is wrong with the files that were parsed.
    problems: RefCell<Vec<Problem>>,
}

struct File<'m> {
    text: &'m str,
    is_json: bool,
    offset: u32,
    parsed: OnceCell<Parsed>,
}

/// A file that was parsed, and where in it the things are that can be referred to.
#[derive(Default)]
struct Parsed {
    body: Body,
    arena: Arena,
    index: BTreeMap<String, Vec<Entry>>,
}

/// Where something stands that has an address.
#[derive(Clone, Copy)]
enum Entry {
    /// The structure of this index in the body.
    Hcl(usize),
    /// The object or value of this id, under the key of this id.
    Json { key: u32, value: u32 },
}

/// The offset of each file among the places of the module.
pub(super) fn offsets<'m>(files: impl IntoIterator<Item = &'m str>) -> Vec<u32> {
    let mut offset = 0_usize;
    let mut offsets = Vec::new();
    for text in files {
        offsets.push(u32::try_from(offset).unwrap_or(u32::MAX));
        offset = offset.saturating_add(text.len() + 1);
    }
    offsets
}

impl<'m> Module<'m> {
    pub(super) fn new(files: &[ModuleFile<'m>]) -> Self {
        let offsets = offsets(files.iter().map(|file| file.text));
        let files = files.iter().zip(offsets).map(|(file, offset)| File {
            text: file.text,
            is_json: Language::of_path(file.path) == Some(Language::Terraform { is_json: true }),
            offset,
            parsed: OnceCell::new(),
        });
        Self { files: files.collect(), problems: RefCell::default() }
    }

    /// What is wrong with the files that were needed.
    pub(super) fn take_problems(&self) -> Vec<Problem> {
        self.problems.take()
    }

    /// The blocks with an address that `wanted` accepts, in the files that have one of these words.
    pub(super) fn blocks(&self, words: &[&str], wanted: impl Fn(&str) -> bool) -> Vec<(String, Block<'_>)> {
        let mut found = Vec::new();
        for file in &self.files {
            let has = |word: &&str| memmem::find(file.text.as_bytes(), word.as_bytes()).is_some();
            if !words.iter().any(has) {
                continue;
            }
            let parsed = self.parsed(file);
            for (address, entries) in parsed.index.iter().filter(|(address, _)| wanted(address)) {
                found.extend(
                    entries.iter().filter_map(|entry| Some((address.clone(), file.block(parsed, *entry)?))),
                );
            }
        }
        found.sort_by_key(|(_, block)| block.at());
        found
    }

    /// The block with an address.
    pub(super) fn block(&self, address: &str) -> Option<Block<'_>> {
        let (file, entry) = self.find(address)?;
        file.block(self.parsed(file), entry)
    }

    /// The address with this prefix, or else `usual`; nothing if there are several, so that it is not known which is
    /// meant.
    pub(super) fn only(&self, prefix: &str, usual: &str) -> Option<String> {
        let word = prefix.trim_start_matches("data.").trim_end_matches('.');
        let found = self.blocks(&[word], |address| address.starts_with(prefix));
        match found.as_slice() {
            [] => Some(usual.to_owned()),
            [(address, _)] => Some(address.clone()),
            _ => None,
        }
    }

    /// The addresses that some other block refers to. In the languages that a module may be written in, a reference is
    /// the address itself.
    pub(super) fn is_referred_to(&self, address: &str, except: &Block<'_>) -> bool {
        let own = except.at();
        self.files.iter().any(|file| {
            memmem::find_iter(file.text.as_bytes(), address.as_bytes()).any(|at| {
                let end = at + address.len();
                let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                let is_whole = !file.text.as_bytes().get(end).is_some_and(|byte| goes_on(*byte));
                is_whole && !own.contains(file.place().span(at..end))
            })
        })
    }

    /// The expression that a local value is.
    pub(super) fn local(&self, name: &str) -> Option<Expr<'_>> {
        let (file, entry) = self.find(&format!("local.{name}"))?;
        let parsed = self.parsed(file);
        match entry {
            Entry::Hcl(index) => {
                let block = parsed.body.get(index).and_then(Structure::as_block)?;
                let attribute = block.body.get_attribute(name)?;
                Some(Expr::Hcl(&attribute.value, file.place()))
            }
            Entry::Json { value, .. } => {
                Some(Expr::Json(Tree::new(file.text, &parsed.arena).get(value), file.place()))
            }
        }
    }

    fn find(&self, address: &str) -> Option<(&File<'m>, Entry)> {
        let name = address.rsplit('.').next().unwrap_or(address);
        let is_there = |file: &&File<'m>| memmem::find(file.text.as_bytes(), name.as_bytes()).is_some();
        self.files.iter().filter(is_there).find_map(|file| {
            let entry = *self.parsed(file).index.get(address)?.first()?;
            Some((file, entry))
        })
    }

    fn parsed<'s>(&self, file: &'s File<'m>) -> &'s Parsed {
        file.parsed.get_or_init(|| {
            let mut problems = Vec::new();
            let parsed = file.parse(&mut problems);
            for problem in &mut problems {
                problem.at = Span::new(
                    problem.at.start().saturating_add(file.offset),
                    problem.at.end().saturating_add(file.offset),
                );
            }
            self.problems.borrow_mut().extend(problems);
            parsed
        })
    }
}

impl<'m> File<'m> {
    fn place(&self) -> Place<'m> {
        Place { text: self.text, offset: self.offset }
    }

    fn block<'s>(&'s self, parsed: &'s Parsed, entry: Entry) -> Option<Block<'s>> {
        match entry {
            Entry::Hcl(index) => {
                let block = parsed.body.get(index).and_then(Structure::as_block)?;
                Some(Block::Hcl(block, self.place()))
            }
            Entry::Json { key, value } => {
                let tree = Tree::new(self.text, &parsed.arena);
                Some(Block::Json { key: tree.get(key), object: tree.get(value), file: self.place() })
            }
        }
    }

    fn parse(&self, problems: &mut Vec<Problem>) -> Parsed {
        let mut parsed = Parsed::default();
        if self.is_json {
            json::parse(self.text, &mut parsed.arena, problems);
            if problems.is_empty()
                && let Some(root) = Tree::new(self.text, &parsed.arena).root()
            {
                parsed.index = json_index(root);
            }
            return parsed;
        }
        match parse_hcl(self.text) {
            Ok(body) => {
                parsed.index = hcl_index(&body);
                parsed.body = body;
            }
            Err(problem) => problems.push(problem),
        }
        parsed
    }
}

/// Parses a file. The parser does not know of byte order marks; offsets stay those of the file.
fn parse_hcl(text: &str) -> Result<Body, Problem> {
    let blanked;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            blanked = format!("   {rest}");
            &blanked
        }
        None => text,
    };
    parser::parse_body(text).map_err(|error| syntax_problem(&error, text))
}

fn syntax_problem(error: &parser::Error, text: &str) -> Problem {
    let mut start = error.location().offset().min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let rest = text.get(start..).unwrap_or_default();
    let length = rest.chars().next().filter(|character| *character != '\n').map_or(0, char::len_utf8);
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let span = Span::new(at(start), at(start + length));
    let what = error.message();
    if what.contains("redefined attribute") {
        return Problem::new(span, "this argument is set a second time");
    }
    if what.contains("redefined object key") {
        return Problem::new(span, "this key is given a second time");
    }
    let expected = match what.split_once("expected ") {
        // All the characters that a value can begin with.
        Some((_, expected)) if expected.contains("letter or digit") && expected.contains('[') => "a value",
        Some((_, expected)) => expected,
        None => "something else",
    };
    let found = if rest.trim().is_empty() { "the end of the file".to_owned() } else { quoted(rest) };
    Problem::new(span, format!("expected {expected}, found {found}"))
}

/// The word or the character that a text begins with, in backticks.
fn quoted(text: &str) -> String {
    let word =
        text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
    let length = if word > 0 { word } else { text.chars().next().map_or(0, char::len_utf8) };
    match text.get(..length).unwrap_or_default() {
        "\n" | "\r" => "the end of the line".to_owned(),
        "`" => "a backtick".to_owned(),
        word => format!("`{word}`"),
    }
}

fn hcl_index(body: &Body) -> BTreeMap<String, Vec<Entry>> {
    let mut index: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for (position, structure) in body.iter().enumerate() {
        let Some(block) = structure.as_block() else { continue };
        let labels: Vec<&str> = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str).collect();
        let mut add = |address: String| index.entry(address).or_default().push(Entry::Hcl(position));
        match (block.ident.as_str(), labels.as_slice()) {
            ("locals", []) => {
                block.body.attributes().for_each(|local| add(format!("local.{}", local.key.as_str())));
            }
            ("variable", [name]) => add(format!("var.{name}")),
            ("module", [name]) => add(format!("module.{name}")),
            ("resource", [kind, name]) => add(format!("{kind}.{name}")),
            ("data", [kind, name]) => add(format!("data.{kind}.{name}")),
            _ => {}
        }
    }
    index
}

/// The same of Terraform's JSON syntax, where each level may be an object or a list of objects.
///
/// <https://developer.hashicorp.com/terraform/language/syntax/json>
fn json_index(root: Node<'_>) -> BTreeMap<String, Vec<Entry>> {
    let mut index: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let mut add = |address: String, key: Node<'_>, value: Node<'_>| {
        index.entry(address).or_default().push(Entry::Json { key: key.id(), value: value.id() });
    };
    for (kind, value) in members(root) {
        let prefix = match kind.as_str().unwrap_or_default() {
            "locals" => "local.",
            "variable" => "var.",
            "module" => "module.",
            "data" => "data.",
            "resource" => "",
            _ => continue,
        };
        for (first, value) in members(value) {
            let name = first.as_str().unwrap_or_default();
            if matches!(prefix, "" | "data.") {
                for (second, value) in members(value) {
                    let address = format!("{prefix}{name}.{}", second.as_str().unwrap_or_default());
                    objects(value).for_each(|object| add(address.clone(), second, object));
                }
            } else {
                add(format!("{prefix}{name}"), first, value);
            }
        }
    }
    index
}

/// The members of an object, or of all objects of a list.
fn members(node: Node<'_>) -> impl Iterator<Item = (Node<'_>, Node<'_>)> {
    objects(node).flat_map(|object| object.members().map(|member| (member.key, member.value)))
}

/// An object, or the objects of a list.
pub(super) fn objects(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let alone = (node.kind() == Kind::Object).then_some(node);
    alone.into_iter().chain(node.items().filter(|item| item.kind() == Kind::Object))
}

/// The bytes of an expression, in its file.
pub(super) fn range(expression: &Expression) -> std::ops::Range<usize> {
    expression.span().unwrap_or_default()
}
