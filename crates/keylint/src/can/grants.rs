//! Grants: what they permit beside the key policy.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>

use std::path::Path;

use keylint_extract::{DocumentKind, Extracted, Language, ModuleFile, extract, extract_module};
use keylint_policy::Answer;
use keylint_policy::arn::Arn;
use keylint_policy::evaluate::{CallerKind, State, principal_names};
use keylint_policy::grant::{Given, Grant};
use keylint_policy::model::Principal;
use keylint_policy::pattern::has_hole;
use keylint_policy::vocabulary::{ConditionKey, Operation};
use keylint_source::{SourceFile, Span, Unit};
use keylint_syntax::{Arena, Kind, Node, Tree};

use super::decision::{Decision, Question, Verdict, is_denied_perhaps};
use super::documents::{malformed, read};
use crate::Stop;

/// The grants of a file, whatever it is: requests, a list, commands, a module.
pub(super) struct Grants {
    path: String,
    text: String,
    arena: Arena,
    extracted: Extracted,
}

/// A grant that an answer rests on.
#[derive(Debug)]
pub(super) struct RestsOn {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) at: Span,
}

impl RestsOn {
    /// Where the grant is: `path:line:column`.
    pub(super) fn place(&self) -> String {
        let file = SourceFile::new(self.path.as_str(), self.text.as_str());
        let start = file.position(self.at.start(), Unit::CodePoints);
        format!("{}:{}:{}", self.path, start.line, start.column)
    }
}

impl Grants {
    pub(super) fn read(path: &Path) -> Result<Self, Stop> {
        let (path, text) = read(path)?;
        let mut arena = Arena::default();
        let extracted = match Language::of(&path, &text) {
            Language::Terraform { .. } => {
                extract_module(&[ModuleFile { path: &path, text: &text }], None, &|_| None, &mut arena)
            }
            language => extract(language, &text, None, &mut arena),
        };
        if let Some(problem) = extracted.problems.first() {
            return Err(malformed(&path, &text, problem));
        }
        if !extracted.documents.iter().any(|document| document.kind == DocumentKind::Grant) {
            let stop = Stop::new(format!("`{path}` has no grant"));
            return Err(stop.with_help(
                "the file has to be the request or the command that creates one, a list of grants, or a module with `aws_kms_grant`",
            ));
        }
        Ok(Self { path, text, arena, extracted })
    }

    /// Each grant. One that depends on conditions counts in each of its forms.
    fn each(&self) -> impl Iterator<Item = (Grant<'_>, bool)> {
        let tree = Tree::new(&self.text, &self.arena);
        let grants = self.extracted.documents.iter().filter(|one| one.kind == DocumentKind::Grant);
        grants.flat_map(move |document| {
            let is_certain = document.ways.len() == 1;
            let nodes = document.ways.iter().map(move |way| tree.get(way.node));
            let objects = nodes.filter(|node| node.kind() == Kind::Object);
            objects.map(move |node| (Grant::of(node, document.at), is_certain))
        })
    }
}

/// Lets grants decide what the policies do not allow, and tells on which grant the answer then rests. A `Deny` wins over
/// grants as over everything else.
pub(super) fn settle(
    question: &Question<'_, '_>,
    all: &[Grants],
    decision: &mut Decision,
) -> Option<RestsOn> {
    if matches!(decision.verdict, Verdict::Allowed | Verdict::DeniedExplicitly) {
        return None;
    }
    let mut best: Option<(Answer, RestsOn)> = None;
    for file in all {
        for (grant, is_certain) in file.each() {
            let mut answer = permits(&grant, question);
            if !is_certain {
                answer = answer.and(Answer::Maybe);
            }
            let is_better = match &best {
                None => answer != Answer::No,
                Some((known, _)) => answer == Answer::Yes && *known == Answer::Maybe,
            };
            if is_better {
                let at = grant.heading;
                best = Some((answer, RestsOn { path: file.path.clone(), text: file.text.clone(), at }));
            }
        }
    }
    let (mut answer, rests_on) = best?;
    if is_denied_perhaps(question) {
        answer = answer.and(Answer::Maybe);
    }
    let place = rests_on.place();
    match (answer, decision.verdict) {
        (Answer::Yes, _) => {
            decision.verdict = Verdict::Allowed;
            decision.delegated = false;
            decision.by.clear();
            decision.why = format!("the grant at {place} permits it");
            Some(rests_on)
        }
        // What the IAM policies decide they decide with or without a grant that perhaps applies.
        (_, Verdict::Delegated) => None,
        _ => {
            decision.verdict = Verdict::Maybe;
            decision.why = format!("it depends on whether the grant at {place} applies");
            Some(rests_on)
        }
    }
}

/// Whether a grant permits the call of a question, if no policy denies it.
fn permits(grant: &Grant<'_>, question: &Question<'_, '_>) -> Answer {
    let operation = question.operation;
    if !operation.in_grants() {
        return Answer::No;
    }
    let listed = grant.operations.items.iter().any(|item| item.operation == Some(operation));
    let listed = match listed {
        true => Answer::Yes,
        false if grant.operations.open => Answer::Maybe,
        false => Answer::No,
    };
    listed.and(is_grantee(grant, question)).and(is_for_key(grant, question)).and(are_met(grant, question))
}

fn is_grantee(grant: &Grant<'_>, question: &Question<'_, '_>) -> Answer {
    let caller = question.caller;
    if caller.kind == CallerKind::Service {
        let given = [grant.grantee_service, grant.grantee];
        let mut known = given.iter().filter_map(|given| given.text());
        return Answer::from(known.any(|text| text.as_str() == caller.arn));
    }
    match grant.grantee {
        Given::Absent => Answer::No,
        Given::Unknown => Answer::Maybe,
        Given::Is(text) => match Principal::parse_aws(text.as_str()) {
            // A grant for a role that is written nearly like the caller is one for another role.
            principal @ Principal::Identity(_) => match principal_names(&principal, caller).directly {
                Answer::Maybe if caller.kind == CallerKind::ServiceLinkedRole && !has_hole(text.as_str()) => {
                    Answer::No
                }
                answer => answer,
            },
            // Whether the identities of an account have what its root is granted is not documented.
            principal @ Principal::Account(_) => {
                let named = principal_names(&principal, caller);
                named.directly.or(named.by_account.and(Answer::Maybe))
            }
            _ if has_hole(text.as_str()) => Answer::Maybe,
            _ => Answer::No,
        },
    }
}

/// Who names a grant says that it is one for this key, unless the grant says that it is for another.
fn is_for_key(grant: &Grant<'_>, question: &Question<'_, '_>) -> Answer {
    // KMS answers no request in a Region other than the key's.
    let region = |arn: &str| Arn::parse(arn).map(|arn| arn.region.to_owned());
    let of_key = grant.key.known().and_then(|key| region(key.as_str()));
    if let (Some(asked), Some(of_key)) = (grant.region.known(), of_key)
        && asked.as_str() != of_key
    {
        return Answer::No;
    }
    let key = question.evaluator.key();
    let arn = key.arn.as_deref().filter(|arn| !has_hole(arn));
    let (Some(text), Some(arn)) = (grant.key.known(), arn) else { return Answer::Yes };
    let text = text.as_str();
    let id = Arn::parse(arn).and_then(|arn| arn.resource.strip_prefix("key/"));
    Answer::from(text == arn || id == Some(text))
}

/// Whether the request meets the grant's constraints.
fn are_met(grant: &Grant<'_>, question: &Question<'_, '_>) -> Answer {
    if grant.constraints.open {
        return Answer::Maybe;
    }
    Answer::all(grant.constraints.items.iter().map(|(kind, value)| match kind.as_str() {
        // They are about cryptographic operations.
        _ if matches!(question.operation, Operation::DESCRIBE_KEY | Operation::RETIRE_GRANT) => Answer::Yes,
        "EncryptionContextSubset" => has_context(*value, question),
        "EncryptionContextEquals" => has_context(*value, question).and(has_no_other(*value, question)),
        _ => Answer::Maybe,
    }))
}

fn has_context(pairs: Node<'_>, question: &Question<'_, '_>) -> Answer {
    let context = question.context;
    Answer::all(pairs.members().map(|pair| {
        let key = format!("kms:EncryptionContext:{}", pair.key.as_str().unwrap_or_default());
        let key = ConditionKey::parse(&key);
        let known = context.entries.iter().find(|(known, _)| known.same_as(&key));
        match (known, pair.value.as_string()) {
            (Some((_, State::Is(values))), Some(wanted)) if !has_hole(wanted) => {
                Answer::from(values.iter().any(|value| value == wanted))
            }
            (None, _) if context.complete => Answer::No,
            (Some((_, State::Absent)), _) => Answer::No,
            _ => Answer::Maybe,
        }
    }))
}

/// Whether the encryption context of a request has nothing but these pairs.
fn has_no_other(pairs: Node<'_>, question: &Question<'_, '_>) -> Answer {
    let context = question.context;
    let wanted = |name: &str| {
        pairs.members().any(|pair| pair.key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)))
    };
    let others = context.entries.iter().any(|(key, state)| {
        let name = key.text.get("kms:EncryptionContext:".len()..).unwrap_or_default();
        let is_context = key.text.to_ascii_lowercase().starts_with("kms:encryptioncontext:");
        is_context && matches!(state, State::Is(_)) && !wanted(name)
    });
    match (others, context.complete) {
        (true, _) => Answer::No,
        (false, true) => Answer::Yes,
        (false, false) => Answer::Maybe,
    }
}
