//! keylint: a linter for AWS KMS key policies.
//!
//! The way of a file:
//!
//! ```text
//! arguments ─► discovery ─► driver: reading ─► lint ─► diagnostics ─► report ─► output, exit status
//! ```
//!
//! [`lint`] is pure: a text goes in, diagnostics come out. Everything that touches the world stands around it, in this
//! crate and no other: the command line, the file system, threads, the terminal.

mod arguments;
mod baseline;
mod can;
mod catalogue;
mod check;
mod configuration;
mod discovery;
mod driver;
mod ignores;
pub mod lint;
mod output;
mod progress;
mod reading;
mod run;
mod settings;
mod shell;
mod terminal;
mod uses;
mod ways;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::arguments::{Arguments, Command, ConfigCommand};

/// Runs the command line of this process, from its arguments to its exit status.
pub fn run() -> ExitCode {
    let matches = Arguments::command().try_get_matches();
    let parsed = matches.and_then(|matches| Ok((Arguments::from_arg_matches(&matches)?, matches)));
    let (arguments, matches) = match parsed {
        Ok(arguments) => arguments,
        Err(answer) => {
            // Help and version arrive here too. A reader that has had enough of them is no failure.
            answer.print().ok();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    driver::keep_panics(std::env::var_os("RUST_BACKTRACE").is_some());
    let run = driver::contained(|| match arguments.command {
        None => check::check(&arguments.check),
        Some(Command::Check(arguments)) => check::check(&arguments),
        Some(Command::Can(arguments)) => can::can(&arguments),
        Some(Command::Ignores(arguments)) => check::list_ignores(&arguments),
        Some(Command::Baseline(arguments)) => check::baseline(&arguments),
        Some(Command::Rules(arguments)) => catalogue::rules(&arguments),
        Some(Command::Explain(arguments)) => catalogue::explain(&arguments),
        Some(Command::Config(ConfigCommand::Show(arguments))) => {
            let of_show = matches.subcommand_matches("config").and_then(|it| it.subcommand_matches("show"));
            settings::show(of_show.unwrap_or(&matches), &arguments)
        }
        Some(Command::Schema(arguments)) => catalogue::schema(&arguments),
        Some(Command::ProblemMatcher(arguments)) => shell::problem_matcher(&arguments),
        Some(Command::Completions(arguments)) => shell::completions(&arguments),
        Some(Command::Man(arguments)) => shell::man(&arguments),
    });
    let stop = match run {
        Ok(Ok(status)) => return status,
        Ok(Err(stop)) => stop,
        Err(panic) => Stop::new(panic).with_help("this is a bug in keylint: please report it"),
    };
    output::to_standard_error(&stop.text());
    ExitCode::from(2)
}

/// Why keylint cannot do what it was asked to, where there is no place in a file to point at.
#[derive(Debug)]
struct Stop {
    message: String,
    help: Option<String>,
}

impl Stop {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn text(&self) -> String {
        match &self.help {
            Some(help) => format!("error: {}\n  help: {help}", self.message),
            None => format!("error: {}", self.message),
        }
    }
}
