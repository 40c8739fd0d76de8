//! The parts of a question, as their users write them.

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::arn::{Arn, is_account};
use keylint_policy::evaluate::{Caller, CallerKind, Context, State};
use keylint_policy::model::Principal;
use keylint_policy::pattern::is_wildcard;
use keylint_policy::vocabulary::{
    ConditionKey, KeyStanding, Operation, standing, suggest_action, suggest_condition_key,
};

use crate::Stop;

/// Who asks: an ARN, the id of an account, or the name of an AWS service. The identity's parameters are not its own
/// choice: a question is about one request.
pub(super) fn caller(text: &str) -> Result<Caller<'_>, Stop> {
    let principal = Principal::parse_aws(text);
    let is_known = principal.account().is_some_and(is_account);
    let caller = match &principal {
        Principal::Account(account) if is_known => {
            let partition = Arn::parse(text).map_or("aws", |arn| arn.partition);
            Some(Caller::root_user_of(*account, partition).with_identity_policies(Answer::Maybe))
        }
        Principal::Identity(_) if is_known => Caller::named(&principal).map(linked_by_its_name),
        Principal::Unknown if is_service(text) => Some(Caller::service(text)),
        _ => None,
    };
    let caller = caller.map(|caller| Caller { chooses: false, ..caller });
    caller.ok_or_else(|| {
        Stop::new(format!("`{text}` is no principal that makes requests"))
            .with_help("write the ARN of a user, role, or session, the id of an account, or a service such as `logs.us-east-1.amazonaws.com`")
    })
}

/// Whether a text has the form of a service principal: `logs.us-east-1.amazonaws.com`.
fn is_service(text: &str) -> bool {
    let label = text.strip_suffix(".amazonaws.com").or_else(|| text.strip_suffix(".amazonaws.com.cn"));
    label.is_some_and(|label| {
        let of_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        !label.is_empty() && !label.starts_with('.') && label.bytes().all(of_label)
    })
}

/// The session of a service-linked role does not tell the path of its role, but AWS reserves the name.
fn linked_by_its_name(caller: Caller<'_>) -> Caller<'_> {
    let name = caller.arn.rsplit('/').next().unwrap_or_default();
    if caller.kind == CallerKind::Session && name.starts_with("AWSServiceRoleFor") {
        return caller.with_identity_policies(Answer::No);
    }
    caller
}

/// The operation that an action names, in any letter case, with `kms:` or without.
pub(super) fn operation(text: &str) -> Result<Operation, Stop> {
    Operation::from_name(text).ok_or_else(|| {
        if is_wildcard(text) {
            return Stop::new(format!("`{text}` is more than one action"))
                .with_help("ask about one at a time");
        }
        let stop = Stop::new(format!("unknown action `{text}`"));
        match suggest_action(text) {
            Some(meant) => stop.with_help(format!("did you mean `{meant}`?")),
            None => stop,
        }
    })
}

/// The account of a key, from its ARN.
pub(super) fn key_arn(text: &str) -> Result<Arn<'_>, Stop> {
    let arn = Arn::parse(text)
        .filter(|arn| arn.service == "kms" && is_account(arn.account) && arn.resource.starts_with("key/"));
    arn.ok_or_else(|| {
        Stop::new(format!("`{text}` is not the ARN of a KMS key")).with_help(
            "it looks like `arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`",
        )
    })
}

/// What `--context KEY=VALUE` says. A key that is given several times has several values.
pub(super) fn context(entries: &[String], complete: bool) -> Result<Context<'_>, Stop> {
    let mut context = Context { complete, ..Context::open() };
    for entry in entries {
        let Some((name, value)) = entry.split_once('=') else {
            return Err(Stop::new(format!("--context `{entry}` has no value"))
                .with_help("write `--context KEY=VALUE`"));
        };
        let key = ConditionKey::parse(name);
        if standing(&key) == KeyStanding::Unknown {
            let stop = Stop::new(format!("unknown condition key `{name}`"));
            return Err(match suggest_condition_key(name) {
                Some(meant) => stop.with_help(format!("did you mean `{meant}`?")),
                None => stop,
            });
        }
        let value = Cow::Borrowed(value);
        match context.entries.iter_mut().find(|(known, _)| known.same_as(&key)) {
            Some((_, State::Is(values))) => values.push(value),
            _ => context.entries.push((key, State::Is(vec![value]))),
        }
    }
    Ok(context)
}
