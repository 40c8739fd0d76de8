//! Places, and what can be said about a place.
//!
//! Everything that keylint says points at bytes of a file on disk. This crate holds the files ([`SourceFile`],
//! [`Sources`]), the places in them ([`Span`], [`Location`], [`Position`]) and the one type in which everything
//! that can go wrong reaches the user ([`Diagnostic`]): a rule's finding, a syntax error, a file that cannot be
//! read, a mistake in the configuration.
//!
//! The crate knows no other: not the syntax of a file, not policies, not output formats.

mod diagnostic;
mod file;
mod names;
mod span;

pub use diagnostic::{Diagnostic, Label, Problem, RuleInfo, Severity, StatementId};
pub use file::{FileId, Position, SourceFile, Sources, Unit};
pub use names::{did_you_mean, quoted_list};
pub use span::{Location, Span, Spanned};
