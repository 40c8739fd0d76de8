//! The settings that count, each with where it comes from: `keylint config show`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ArgMatches;
use clap::parser::ValueSource;
use keylint_report::{Format, Report, Summary};
use keylint_source::{SourceFile, Unit};
use keylint_syntax::{Arena, Node, Tree, yaml};

use crate::arguments::Check;
use crate::lint::ConfigFile;
use crate::{Stop, configuration, output, run, terminal};

/// A setting.
struct Setting {
    /// Its name: that of the option, or else that of the member of the configuration.
    name: &'static str,
    /// The option, as the parser of the command line knows it.
    option: Option<&'static str>,
    /// The member of the configuration.
    member: Option<&'static str>,
    /// What counts where nobody says anything.
    default: &'static str,
}

const fn setting(
    name: &'static str,
    option: Option<&'static str>,
    member: Option<&'static str>,
    default: &'static str,
) -> Setting {
    Setting { name, option, member, default }
}

/// All settings, in the order of the help.
const SETTINGS: [Setting; 21] = [
    setting("account", Some("account"), Some("account"), "inferred from each policy"),
    setting("service", Some("services"), None, "those that a policy names"),
    setting("select", Some("select"), Some("select"), "every group but pedantic"),
    setting("ignore", Some("ignore"), Some("ignore"), "nothing"),
    setting("no-ignores", Some("no_ignores"), None, "false"),
    setting("baseline", Some("baseline"), Some("baseline"), "none"),
    setting("severity", None, Some("severity"), "as the rules say"),
    setting("trusted-accounts", None, Some("trusted-accounts"), "every account"),
    setting("organization", None, Some("organization"), "not known"),
    setting("rules", None, Some("rules"), "keylint's own"),
    setting("services", None, Some("services"), "keylint's own"),
    setting("keys", None, Some("keys"), "nothing is known of single keys"),
    setting("output-format", Some("outputs"), None, "full"),
    setting("fail-level", Some("fail_level"), None, "warning"),
    setting("color", Some("color"), None, "auto"),
    setting("verbose", Some("verbose"), None, "false"),
    setting("explain-chain", Some("explain_chain"), None, "false"),
    setting("quiet", Some("quiet"), None, "false"),
    setting("no-progress", Some("no_progress"), None, "false"),
    setting("threads", Some("threads"), None, "one for each processor"),
    setting("stdin-filename", Some("stdin_filename"), None, "<stdin>"),
];

/// Prints what counts, a line for each setting: its name, its value, and where that is said.
///
/// What is wrong with the configuration is said as a check says it.
pub(crate) fn show(matches: &ArgMatches, arguments: &Check) -> Result<ExitCode, Stop> {
    let settings = run::settings(arguments)?;
    let (_, problems, sources) = configuration::linter(&settings)?;
    let config = settings.config;
    let path = config.as_ref().map_or("none", |config| config.path.as_str());
    let mut text = format!("{:<17} {path}\n", "config");
    let mut arena = Arena::default();
    if let Some(config) = &config {
        yaml::parse(&config.text, &mut arena, &mut Vec::new());
    }
    let root = config.as_ref().and_then(|config| Tree::new(&config.text, &arena).root());
    for setting in &SETTINGS {
        let said = setting
            .option
            .and_then(|option| on_command_line(matches, option, setting.name))
            .or_else(|| in_configuration(config.as_ref()?, root?, setting.member?));
        let (value, origin) = said.unwrap_or_else(|| (setting.default.to_owned(), "default".to_owned()));
        writeln!(text, "{:<17} {value}  ({origin})", setting.name).ok();
    }
    output::to_standard_output(|out| out.write_all(text.as_bytes()))?;
    let summary = Summary::default();
    let report = Report::new(&sources, &problems, &summary);
    keylint_report::write(Format::Concise, &report, terminal::PLAIN, &mut std::io::stderr()).ok();
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn on_command_line(matches: &ArgMatches, option: &str, name: &str) -> Option<(String, String)> {
    let origin = match matches.value_source(option)? {
        ValueSource::CommandLine => format!("--{name}"),
        ValueSource::EnvVariable => format!("KEYLINT_{}", name.to_ascii_uppercase().replace('-', "_")),
        _ => return None,
    };
    let values = matches.get_raw(option)?.map(|value| value.to_string_lossy());
    Some((values.collect::<Vec<_>>().join(", "), origin))
}

fn in_configuration(config: &ConfigFile, root: Node<'_>, member: &str) -> Option<(String, String)> {
    let member = root.members().filter(|found| found.key.as_str() == Some(member)).last()?;
    let file = SourceFile::new(&config.path, &config.text);
    let place = file.position(member.key.span().start(), Unit::CodePoints);
    let written = file.slice(member.value.span()).split_whitespace().collect::<Vec<_>>().join(" ");
    Some((written, format!("{}:{}:{}", config.path, place.line, place.column)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn every_option_and_every_member_of_the_configuration_is_shown() {
        let command = Arguments::command();
        let check = command.find_subcommand("check").unwrap();
        // What is to be checked is no setting, and the configuration stands first.
        let options = check.get_arguments().map(|option| option.get_id().as_str());
        let mut options: Vec<&str> =
            options.filter(|id| !["paths", "files_from", "path"].contains(id)).collect();
        let mut shown: Vec<&str> = SETTINGS.iter().filter_map(|setting| setting.option).collect();
        options.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, options);

        let schema: serde_json::Value = serde_json::from_str(keylint_rules::CONFIG_SCHEMA).unwrap();
        let mut members: Vec<&str> =
            schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let mut shown: Vec<&str> = SETTINGS.iter().filter_map(|setting| setting.member).collect();
        members.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, members);
    }
}
