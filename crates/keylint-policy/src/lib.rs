//! Key policies, grants, and what they mean.
//!
//! [`vocabulary`] holds the operations and condition keys of KMS as data. [`lower()`] makes the typed [`model`] of a
//! policy from a tree, [`grammar`] says what is wrong with its form. [`evaluate`] answers whether a principal may
//! make a request: yes, no, or maybe ([`Answer`]).

mod answer;
pub mod arn;
pub mod evaluate;
pub mod grammar;
pub mod grant;
mod lower;
pub mod model;
pub mod operator;
pub mod pattern;
mod plain;
pub mod vocabulary;

pub use answer::Answer;
pub use lower::lower;
