//! From text to one tree with spans, whatever the language.
//!
//! [`json::parse`] and [`yaml::parse`] fill an [`Arena`]; a [`Tree`] is the view of it that everything else reads.
//! Parsing never fails: it yields a tree and a list of [`Problem`](keylint_source::Problem)s, and goes on after an
//! error where it sensibly can. Every node knows the bytes it came from, and decoded text knows the way back to
//! them. [`schema`] checks a tree against a JSON Schema, in place.
//!
//! Inputs are bounded by [`limits`]: past a bound there is a problem, never a crash.

mod arena;
pub mod json;
pub mod limits;
mod report;
pub mod schema;
mod text_form;
mod tree;
pub mod yaml;

pub use arena::{Arena, Slot, TextStart};
pub use text_form::to_json;
pub use tree::{Items, Kind, Member, Members, Node, Tree};
