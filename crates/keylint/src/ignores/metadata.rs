//! Ignores in the metadata of a resource of CloudFormation, which packaging and synthesis keep:
//!
//! ```yaml
//! Metadata:
//!   keylint:
//!     ignore:
//!       - { rule: accidental-revoke, sid: Partner, reason: the partner rotates its own grants, expires: 2027-01-31 }
//! ```

use keylint_extract::Language;
use keylint_rules::IgnoreEntry;
use keylint_source::FileId;
use keylint_syntax::{Arena, Node, Tree, json, yaml};
use memchr::memmem;

use super::{Ignore, Place, Scope};

pub(super) fn ignores(file: FileId, path: &str, text: &str) -> Vec<Ignore> {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if !has("Metadata") || !has("ignore") || !has("Resources") {
        return Vec::new();
    }
    let mut arena = Arena::default();
    match Language::of(path, text) {
        Language::Json => json::parse(text, &mut arena, &mut Vec::new()),
        Language::Yaml => yaml::parse(text, &mut arena, &mut Vec::new()),
        _ => return Vec::new(),
    }
    let mut found = Vec::new();
    for root in Tree::new(text, &arena).roots() {
        for resource in root.get("Resources").into_iter().flat_map(Node::members) {
            let metadata = resource.value.get("Metadata").and_then(|metadata| metadata.get("keylint"));
            for entry in metadata.and_then(|ours| ours.get("ignore")).into_iter().flat_map(Node::items) {
                let entry = IgnoreEntry::read(entry, &mut Vec::new());
                let span = resource.key.span().to(resource.value.span());
                let declares = resource.key.as_str().map(str::to_owned);
                let place = Place { file, span, declares };
                let own = super::of_entry(&entry);
                found.push(Ignore {
                    at: keylint_source::Location { file, span: entry.at },
                    scope: Scope { place: Some(place), path: None, ..own.scope },
                    ..own
                });
            }
        }
    }
    found
}
