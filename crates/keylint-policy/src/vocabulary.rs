//! The words of AWS KMS: its operations, its condition keys, and the services that share a policy with it.
//!
//! The tables are data (`data/*.json` of this crate, with a page on where each fact comes from); `build.rs` checks
//! them and turns them into constants. Looking something up neither allocates nor builds anything first.

mod action;
mod condition_key;
mod fingerprint;
mod operation;
mod region;
mod service;
mod suggest;
mod tables;

pub use action::is_wildcard;
pub use condition_key::{ConditionKey, KeyId, KeyOrigin, KeyStanding, ValueType, standing};
pub use operation::{KeyType, Operation, Operations};
pub use region::{looks_like_region, region_meant};
pub use service::{is_service_prefix, service_prefixes};
pub use suggest::{suggest_action, suggest_condition_key};

use std::cmp::Ordering;

/// The order of the tables: by bytes, ASCII letters in lower case.
fn order(left: &str, right: &str) -> Ordering {
    for (left, right) in left.bytes().zip(right.bytes()) {
        let ordering = left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase());
        if ordering.is_ne() {
            return ordering;
        }
    }
    left.len().cmp(&right.len())
}

/// Whether a text begins with a prefix, without regard to the case of ASCII letters.
fn starts_with(text: &str, prefix: &str) -> bool {
    strip_prefix(text, prefix).is_some()
}

/// What follows the prefix, compared without regard to the case of ASCII letters.
fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
