//! Rules: what they ask of a policy, how bad it is, and how they say so.
//!
//! A rule is a YAML file, a service is another; `rules/` of the repository holds keylint's own, and they are
//! embedded as they are. [`RuleSet`] reads them, asks the evaluator, and turns what it finds into diagnostics.
//! [`Config`] is `keylint.yaml`.

mod access;
mod ask;
mod ask_owner;
mod checks;
mod config;
mod facts;
mod find;
mod finding;
mod grant_facts;
mod identity_policy;
mod integration;
mod matching;
mod owner;
mod page;
mod parity;
mod reading;
mod rule;
mod rule_set;
mod schemas;
mod text;

pub use access::{Access, Link, Part};
pub use config::{Config, Files, IgnoreEntry, KeyEntry, Served};
pub use facts::identity_like;
pub use owner::{Owner, key_of};
pub use parity::{AnalyzerCheck, analyzer_checks};
pub use rule::{GROUPS, PEDANTIC};
pub use rule_set::{KeyKnowledge, RuleSet, Selection};
pub use schemas::{CONFIG_SCHEMA, RULE_SCHEMA, SERVICE_SCHEMA};
pub use text::WORDS;
