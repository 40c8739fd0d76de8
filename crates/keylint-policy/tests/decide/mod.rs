//! The second evaluator: the plainest reading of the AWS documentation, one function per documented sentence.
//!
//! It works on the JSON of a policy and on a request of which everything is known, shares no code with the evaluator
//! that rules use, and takes all the time it wants. Where AWS does not say what holds, the reading is open.

mod condition;
mod operations;
mod pattern;
mod reading;
mod values;

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use reading::Reading;

use reading::Reading::{No, Open, Yes};

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) kind: Kind,
    /// Twelve digits; empty for a service.
    pub(crate) account: String,
    /// The ARN, for a session that of its role; the name of a service.
    pub(crate) arn: String,
    /// The ARN of the session, if it is one.
    pub(crate) session: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    RootUser,
    User,
    Role,
    Session,
    FederatedUser,
    ServiceLinkedRole,
    Service,
}

/// The key that the policy belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) account: String,
    pub(crate) arn: String,
}

/// Everything that a request brings along, by the lower-case names of the keys. What is not in it is absent.
pub(crate) type Context = BTreeMap<String, Vec<String>>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'q> {
    pub(crate) caller: &'q Caller,
    /// Without `kms:`.
    pub(crate) operation: &'q str,
    pub(crate) key: &'q Key,
    pub(crate) context: &'q Context,
}

/// What the key policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A `Deny` applies.
    ExplicitDeny,
    /// Allowed, whatever the caller's identity policies say (short of a `Deny`).
    Allow,
    /// The identity policies of the caller's account decide.
    Delegated,
    /// No `Allow` applies.
    ImplicitDeny,
    /// AWS does not document which of these it is.
    Undocumented,
}

/// The parts of a decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    denied: Reading,
    allowed: Reading,
    delegated: Reading,
}

impl Outcome {
    const NOTHING: Self = Self { denied: No, allowed: No, delegated: No };

    /// "An explicit deny in any policy overrides any allows."
    ///
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
    pub(crate) fn decision(self) -> Decision {
        match (self.denied, self.allowed, self.delegated) {
            (Yes, ..) => Decision::ExplicitDeny,
            (No, Yes, _) => Decision::Allow,
            (No, No, Yes) => Decision::Delegated,
            (No, No, No) => Decision::ImplicitDeny,
            _ => Decision::Undocumented,
        }
    }

    /// Whether the caller may, if its identity policies do or do not allow the operation.
    pub(crate) fn may(self, identity_policies_allow: bool) -> Reading {
        let delegated = self.delegated.and(Reading::from(identity_policies_allow));
        (!self.denied).and(self.allowed.or(delegated))
    }
}

/// What a key policy says of a request.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>
pub(crate) fn decide(policy: &Value, request: Request<'_>) -> Outcome {
    if operations::is_of_the_account(request.operation) {
        // These have no key as their resource: a key policy has nothing to say about them.
        return Outcome::NOTHING;
    }
    let mut outcome = Outcome::NOTHING;
    for statement in list(&policy["Statement"]) {
        let named = named(statement, request.caller);
        let applies = action_applies(statement, request.operation)
            .and(resource_applies(statement, request.key))
            .and(condition::all_hold(&statement["Condition"], has_policy_variables(policy), request));
        let directly = named.directly.and(applies);
        let by_account = named.by_account.and(applies);
        match statement["Effect"].as_str() {
            // A `Deny` on an account reaches everyone in it.
            Some("Deny") => outcome.denied = outcome.denied.or(directly).or(by_account),
            Some("Allow") => {
                outcome.allowed = outcome.allowed.or(directly);
                outcome.delegated = outcome.delegated.or(by_account);
            }
            // Letter case matters, and KMS rejects the policy.
            _ => outcome.denied = outcome.denied.or(Open),
        }
    }
    let service = request.caller.kind == Kind::Service;
    if !service && request.caller.account != request.key.account {
        outcome = across_accounts(outcome, request.operation);
    }
    if request.caller.kind == Kind::ServiceLinkedRole {
        // Its policy is AWS's own and covers no customer managed key: nothing can be delegated to it.
        // <https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html>
        outcome.delegated = No;
    }
    outcome
}

/// Both sides must allow, however the key policy names the caller; "permission for other actions has no effect".
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html>
fn across_accounts(outcome: Outcome, operation: &str) -> Outcome {
    let works = Reading::from(operations::works_across_accounts(operation));
    Outcome {
        denied: outcome.denied,
        allowed: No,
        delegated: outcome.allowed.or(outcome.delegated).and(works),
    }
}

/// Policy variables came with version 2012-10-17; without a version it is 2008-10-17.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>
fn has_policy_variables(policy: &Value) -> bool {
    policy["Version"] == "2012-10-17"
}

/// "Actions are case-insensitive"; `*` and `?` match any characters.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
fn action_applies(statement: &Value, operation: &str) -> Reading {
    let action = format!("kms:{operation}").to_lowercase();
    let covered = |patterns: &Value| {
        let mut patterns = texts(patterns).into_iter();
        Reading::from(patterns.any(|text| pattern::glob(&text.to_lowercase(), &action)))
    };
    match (&statement["Action"], &statement["NotAction"]) {
        // It is accepted and has no effect, or not accepted at all.
        (Value::Null, Value::Null) => Open,
        (Value::Null, excepted) => !covered(excepted),
        (listed, _) => covered(listed),
    }
}

/// "The value of the Resource element is `*`, which means this KMS key"; the key's own ARN means it, too.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>
fn resource_applies(statement: &Value, key: &Key) -> Reading {
    let covered = |patterns: &Value| Reading::any(texts(patterns).iter().map(|text| resource_is(text, key)));
    match (&statement["Resource"], &statement["NotResource"]) {
        (Value::Null, Value::Null) => Open,
        (Value::Null, excepted) => !covered(excepted),
        (listed, _) => covered(listed),
    }
}

/// One page says that wildcards stay within a segment of an ARN, another that they span segments.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
fn resource_is(text: &str, key: &Key) -> Reading {
    if text == "*" {
        return Yes;
    }
    if text.contains("${") {
        return Open;
    }
    let spanning = Reading::from(pattern::glob(text, &key.arn));
    let within = pattern::arn_segments(text, &key.arn);
    if spanning == within { spanning } else { Open }
}

/// How a statement names a caller.
#[derive(Clone, Copy, Debug)]
struct Named {
    directly: Reading,
    by_account: Reading,
}

impl Named {
    fn directly(directly: Reading) -> Self {
        Self { directly, by_account: No }
    }

    fn or(self, other: Self) -> Self {
        Self { directly: self.directly.or(other.directly), by_account: self.by_account.or(other.by_account) }
    }
}

fn named(statement: &Value, caller: &Caller) -> Named {
    match (&statement["Principal"], &statement["NotPrincipal"]) {
        (Value::Null, Value::Null) => Named::directly(Open),
        // An account has to be listed beside its user "with `Deny`".
        (Value::Null, excepted)
            if statement["Effect"] == "Allow" && listed_as(excepted, caller).directly == Yes =>
        {
            Named::directly(No)
        }
        (Value::Null, excepted) => Named::directly(not_excepted(excepted, caller)),
        (listed, _) => listed_as(listed, caller),
    }
}

fn listed_as(principals: &Value, caller: &Caller) -> Named {
    entries(principals)
        .into_iter()
        .map(|(form, text)| entry_names(form, text, caller))
        .fold(Named::directly(No), Named::or)
}

/// "With `NotPrincipal` and `Deny` you must also list the account of the principal"; the ARN of a role names its
/// sessions.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
fn not_excepted(excepted: &Value, caller: &Caller) -> Reading {
    let listed = listed_as(excepted, caller);
    if entries(excepted).contains(&("AWS", "*")) {
        return No;
    }
    if listed.directly == No && listed.by_account == No {
        return Yes;
    }
    let every_form_is_listed = match caller.kind {
        Kind::RootUser | Kind::Service => listed.directly == Yes,
        _ => listed.directly == Yes && listed.by_account == Yes,
    };
    if every_form_is_listed { No } else { Open }
}

/// The pairs of a form of principal and a text. A lone `"*"` is the same as `{"AWS": "*"}`.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
fn entries(principals: &Value) -> Vec<(&str, &str)> {
    match principals {
        Value::String(text) => vec![("AWS", text)],
        Value::Object(forms) => forms
            .iter()
            .flat_map(|(form, value)| {
                list(value).into_iter().map(|text| (form.as_str(), text.as_str().unwrap_or("")))
            })
            .collect(),
        _ => vec![("", "")],
    }
}

fn entry_names(form: &str, text: &str, caller: &Caller) -> Named {
    let service = caller.kind == Kind::Service;
    match form {
        // AWS's examples that exempt services from a `Deny` on everyone, by `aws:PrincipalIsAWSService`, rest on it
        // that `*` reaches them.
        "AWS" if text == "*" => Named::directly(Yes),
        "AWS" => match account_of_principal(text) {
            Some(_) if service => Named::directly(No),
            Some(account) => account_principal_names(account, caller),
            None => Named::directly(identity_is(text, caller)),
        },
        "Service" if !service => Named::directly(No),
        "Service" if text == caller.arn => Named::directly(Yes),
        "Service" if text.eq_ignore_ascii_case(&caller.arn) => Named::directly(Open),
        "Service" => Named::directly(No),
        // Documented for trust policies and bucket policies only.
        _ => Named::directly(Open),
    }
}

/// `123456789012` is short for `arn:aws:iam::123456789012:root`.
fn account_of_principal(text: &str) -> Option<&str> {
    let account =
        text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")).unwrap_or(text);
    (account.len() == 12 && account.chars().all(|digit| digit.is_ascii_digit())).then_some(account)
}

/// "The account principal represents the account and its administrators": it enables their IAM policies, and is
/// the root user itself.
fn account_principal_names(account: &str, caller: &Caller) -> Named {
    let same = Reading::from(account == caller.account);
    let root_user = Reading::from(caller.kind == Kind::RootUser);
    Named { directly: same.and(root_user), by_account: same }
}

/// Names match exactly and with their path; the ARN of a role matches all its sessions.
fn identity_is(text: &str, caller: &Caller) -> Reading {
    if text.contains(['*', '?']) {
        // "You cannot use a wildcard to match part of a principal name or ARN": KMS rejects the policy.
        return Open;
    }
    let known = ["iam", "sts"].iter().any(|service| text.starts_with(&format!("arn:aws:{service}::")));
    let resource = text.splitn(6, ':').nth(5).unwrap_or("");
    let (form, name) = resource.split_once('/').unwrap_or((resource, ""));
    if !known || name.is_empty() {
        return Open;
    }
    match form {
        "user" | "federated-user" => Reading::from(text == caller.arn),
        "role" => role_is(text, caller),
        "assumed-role" => session_is(text, name, caller),
        _ => Open,
    }
}

fn role_is(text: &str, caller: &Caller) -> Reading {
    if text == caller.arn {
        return Yes;
    }
    // The ARN of a session does not have the path of its role, and an account has no two roles of one name.
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or("").to_owned();
    let path_unknown = caller.kind == Kind::Session && caller.arn.matches('/').count() == 1;
    let same_account = text.split(':').nth(4) == Some(&caller.account);
    Reading::from(path_unknown && same_account && last(text) == last(&caller.arn))
}

fn session_is(text: &str, name: &str, caller: &Caller) -> Reading {
    if let Some(session) = &caller.session {
        return Reading::from(text == session);
    }
    // The caller is a role, and which of its sessions calls is not told.
    let role = caller.kind == Kind::Role || caller.kind == Kind::ServiceLinkedRole;
    let same_account = text.split(':').nth(4) == Some(&caller.account);
    let same_name = name.split('/').next() == caller.arn.rsplit('/').next();
    if role && same_account && same_name { Open } else { No }
}

/// "You can write one value without a list."
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// Strings, with numbers and Booleans as their text: "quotation marks are optional".
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    list(value).into_iter().map(text).collect()
}
