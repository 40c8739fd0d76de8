//! A run over everything that the arguments name, up to what was found: what the commands that check have in common.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;

use keylint_report::{Chain, Format, Report, Summary};
use keylint_rules::Files;
use keylint_source::{Diagnostic, Sources};

use crate::arguments::Check;
use crate::baseline::{Baseline, Compared};
use crate::discovery::{Discovery, Inputs, listed_paths};
use crate::driver::{Checked, check_all, file_id};
use crate::ignores::{self, Ignores};
use crate::lint::{Linter, Settings, absolute, is_failure};
use crate::{Stop, configuration, progress, reading, terminal, uses};

/// What came of checking everything that the arguments name, before anything is left out.
pub(crate) struct Run {
    pub(crate) linter: Linter,
    pub(crate) inputs: Inputs,
    pub(crate) checked: Checked,
    pub(crate) chains: Vec<Chain>,
    pub(crate) sources: Sources,
    /// Whether the arguments ask for everything that the configuration is about.
    pub(crate) is_whole: bool,
}

impl Run {
    pub(crate) fn new(arguments: &Check, keeps_unknown: bool) -> Result<Self, Stop> {
        let threads = arguments.threads.map_or(0, std::num::NonZeroUsize::get);
        let inputs = inputs(arguments, threads)?;
        let settings = settings(arguments)?;
        let (linter, problems, mut sources) = configuration::linter(&settings)?;
        if threads > 0 {
            // Fails only when there is a pool already, and there is none.
            rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().ok();
        }
        let done = AtomicUsize::new(0);
        let work = || check_all(&inputs.inputs, &done, &linter, keeps_unknown);
        let is_silent = arguments.quiet || arguments.no_progress;
        let mut checked = if !is_silent && terminal::may_show_progress(&terminal::environment) {
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
        linter.weigh(&mut checked.diagnostics);
        checked.unknown_values.sort_by(|left, right| (left.at, &left.name).cmp(&(right.at, &right.name)));
        checked.ignores.sort_by_key(|ignore| ignore.at);
        for (file, source) in std::mem::take(&mut checked.sources) {
            sources.insert(file, source);
        }
        let is_whole = arguments.paths.iter().all(|path| path == Path::new("."))
            && arguments.files_from.is_none()
            && linter.is_in_its_folder();
        Ok(Self { linter, inputs, checked, chains: uses.chains, sources, is_whole })
    }

    /// Leaves out what is to be ignored, adds what is wrong with the ignores, and counts what is left out.
    pub(crate) fn without_ignored(&mut self) -> usize {
        // Most repositories ignore nothing, and the paths of many files are not worth looking at for that.
        if self.checked.ignores.is_empty() && self.linter.ignore_entries().is_empty() {
            return 0;
        }
        let mut found = std::mem::take(&mut self.checked.diagnostics);
        let ignored = self.with_ignores(|ignores| ignores.apply(&mut found, &self.sources));
        self.checked.diagnostics = found;
        ignored
    }

    /// Leaves out the findings that are in a baseline.
    pub(crate) fn without_known(&mut self, baseline: &Baseline) -> Compared {
        let checked = self.checked_paths();
        let is_checked = |path: &Path| checked.contains(path);
        baseline.compare(&mut self.checked.diagnostics, &self.sources, is_checked)
    }

    pub(crate) fn with_ignores<T>(&self, look: impl FnOnce(&Ignores<'_>) -> T) -> T {
        let inputs = || self.inputs.inputs.iter().enumerate();
        let checked = self.checked_paths();
        let is_checked = |files: &Files| {
            let covered = self.linter.files_of(files);
            !covered.is_empty() && covered.iter().all(|path| checked.contains(&absolute(path)))
        };
        let rest = || inputs().filter(|(_, input)| !input.is_asked);
        let folders: BTreeSet<&Path> = rest().filter_map(|(_, input)| input.module()).collect();
        let of_partial = inputs().filter(|(_, input)| input.module().is_some_and(|it| folders.contains(it)));
        let mut all = ignores::of_configuration(&self.linter);
        all.extend(self.checked.ignores.iter().cloned());
        look(&Ignores {
            linter: &self.linter,
            all,
            is_whole: self.is_whole,
            is_checked: &is_checked,
            partial: of_partial.map(|(index, _)| file_id(index)).collect(),
            unasked: rest().map(|(index, _)| file_id(index)).collect(),
        })
    }

    /// The absolute paths of what was to be checked.
    pub(crate) fn checked_paths(&self) -> BTreeSet<PathBuf> {
        let asked = self.inputs.inputs.iter().filter(|input| input.is_asked);
        asked.map(|input| absolute(&input.path)).collect()
    }

    /// Says what kept keylint from its job, for the commands that report nothing else; the status is theirs.
    pub(crate) fn failures(&self) -> ExitCode {
        let failed = self.checked.diagnostics.iter().filter(|found| is_failure(found));
        let failed: Vec<Diagnostic> = failed.cloned().collect();
        if failed.is_empty() {
            return ExitCode::SUCCESS;
        }
        let summary = Summary::default();
        let report = Report::new(&self.sources, &failed, &summary);
        keylint_report::write(Format::Concise, &report, terminal::PLAIN, &mut std::io::stderr()).ok();
        ExitCode::from(2)
    }
}

/// What the arguments and the configuration that they name say.
pub(crate) fn settings(arguments: &Check) -> Result<Settings, Stop> {
    Ok(Settings {
        config: configuration::find(arguments.config.path.as_deref())?,
        account: arguments.account.clone(),
        services: arguments.services.clone(),
        select: arguments.select.clone(),
        ignore: arguments.ignore.clone(),
    })
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
