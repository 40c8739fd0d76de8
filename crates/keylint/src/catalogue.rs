//! The commands that tell about rules and documents: `rules`, `explain`, `schema`.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use keylint_report::{Format, Report, Summary};
use keylint_rules::AnalyzerCheck;
use keylint_source::RuleInfo;
use serde_json::{Value, json};

use crate::arguments::RulesFormat;
use crate::lint::{self, Linter, Settings};
use crate::{Stop, arguments, configuration, output, terminal};

/// Lists the rules, or the checks of IAM Access Analyzer with the rules that cover them.
pub(crate) fn rules(arguments: &arguments::Rules) -> Result<ExitCode, Stop> {
    let (linter, status) = linter(arguments.config.path.as_deref())?;
    output::to_standard_output(|out| match (arguments.parity, arguments.format) {
        (true, RulesFormat::Json) => {
            json(&applying().map(|check| check_as_json(&check)).collect::<Vec<_>>(), out)
        }
        (true, RulesFormat::Markdown) => markdown(&PARITY, &parity(), out),
        (true, RulesFormat::Table) => table(&PARITY, &parity(), out),
        (false, RulesFormat::Markdown) => out.write_all(linter.reference().as_bytes()),
        (false, RulesFormat::Json) => {
            json(&linter.rules().into_iter().map(rule_as_json).collect::<Vec<_>>(), out)
        }
        (false, RulesFormat::Table) => {
            let row = |rule: &RuleInfo| {
                [&rule.name, &rule.group, rule.severity.as_str(), &rule.summary].map(str::to_owned)
            };
            table(&RULES, &linter.rules().into_iter().map(row).collect::<Vec<_>>(), out)
        }
    })?;
    Ok(status)
}

const RULES: [&str; 4] = ["name", "group", "severity", "summary"];
const PARITY: [&str; 4] = ["code", "kind", "rules", "why not"];

/// The checks of IAM Access Analyzer that can fire on a key policy.
fn applying() -> impl Iterator<Item = AnalyzerCheck> {
    keylint_rules::analyzer_checks().into_iter().filter(|check| check.applies)
}

fn parity() -> Vec<[String; 4]> {
    let row = |check: AnalyzerCheck| {
        [check.code, check.kind, check.rules.join(", "), check.why_not.unwrap_or_default()]
    };
    applying().map(row).collect()
}

fn check_as_json(check: &AnalyzerCheck) -> Value {
    json!({ "code": check.code, "kind": check.kind, "rules": check.rules, "why-not": check.why_not })
}

/// Prints the page of a rule.
pub(crate) fn explain(arguments: &arguments::Explain) -> Result<ExitCode, Stop> {
    let (linter, status) = linter(arguments.config.path.as_deref())?;
    let Some(page) = linter.explain(&arguments.rule) else {
        let stop = Stop::new(format!("no rule is named `{}`", arguments.rule));
        return Err(stop.with_help(linter.hint_for(&arguments.rule).unwrap_or_default()));
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
    let summary = Summary::default();
    let report = Report::new(&sources, &diagnostics, &summary);
    keylint_report::write(Format::Concise, &report, terminal::PLAIN, &mut io::stderr()).ok();
    Ok((linter, if diagnostics.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) }))
}

fn rule_as_json(rule: &RuleInfo) -> Value {
    json!({
        "name": rule.name,
        "group": rule.group,
        "severity": rule.severity.as_str(),
        "summary": rule.summary,
        "why": rule.why,
        "help": rule.help,
        "references": rule.references,
    })
}

fn json(list: &[Value], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, list)?;
    writeln!(out)
}

fn markdown(heading: &[&str; 4], rows: &[[String; 4]], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| {} |\n| --- | --- | --- | --- |", heading.join(" | "))?;
    rows.iter().try_for_each(|row| writeln!(out, "| {} |", row.join(" | ")))
}

fn table(heading: &[&str; 4], rows: &[[String; 4]], out: &mut dyn Write) -> io::Result<()> {
    let rows = rows.iter().map(|row| row.each_ref().map(String::as_str));
    let rows: Vec<[&str; 4]> = std::iter::once(*heading).chain(rows).collect();
    let widest = |column: fn(&[&str; 4]) -> usize| rows.iter().map(column).max().unwrap_or(0);
    let [first, second, third] = [
        widest(|[first, ..]| first.len()),
        widest(|[_, second, ..]| second.len()),
        widest(|[_, _, third, _]| third.len()),
    ];
    for [a, b, c, last] in rows {
        let line = format!("{a:first$}  {b:second$}  {c:third$}  {last}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
