//! Measures keylint.
//!
//! - `cargo run --release -p keylint-bench` builds keylint and times whole runs of it against programs that do the
//!   least that any linter has to do ([`floor`]). `--memory` adds the peak memory of a run over 100,000 files.
//! - `cargo bench -p keylint-bench` times the stages of the pipe, from text to diagnostics, one by one.
//!
//! Both work on generated files ([`generate`]), the same in every run and on every machine. Nothing here is a test:
//! a time depends on the machine and on what else it does, so it is printed, with the target beside it, and never
//! asserted.
//!
//! The crate is a default member of the workspace like every other. It costs `cargo test` no more than the crate
//! `divan`, and so the generator's tests run and its code is kept compiling.

pub mod floor;
pub mod generate;
