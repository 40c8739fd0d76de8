//! How documents hang together that have to agree for somebody to use a key.

use std::fmt::Write as _;

use keylint_source::{Location, Sources};
use serde::Serialize;

use crate::place::Place;
use crate::visible::visible;

/// A use of a key, and the documents on which it depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What the use is.
    pub title: String,
    /// The documents in their order.
    pub links: Vec<ChainLink>,
}

/// A document on which a use of a key depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// What it is.
    pub document: &'static str,
    /// Whether it does its part.
    pub state: LinkState,
    /// The place that tells; `None` where there is no such document.
    pub at: Option<Location>,
    /// What it does, or what it lacks.
    pub says: String,
}

/// Whether a document does its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// It does.
    Holds,
    /// It does not, or it is not there.
    Broken,
    /// That is not known.
    Unknown,
}

impl LinkState {
    fn mark(self, unicode: bool) -> &'static str {
        match (self, unicode) {
            (Self::Holds, true) => "✓",
            (Self::Holds, false) => "ok",
            (Self::Broken, true) => "✗",
            (Self::Broken, false) => "no",
            (Self::Unknown, _) => "?",
        }
    }
}

/// Each use with its documents below it, a line each: for people who want to see which of them is the broken link.
pub fn list_chains(sources: &Sources, chains: &[Chain], unicode: bool) -> String {
    let mut text = String::new();
    for chain in chains {
        let _ = writeln!(text, "{}:", visible(&chain.title));
        for link in &chain.links {
            let place = link.at.map(|at| {
                let place = Place::new(sources, at);
                let start = place.start();
                format!("{}:{}:{}: ", visible(place.file.path()), start.line, start.column)
            });
            let (mark, document) = (link.state.mark(unicode), link.document);
            let place = place.unwrap_or_default();
            let _ = writeln!(text, "  {mark:<2} {document:<10} {place}{}", visible(&link.says));
        }
    }
    text
}
