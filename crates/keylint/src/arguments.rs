//! The command line as the user writes it.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::{
    FalseyValueParser, NonEmptyStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser,
};
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};
use keylint_report::Format;
use keylint_rules::RuleSet;
use keylint_source::{Severity, did_you_mean, quoted_list};

use crate::lint;

const EXAMPLES: &str = "\
Examples:
  keylint                                      check policies, templates, modules below here
  keylint a.json 'keys/**/*.json'              check these files
  aws kms get-key-policy … | keylint -         check standard input
  keylint --service autoscaling asg.json       this key must serve Auto Scaling
  keylint --output-format github --output-format sarif=keylint.sarif
  git diff --name-only --diff-filter=d -z | keylint --files-from -

Exit status:
  0  nothing at or above --fail-level was found
  1  something was found
  2  the job could not be done: wrong usage or configuration, a file that cannot be read or parsed";

const CAN_EXAMPLES: &str = "\
Examples:
  keylint can --principal arn:aws:iam::111122223333:role/app --action kms:Decrypt key.json
  keylint can --action kms:PutKeyPolicy key.json              who may?
  keylint can --expect denied --principal … --action … key.json
  keylint can --requests requests.jsonl                       one JSON object a line in, one out

Exit status:
  0  the question was answered
  1  the answer is not what --expect says
  2  the question could not be answered: wrong usage, a file or a line that cannot be read";

/// Checks AWS KMS key policies before they are deployed
#[derive(Debug, Parser)]
#[command(
    name = "keylint",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// Without a command, `check` is meant.
    #[command(flatten)]
    pub(crate) check: Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check key policies (the default)
    #[command(after_help = EXAMPLES)]
    Check(Box<Check>),
    /// Ask who may do what
    #[command(after_help = CAN_EXAMPLES)]
    Can(Box<Can>),
    /// List what is not to be reported, and why
    Ignores(Box<Check>),
    /// Write down what is found now, so that only what is new is reported
    Baseline(Box<Baseline>),
    /// List the rules
    Rules(Rules),
    /// Explain a rule: what it finds, why it matters, what to do
    Explain(Explain),
    /// Show the settings that count, and where each is said
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the JSON Schema of a kind of document
    Schema(Schema),
    /// Print what makes an editor or a log understand the output
    ProblemMatcher(ProblemMatcher),
    /// Print the completions for a shell
    Completions(Completions),
    /// Print the manual page of keylint or of a command
    Man(Man),
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that the user sets or not")]
pub(crate) struct Check {
    /// Files, folders, quoted patterns, or - for standard input [default: this folder]
    pub(crate) paths: Vec<PathBuf>,

    /// Check the files that are listed in FILE (- for standard input), one a line or separated by NUL
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) files_from: Option<PathBuf>,
    /// The name to report for what is read from standard input
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) stdin_filename: Option<String>,

    #[command(flatten)]
    pub(crate) config: Config,
    /// The account that owns the keys, where their policies leave it open
    #[arg(long, value_name = "ID", help_heading = "Rules", env = "KEYLINT_ACCOUNT", hide_env_values = true, value_parser = account)]
    pub(crate) account: Option<String>,
    /// A service that the keys must serve, whether or not a policy names it; repeatable
    #[arg(
        long = "service",
        value_name = "NAME",
        help_heading = "Rules",
        env = "KEYLINT_SERVICE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(crate) services: Vec<String>,
    /// Apply only these rules or groups (comma-separated, repeatable)
    #[arg(
        long,
        value_name = "NAMES",
        help_heading = "Rules",
        env = "KEYLINT_SELECT",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(crate) select: Vec<String>,
    /// Do not apply these rules or groups (comma-separated, repeatable)
    #[arg(
        long,
        value_name = "NAMES",
        help_heading = "Rules",
        env = "KEYLINT_IGNORE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub(crate) ignore: Vec<String>,

    /// Report also what comments and the configuration say is to be ignored, entry by entry
    #[arg(long, help_heading = "Rules", env = "KEYLINT_NO_IGNORES", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) no_ignores: bool,

    /// Leave out the findings in this baseline
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Rules",
        env = "KEYLINT_BASELINE",
        hide_env_values = true
    )]
    pub(crate) baseline: Option<PathBuf>,

    /// How to report, and where to; repeatable [default: full]
    #[arg(long = "output-format", value_name = "NAME[=FILE]", help_heading = "Output", env = "KEYLINT_OUTPUT_FORMAT", hide_env_values = true, value_parser = Formats)]
    pub(crate) outputs: Vec<Output>,
    /// The least severity that makes the exit status 1
    #[arg(
        long,
        value_name = "LEVEL",
        help_heading = "Output",
        env = "KEYLINT_FAIL_LEVEL",
        hide_env_values = true,
        default_value = "warning"
    )]
    pub(crate) fail_level: FailLevel,
    /// When to use colour
    #[arg(
        long,
        value_name = "WHEN",
        help_heading = "Output",
        env = "KEYLINT_COLOR",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub(crate) color: ColorChoice,
    /// Also list what is not known before deployment
    #[arg(short, long, help_heading = "Output", env = "KEYLINT_VERBOSE", hide_env_values = true, value_parser = FalseyValueParser::new(), conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Also show, for each declared use of a key from another account, which documents it depends on and which is missing
    #[arg(long, help_heading = "Output", env = "KEYLINT_EXPLAIN_CHAIN", hide_env_values = true, value_parser = FalseyValueParser::new(), conflicts_with = "quiet")]
    pub(crate) explain_chain: bool,
    /// Print diagnostics and nothing else
    #[arg(short, long, help_heading = "Output", env = "KEYLINT_QUIET", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) quiet: bool,
    /// Do not show progress
    #[arg(long, help_heading = "Output", env = "KEYLINT_NO_PROGRESS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(crate) no_progress: bool,
    /// The number of files to check at the same time [default: one for each processor]
    #[arg(long, value_name = "N", help_heading = "Output", env = "KEYLINT_THREADS", hide_env_values = true)]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

#[derive(Args, Debug)]
pub(crate) struct Baseline {
    #[command(flatten)]
    pub(crate) check: Check,
    /// Only take out of the baseline what is found no longer
    #[arg(long)]
    pub(crate) prune: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Can {
    /// The key policy, or a template or module with one: a file, or - for standard input
    #[arg(value_name = "FILE", required_unless_present = "requests")]
    pub(crate) policy: Option<PathBuf>,
    /// The key, by its logical id or address, where the file has several
    #[arg(long, value_name = "NAME", help_heading = "Question")]
    pub(crate) key: Option<String>,

    /// Who asks: the ARN of a user, role, or session, an account, or an AWS service [default: list all who may]
    #[arg(long, value_name = "PRINCIPAL", help_heading = "Question")]
    pub(crate) principal: Option<String>,
    /// What is asked for, such as kms:Decrypt
    #[arg(long, value_name = "ACTION", help_heading = "Question", required_unless_present = "requests")]
    pub(crate) action: Option<String>,
    /// What is known of a condition key; repeatable, several values of one key too
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Question")]
    pub(crate) context: Vec<String>,
    /// The request has no other condition keys than those of --context
    #[arg(long, help_heading = "Question")]
    pub(crate) context_is_complete: bool,
    /// An IAM policy of the principal; repeatable
    #[arg(long = "identity-policy", value_name = "FILE", help_heading = "Question")]
    pub(crate) identity_policies: Vec<PathBuf>,
    /// Grants for the key: requests, commands, a list, a module; repeatable
    #[arg(long, value_name = "FILE", help_heading = "Question")]
    pub(crate) grants: Vec<PathBuf>,
    /// The ARN of the key
    #[arg(long = "resource", visible_alias = "key-arn", value_name = "ARN", help_heading = "Question")]
    pub(crate) key_arn: Option<String>,
    /// The account that owns the key, where its policy leaves it open
    #[arg(long, value_name = "ID", help_heading = "Question", env = "KEYLINT_ACCOUNT", hide_env_values = true, value_parser = account)]
    pub(crate) account: Option<String>,
    #[command(flatten)]
    pub(crate) config: Config,
    /// Answer many questions: one JSON object a line, from FILE (- for standard input)
    #[arg(long, value_name = "FILE", help_heading = "Question", conflicts_with_all = ["policy", "principal", "action", "context", "context_is_complete", "identity_policies", "grants", "key_arn", "key", "expect"])]
    pub(crate) requests: Option<PathBuf>,

    /// Fail with exit status 1 if the answer is another
    #[arg(long, value_name = "ANSWER", help_heading = "Output")]
    pub(crate) expect: Option<Expected>,
    /// How to answer
    #[arg(long, value_name = "NAME", help_heading = "Output", default_value = "text")]
    pub(crate) output_format: AnswerFormat,
    /// When to use colour
    #[arg(
        long,
        value_name = "WHEN",
        help_heading = "Output",
        env = "KEYLINT_COLOR",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub(crate) color: ColorChoice,
}

/// The answer that a question is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expected {
    Allowed,
    Denied,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    Text,
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Config {
    /// The configuration [default: the nearest keylint.yaml from here up to the root of the repository]
    #[arg(
        long = "config",
        value_name = "FILE",
        help_heading = "Rules",
        env = "KEYLINT_CONFIG",
        hide_env_values = true
    )]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Rules {
    #[command(flatten)]
    pub(crate) config: Config,
    /// How to print them: in a table, as one Markdown document with the pages of all, or as JSON
    #[arg(long = "output-format", value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RulesFormat,
    /// List the policy checks of IAM Access Analyzer that apply to key policies, with the rules that cover them
    #[arg(long)]
    pub(crate) parity: bool,
}

/// How rules are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RulesFormat {
    Table,
    Markdown,
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The rule's name
    #[arg(value_name = "RULE", value_parser = RuleNames, hide_possible_values = true)]
    pub(crate) rule: String,
    #[command(flatten)]
    pub(crate) config: Config,
}

#[derive(Args, Debug)]
pub(crate) struct Schema {
    /// The kind of document
    #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(lint::SCHEMAS))]
    pub(crate) kind: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show them: the name, the value, and in brackets the option, the variable, or the place in the configuration
    Show(Box<Check>),
}

#[derive(Args, Debug)]
pub(crate) struct ProblemMatcher {
    /// For what
    #[arg(value_name = "READER")]
    pub(crate) reader: Reader,
}

/// What reads the output of keylint with a problem matcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reader {
    /// GitHub Actions: a file for `::add-matcher::`
    Github,
    /// Visual Studio Code: a .vscode/tasks.json
    Vscode,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// The command; without one, keylint itself
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

/// The least severity that fails a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailLevel {
    Error,
    Warning,
    Note,
    Never,
}

impl FailLevel {
    /// Whether a finding of this severity fails the run.
    pub(crate) fn is_reached_by(self, severity: Severity) -> bool {
        match self {
            Self::Error => severity >= Severity::Error,
            Self::Warning => severity >= Severity::Warning,
            Self::Note => true,
            Self::Never => false,
        }
    }
}

/// A format, and the file that it goes to; standard output where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) file: Option<PathBuf>,
}

/// Reads an [`Output`], and tells shells the formats.
#[derive(Clone, Copy)]
struct Formats;

impl TypedValueParser for Formats {
    type Value = Output;

    fn parse_ref(
        &self,
        command: &clap::Command,
        option: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Output, clap::Error> {
        output.parse_ref(command, option, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Format::names().map(PossibleValue::new)))
    }
}

/// Reads the name of a rule, and tells shells those of keylint's own.
#[derive(Clone, Copy)]
struct RuleNames;

impl TypedValueParser for RuleNames {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        option: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        NonEmptyStringValueParser::new().parse_ref(command, option, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(RuleSet::built_in_names().map(PossibleValue::new)))
    }
}

fn output(argument: &str) -> Result<Output, String> {
    let (name, file) = match argument.split_once('=') {
        Some((_, "")) => return Err("the name of a file is missing behind `=`".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (argument, None),
    };
    let Some(format) = Format::from_name(name) else {
        let known = || format!("the formats are {}", quoted_list(&Format::names().collect::<Vec<_>>()));
        let meant = did_you_mean(name, Format::names());
        return Err(meant.map_or_else(known, |meant| format!("did you mean `{meant}`?")));
    };
    Ok(Output { format, file })
}

fn account(argument: &str) -> Result<String, String> {
    if argument.len() == 12 && argument.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(argument.to_owned());
    }
    Err("the id of an account has 12 digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use pretty_assertions::assert_eq;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn an_output_is_a_format_and_perhaps_a_file() {
        assert_eq!(output("json"), Ok(Output { format: Format::Json, file: None }));
        let file = Some(PathBuf::from("a=b.json"));
        assert_eq!(output("json=a=b.json"), Ok(Output { format: Format::Json, file }));
        assert_eq!(output("jsno").unwrap_err(), "did you mean `json`?");
        assert_eq!(output("json=").unwrap_err(), "the name of a file is missing behind `=`");
    }

    #[test]
    fn who_mistypes_a_command_is_told_of_all() {
        let names: Vec<String> =
            Arguments::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(names, crate::discovery::COMMANDS);
    }

    #[test]
    fn help_lists_the_formats() {
        let help = Arguments::command().render_long_help().to_string();
        let words: Vec<&str> = help.split_whitespace().collect();
        let names: Vec<&str> = Format::names().collect();
        assert!(words.join(" ").contains(&format!("[possible values: {}]", names.join(", "))), "{help}");
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert!(account("111122223333").is_ok());
        assert!(account("1111-2222-3333").is_err());
        assert!(account("11112222333").is_err());
    }

    #[test]
    fn a_level_is_reached_from_below() {
        use FailLevel::{Error, Never, Note, Warning};
        let reached = |severity| [Error, Warning, Note, Never].map(|level| level.is_reached_by(severity));
        assert_eq!(reached(Severity::Error), [true, true, true, false]);
        assert_eq!(reached(Severity::Warning), [false, true, true, false]);
        assert_eq!(reached(Severity::Note), [false, false, true, false]);
    }
}
