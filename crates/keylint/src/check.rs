//! The `check` command, from the arguments to the exit status.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;

use keylint_report::{Base, Format, Report, Style, Summary};
use keylint_source::Diagnostic;

use crate::arguments::{Check, FailLevel, Output};
use crate::discovery::{Discovery, Inputs, listed_paths};
use crate::driver::{Checked, check_all};
use crate::lint::{FAILURES, Settings};
use crate::{Stop, configuration, output, progress, reading, terminal, uses};

/// Checks what the arguments name, reports, and says how it went.
pub(crate) fn check(arguments: Check) -> Result<ExitCode, Stop> {
    let outputs = outputs(&arguments)?;
    let threads = arguments.threads.map_or(0, std::num::NonZeroUsize::get);
    let inputs = inputs(&arguments, threads)?;
    let settings = Settings {
        config: configuration::find(arguments.config.path.as_deref())?,
        account: arguments.account,
        services: arguments.services,
        select: arguments.select,
        ignore: arguments.ignore,
    };
    let (linter, problems, mut sources) = configuration::linter(&settings)?;

    if threads > 0 {
        // Fails only when there is a pool already, and there is none.
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().ok();
    }
    let done = AtomicUsize::new(0);
    let keeps_unknown = arguments.verbose || outputs.iter().any(|output| output.format.tells_unknown());
    let work = || check_all(&inputs.inputs, &done, &linter, keeps_unknown);
    let quiet = arguments.quiet;
    let mut checked =
        if !quiet && !arguments.no_progress && terminal::may_show_progress(&terminal::environment) {
            progress::shown_while(inputs.inputs.len(), &done, std::io::stderr(), work)
        } else {
            work()
        };
    checked.diagnostics.extend(problems);
    let (mut uses, of_uses) = uses::check_uses(&linter, &inputs.inputs);
    linter.add_uses(&mut checked.diagnostics, std::mem::take(&mut uses.diagnostics));
    checked.sources.extend(of_uses);
    checked.sources.append(&mut uses.read_files);
    checked.diagnostics.sort_by(Diagnostic::order);
    // A policy that a module reads from a file is found in that file too.
    checked.diagnostics.dedup_by(|later, earlier| later.repeats(earlier));
    checked.unknown_values.sort_by(|left, right| (left.at, &left.name).cmp(&(right.at, &right.name)));
    for (file, source) in std::mem::take(&mut checked.sources) {
        sources.insert(file, source);
    }

    let summary = checked.summary();
    let rules = linter.rules();
    let (root, folder) = configuration::repository();
    let report = Report {
        rules: &rules,
        unknown: &checked.unknown_values,
        chains: &uses.chains,
        version: env!("CARGO_PKG_VERSION"),
        is_complete: !checked.diagnostics.iter().any(is_failure),
        base: Base { root: &root, folder: &folder },
        ..Report::new(&sources, &checked.diagnostics, &summary)
    };
    let mut last_line = if quiet { None } else { last_line(&inputs, &checked, &summary) };
    if arguments.verbose && !checked.unknown_values.is_empty() {
        let list = keylint_report::list_unknown(&sources, &checked.unknown_values);
        last_line = Some(list + last_line.as_deref().unwrap_or_default());
    }
    let style = terminal::style(arguments.color, &terminal::environment);
    if arguments.explain_chain {
        let chains = match uses.chains.as_slice() {
            [] if linter.declared_uses().next().is_some() => String::new(),
            [] => "No use of a key from another account is declared: `serves` in keylint.yaml does that.\n"
                .to_owned(),
            chains => keylint_report::list_chains(&sources, chains, style.unicode),
        };
        last_line = Some(chains + last_line.as_deref().unwrap_or_default());
    }
    write(&outputs, &report, style, last_line.as_deref())?;
    Ok(ExitCode::from(status(&checked.diagnostics, arguments.fail_level)))
}

/// Where the report goes: what was asked for, or to the reader.
fn outputs(arguments: &Check) -> Result<Vec<Output>, Stop> {
    let outputs = arguments.outputs.clone();
    for (index, output) in outputs.iter().enumerate() {
        if outputs.iter().take(index).any(|other| other.file == output.file) {
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

/// What there is to check.
fn inputs(arguments: &Check, threads: usize) -> Result<Inputs, Stop> {
    let standard_input = Path::new("-");
    let list = arguments.files_from.as_deref();
    if arguments.paths.iter().any(|path| path == standard_input) {
        if arguments.paths.len() > 1 || list.is_some() {
            return Err(Stop::new("`-` (standard input) cannot be checked together with other files"));
        }
        return Ok(Inputs::standard_input(arguments.stdin_filename.as_deref().unwrap_or("<stdin>")));
    }
    if arguments.stdin_filename.is_some() {
        return Err(Stop::new("--stdin-filename needs `-` as the path"));
    }
    let mut discovery = Discovery::new(threads);
    for path in &arguments.paths {
        discovery.argument(path);
    }
    if let Some(list) = list {
        for path in &listed_paths(&read_list(list)?) {
            discovery.path(path);
        }
    } else if arguments.paths.is_empty() {
        discovery.path(Path::new("."));
    }
    Ok(discovery.finish())
}

fn read_list(list: &Path) -> Result<Vec<u8>, Stop> {
    let mut content = Vec::new();
    let read = if list == Path::new("-") {
        reading::read_standard_input(list, &mut content)
    } else {
        reading::read_file(list, &mut content)
    };
    read.map_err(|unreadable| Stop::new(format!("--files-from: {}", unreadable.message)))?;
    Ok(content)
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

fn is_failure(found: &Diagnostic) -> bool {
    FAILURES.contains(&&*found.rule)
}

#[cfg(test)]
mod tests {
    use super::*;
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
