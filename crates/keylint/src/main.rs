//! The `keylint` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    keylint::run()
}
