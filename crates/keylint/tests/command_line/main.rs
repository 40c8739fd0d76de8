//! The command line as its users meet it: arguments and files in, exit status and two streams out.
//!
//! Each test runs the built binary in a folder of its own, without anything of this machine's environment.

// Clippy knows tests by this, and lets their helpers unwrap.
#![cfg(test)]

mod arguments;
mod baseline;
mod can;
mod configuration;
mod containers;
mod ignores;
mod input;
mod output;
mod readers;
mod run;
mod uses;

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A policy without a finding.
const GOOD: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}, "Version": "2012-10-17"}
"#;
/// A policy with one error, on line 2, column 14.
const BAD: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Resource": "*",
 "Action": ["kms:Decrpt", "kms:*"]}, "Version": "2012-10-17"}
"#;
/// No policy, but it has to be parsed to know that.
const OTHER: &str = "{\"about\": \"kms\"}\n";
/// No policy, which is seen at a glance.
const UNRELATED: &str = "{\"about\": \"weather\"}\n";

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keylint-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).unwrap();
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap()
    }

    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keylint"));
        command.args(arguments).current_dir(&self.0).env_clear().stdin(Stdio::null());
        command
    }

    fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Runs with a text on standard input.
    fn pipe(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Ran {
        self.write(".input", input);
        let input = fs::File::open(self.0.join(".input")).unwrap();
        Ran::of(self.command(arguments).stdin(input))
    }

    /// The concise output alone.
    fn concise(&self, arguments: &[&str]) -> String {
        self.run(&[&["--output-format", "concise"], arguments].concat()).stdout
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

impl Ran {
    /// Runs, and keeps both streams.
    fn of(command: &mut Command) -> Self {
        Self::with_streams(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Runs with the streams as they are set.
    fn with_streams(command: &mut Command) -> Self {
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn new(status: i32, stdout: impl Into<String>, stderr: impl Into<String>) -> Self {
        Self { status, stdout: stdout.into(), stderr: stderr.into() }
    }
}

/// The concise line for [`BAD`] in a file.
fn broken(path: &str) -> String {
    format!("{path}:2:14: error: unknown action `kms:Decrpt` [unknown-action]\n")
}

/// The concise lines for [`BAD`] in files.
fn all_broken(paths: &[&str]) -> String {
    paths.iter().map(|path| broken(path)).collect()
}
