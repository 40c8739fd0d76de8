//! Who may do something: everyone whom the policy speaks of.

use std::fmt::Write as _;

use keylint_policy::Answer;
use keylint_policy::evaluate::{Caller, Context, Evaluator};
use keylint_policy::model::{Effect, Principal};
use keylint_policy::pattern::FRESH;
use keylint_policy::vocabulary::{KeyId, Operation};
use keylint_rules::identity_like;

use super::decision::{Decision, Question, Verdict, decide, name, names};

const STRANGERS: &str = "anyone in other accounts whose IAM policies allow it";
const OTHERS: &str = "identities of other accounts that meet its conditions";
/// An account that is not known.
const SOME_ACCOUNT: &str = "${account}";

/// All who may do something, one a line, with how.
pub(super) fn who(
    evaluator: &Evaluator<'_>,
    operation: Operation,
    context: &Context<'_>,
    path: &str,
) -> String {
    let action = operation.qualified();
    let mut lines: Vec<(String, String)> = Vec::new();
    for (who, caller) in parties(evaluator) {
        let caller = Caller { chooses: false, ..caller };
        let question = Question { evaluator, caller: &caller, held: None, operation, context };
        let decision = decide(&question);
        if let Some(how) = how(evaluator, &decision) {
            lines.push((who, how));
        }
    }
    for statement in evaluator.policy().statements.iter().filter(|one| one.effect != Some(Effect::Deny)) {
        let principals = &statement.principals;
        let is_known = |principal: &Principal<'_>| {
            !matches!(principal, Principal::Unknown | Principal::Nobody | Principal::Federated(_))
        };
        let all_known = !principals.open && principals.items.iter().all(|item| is_known(&item.principal));
        if !all_known && statement.operations.perhaps.contains(operation) && operation.on_key() {
            lines.push((format!("others whom `{}` names", name(statement)), "maybe".to_owned()));
        }
    }
    if lines.iter().any(|(who, _)| who == STRANGERS) {
        lines.retain(|(who, _)| who != OTHERS);
    }
    if lines.is_empty() {
        return format!("nobody may call {action} on the key of {path}\n");
    }
    let widest = lines.iter().map(|(who, _)| who.chars().count()).max().unwrap_or(0);
    let mut text = format!("who may call {action} on the key of {path}:\n");
    for (who, how) in lines {
        let _ = writeln!(text, "  {who:widest$}  {how}");
    }
    text
}

/// A caller, and how the answer names it.
type Party<'p> = (String, Caller<'p>);

/// Everyone whom the policy speaks of, each once: the principals themselves, those whom conditions single out, somebody
/// in an account, anyone.
fn parties<'p>(evaluator: &Evaluator<'p>) -> Vec<Party<'p>> {
    let partition = &evaluator.key().partition;
    let owner = evaluator.key().account.as_deref();
    let mut parties: Vec<Party<'p>> = Vec::new();
    let mut accounts: Vec<&str> = owner.into_iter().collect();
    let mut add = |party: Option<Party<'p>>| {
        let is_new = |(who, _): &Party<'_>| !parties.iter().any(|(known, _)| known == who);
        parties.extend(party.filter(is_new));
    };
    let statements = &evaluator.policy().statements;
    for statement in statements.iter().filter(|one| one.effect != Some(Effect::Deny)) {
        let negated = statement.principals.negated;
        let listed = statement.principals.items.iter().map(|item| item.principal);
        for principal in negated.then_some(Principal::Anyone).into_iter().chain(listed.filter(|_| !negated)) {
            accounts.extend(principal.account());
            match &principal {
                Principal::Account(account) => {
                    let who = format!("identities of account {account} whose IAM policies allow it");
                    add(Some((who, Caller::role_of(*account, partition))));
                }
                Principal::Anyone => {
                    add(owner.map(|account| {
                        let anyone = Caller::role_of(account.to_owned(), partition);
                        let who = format!("every identity of account {account}");
                        (who, anyone.with_identity_policies(Answer::No))
                    }));
                    let stranger = Caller::role_of(FRESH.to_string(), partition).as_outsider();
                    add(Some((STRANGERS.to_owned(), stranger)));
                    // Somebody of an account, an organization, or a name that the conditions ask for.
                    let other = Caller::role_of(SOME_ACCOUNT, partition);
                    add(Some((OTHERS.to_owned(), other)));
                }
                Principal::Identity(identity) => {
                    add(Caller::named(&principal).map(|caller| (identity.arn.to_owned(), caller)));
                }
                Principal::Service(service) => {
                    add(Caller::named(&principal).map(|caller| (format!("the service {service}"), caller)));
                }
                _ => {}
            }
        }
    }
    accounts.sort_unstable();
    accounts.dedup();
    let conditions = statements.iter().flat_map(|statement| &statement.conditions);
    for condition in conditions.filter(|condition| condition.key.id == Some(KeyId::PRINCIPAL_ARN)) {
        for value in &condition.values {
            for account in &accounts {
                let caller = identity_like(value.text, account, partition);
                let caller = caller.map(|caller| caller.with_identity_policies(Answer::Maybe));
                add(caller.map(|caller| (value.text.to_owned(), caller)));
            }
        }
    }
    // The root user needs no statement of its own: it is the account.
    for account in accounts {
        let root_user = Caller::root_user_of(account.to_owned(), partition);
        add(Some((format!("the root user of account {account}"), root_user)));
    }
    parties
}

/// How somebody may; nothing if not.
fn how(evaluator: &Evaluator<'_>, decision: &Decision) -> Option<String> {
    let by = names(evaluator.policy(), &decision.by);
    match decision.verdict {
        Verdict::Allowed if decision.delegated => Some(format!("delegated, by {by}")),
        Verdict::Allowed => Some(format!("directly, by {by}")),
        Verdict::Delegated => Some(decision.why.clone()),
        Verdict::Maybe => Some(format!("maybe, by {by}: {}", decision.why)),
        Verdict::DeniedExplicitly | Verdict::NotAllowed => None,
    }
}
