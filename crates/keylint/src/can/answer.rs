//! Answers as people and programs read them.

use std::io;

use keylint_policy::Answer;
use keylint_policy::evaluate::principal_names;
use keylint_policy::model::{Effect, Policy, Principal, Statement};
use keylint_report::{Style, write_answer};
use keylint_source::{Diagnostic, FileId, Label, Location, Severity, SourceFile, Sources, Span};
use serde::Serialize;
use serde_json::{Value, json};

use super::decision::{Decision, Question, Verdict, sid};
use super::documents::KeyPolicy;
use super::grants::RestsOn;

/// An answer for programs.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    decision: &'static str,
    by: Vec<Value>,
    /// The place of the grant that the answer rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
    why: &'a str,
}

/// What stands in the place of an answer to a request that cannot be read.
#[derive(Serialize)]
struct Failure<'a> {
    id: &'a Value,
    error: &'a str,
}

/// Writes why there is no answer as one line of JSON.
pub(super) fn failure(id: &Value, error: &str, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Failure { id, error })?;
    out.write_all(b"\n")
}

/// Writes an answer as one line of JSON.
pub(super) fn json(
    id: Option<&Value>,
    decision: &Decision,
    rests_on: Option<&RestsOn>,
    policy: &Policy<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let by = decision.by.iter().filter_map(|index| policy.statements.get(*index));
    let line = Line {
        id,
        decision: match decision.verdict {
            Verdict::Allowed => "allow",
            Verdict::DeniedExplicitly => "explicitDeny",
            Verdict::NotAllowed => "implicitDeny",
            Verdict::Delegated | Verdict::Maybe => "maybe",
        },
        by: by.map(|one| sid(one).map_or_else(|| json!(one.index), |sid| json!(sid))).collect(),
        grant: rests_on.map(RestsOn::place),
        why: &decision.why,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// A question as it was asked.
pub(super) struct Asked<'a, 'p> {
    pub(super) question: &'a Question<'a, 'p>,
    pub(super) principal: &'a str,
    /// The account that is only assumed to own the key.
    pub(super) assumed: Option<&'a str>,
    pub(super) document: &'a KeyPolicy,
}

/// Writes an answer for people: the verdict, why, and the statements or the grant that decide.
pub(super) fn text(
    asked: &Asked<'_, '_>,
    decision: &Decision,
    rests_on: Option<&RestsOn>,
    style: Style,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let &Asked { question, principal, assumed, document } = asked;
    let (file, of_grant) = (FileId(0), FileId(1));
    let mut sources = Sources::default();
    sources.insert(file, SourceFile::new(document.path.as_str(), document.text.as_str()));
    let action = question.operation.qualified();
    let (verdict, may) = match decision.verdict {
        Verdict::Allowed => ("allowed", "may call"),
        Verdict::DeniedExplicitly => ("denied", "may not call"),
        Verdict::NotAllowed => ("not allowed", "may not call"),
        Verdict::Delegated => ("delegated", "may call"),
        Verdict::Maybe => ("maybe", "may call"),
    };
    let condition = match decision.verdict {
        Verdict::Delegated => format!(" if the IAM policies of account {} allow it", question.caller.account),
        Verdict::Maybe => format!(": {}", decision.why),
        _ => String::new(),
    };
    let message = format!("`{}` {may} {action}{condition}", simple_name(principal));

    let policy = question.evaluator.policy();
    let statements = decision.by.iter().filter_map(|index| policy.statements.get(*index));
    let mut labels = statements.flat_map(|statement| labels(statement, question, decision.verdict, file));
    let heading = || Label::new(Location { file, span: policy.heading }, "");
    let mut shown = Diagnostic::new("can", Severity::Note, "", Location { file, span: policy.heading });
    shown.primary = labels.next().unwrap_or_else(heading);
    shown.related = labels.collect();
    if let Some(grant) = rests_on {
        sources.insert(of_grant, SourceFile::new(grant.path.as_str(), grant.text.as_str()));
        let at = Location { file: of_grant, span: grant.at };
        let perhaps = if decision.verdict == Verdict::Maybe { ", if it applies" } else { "" };
        let label = Label::new(at, format!("permitted by this grant{perhaps}"));
        let of_policy = std::mem::replace(&mut shown.primary, label);
        // What the policy says of it, if anything, still tells why the grant is needed.
        shown.related.insert(0, of_policy);
        if decision.by.is_empty() {
            shown.related.clear();
        }
    }
    if decision.verdict != Verdict::Maybe {
        shown.notes.push(decision.why.clone());
    }
    if let Some(account) = assumed {
        shown.notes.push(format!("the key is taken to be account {account}'s: `--account` says whose it is"));
    }
    write_answer((verdict, &message), &sources, &shown, style, out)
}

/// What a statement says of the question: its action, and whom it names.
fn labels(
    statement: &Statement<'_>,
    question: &Question<'_, '_>,
    verdict: Verdict,
    file: FileId,
) -> [Label; 2] {
    let operation = question.operation;
    let action = statement.actions.item_for(operation).filter(|_| !statement.actions.negated);
    let action = action.map_or(statement.actions.value, |item| item.text.span());
    let items = &statement.principals.items;
    let naming = items.iter().find(|item| {
        !statement.principals.negated
            && principal_names(&item.principal, question.caller).at_all() != Answer::No
    });
    let principal = naming.map_or(statement.principals.value, |item| item.text.span());
    let effect = match statement.effect {
        Some(Effect::Allow) => "allowed",
        Some(Effect::Deny) => "denied",
        None => "allowed or denied",
    };
    let unconditional = statement.conditions.is_empty() && !statement.conditions_open;
    let condition = match verdict {
        _ if unconditional => "",
        Verdict::Maybe => ", if its conditions hold",
        _ => ", and its conditions hold",
    };
    let at = |span: Span| Location { file, span };
    let named = match naming.map(|item| &item.principal) {
        None => "to everyone else",
        Some(Principal::Anyone) => "to everyone",
        Some(Principal::Account(_)) => "to this account",
        Some(_) => "to this principal",
    };
    [Label::new(at(action), format!("{effect} here{condition}")), Label::new(at(principal), named)]
}

/// `role/app` of an ARN; anything else as it is.
pub(super) fn simple_name(principal: &str) -> &str {
    let resource = principal.splitn(6, ':').nth(5);
    resource.filter(|resource| *resource != "root").unwrap_or(principal)
}
