//! What a question comes to, and why.

use keylint_policy::Answer;
use keylint_policy::evaluate::{About, Caller, CallerKind, Context, Evaluator, Named, Unsettled};
use keylint_policy::model::{Effect, Policy, Statement, Text};
use keylint_policy::vocabulary::Operation;
use keylint_source::quoted_list;

/// A question about one request.
pub(super) struct Question<'q, 'p> {
    pub(super) evaluator: &'q Evaluator<'p>,
    pub(super) caller: &'q Caller<'q>,
    /// The caller's identity policies, where they are known.
    pub(super) held: Option<&'q [&'q Policy<'q>]>,
    pub(super) operation: Operation,
    pub(super) context: &'q Context<'q>,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    /// A `Deny` applies.
    DeniedExplicitly,
    /// Nothing allows it.
    NotAllowed,
    /// The IAM policies of the caller's account decide.
    Delegated,
    /// It depends on something that is not known.
    Maybe,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) verdict: Verdict,
    /// The statements of the key policy that decide.
    pub(super) by: Vec<usize>,
    /// Whether IAM policies have a part in it that it is allowed.
    pub(super) delegated: bool,
    /// Why, as a clause.
    pub(super) why: String,
}

/// What the identity policies of the caller say.
struct Held {
    allowed: Answer,
    denied: Answer,
    depends_on: Vec<String>,
}

/// Answers a question.
pub(super) fn decide(question: &Question<'_, '_>) -> Decision {
    let &Question { evaluator, operation, context, .. } = question;
    // No identity policy is attached to a service.
    let held = question.held.filter(|_| question.caller.kind != CallerKind::Service);
    let held = held.map(|policies| of_identity_policies(policies, question));
    let caller = match &held {
        Some(held) => question.caller.clone().with_identity_policies(held.allowed.and(!held.denied)),
        None => question.caller.clone(),
    };
    let about = evaluator.about(&caller);
    let policy = evaluator.policy();
    let of_effect = |effect: Effect| {
        let statements = policy.statements.iter().filter(move |one| one.effect == Some(effect));
        let named = statements.map(|one| (one.index, about.applies(one.index, operation, context)));
        named.filter(|(_, named)| named.at_all() != Answer::No).collect::<Vec<_>>()
    };
    let (allowing, denying) = (of_effect(Effect::Allow), of_effect(Effect::Deny));
    let certain = |which: &[(usize, Named)]| -> Vec<usize> {
        which.iter().filter(|(_, named)| named.at_all() == Answer::Yes).map(|(index, _)| *index).collect()
    };
    let explicit = |by: Vec<usize>| {
        let why = format!("{} it", said(policy, &by, "denies", "deny"));
        Decision { verdict: Verdict::DeniedExplicitly, by, delegated: false, why }
    };
    let denied_by = certain(&denying);
    if !denied_by.is_empty() {
        return explicit(denied_by);
    }
    let denied_by_held = held.as_ref().map_or(Answer::No, |held| held.denied);
    if denied_by_held == Answer::Yes {
        let why = "an IAM policy of the principal denies it".to_owned();
        return Decision { verdict: Verdict::DeniedExplicitly, by: Vec::new(), delegated: false, why };
    }

    let verdict = about.may(operation, context);
    let account = &question.caller.account;
    match verdict.answer.and(!denied_by_held) {
        Answer::Yes => {
            let directly = |named: &Named| verdict.delegated || named.directly == Answer::Yes;
            let counting: Vec<_> = allowing.iter().copied().filter(|(_, named)| directly(named)).collect();
            let mut by = certain(&counting);
            if by.is_empty() {
                by.extend(verdict.allowed_by);
            }
            let by_itself = said(policy, &by, "allows", "allow");
            let why = if verdict.delegated {
                format!("{by_itself} it to account {account}, whose IAM policies allow it")
            } else {
                format!("{by_itself} it")
            };
            Decision { verdict: Verdict::Allowed, by, delegated: verdict.delegated, why }
        }
        Answer::No if verdict.without_denials != Answer::No && verdict.denied_by.is_some() => {
            explicit(verdict.denied_by.into_iter().collect())
        }
        Answer::No => not_allowed(&about, question, &certain(&allowing)),
        Answer::Maybe => {
            let willing = question.caller.clone().with_identity_policies(Answer::Yes);
            let if_they_allow = evaluator.about(&willing).may(operation, context).answer;
            if held.is_none() && if_they_allow == Answer::Yes {
                let by = certain(&allowing);
                let mut why =
                    format!("the IAM policies of account {account} decide, by {}", names(policy, &by));
                let directly = allowing.iter().filter(|(_, named)| named.directly == Answer::Maybe);
                if about.own_account() == Answer::Yes {
                    let directly: Vec<usize> = directly.map(|(index, _)| *index).collect();
                    let facts =
                        directly.iter().flat_map(|&index| facts_of(&about, question, index)).collect();
                    if !directly.is_empty() {
                        let statements = said(policy, &directly, "allows", "allow");
                        why = format!("{why}; {statements} it without them, depending on {}", listed(facts));
                    }
                }
                return Decision { verdict: Verdict::Delegated, by, delegated: true, why };
            }
            let statements = || {
                let unknown =
                    policy.statements.iter().filter(|one| one.effect.is_none()).map(|one| one.index);
                let applying = allowing.iter().chain(&denying);
                let uncertain = applying.filter(|(_, named)| named.at_all() == Answer::Maybe);
                uncertain.map(|(index, _)| *index).chain(unknown)
            };
            let mut facts = Vec::new();
            for index in statements() {
                facts.extend(facts_of(&about, question, index));
            }
            if about.own_account() == Answer::Maybe {
                facts.push("the account of the key".to_owned());
            }
            if let Some(held) = held {
                facts.extend(held.depends_on);
            } else if verdict.delegated && question.caller.identity_policies == Answer::Maybe {
                facts.push(format!("the IAM policies of account {account}"));
            }
            let mut by: Vec<usize> = statements().collect();
            by.sort_unstable();
            Decision {
                verdict: Verdict::Maybe,
                by,
                delegated: verdict.delegated,
                why: format!("it depends on {}", listed(facts)),
            }
        }
    }
}

/// Whether a `Deny` of the key policy, or of the caller's own policies, may apply to the call of a question.
pub(super) fn is_denied_perhaps(question: &Question<'_, '_>) -> bool {
    let &Question { evaluator, caller, operation, context, .. } = question;
    let about = evaluator.about(caller);
    let statements = &evaluator.policy().statements;
    let by_key_policy = statements
        .iter()
        .filter(|one| one.effect != Some(Effect::Allow))
        .any(|one| about.applies(one.index, operation, context).at_all() != Answer::No);
    let by_own = question.held.is_some_and(|held| of_identity_policies(held, question).denied != Answer::No);
    by_key_policy || by_own
}

/// What it depends on whether a statement of the key policy applies.
fn facts_of(about: &About<'_, '_>, question: &Question<'_, '_>, index: usize) -> Vec<String> {
    let Some(statement) = question.evaluator.policy().statements.get(index) else { return Vec::new() };
    let name = format!("`{}`", name(statement));
    let unsettled = about.depends_on(index, question.operation, question.context);
    let effect = statement.effect.is_none().then(|| format!("the effect of {name}"));
    unsettled.into_iter().map(|what| fact(what, &name)).chain(effect).collect()
}

/// Why nothing allows it.
fn not_allowed(about: &About<'_, '_>, question: &Question<'_, '_>, allowing: &[usize]) -> Decision {
    let operation = question.operation;
    let account = &question.caller.account;
    let policy = question.evaluator.policy();
    let why = if !operation.on_key() {
        format!(
            "`{}` is not about a key, and a key policy has nothing to say about it",
            operation.qualified()
        )
    } else if about.own_account() == Answer::No && !operation.across_accounts() {
        format!("`{}` does not work across accounts", operation.qualified())
    } else if allowing.is_empty() {
        "no statement allows it".to_owned()
    } else if question.caller.kind == CallerKind::ServiceLinkedRole && question.held.is_none() {
        format!(
            "{} it to IAM policies, and a service-linked role's own policy covers no customer managed key",
            said(policy, allowing, "leaves", "leave")
        )
    } else {
        format!(
            "{} it to the IAM policies of account {account}, which do not allow it",
            said(policy, allowing, "leaves", "leave")
        )
    };
    Decision { verdict: Verdict::NotAllowed, by: Vec::new(), delegated: false, why }
}

fn of_identity_policies(policies: &[&Policy<'_>], question: &Question<'_, '_>) -> Held {
    let &Question { operation, context, .. } = question;
    let mut held = Held { allowed: Answer::No, denied: Answer::No, depends_on: Vec::new() };
    for policy in policies {
        let evaluator = Evaluator::new(policy, question.evaluator.key());
        let about = evaluator.about_holder(question.caller);
        let verdict = about.may(operation, context);
        held.allowed = held.allowed.or(verdict.without_denials);
        for statement in &policy.statements {
            let applies = about.applies(statement.index, operation, context).at_all();
            match statement.effect {
                Some(Effect::Allow) => {}
                Some(Effect::Deny) => held.denied = held.denied.or(applies),
                None => held.denied = held.denied.or(applies.and(Answer::Maybe)),
            }
            if applies == Answer::Maybe {
                let unsettled = about.depends_on(statement.index, operation, context);
                let of_policy = format!("`{}` of an IAM policy", name(statement));
                held.depends_on.extend(unsettled.into_iter().map(|what| fact(what, &of_policy)));
            }
        }
    }
    held
}

/// What a statement is called: its `Sid`, or else its place.
pub(super) fn name(statement: &Statement<'_>) -> String {
    sid(statement).map_or_else(|| format!("Statement[{}]", statement.index), str::to_owned)
}

/// The `Sid` of a statement, if there is anything in it.
pub(super) fn sid<'t>(statement: &Statement<'t>) -> Option<&'t str> {
    statement.sid.map(Text::as_str).filter(|sid| !sid.is_empty())
}

/// The names of statements as a list.
pub(super) fn names(policy: &Policy<'_>, by: &[usize]) -> String {
    let statements = by.iter().filter_map(|index| policy.statements.get(*index));
    quoted_list(&statements.map(name).collect::<Vec<_>>())
}

/// Statements and what they do: `` `a` and `b` allow ``.
fn said(policy: &Policy<'_>, by: &[usize], one: &str, several: &str) -> String {
    match by {
        [] => format!("the policy {one}"),
        [_] => format!("{} {one}", names(policy, by)),
        _ => format!("{} {several}", names(policy, by)),
    }
}

fn fact(what: Unsettled<'_>, statement: &str) -> String {
    match what {
        Unsettled::Principal => format!("whom {statement} names"),
        Unsettled::Action => format!("the actions of {statement}"),
        Unsettled::Resource => format!("the resource of {statement}"),
        Unsettled::Condition => format!("the conditions of {statement}"),
        Unsettled::Key(key) => format!("`{key}`"),
    }
}

/// Facts as a person lists them, each once.
fn listed(facts: Vec<String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for fact in facts {
        if !once.contains(&fact) {
            once.push(fact);
        }
    }
    match once.as_slice() {
        [] => "what the policy does not say".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
