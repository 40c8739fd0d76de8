//! The policies that a question is about, as files.

use std::path::Path;

use keylint_extract::{Document, DocumentKind, Language, extract};
use keylint_policy::evaluate::Evaluator;
use keylint_policy::lower;
use keylint_policy::model::Policy;
use keylint_rules::{Owner, key_of};
use keylint_source::{Problem, SourceFile, Unit, quoted_list};
use keylint_syntax::{Arena, Kind, Node, Tree, json};

use super::is_standard_input;
use crate::arguments::Can;
use crate::lint::{Linter, Settings};
use crate::reading::{read_file, read_standard_input, shown};
use crate::{Stop, configuration};

/// The text of a file, and its path as the user is to see it.
pub(super) fn read(path: &Path) -> Result<(String, String), Stop> {
    let mut content = Vec::new();
    let read = if is_standard_input(path) {
        read_standard_input(Path::new("<stdin>"), &mut content)
    } else {
        read_file(path, &mut content)
    };
    read.map_err(|unreadable| Stop::new(unreadable.message))?;
    let path = if is_standard_input(path) { "<stdin>".to_owned() } else { shown(path).into_owned() };
    let text = String::from_utf8(content)
        .map_err(|_| Stop::new(format!("cannot read `{path}`: it is not UTF-8 text")))?;
    Ok((path, text))
}

pub(super) fn malformed(path: &str, text: &str, problem: &Problem) -> Stop {
    let place = SourceFile::new(path, text).position(problem.at.start(), Unit::CodePoints);
    Stop::new(format!("{path}:{}:{}: {}", place.line, place.column, problem.message))
}

/// A key policy, and what the user says of its key.
pub(super) struct KeyPolicy {
    pub(super) path: String,
    pub(super) text: String,
    arena: Arena,
    /// The index of the policy's node.
    policy: u32,
    linter: Linter,
    key_arn: Option<String>,
}

impl KeyPolicy {
    /// Reads the policy and the configuration.
    pub(super) fn read(path: &Path, arguments: &Can) -> Result<Self, Stop> {
        let settings = Settings {
            config: configuration::find(arguments.config.path.as_deref())?,
            account: arguments.account.clone(),
            ..Settings::default()
        };
        let (linter, problems, _) = configuration::linter(&settings)?;
        if let Some(problem) = problems.first() {
            return Err(Stop::new(format!("the configuration cannot be used: {}", problem.message))
                .with_help("`keylint check` shows the places"));
        }
        let (path, text) = read(path)?;
        let account = linter.known(&path, None).account.map(str::to_owned);
        let mut arena = Arena::default();
        let extracted = extract(Language::of(&path, &text), &text, account.as_deref(), &mut arena);
        if let Some(problem) = extracted.problems.first() {
            return Err(malformed(&path, &text, problem));
        }
        let policies: Vec<&Document> =
            extracted.documents.iter().filter(|one| one.kind == DocumentKind::KeyPolicy).collect();
        let policy = match chosen(&policies, arguments.key.as_deref(), &path)? {
            Some(policy) => policy,
            None => written_out(&path, &text, &mut arena)?,
        };
        Ok(Self { path, text, arena, policy, linter, key_arn: arguments.key_arn.clone() })
    }

    /// Asks something of the policy. The question is told, too, which account is only assumed to own the key.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Evaluator<'_>, Option<&str>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let policy = lower(Tree::new(&self.text, &self.arena).get(self.policy));
        let known = self.linter.known(&self.path, None);
        let arn = self.key_arn.as_deref().or(known.arn);
        let account = known.account.filter(|_| self.key_arn.is_none());
        let (mut key, owner) = key_of(&policy, account, arn);
        key.organization = known.organization.map(Into::into);
        if let (None, Some(account)) = (&key.arn, &key.account) {
            // Its Region and its id are not known. They are holes, which IAM policies may leave open too.
            let arn = format!("arn:{}:kms:${{region}}:{account}:key/${{key}}", key.partition);
            key.arn = Some(arn.into());
        }
        let assumed = if let Owner::Assumed(account) = owner { Some(account) } else { None };
        question(&Evaluator::new(&policy, &key), assumed)
    }
}

/// Of the key policies of a file, the one that is asked about; nothing if the file has none.
fn chosen(policies: &[&Document], key: Option<&str>, path: &str) -> Result<Option<u32>, Stop> {
    let named = |policy: &Document| {
        policy.resource.as_ref().map(|resource| resource.name.clone()).unwrap_or_default()
    };
    let names: Vec<String> = policies.iter().map(|policy| named(policy)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let policy = match (key, policies) {
        (None, []) => return Ok(None),
        (None, [only]) => *only,
        (None, _) => {
            let stop = Stop::new(format!("`{path}` has {} key policies", policies.len()));
            return Err(stop.with_help(format!("name one with --key: {}", quoted_list(&names))));
        }
        (Some(key), _) => {
            let of_key = policies.iter().zip(&names).find(|(_, name)| **name == key);
            let Some((policy, _)) = of_key else {
                let stop = Stop::new(format!("`{path}` has no key policy of `{key}`"));
                return Err(match names.as_slice() {
                    [] => stop,
                    names => stop.with_help(format!("it has those of {}", quoted_list(names))),
                });
            };
            policy
        }
    };
    match policy.ways.as_slice() {
        [only] => Ok(Some(only.node)),
        _ => {
            let name = named(policy);
            let stop = Stop::new(format!("the policy of `{name}` depends on conditions of its template"));
            Err(stop.with_help("ask about the policy as it is deployed: `aws kms get-key-policy` prints it"))
        }
    }
}

/// A policy in JSON that does not look like a key policy: who asks says that it is one.
fn written_out(path: &str, text: &str, arena: &mut Arena) -> Result<u32, Stop> {
    if Language::of(path, text) == Language::Json {
        let mut problems = Vec::new();
        json::parse(text, arena, &mut problems);
        if let Some(problem) = problems.first() {
            return Err(malformed(path, text, problem));
        }
        if let Some(root) = Tree::new(text, arena).root().filter(|root| names_principals(*root)) {
            return Ok(root.id());
        }
    }
    let stop = Stop::new(format!("`{path}` has no key policy"));
    Err(stop
        .with_help("the file has to be a policy document, with its `Statement`, or to have a key with one"))
}

/// Whether a policy has statements that name principals, as the policies of resources do.
pub(super) fn names_principals(policy: Node<'_>) -> bool {
    let Some(statements) = policy.get("Statement") else { return false };
    let alone = (statements.kind() == Kind::Object).then_some(statements);
    let mut statements = alone.into_iter().chain(statements.items());
    statements.any(|one| one.get("Principal").or_else(|| one.get("NotPrincipal")).is_some())
}

/// An IAM policy of the principal.
pub(super) struct IdentityPolicy {
    text: String,
    arena: Arena,
}

impl IdentityPolicy {
    pub(super) fn read(path: &Path) -> Result<Self, Stop> {
        let (path, text) = read(path)?;
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        json::parse(&text, &mut arena, &mut problems);
        if let Some(problem) = problems.first() {
            return Err(malformed(&path, &text, problem));
        }
        let root = Tree::new(&text, &arena).root();
        if root.and_then(|root| root.get("Statement")).is_none() {
            let stop = Stop::new(format!("`{path}` has no IAM policy"));
            return Err(stop.with_help("the file has to be the policy document itself, with its `Statement`"));
        }
        if root.is_some_and(names_principals) {
            let stop = Stop::new(format!("`{path}` names principals, so it is no IAM policy"));
            return Err(
                stop.with_help("`--identity-policy` takes a policy that is attached to a user or role")
            );
        }
        Ok(Self { text, arena })
    }

    /// The policy. One without a root, which reading refuses, would be a policy that says nothing.
    pub(super) fn policy(&self) -> Option<Policy<'_>> {
        Tree::new(&self.text, &self.arena).root().map(lower)
    }
}
