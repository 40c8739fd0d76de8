//! The `can` command: may this principal do this, and who may?

mod answer;
mod decision;
mod documents;
mod grants;
mod question;
mod requests;
mod who;

use std::path::Path;
use std::process::ExitCode;

use crate::arguments::{AnswerFormat, Can, Expected};
use crate::{Stop, output, terminal};

use decision::{Decision, Question, Verdict, decide};
use documents::{IdentityPolicy, KeyPolicy};
use grants::Grants;

/// Answers one question about a key policy, or a stream of them.
pub(crate) fn can(arguments: &Can) -> Result<ExitCode, Stop> {
    if let Some(requests) = &arguments.requests {
        return requests::answer_all(requests);
    }
    let (Some(path), Some(action)) = (&arguments.policy, &arguments.action) else {
        return Err(Stop::new("a question needs a key policy and an --action"));
    };
    // What is wrong with the question is said before files are read.
    let operation = question::operation(action)?;
    let context = question::context(&arguments.context, arguments.context_is_complete)?;
    if let Some(arn) = &arguments.key_arn {
        question::key_arn(arn)?;
    }
    let document = KeyPolicy::read(path, arguments)?;
    let identity_policies = arguments
        .identity_policies
        .iter()
        .map(|path| IdentityPolicy::read(path))
        .collect::<Result<Vec<_>, Stop>>()?;
    let grants = arguments.grants.iter().map(|path| Grants::read(path)).collect::<Result<Vec<_>, Stop>>()?;
    let style = terminal::style(arguments.color, &terminal::environment);
    let Some(principal) = &arguments.principal else {
        if arguments.expect.is_some() || !identity_policies.is_empty() || !grants.is_empty() {
            return Err(Stop::new("--expect, --identity-policy and --grants are about one --principal"));
        }
        if arguments.output_format == AnswerFormat::Json {
            return Err(Stop::new("--output-format json is about one --principal"));
        }
        return document.ask(|evaluator, _| {
            let text = who::who(evaluator, operation, &context, &document.path);
            output::to_standard_output(|out| out.write_all(text.as_bytes()))?;
            Ok(ExitCode::SUCCESS)
        });
    };
    let caller = question::caller(principal)?;
    let caller = if context.complete { caller.in_unnamed_session() } else { caller };
    document.ask(|evaluator, assumed| {
        let held: Vec<_> = identity_policies.iter().filter_map(IdentityPolicy::policy).collect();
        let held: Vec<_> = held.iter().collect();
        let held = (!held.is_empty()).then_some(held.as_slice());
        let question = Question { evaluator, caller: &caller, held, operation, context: &context };
        let mut decision = decide(&question);
        let rests_on = grants::settle(&question, &grants, &mut decision);
        output::to_standard_output(|out| match arguments.output_format {
            AnswerFormat::Json => answer::json(None, &decision, rests_on.as_ref(), evaluator.policy(), out),
            AnswerFormat::Text => {
                let asked = answer::Asked { question: &question, principal, assumed, document: &document };
                answer::text(&asked, &decision, rests_on.as_ref(), style, out)
            }
        })?;
        Ok(status(&decision, arguments.expect))
    })
}

fn status(decision: &Decision, expected: Option<Expected>) -> ExitCode {
    let as_expected = match expected {
        None => true,
        Some(Expected::Allowed) => decision.verdict == Verdict::Allowed,
        Some(Expected::Denied) => {
            matches!(decision.verdict, Verdict::DeniedExplicitly | Verdict::NotAllowed)
        }
    };
    if as_expected { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// Whether a path means standard input.
fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}
