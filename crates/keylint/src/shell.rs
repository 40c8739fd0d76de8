//! The commands that print what shells, manuals, editors, and logs need to know of keylint.

use std::process::ExitCode;

use clap::CommandFactory as _;
use keylint_source::{did_you_mean, quoted_list};

use crate::arguments::{self, Arguments, Reader};
use crate::{Stop, output};

/// Prints a problem matcher.
pub(crate) fn problem_matcher(arguments: &arguments::ProblemMatcher) -> Result<ExitCode, Stop> {
    let text = match arguments.reader {
        Reader::Github => include_str!("problem_matcher/github.json"),
        Reader::Vscode => include_str!("problem_matcher/vscode.json"),
    };
    output::to_standard_output(|out| out.write_all(text.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the script that teaches a shell the commands and options.
pub(crate) fn completions(arguments: &arguments::Completions) -> Result<ExitCode, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "keylint", &mut script);
    output::to_standard_output(|out| out.write_all(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a manual page.
pub(crate) fn man(arguments: &arguments::Man) -> Result<ExitCode, Stop> {
    let mut command = Arguments::command();
    command.build();
    let command = match arguments.command.as_deref() {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
                let help = match did_you_mean(name, names.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("the commands are {}", quoted_list(&names)),
                };
                return Err(Stop::new(format!("there is no command `{name}`")).with_help(help));
            }
        },
    };
    output::to_standard_output(|out| clap_mangen::Man::new(command).render(out))?;
    Ok(ExitCode::SUCCESS)
}
