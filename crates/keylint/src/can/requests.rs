//! Many questions: one JSON object a line in, one answer a line out, in the same order and in constant memory.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;

use keylint_policy::evaluate::{Context, Evaluator, Key, State};
use keylint_policy::lower;
use keylint_policy::model::Policy;
use keylint_policy::vocabulary::ConditionKey;
use keylint_rules::key_of;
use keylint_source::did_you_mean;
use keylint_syntax::limits::FILE_BYTES;
use keylint_syntax::{Arena, Kind, Member, Node, Tree, json};
use rayon::prelude::*;
use serde_json::Value;

use super::decision::{Question, decide};
use super::documents::names_principals;
use super::{answer, is_standard_input, question};
use crate::reading::{Unreadable, reason};
use crate::{Stop, output};

/// The members of a request.
const MEMBERS: [&str; 8] = [
    "id",
    "policy",
    "principalArn",
    "action",
    "resourceArn",
    "context",
    "identityPolicies",
    "contextIsComplete",
];
/// Lines that are read before they are answered, and the bytes after which no more are.
const LINES: usize = 2048;
const BYTES: usize = 8 << 20;

/// Answers all requests of a file.
pub(super) fn answer_all(path: &Path) -> Result<ExitCode, Stop> {
    if is_standard_input(path) {
        return answer_from(&mut BufReader::new(io::stdin()));
    }
    let file = File::open(path).map_err(|error| Stop::new(Unreadable::from_error(path, &error).message))?;
    answer_from(&mut BufReader::new(file))
}

fn answer_from(input: &mut dyn BufRead) -> Result<ExitCode, Stop> {
    let mut failed = false;
    let mut unreadable = None;
    output::to_standard_output(|out| {
        loop {
            let lines = match batch(input) {
                Ok(lines) if lines.is_empty() => return Ok(()),
                Ok(lines) => lines,
                Err(error) => {
                    unreadable = Some(Stop::new(format!("cannot read the requests: {}", reason(&error))));
                    return Ok(());
                }
            };
            let answers: Vec<(Vec<u8>, bool)> =
                lines.par_iter().map_init(Arena::default, |arena, line| answered(line, arena)).collect();
            for (answer, is_error) in &answers {
                failed |= is_error;
                out.write_all(answer)?;
            }
        }
    })?;
    match unreadable {
        Some(stop) => Err(stop),
        None => Ok(if failed { ExitCode::from(2) } else { ExitCode::SUCCESS }),
    }
}

/// The next lines; none at the end.
fn batch(input: &mut dyn BufRead) -> io::Result<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    let mut bytes = 0;
    while lines.len() < LINES && bytes < BYTES {
        let mut line = Vec::new();
        let most = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX);
        if input.take(most).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        bytes += line.len();
        if !line.trim_ascii().is_empty() {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// The answer to a line, and whether it is an error.
fn answered(line: &[u8], arena: &mut Arena) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let (id, result) = match std::str::from_utf8(line) {
        Ok(text) => answer_line(text.trim(), arena, &mut out),
        Err(_) => (Value::Null, Err(Stop::new("the line is not UTF-8 text"))),
    };
    let Err(stop) = result else { return (out, false) };
    let message = match stop.help {
        Some(help) => format!("{}: {help}", stop.message),
        None => stop.message,
    };
    out.clear();
    // Writing to memory does not fail.
    answer::failure(&id, &message, &mut out).ok();
    (out, true)
}

fn answer_line(text: &str, arena: &mut Arena, out: &mut Vec<u8>) -> (Value, Result<(), Stop>) {
    let mut problems = Vec::new();
    json::parse(text, arena, &mut problems);
    if let Some(problem) = problems.first() {
        let column = problem.at.start() + 1;
        return (Value::Null, Err(Stop::new(format!("byte {column}: {}", problem.message))));
    }
    let Some(request) = Tree::new(text, arena).root().filter(|root| root.kind() == Kind::Object) else {
        return (Value::Null, Err(Stop::new("a request is a JSON object")));
    };
    let id = request.get("id").and_then(|id| text.get(id.span().range()));
    let id = id.and_then(|id| serde_json::from_str(id).ok()).unwrap_or(Value::Null);
    let result = answer_request(request, &id, out);
    (id, result)
}

fn answer_request(request: Node<'_>, id: &Value, out: &mut Vec<u8>) -> Result<(), Stop> {
    for name in request.members().filter_map(|member| member.key.as_str()) {
        // What a program adds for itself is its own affair; a slip must not change the question.
        if let Some(meant) = did_you_mean(name, MEMBERS).filter(|_| !MEMBERS.contains(&name)) {
            let stop = Stop::new(format!("unknown member `{name}`"));
            return Err(stop.with_help(format!("did you mean `{meant}`?")));
        }
    }
    let policy = request.get("policy").filter(|policy| policy.kind() == Kind::Object);
    let policy = lower(policy.ok_or_else(|| Stop::new("`policy` has to be a key policy, an object"))?);
    let operation = question::operation(text_of(request, "action")?)?;
    let caller = question::caller(text_of(request, "principalArn")?)?;
    let key = match request.get("resourceArn") {
        None => key_of(&policy, None, None).0,
        Some(_) => {
            let text = text_of(request, "resourceArn")?;
            let arn = question::key_arn(text)?;
            Key {
                account: Some(Cow::Borrowed(arn.account)),
                partition: Cow::Borrowed(arn.partition),
                arn: Some(Cow::Borrowed(text)),
                organization: None,
            }
        }
    };
    let context = context(request)?;
    // Who says all there is to a request would say which session it is of.
    let caller = if context.complete { caller.in_unnamed_session() } else { caller };
    let held = identity_policies(request)?;
    let held: Option<Vec<&Policy<'_>>> = held.as_ref().map(|held| held.iter().collect());
    let evaluator = Evaluator::new(&policy, &key);
    let question = Question {
        evaluator: &evaluator,
        caller: &caller,
        held: held.as_deref(),
        operation,
        context: &context,
    };
    let decision = decide(&question);
    answer::json(Some(id), &decision, None, &policy, out).map_err(|error| Stop::new(error.to_string()))
}

fn text_of<'t>(request: Node<'t>, member: &str) -> Result<&'t str, Stop> {
    let text = request.get(member).and_then(Node::as_string);
    text.ok_or_else(|| Stop::new(format!("`{member}` has to be a text")))
}

fn identity_policies(request: Node<'_>) -> Result<Option<Vec<Policy<'_>>>, Stop> {
    let Some(list) = request.get("identityPolicies") else { return Ok(None) };
    let is_policies = list.kind() == Kind::Array
        && list.items().all(|policy| policy.kind() == Kind::Object && !names_principals(policy));
    if !is_policies {
        return Err(Stop::new(
            "`identityPolicies` has to be a list of IAM policies, which name no principals",
        ));
    }
    Ok(Some(list.items().map(lower).collect()))
}

fn context(request: Node<'_>) -> Result<Context<'_>, Stop> {
    let complete = match request.get("contextIsComplete") {
        None => false,
        Some(node) => {
            node.as_bool().ok_or_else(|| Stop::new("`contextIsComplete` has to be true or false"))?
        }
    };
    let mut context = Context { complete, ..Context::open() };
    let Some(entries) = request.get("context") else { return Ok(context) };
    if entries.kind() != Kind::Object {
        return Err(Stop::new("`context` has to be an object"));
    }
    for Member { key, value } in entries.members() {
        let name = key.as_str().unwrap_or_default();
        let values: Option<Vec<Cow<'_, str>>> = match value.kind() {
            Kind::Array => value.items().map(single).collect(),
            _ => single(value).map(|value| vec![value]),
        };
        let Some(values) = values else {
            return Err(Stop::new(format!(
                "`{name}` of the context has to be a text, a number, true, false, or a list of them"
            )));
        };
        // A key without a value is not there.
        let state = if values.is_empty() { State::Absent } else { State::Is(values) };
        context.entries.push((ConditionKey::parse(name), state));
    }
    Ok(context)
}

fn single(node: Node<'_>) -> Option<Cow<'_, str>> {
    match node.kind() {
        Kind::String | Kind::Number => node.as_str().map(Cow::Borrowed),
        Kind::Bool(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
        _ => None,
    }
}
