//! Uses of keys from other accounts, as the configuration declares them: documents of several files that have to agree.

use std::path::{Path, PathBuf};

use keylint_extract::{Document, DocumentKind, Extracted, Language, ModuleFile, Presence, ReadFile};
use keylint_policy::grant::Grant;
use keylint_policy::model::Policy;
use keylint_policy::{Answer, lower};
use keylint_report::{Chain, ChainLink, LinkState};
use keylint_rules::{Access, Files, KeyEntry, KeyKnowledge, Link, Part, Served};
use keylint_source::{Diagnostic, FileId, Location, Problem, SourceFile, Span};
use keylint_syntax::{Arena, Kind, Tree};

use super::judge::refers_to;
use super::{CONFIGURATION, Linter, OfModule, Places, absolute, diagnostic};
use crate::ways;

/// A file that a declared use may be about.
#[derive(Clone, Copy, Debug)]
pub struct OfUse<'f> {
    /// Its id.
    pub file: FileId,
    /// The path as the user is to see it.
    pub path: &'f str,
    /// The text.
    pub text: &'f str,
}

/// What there is to say about the uses that the configuration declares.
#[derive(Debug, Default)]
pub struct LintedUses {
    /// In any order.
    pub diagnostics: Vec<Diagnostic>,
    /// For each use, how its documents hang together.
    pub chains: Vec<Chain>,
    /// The files that modules read.
    pub read_files: Vec<(FileId, SourceFile)>,
}

/// A declared use, with the patterns of the files that it is about.
pub(crate) struct DeclaredUse<'l> {
    key: &'l KeyEntry,
    served: &'l Served,
}

impl<'l> DeclaredUse<'l> {
    /// The patterns of the use's files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &'l Files> {
        let lists = [&self.served.grants, &self.served.identity_policies];
        self.key.policy.iter().chain(lists.into_iter().flatten().flatten())
    }

    /// The name of the key's resource, where no pattern tells in which files it is.
    pub(crate) fn resource(&self) -> Option<&'l str> {
        self.key.resource.as_deref().filter(|_| self.key.policy.is_none())
    }
}

impl Linter {
    /// The paths of the files that a pattern of the configuration finds, as the user is to see them.
    pub(crate) fn files_of(&self, files: &Files) -> Vec<PathBuf> {
        let folder = glob::Pattern::escape(&self.folder.to_string_lossy());
        let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        let pattern = format!("{folder}/{}", files.written.value.trim_start_matches("./"));
        let found = glob::glob_with(&pattern, options).into_iter().flatten().flatten();
        let shown = |path: PathBuf| match path.strip_prefix(&self.folder) {
            Ok(relative) => self.shown_folder.join(relative),
            Err(_) => path,
        };
        found.filter(|path| path.is_file()).map(shown).collect()
    }

    /// Whether a path is that of the configuration.
    pub(crate) fn is_configuration(&self, path: &Path) -> bool {
        self.config_path.as_ref().is_some_and(|config| *config == absolute(path))
    }

    /// The uses from other accounts that the configuration declares.
    pub(crate) fn declared_uses(&self) -> impl Iterator<Item = DeclaredUse<'_>> {
        self.config.keys.iter().flat_map(|key| {
            let elsewhere = key.serves.iter().filter(|served| key.is_elsewhere(served));
            elsewhere.map(move |served| DeclaredUse { key, served })
        })
    }

    /// Adds what was found in uses to what was found in their documents one by one. What both say is said once.
    pub(crate) fn add_uses(&self, found: &mut Vec<Diagnostic>, mut of_uses: Vec<Diagnostic>) {
        if !of_uses.is_empty() {
            found.append(&mut of_uses);
            self.rules.without_repetitions(found);
        }
    }

    /// Checks the uses that the configuration declares, given all files that they may be about.
    ///
    /// `read` opens the files that modules name, by their paths; what modules read gets the ids from `free` on.
    pub fn lint_uses(
        &self,
        files: &[OfUse<'_>],
        read: &dyn Fn(&Path) -> Option<String>,
        free: FileId,
    ) -> LintedUses {
        let mut linted = LintedUses::default();
        let units = self.units(files, read, free, &mut linted);
        for declared in self.declared_uses() {
            self.lint_use(&declared, &units, &mut linted);
        }
        linted.diagnostics.sort_by(Diagnostic::order);
        linted.diagnostics.dedup_by(|later, earlier| later.repeats(earlier));
        linted
    }

    /// Whether the configuration says that one of these files has an IAM policy.
    fn is_listed_identity_policy(&self, paths: &[String]) -> bool {
        let lists =
            self.declared_uses().flat_map(|declared| declared.served.identity_policies.iter().flatten());
        lists.into_iter().any(|files| paths.iter().any(|path| files.cover(path)))
    }

    fn lint_use(&self, declared: &DeclaredUse<'_>, units: &[Unit<'_>], linted: &mut LintedUses) {
        let DeclaredUse { key, served } = declared;
        let Some(account) = served.account.as_deref() else { return };
        // What is said of a service without a grant is wrong as a whole.
        if !self.rules.takes_grant(&served.service.value) {
            return;
        }
        let policies = policies_of(key, units);
        if policies.is_empty() {
            let (at, what) = match &key.policy {
                Some(files) => (
                    files.written.span,
                    format!("no file with a key policy matches `{}`", files.written.value),
                ),
                None => (
                    served.service.span,
                    format!("no key policy of `{}` is found", key.resource.as_deref().unwrap_or_default()),
                ),
            };
            linted.diagnostics.push(diagnostic("invalid-config", CONFIGURATION, Problem::new(at, what)));
            return;
        }
        let mut is_missing = false;
        let mut documents = |files: &Option<Vec<Files>>, kind| {
            let files = files.as_ref()?;
            for pattern in files {
                let is_there = |unit: &Unit<'_>| unit.paths.iter().any(|path| pattern.cover(path));
                if !units.iter().any(is_there) {
                    is_missing = true;
                    let what = format!("no file matches `{}`", pattern.written.value);
                    let problem = Problem::new(pattern.written.span, what);
                    linted.diagnostics.push(diagnostic("invalid-config", CONFIGURATION, problem));
                }
            }
            let covered = |path: &str| files.iter().any(|pattern| pattern.cover(path));
            Some(units.iter().flat_map(|unit| unit.documents(kind, covered)).collect::<Vec<_>>())
        };
        let found = (
            documents(&served.grants, DocumentKind::Grant),
            documents(&served.identity_policies, DocumentKind::IdentityPolicy),
        );
        let listed = [&served.grants, &served.identity_policies];
        let is_broken = units.iter().any(|unit| {
            let is_listed = |path: &String| listed.into_iter().flatten().flatten().any(|it| it.cover(path));
            !unit.extracted.problems.is_empty() && unit.paths.iter().any(is_listed)
        });
        // That a file is not there, or cannot be read, is said already.
        if is_missing || is_broken {
            return;
        }
        let identity_policies: Option<Vec<(Policy<'_>, FileId)>> =
            found.1.as_ref().map(|all| all.iter().map(Found::policy).collect());
        for policy in policies {
            let grants: Option<Vec<(Grant<'_>, FileId)>> =
                found.0.as_ref().map(|all| all.iter().map(|found| found.grant(&policy)).collect());
            let mut known = KeyKnowledge {
                trusted_accounts: self.config.trusted_accounts.as_deref(),
                organization: self.config.organization.as_deref(),
                account: self
                    .account
                    .as_deref()
                    .or(self.config.account.as_deref())
                    .filter(|_| key.owner().is_none()),
                ..KeyKnowledge::default()
            };
            known.add(key);
            let mut links = Vec::new();
            let of_way = |(node, presence): (u32, _)| {
                let lowered = lower(policy.tree.get(node));
                let access = Access {
                    service: Some(&served.service.value),
                    account: Some(account),
                    declared: Location { file: CONFIGURATION, span: served.service.span },
                    key: known.clone(),
                    policy: Part { document: &lowered, file: policy.file },
                    grants: grants.as_ref().map(|all| parts(all)),
                    identity_policies: identity_policies.as_ref().map(|all| parts(all)),
                    lists_identity_policies: served.identity_policies.iter().flatten().next().is_some(),
                };
                let (found, of_way) = self.rules.check_access(&self.selection, &access);
                links = of_way;
                (found, presence)
            };
            let ways: Vec<(Vec<Diagnostic>, &Presence)> = policy.ways.iter().copied().map(of_way).collect();
            let mut found = ways::in_all(ways);
            let place = |location: Location| match units.iter().find(|unit| unit.file == location.file) {
                Some(unit) => unit.places.find(location.span),
                None => location,
            };
            for diagnostic in &mut found {
                diagnostic.move_to(place);
            }
            linted.diagnostics.append(&mut found);
            let shown = |link: Link| ChainLink {
                document: link.document,
                state: match link.holds {
                    Answer::Yes => LinkState::Holds,
                    Answer::No => LinkState::Broken,
                    Answer::Maybe => LinkState::Unknown,
                },
                at: link.at.map(place),
                says: link.says,
            };
            let links = links.into_iter().map(shown).collect();
            let of_key = policy.name.unwrap_or(policy.path);
            let service = self.rules.service_title(&served.service.value).unwrap_or(&served.service.value);
            let title = format!("{service} in account {account} uses the key of {of_key}");
            linted.chains.push(Chain { title, links });
        }
    }

    /// The files, those of one folder of Terraform together.
    fn units<'f>(
        &self,
        files: &[OfUse<'f>],
        read: &dyn Fn(&Path) -> Option<String>,
        free: FileId,
        linted: &mut LintedUses,
    ) -> Vec<Unit<'f>> {
        let folder = |file: &OfUse<'f>| {
            let is_of_module = matches!(Language::of_path(file.path), Some(Language::Terraform { .. }));
            is_of_module.then(|| Path::new(file.path).parent().map(Path::to_path_buf)).flatten()
        };
        let mut groups: Vec<Vec<OfUse<'f>>> = Vec::new();
        for file in files {
            let own = folder(file);
            let same = |group: &&mut Vec<OfUse<'f>>| {
                own.is_some() && group.first().is_some_and(|first| folder(first) == own)
            };
            match groups.iter_mut().find(same) {
                Some(group) => group.push(*file),
                None => groups.push(vec![*file]),
            }
        }
        let mut next = free.0;
        let mut units = Vec::new();
        for group in groups {
            let id = FileId(u32::MAX - u32::try_from(units.len()).unwrap_or(0));
            let mut unit = Unit::new(id, &group, self.account.as_deref(), read);
            let paths: Vec<String> = group.iter().map(|file| self.relative(file.path)).collect();
            if self.is_listed_identity_policy(&paths) {
                unit.take_any_identity_policy();
            }
            let read_files = std::mem::take(&mut unit.extracted.read_files);
            let ids: Vec<FileId> = read_files
                .iter()
                .map(|_| {
                    next = next.saturating_add(1);
                    FileId(next - 1)
                })
                .collect();
            unit.places = Places::new(&unit.files, &read_files, &ids);
            unit.paths = paths;
            for (id, ReadFile { path, text, .. }) in ids.into_iter().zip(read_files) {
                linted.read_files.push((id, SourceFile::new(path, text)));
            }
            units.push(unit);
        }
        units
    }
}

/// The key policies that an entry of the configuration is about.
fn policies_of<'u>(key: &KeyEntry, units: &'u [Unit<'_>]) -> Vec<FoundPolicy<'u>> {
    let mut found = Vec::new();
    for unit in units {
        for document in &unit.extracted.documents {
            let name = document.resource.as_ref().map(|resource| resource.name.as_str());
            let is_of_kind = document.kind == DocumentKind::KeyPolicy;
            let path = unit.path_at(document.at.unwrap_or(Span::empty(0)));
            if !is_of_kind || !key.covers(path, name) {
                continue;
            }
            let tree = unit.tree();
            let ways = document.ways.iter().filter(|way| tree.get(way.node).kind() == Kind::Object);
            let ways: Vec<(u32, &Presence)> = ways.map(|way| (way.node, &way.presence)).collect();
            if !ways.is_empty() {
                found.push(FoundPolicy { document, tree, ways, file: unit.file, name, path });
            }
        }
    }
    found
}

/// A key policy that was found, in each of its ways.
struct FoundPolicy<'u> {
    document: &'u Document,
    tree: Tree<'u>,
    ways: Vec<(u32, &'u Presence)>,
    file: FileId,
    name: Option<&'u str>,
    path: &'u str,
}

/// A grant or an IAM policy that was found.
struct Found<'u> {
    tree: Tree<'u>,
    node: u32,
    at: Option<Span>,
    file: FileId,
}

impl<'u> Found<'u> {
    fn policy(&self) -> (Policy<'u>, FileId) {
        (lower(self.tree.get(self.node)), self.file)
    }

    /// The grant, looked at with the policy of a key.
    fn grant(&self, policy: &FoundPolicy<'_>) -> (Grant<'u>, FileId) {
        let mut grant = Grant::of(self.tree.get(self.node), self.at);
        grant.refers_to_key = self.file == policy.file && refers_to(&grant, policy.document);
        (grant, self.file)
    }
}

/// A file, or the files of a module.
struct Unit<'f> {
    /// Stands for the unit: its places are among all of its files.
    file: FileId,
    files: Vec<OfModule<'f>>,
    /// The paths relative to the configuration's folder.
    paths: Vec<String>,
    text: String,
    arena: Arena,
    extracted: Extracted,
    places: Places,
}

impl<'f> Unit<'f> {
    fn new(
        id: FileId,
        group: &[OfUse<'f>],
        account: Option<&str>,
        read: &dyn Fn(&Path) -> Option<String>,
    ) -> Self {
        let files: Vec<OfModule<'f>> = group
            .iter()
            .map(|file| OfModule { file: file.file, path: file.path, text: file.text, is_asked: true })
            .collect();
        let mut arena = Arena::default();
        let first = group.first();
        let language = first.map_or(Language::Other, |file| Language::of(file.path, file.text));
        let module: Vec<ModuleFile<'_>> =
            files.iter().map(|file| ModuleFile { path: file.path, text: file.text }).collect();
        let extracted = if let Language::Terraform { .. } = language {
            let folder = first.and_then(|file| Path::new(file.path).parent()).unwrap_or(Path::new(""));
            let read = |path: &str| read(&folder.join(path));
            keylint_extract::extract_module(&module, account, &read, &mut arena)
        } else {
            let text = first.map_or("", |file| file.text);
            keylint_extract::extract(language, text, account, &mut arena)
        };
        let text = keylint_extract::module_text(&module, &extracted.read_files).into_owned();
        let places = Places::new(&files, &[], &[]);
        Self { file: id, files, paths: Vec::new(), text, arena, extracted, places }
    }

    /// Looks for an IAM policy that says nothing of KMS in particular, where none was found that does.
    fn take_any_identity_policy(&mut self) {
        let is_one = |kind: DocumentKind| kind == DocumentKind::IdentityPolicy;
        let has_one = self.extracted.documents.iter().any(|document| is_one(document.kind));
        let is_json =
            self.files.first().is_some_and(|file| Language::of(file.path, file.text) == Language::Json);
        if is_json && !has_one && self.extracted.problems.is_empty() {
            let mut arena = Arena::default();
            if let Some(document) = keylint_extract::identity_policy(&self.text, &mut arena) {
                self.extracted.documents = vec![document];
                self.arena = arena;
            }
        }
    }

    fn tree(&self) -> Tree<'_> {
        Tree::new(&self.text, &self.arena)
    }

    /// The path of the file that has a place, relative to the configuration's folder.
    fn path_at(&self, span: Span) -> &str {
        let file = self.places.find(span).file;
        let index = self.files.iter().position(|of_unit| of_unit.file == file).unwrap_or(0);
        self.paths.get(index).map_or("", String::as_str)
    }

    /// The documents of a kind in the files with these paths, each of its ways by itself.
    fn documents(&self, kind: DocumentKind, covered: impl Fn(&str) -> bool) -> Vec<Found<'_>> {
        let of_kind = self.extracted.documents.iter().filter(|document| document.kind == kind);
        let of_files =
            of_kind.filter(|document| covered(self.path_at(document.at.unwrap_or(Span::empty(0)))));
        let tree = self.tree();
        let ways = of_files.flat_map(|document| {
            let known = document.ways.iter().filter(move |way| tree.get(way.node).kind() == Kind::Object);
            known.map(move |way| Found { tree, node: way.node, at: document.at, file: self.file })
        });
        ways.collect()
    }
}

fn parts<T>(all: &[(T, FileId)]) -> Vec<Part<&T>> {
    all.iter().map(|(document, file)| Part { document, file: *file }).collect()
}
