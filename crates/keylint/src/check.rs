//! The `check` command, from the arguments to the exit status.

use std::path::PathBuf;
use std::process::ExitCode;

use keylint_report::{Base, Format, Report, Style, Summary};
use keylint_source::Diagnostic;

use crate::arguments::{self, Check, FailLevel, Output};
use crate::baseline::{self, Baseline, Compared};
use crate::discovery::Inputs;
use crate::driver::Checked;
use crate::lint::{absolute, is_failure};
use crate::run::Run;
use crate::{Stop, configuration, ignores, output, reading, terminal};

/// Checks what the arguments name, reports, and says how it went.
pub(crate) fn check(arguments: &Check) -> Result<ExitCode, Stop> {
    let outputs = outputs(arguments)?;
    let keeps_unknown = arguments.verbose || outputs.iter().any(|output| output.format.tells_unknown());
    let mut run = Run::new(arguments, keeps_unknown)?;
    let ignored = if arguments.no_ignores { 0 } else { run.without_ignored() };

    let path = arguments.baseline.clone().or_else(|| run.linter.baseline());
    let known = path.map(|path| Baseline::read(&path)).transpose()?;
    let compared = known.map(|known| run.without_known(&known));
    let stale = compared.as_ref().map_or(0, Compared::stale);

    let Run { linter, inputs, checked, chains, sources, .. } = &run;
    let baselined = compared.map_or(0, |compared| compared.known);
    let summary = Summary { ignored, baselined, ..checked.summary() };
    let rules = linter.rules();
    let (root, folder) = configuration::repository();
    let report = Report {
        rules: &rules,
        unknown: &checked.unknown_values,
        chains,
        version: env!("CARGO_PKG_VERSION"),
        is_complete: !checked.diagnostics.iter().any(is_failure),
        base: Base { root: &root, folder: &folder },
        ..Report::new(sources, &checked.diagnostics, &summary)
    };
    let mut last_line = if arguments.quiet { None } else { last_line(inputs, checked, &summary) };
    if stale > 0 && !arguments.quiet {
        let (occur, them) = if stale == 1 {
            ("finding of the baseline no longer occurs", "it")
        } else {
            ("findings of the baseline no longer occur", "them")
        };
        let line = format!("{stale} {occur}: `keylint baseline --prune` takes {them} out.\n");
        last_line = Some(line + last_line.as_deref().unwrap_or_default());
    }
    if arguments.verbose && !checked.unknown_values.is_empty() {
        let list = keylint_report::list_unknown(sources, &checked.unknown_values);
        last_line = Some(list + last_line.as_deref().unwrap_or_default());
    }
    let style = terminal::style(arguments.color, &terminal::environment);
    if arguments.explain_chain {
        let chains = match chains.as_slice() {
            [] if linter.declared_uses().next().is_some() => String::new(),
            [] => "No use of a key from another account is declared: `serves` in keylint.yaml does that.\n"
                .to_owned(),
            chains => keylint_report::list_chains(sources, chains, style.unicode),
        };
        last_line = Some(chains + last_line.as_deref().unwrap_or_default());
    }
    write(&outputs, &report, style, last_line.as_deref())?;
    Ok(ExitCode::from(status(&checked.diagnostics, arguments.fail_level)))
}

/// Lists what is not to be reported.
pub(crate) fn list_ignores(arguments: &Check) -> Result<ExitCode, Stop> {
    let run = Run::new(arguments, false)?;
    let list = run.with_ignores(|ignores| ignores::list(&ignores.all, &run.sources));
    output::to_standard_output(|out| out.write_all(list.as_bytes()))?;
    Ok(run.failures())
}

/// Writes down what is found now, or takes out of the baseline what is found no longer.
pub(crate) fn baseline(arguments: &arguments::Baseline) -> Result<ExitCode, Stop> {
    let mut run = Run::new(&arguments.check, false)?;
    if !arguments.check.no_ignores {
        run.without_ignored();
    }
    let path = arguments.check.baseline.clone().or_else(|| run.linter.baseline());
    let path = path.unwrap_or_else(|| PathBuf::from(baseline::NAME));
    // What could not be read is not known, and not in the baseline.
    let status = run.failures();
    let baseline = if arguments.prune {
        let before = Baseline::read(&path)?;
        let compared = run.without_known(&before);
        before.pruned(&compared)
    } else {
        let found = Baseline::of(&path, &run.checked.diagnostics, &run.sources);
        let checked = run.checked_paths();
        match Baseline::read(&path) {
            // Of files that are not checked now nothing new is known.
            Ok(before) => found.with_rest_of(before, |path| checked.contains(path)),
            Err(_) => found,
        }
    };
    baseline.write()?;
    let count = baseline.len();
    let findings = if count == 1 { "finding" } else { "findings" };
    output::to_standard_output(|out| writeln!(out, "{}: {count} {findings}", reading::shown(&path)))?;
    Ok(status)
}

/// Where the report goes: what was asked for, or to the reader.
fn outputs(arguments: &Check) -> Result<Vec<Output>, Stop> {
    let outputs = arguments.outputs.clone();
    for (index, output) in outputs.iter().enumerate() {
        let file = |output: &Output| output.file.as_deref().map(absolute);
        if outputs.iter().take(index).any(|other| file(other) == file(output)) {
            let usage = match &output.file {
                None => "only one --output-format can go to standard output".to_owned(),
                Some(file) => format!("only one --output-format can go to `{}`", reading::shown(file)),
            };
            return Err(Stop::new(usage).with_help("`--output-format NAME=FILE` writes to a file"));
        }
    }
    if outputs.is_empty() {
        return Ok(vec![Output { format: Format::Full, file: None }]);
    }
    Ok(outputs)
}

/// What was looked at, so that "nothing found" can be told from "nothing read". Files that were named, and have no
/// policy and no problem, are not worth a word: a hook passes whatever there is.
fn last_line(inputs: &Inputs, checked: &Checked, summary: &Summary) -> Option<String> {
    if summary.documents() > 0 || !checked.diagnostics.is_empty() {
        return Some(summary.to_string());
    }
    let count = inputs.inputs.iter().filter(|input| input.is_asked).count();
    let files = if count == 1 { "file" } else { "files" };
    inputs.searched.then(|| format!("No key policy found in {count} {files}."))
}

fn write(outputs: &[Output], report: &Report<'_>, style: Style, last_line: Option<&str>) -> Result<(), Stop> {
    // Files first: standard output may be closed early, and a file that cannot be written is worth knowing at once.
    for Output { format, file } in outputs {
        if let Some(file) = file {
            output::to_file(file, |out| keylint_report::write(*format, report, terminal::PLAIN, out))?;
        }
    }
    let printed = outputs.iter().find(|output| output.file.is_none()).map(|output| output.format);
    if let Some(format) = printed {
        output::to_standard_output(|out| {
            keylint_report::write(format, report, style, out)?;
            match last_line {
                Some(line) if is_for_people(format) && report.diagnostics.is_empty() => {
                    writeln!(out, "{line}")
                }
                Some(line) if is_for_people(format) => writeln!(out, "\n{line}"),
                _ => Ok(()),
            }
        })?;
    }
    if let Some(line) = last_line.filter(|_| printed.is_none_or(is_for_logs)) {
        output::to_standard_error(line);
    }
    Ok(())
}

fn is_for_people(format: Format) -> bool {
    matches!(format, Format::Full | Format::Plain)
}

/// Whether it is lines of a log, beside which there may be others.
fn is_for_logs(format: Format) -> bool {
    matches!(format, Format::Concise | Format::Github | Format::Azure | Format::Teamcity)
}

/// 2: the job could not be done; 1: something was found that fails the run; 0: neither. The same for every format.
fn status(diagnostics: &[Diagnostic], fail_level: FailLevel) -> u8 {
    if diagnostics.iter().any(is_failure) {
        2
    } else {
        u8::from(diagnostics.iter().any(|found| fail_level.is_reached_by(found.severity)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::FAILURES;
    use keylint_source::{FileId, Location, Severity, Span};
    use pretty_assertions::assert_eq;

    #[test]
    fn what_kept_keylint_from_its_job_outweighs_findings_and_the_level() {
        let at = Location { file: FileId(0), span: Span::empty(0) };
        let found = |rule: &'static str, severity| Diagnostic::new(rule, severity, "", at);
        let warning = found("some-rule", Severity::Warning);
        assert_eq!(status(&[], FailLevel::Note), 0);
        assert_eq!(status(std::slice::from_ref(&warning), FailLevel::Error), 0);
        assert_eq!(status(std::slice::from_ref(&warning), FailLevel::Warning), 1);
        for rule in FAILURES {
            let both = [warning.clone(), found(rule, Severity::Error)];
            assert_eq!(status(&both, FailLevel::Never), 2, "{rule}");
        }
        assert_eq!(status(&[found("invalid-policy", Severity::Error)], FailLevel::Warning), 1);
    }
}
