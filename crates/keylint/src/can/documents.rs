//! The policies that a question is about, as files.

use std::path::Path;

use keylint_extract::{forget_intrinsics, is_output_tail, key_policies};
use keylint_policy::evaluate::Evaluator;
use keylint_policy::lower;
use keylint_policy::model::Policy;
use keylint_rules::{Owner, key_of};
use keylint_source::{Problem, SourceFile, Unit};
use keylint_syntax::{Arena, Kind, Node, Tree, json};

use super::is_standard_input;
use crate::arguments::Can;
use crate::lint::{Linter, Settings};
use crate::reading::{read_file, read_standard_input, shown};
use crate::{Stop, configuration};

/// A JSON document.
struct Document {
    path: String,
    text: String,
    arena: Arena,
}

impl Document {
    fn read(path: &Path) -> Result<Self, Stop> {
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
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        json::parse(&text, &mut arena, &mut problems);
        problems.retain(|problem| !text.get(problem.at.range()).is_some_and(is_output_tail));
        if let Some(problem) = problems.first() {
            return Err(malformed(&path, &text, problem));
        }
        Ok(Self { path, text, arena })
    }
}

fn malformed(path: &str, text: &str, problem: &Problem) -> Stop {
    let place = SourceFile::new(path, text).position(problem.at.start(), Unit::CodePoints);
    Stop::new(format!("{path}:{}:{}: {}", place.line, place.column, problem.message))
}

/// A key policy, and what the user says of its key.
pub(super) struct KeyPolicy {
    pub(super) path: String,
    pub(super) text: String,
    arena: Arena,
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
        let Document { path, text, mut arena } = Document::read(path)?;
        forget_intrinsics(&text, &mut arena);
        Ok(Self { path, text, arena, linter, key_arn: arguments.key_arn.clone() })
    }

    /// Asks something of the policy. The question is told, too, which account is only assumed to own the key.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Evaluator<'_>, Option<&str>) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let tree = Tree::new(&self.text, &self.arena);
        // Who asks says that it is a key policy, also where nothing in it does.
        let found = key_policies(tree).first().map(|found| found.policy);
        let named = || tree.root().filter(|root| names_principals(*root));
        let Some(policy) = found.or_else(named) else {
            let stop = Stop::new(format!("`{}` has no key policy", self.path));
            return Err(stop.with_help("the file has to be the policy document itself, with its `Statement`"));
        };
        let policy = lower(policy);
        let known = self.linter.known(&self.path);
        let arn = self.key_arn.as_deref().or(known.arn);
        let account = known.account.filter(|_| self.key_arn.is_none());
        let (mut key, owner) = key_of(&policy, account, arn);
        if let (None, Some(account)) = (&key.arn, &key.account) {
            // Its Region and its id are not known. They are holes, which IAM policies may leave open too.
            let arn = format!("arn:{}:kms:${{region}}:{account}:key/${{key}}", key.partition);
            key.arn = Some(arn.into());
        }
        let assumed = if let Owner::Assumed(account) = owner { Some(account) } else { None };
        question(&Evaluator::new(&policy, &key), assumed)
    }
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
    document: Document,
}

impl IdentityPolicy {
    pub(super) fn read(path: &Path) -> Result<Self, Stop> {
        let document = Document::read(path)?;
        let tree = Tree::new(&document.text, &document.arena);
        if tree.root().and_then(|root| root.get("Statement")).is_none() {
            let stop = Stop::new(format!("`{}` has no IAM policy", document.path));
            return Err(stop.with_help("the file has to be the policy document itself, with its `Statement`"));
        }
        if tree.root().is_some_and(names_principals) {
            let stop = Stop::new(format!("`{}` names principals, so it is no IAM policy", document.path));
            return Err(
                stop.with_help("`--identity-policy` takes a policy that is attached to a user or role")
            );
        }
        Ok(Self { document })
    }

    /// The policy. One without a root, which reading refuses, would be a policy that says nothing.
    pub(super) fn policy(&self) -> Option<Policy<'_>> {
        Tree::new(&self.document.text, &self.document.arena).root().map(lower)
    }
}
