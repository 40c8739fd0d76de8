//! The pipe: from the text of a file to what there is to say about it.

use std::io;
use std::path::{Component, Path, PathBuf};

use keylint_extract::{Language, ModuleFile, ReadFile};
use keylint_policy::grammar;
use keylint_report::Unknown;
use keylint_rules::{Config, Files, IgnoreEntry, KeyKnowledge, RuleSet, Selection};
use keylint_source::{
    Diagnostic, FileId, Label, Location, Problem, RuleInfo, Severity, SourceFile, Sources, Span, Spanned,
    did_you_mean,
};
use keylint_syntax::{Arena, Tree};

mod judge;
mod uses;

pub use self::uses::{LintedUses, OfUse};
use crate::ignores;
pub use crate::ignores::Ignore;

/// The rules whose diagnostics mean that the job could not be done. They fail a run with status 2, whatever
/// `--fail-level` says.
pub const FAILURES: [&str; 5] =
    ["invalid-syntax", "unreadable-file", "invalid-rule", "invalid-config", "internal-error"];

/// Whether a diagnostic means that keylint could not do its job.
pub(crate) fn is_failure(found: &Diagnostic) -> bool {
    FAILURES.contains(&&*found.rule)
}

/// The id of the first file to check. The ids below it belong to the configuration and to the rule and service files
/// that it names, so that what is wrong with those is reported first.
pub const FIRST_INPUT: FileId = FileId(1 << 16);

/// The id of the configuration file.
pub(crate) const CONFIGURATION: FileId = FileId(0);

/// The kinds of document that [`schema`] knows.
pub const SCHEMAS: [&str; 5] = ["policy", "rule", "service", "config", "output"];

/// The JSON Schema of a kind of document; `None` for a kind that is not one of [`SCHEMAS`].
pub fn schema(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "policy" => grammar::SCHEMA,
        "rule" => keylint_rules::RULE_SCHEMA,
        "service" => keylint_rules::SERVICE_SCHEMA,
        "config" => keylint_rules::CONFIG_SCHEMA,
        "output" => keylint_report::OUTPUT_SCHEMA,
        _ => return None,
    })
}

/// A configuration file as it was read.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// The path as the user is to see it; the paths in the file are relative to its folder.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What the user asked for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The configuration file, if there is one.
    pub config: Option<ConfigFile>,
    /// The account that owns the keys: 12 digits.
    pub account: Option<String>,
    /// Services that the keys must serve, by name.
    pub services: Vec<String>,
    /// The only rules and groups to apply, by name; empty: those that apply by default.
    pub select: Vec<String>,
    /// Rules and groups not to apply, by name.
    pub ignore: Vec<String>,
}

/// Memory that is used for one file after the other.
#[derive(Default)]
pub struct Scratch {
    arena: Arena,
}

/// What there is to say about a file.
#[derive(Debug, Default)]
pub struct Linted {
    /// In any order.
    pub diagnostics: Vec<Diagnostic>,
    /// The number of key policies in the file.
    pub policies: u32,
    /// The number of grants.
    pub grants: u32,
    /// The number of IAM policies that speak of KMS.
    pub identity_policies: u32,
    /// What their answers depend on and is not known before deployment.
    pub unknown: Vec<Unknown>,
    /// What is not to be reported, as the file says it itself.
    pub ignores: Vec<Ignore>,
    /// The files that were read on the way, and that diagnostics point into.
    pub read_files: Vec<(FileId, SourceFile)>,
    /// The files that are part of a policy that was found: all there is to say of them is said.
    pub settled: Vec<FileId>,
}

/// A file of a module of Terraform.
#[derive(Clone, Copy, Debug)]
pub struct OfModule<'m> {
    /// Its id.
    pub file: FileId,
    /// The path as the user is to see it.
    pub path: &'m str,
    /// The text.
    pub text: &'m str,
    /// Whether it is to be checked; else it is there for what others refer to.
    pub is_asked: bool,
}

/// The files that a module names.
pub struct OtherFiles<'r> {
    /// Opens one, by its path relative to the module's folder.
    pub read: &'r keylint_extract::Read<'r>,
    /// The id and the path under which one is reported, given its number and its path relative to the module's folder.
    pub reported_as: &'r dyn Fn(usize, &str) -> (FileId, String),
}

/// The rules and the configuration, ready to be applied to any number of files.
pub struct Linter {
    rules: RuleSet,
    selection: Selection,
    config: Config,
    /// The configuration's folder, as an absolute path: what its patterns are relative to.
    folder: PathBuf,
    /// The same as the user is to see it.
    shown_folder: PathBuf,
    /// The configuration file, as an absolute path.
    config_path: Option<PathBuf>,
    account: Option<String>,
    services: Vec<String>,
}

/// The name of a rule or of a service that the user wrote and that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What was looked for.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Linter {
    /// Reads configuration and rules. Problems in them are diagnostics, with the sources they point into.
    ///
    /// `read` opens the rule and service files that the configuration names.
    ///
    /// # Errors
    ///
    /// A name in the settings that is no rule, group or service.
    pub fn new(
        settings: &Settings,
        read: &dyn Fn(&str) -> io::Result<String>,
    ) -> Result<(Self, Vec<Diagnostic>, Sources), UnknownName> {
        let mut problems = Problems::default();
        let mut rules = RuleSet::built_in();
        let config = settings.config.as_ref().map_or_else(Config::default, |file| {
            let (config, found) = Config::parse(&file.text);
            let id = problems.file(&file.path, &file.text);
            problems.add("invalid-config", id, found);
            let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
            for (kind, entries) in [("service", &config.services), ("rule", &config.rules)] {
                for entry in entries {
                    problems.read_file(kind, entry, folder, id, read, &mut rules);
                }
            }
            problems.names(id, &config, &rules);
            config
        });
        for service in &settings.services {
            known_service(service, &rules)?;
        }
        // What the command line says counts; else what the configuration says, as far as it is right.
        let names = |of_command: &[String], of_config: &[Spanned<String>]| {
            if of_command.is_empty() {
                of_config.iter().map(|name| name.value.clone()).collect()
            } else {
                of_command.to_vec()
            }
        };
        let (select, ignore) =
            (names(&settings.select, &config.select), names(&settings.ignore, &config.ignore));
        let selection = match rules.select(&select, &ignore) {
            Ok(selection) => selection,
            // The configuration's own names have been reported with their places.
            Err(_) if problems.found => {
                rules.select(&settings.select, &settings.ignore).map_err(unknown_rule)?
            }
            Err(unknown) => return Err(unknown_rule(unknown)),
        };
        let folder = settings.config.as_ref().and_then(|file| Path::new(&file.path).parent());
        let linter = Self {
            rules,
            selection,
            folder: absolute(folder.unwrap_or(Path::new(""))),
            config_path: settings.config.as_ref().map(|file| absolute(Path::new(&file.path))),
            shown_folder: folder.unwrap_or(Path::new("")).to_path_buf(),
            account: settings.account.clone(),
            services: settings.services.clone(),
            config,
        };
        Ok((linter, problems.diagnostics, problems.sources))
    }

    /// Checks a file. Never fails: what is wrong with the file is in the diagnostics.
    pub fn lint(&self, file: FileId, path: &str, text: &str, scratch: &mut Scratch) -> Linted {
        let account = self.known(path, None).account;
        let language = Language::of(path, text);
        let extracted = keylint_extract::extract(language, text, account, &mut scratch.arena);
        let tree = Tree::new(text, &scratch.arena);
        let mut linted = self.check(&extracted, tree, file, &|_| path, &|location| location, &|_| true);
        linted.ignores = ignores::in_file(file, path, text);
        linted
    }

    /// Checks a module: the files of a folder.
    ///
    /// Findings are reported about policies and places in files that are to be checked.
    pub fn lint_module(
        &self,
        files: &[OfModule<'_>],
        others: &OtherFiles<'_>,
        scratch: &mut Scratch,
    ) -> Linted {
        let module: Vec<ModuleFile<'_>> =
            files.iter().map(|file| ModuleFile { path: file.path, text: file.text }).collect();
        let path = files.first().map_or("", |file| file.path);
        let account = self.known(path, None).account;
        let extracted = keylint_extract::extract_module(&module, account, others.read, &mut scratch.arena);
        let text = keylint_extract::module_text(&module, &extracted.read_files);
        let read_files = extracted.read_files.iter().enumerate();
        let (ids, paths): (Vec<FileId>, Vec<String>) =
            read_files.map(|(index, file)| (others.reported_as)(index, &file.path)).unzip();
        let places = Places::new(files, &extracted.read_files, &ids);
        let is_asked =
            |location: Location| files.iter().any(|file| file.is_asked && file.file == location.file);
        let tree = Tree::new(&text, &scratch.arena);
        let first = files.first().map_or(FIRST_INPUT, |file| file.file);
        // What the configuration says of a file is about what is declared in it.
        let path_of = |declared: Location| {
            let file = files.iter().find(|file| file.file == declared.file);
            file.map_or(path, |file| file.path)
        };
        let mut linted =
            self.check(&extracted, tree, first, &path_of, &|location| places.find(location.span), &is_asked);
        let is_part = |file: &ReadFile| {
            let place = file.span();
            let mut ways = extracted.documents.iter().flat_map(|document| &document.ways);
            ways.any(|way| way.presence.looks_into(place))
        };
        for file in files {
            linted.ignores.extend(ignores::in_file(file.file, file.path, file.text));
        }
        let parts = ids.iter().zip(&extracted.read_files).filter(|(_, file)| is_part(file));
        linted.settled = parts.map(|(id, _)| *id).collect();
        let is_shown = |id: FileId| {
            let mut found = linted.diagnostics.iter();
            found.any(|found| {
                std::iter::once(&found.primary).chain(&found.related).any(|label| label.at.file == id)
            })
        };
        let texts = extracted.read_files.into_iter().map(|file| file.text);
        let read_files = ids.into_iter().zip(paths.into_iter().zip(texts));
        linted.read_files = read_files
            .filter(|(id, _)| is_shown(*id))
            .map(|(id, (path, text))| (id, SourceFile::new(path, text)))
            .collect();
        linted
    }

    /// The entries of the configuration that say what is not to be reported.
    pub(crate) fn ignore_entries(&self) -> &[IgnoreEntry] {
        &self.config.ignore_entries
    }

    /// Gives findings the severity that the configuration says.
    pub(crate) fn weigh(&self, found: &mut [Diagnostic]) {
        for diagnostic in found {
            let said = self.config.severity.iter().find(|(rule, _)| rule.value == diagnostic.rule);
            if let Some((_, severity)) = said.filter(|_| !is_failure(diagnostic)) {
                diagnostic.severity = *severity;
            }
        }
    }

    /// The baseline that the configuration names.
    pub(crate) fn baseline(&self) -> Option<PathBuf> {
        self.config.baseline.as_ref().map(|path| self.shown_folder.join(&path.value))
    }

    /// Whether what a rule finds is reported.
    pub(crate) fn is_applied(&self, rule: &str) -> bool {
        self.rules.applies(&self.selection, rule)
    }

    /// Whether a pattern of the configuration covers a file, by its path as the user is to see it.
    pub(crate) fn covers(&self, files: &Files, path: &str) -> bool {
        files.cover(&self.relative(path))
    }

    /// Whether the current folder is that of the configuration.
    pub(crate) fn is_in_its_folder(&self) -> bool {
        self.folder == absolute(Path::new(""))
    }

    /// All rules, the user's own among them, in the order in which they are to be listed.
    pub fn rules(&self) -> Vec<&RuleInfo> {
        self.rules.rules().collect()
    }

    /// What may be meant by a name that no rule has; `None` if one has it.
    pub(crate) fn hint_for(&self, name: &str) -> Option<String> {
        hint_for(name, &self.rules)
    }

    /// The pages of all rules in one Markdown document.
    pub fn reference(&self) -> String {
        self.rules.reference()
    }

    /// The page of a rule as text, ending with a line end; `None` for a name that no rule has.
    pub fn explain(&self, name: &str) -> Option<String> {
        self.rules.page(name)
    }

    /// What the user says of the key whose policy is in a file and belongs to a resource.
    pub(crate) fn known(&self, path: &str, resource: Option<&str>) -> KeyKnowledge<'_> {
        let mut known = KeyKnowledge {
            account: self.account.as_deref(),
            trusted_accounts: self.config.trusted_accounts.as_deref(),
            organization: self.config.organization.as_deref(),
            serves: self.services.clone(),
            ..KeyKnowledge::default()
        };
        if !self.config.keys.is_empty() {
            let path = self.relative(path);
            for key in self.config.keys.iter().filter(|key| key.covers(&path, resource)) {
                known.add(key);
                for served in &key.serves {
                    let is_elsewhere = key.is_elsewhere(served);
                    let list = if is_elsewhere { &mut known.serves_elsewhere } else { &mut known.serves };
                    list.push(served.service.value.clone());
                    let region = served.region.clone();
                    known.serves_in.extend(region.map(|region| (served.service.value.clone(), region)));
                }
            }
        }
        known.account = known.account.or(self.config.account.as_deref().filter(|_| known.arn.is_none()));
        known
    }

    /// What the user says of the key that the grants of a file are for.
    fn known_of_grants(&self, path: &str) -> KeyKnowledge<'_> {
        let mut known = KeyKnowledge::default();
        if self.config.keys.iter().all(|key| key.serves.is_empty()) {
            return known;
        }
        let path = self.relative(path);
        for key in &self.config.keys {
            for served in &key.serves {
                if served.grants.iter().flatten().any(|files| files.cover(&path)) {
                    known.add(key);
                    known.is_used_from_elsewhere |= key.is_elsewhere(served);
                }
            }
        }
        known
    }

    /// A path as patterns of the configuration see it.
    fn relative(&self, path: &str) -> String {
        let path = absolute(Path::new(path));
        let relative = path.strip_prefix(&self.folder).map(Path::to_string_lossy).unwrap_or_default();
        if cfg!(windows) { relative.replace('\\', "/") } else { relative.into_owned() }
    }
}

/// Collects what is wrong with the configuration and with the files that it names.
#[derive(Default)]
struct Problems {
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
    files: u32,
    found: bool,
}

impl Problems {
    fn file(&mut self, path: &str, text: &str) -> FileId {
        let id = FileId(self.files);
        self.files += 1;
        self.sources.insert(id, SourceFile::new(path, text));
        id
    }

    fn add(&mut self, rule: &'static str, file: FileId, problems: Vec<Problem>) {
        self.found |= !problems.is_empty();
        self.diagnostics.extend(problems.into_iter().map(|problem| diagnostic(rule, file, problem)));
    }

    /// Reads a rule or service file of the user's. One that cannot be read is a mistake in the configuration.
    fn read_file(
        &mut self,
        kind: &str,
        entry: &Spanned<String>,
        folder: &Path,
        config: FileId,
        read: &dyn Fn(&str) -> io::Result<String>,
        rules: &mut RuleSet,
    ) {
        let path = folder.join(&entry.value);
        let shown = path.to_string_lossy();
        let text = match read(&shown) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("cannot read the {kind} file `{}`: {error}", entry.value);
                return self.add("invalid-config", config, vec![Problem::new(entry.span, message)]);
            }
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let problems =
            if kind == "rule" { rules.add_rule(&name, &text) } else { rules.add_service(&name, &text) };
        let id = self.file(&shown, &text);
        self.add("invalid-rule", id, problems);
    }

    /// Names in the configuration that are no rule, group or service.
    fn names(&mut self, file: FileId, config: &Config, rules: &RuleSet) {
        for name in config.select.iter().chain(&config.ignore) {
            if let Err((unknown, meant)) = rules.select(std::slice::from_ref(&name.value), &[]) {
                let problem = Problem::new(name.span, format!("no rule or group is named `{unknown}`"));
                self.add("invalid-config", file, vec![problem.with_help(hint(meant.as_deref(), "rules"))]);
            }
        }
        for (rule, _) in &config.severity {
            let problem = if let Some(hint) = hint_for(&rule.value, rules) {
                Problem::new(rule.span, format!("no rule is named `{}`", rule.value)).with_help(hint)
            } else if FAILURES.contains(&rule.value.as_str()) {
                Problem::new(rule.span, format!("`{}` is always an error", rule.value))
            } else {
                continue;
            };
            self.add("invalid-config", file, vec![problem]);
        }
        for service in config.keys.iter().flat_map(|key| &key.serves).map(|served| &served.service) {
            if let Err(unknown) = known_service(&service.value, rules) {
                let problem = Problem::new(service.span, unknown.message).with_help(unknown.help);
                self.add("invalid-config", file, vec![problem]);
            }
        }
        for key in &config.keys {
            let elsewhere = key.serves.iter().filter(|served| key.is_elsewhere(served));
            for Spanned { value, span } in elsewhere.map(|served| &served.service) {
                if known_service(value, rules).is_ok() && !rules.takes_grant(value) {
                    let message =
                        format!("keylint knows no grant by which `{value}` uses a key of another account");
                    let help =
                        "remove `account`, or the entry: what this service needs there cannot be checked";
                    self.add("invalid-config", file, vec![Problem::new(*span, message).with_help(help)]);
                }
            }
        }
    }
}

fn known_service(name: &str, rules: &RuleSet) -> Result<(), UnknownName> {
    if rules.services().any(|known| known == name) {
        return Ok(());
    }
    let help = match did_you_mean(name, rules.services()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let names: Vec<&str> = rules.services().collect();
            format!("keylint knows {}", keylint_source::quoted_list(&names))
        }
    };
    Err(UnknownName { message: format!("no service is named `{name}`"), help })
}

fn unknown_rule((name, meant): (String, Option<String>)) -> UnknownName {
    UnknownName {
        message: format!("no rule or group is named `{name}`"),
        help: hint(meant.as_deref(), "rules"),
    }
}

/// What may be meant by a name that no rule has; `None` if one has it.
fn hint_for(name: &str, rules: &RuleSet) -> Option<String> {
    let meant = || did_you_mean(name, rules.rules().map(|rule| rule.name.as_str()));
    rules.rule(name).is_none().then(|| hint(meant(), "rules"))
}

fn hint(meant: Option<&str>, list: &str) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("`keylint {list}` lists them"),
    }
}

fn diagnostic(rule: &'static str, file: FileId, problem: Problem) -> Diagnostic {
    let at = Location { file, span: problem.at };
    let mut diagnostic = Diagnostic::new(rule, Severity::Error, problem.message, at);
    diagnostic.primary = Label::new(at, problem.label);
    diagnostic.help = problem.help;
    diagnostic
}

/// Where the files of a module begin among its places.
struct Places {
    starts: Vec<(u32, FileId)>,
}

impl Places {
    fn new(files: &[OfModule<'_>], read_files: &[ReadFile], ids: &[FileId]) -> Self {
        let mut starts = Vec::with_capacity(files.len() + ids.len());
        let mut offset = 0_usize;
        for file in files {
            starts.push((u32::try_from(offset).unwrap_or(u32::MAX), file.file));
            offset = offset.saturating_add(file.text.len() + 1);
        }
        starts.extend(read_files.iter().zip(ids).map(|(file, id)| (file.offset, *id)));
        Self { starts }
    }

    fn find(&self, span: Span) -> Location {
        let index = self.starts.partition_point(|(start, _)| *start <= span.start()).saturating_sub(1);
        let (start, file) = self.starts.get(index).copied().unwrap_or((0, FIRST_INPUT));
        let at = |offset: u32| offset.saturating_sub(start);
        Location { file, span: Span::new(at(span.start()), at(span.end())) }
    }
}

/// A path from the root, without `.` and `..`. Links are not followed: patterns speak of names.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(result.pop()),
            component => result.push(component),
        }
    }
    if path.as_os_str().is_empty() { std::env::current_dir().unwrap_or(result) } else { result }
}
