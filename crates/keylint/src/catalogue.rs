//! The commands that tell about rules and documents: `rules`, `explain`, `schema`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use keylint_report::{Format, Report, Summary};
use keylint_source::{RuleInfo, did_you_mean};

use crate::lint::{self, Linter, Settings};
use crate::{Stop, arguments, configuration, output, terminal};

/// Lists the rules in a table.
pub(crate) fn rules(arguments: &arguments::Rules) -> Result<ExitCode, Stop> {
    let (linter, status) = linter(arguments.config.path.as_deref())?;
    output::to_standard_output(|out| table(&linter.rules(), out))?;
    Ok(status)
}

/// Prints the page of a rule.
pub(crate) fn explain(arguments: &arguments::Explain) -> Result<ExitCode, Stop> {
    let (linter, status) = linter(arguments.config.path.as_deref())?;
    let Some(page) = linter.explain(&arguments.rule) else {
        let stop = Stop::new(format!("no rule is named `{}`", arguments.rule));
        let rules = linter.rules();
        return Err(stop.with_help(
            match did_you_mean(&arguments.rule, rules.iter().map(|rule| rule.name.as_str())) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`keylint rules` lists them".to_owned(),
            },
        ));
    };
    output::to_standard_output(|out| out.write_all(page.as_bytes()))?;
    Ok(status)
}

/// Prints the JSON Schema of a kind of document.
pub(crate) fn schema(arguments: &arguments::Schema) -> Result<ExitCode, Stop> {
    // The command line is read with the same list of kinds.
    let text = lint::schema(&arguments.kind).unwrap_or_default();
    output::to_standard_output(|out| out.write_all(text.as_bytes()))?;
    Ok(ExitCode::SUCCESS)
}

/// A linter with the user's own rules; what is wrong with those goes to standard error, and fails.
fn linter(config: Option<&Path>) -> Result<(Linter, ExitCode), Stop> {
    let settings = Settings { config: configuration::find(config)?, ..Settings::default() };
    let (linter, diagnostics, sources) = configuration::linter(&settings)?;
    let report = Report {
        sources: &sources,
        diagnostics: &diagnostics,
        summary: &Summary::default(),
        version: env!("CARGO_PKG_VERSION"),
    };
    keylint_report::write(Format::Concise, &report, terminal::PLAIN, &mut io::stderr()).ok();
    Ok((linter, if diagnostics.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }))
}

fn table(rules: &[RuleInfo], out: &mut dyn Write) -> io::Result<()> {
    let heading = [["name", "group", "severity", "summary"]];
    let rows = rules.iter().map(|rule| [&*rule.name, &*rule.group, rule.severity.as_str(), &*rule.summary]);
    let rows: Vec<[&str; 4]> = heading.into_iter().chain(rows).collect();
    let widest = |column: fn(&[&str; 4]) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let [name, group, severity] = [
        widest(|[name, ..]| name.len()),
        widest(|[_, group, ..]| group.len()),
        widest(|[_, _, severity, _]| severity.len()),
    ];
    for [a, b, c, summary] in rows {
        writeln!(out, "{a:name$}  {b:group$}  {c:severity$}  {summary}")?;
    }
    Ok(())
}
