//! May this principal make this request? An exact model of KMS authorization, with three answers.
//!
//! The model, in short: a `Deny` that applies wins. An `Allow` that names the caller (or everyone) allows directly
//! in the key's own account; one that names the caller's account delegates to that account's identity policies;
//! across accounts an `Allow` of any form only delegates, and only some operations work at all.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>
//!
//! [`Evaluator::may`] is the evaluator that rules use. `tests/decide` holds another one, the plainest reading of the
//! documentation, and tests hold the two against each other.

mod about;
mod caller;
mod choices;
mod condition;
mod context;
mod request;
pub mod values;

use std::borrow::Cow;

pub use about::{About, Obstacle, Unsettled};
pub use caller::{Caller, CallerKind, Named, names, principal_names};
pub use context::{Context, State};

use crate::Answer;
use crate::arn::{Arn, resource_matches};
use crate::model::{Policy, Statement};
use crate::pattern;
use crate::vocabulary::Operation;

/// What is known of the key that a policy belongs to.
#[derive(Clone, Debug)]
pub struct Key<'k> {
    /// The account that owns it: twelve digits or the text of a hole.
    pub account: Option<Cow<'k, str>>,
    /// Its partition: `aws`, unless the policy's own ARNs say otherwise.
    pub partition: Cow<'k, str>,
    /// Its ARN.
    pub arn: Option<Cow<'k, str>>,
    /// The id of the organization that its account belongs to.
    pub organization: Option<Cow<'k, str>>,
}

impl Default for Key<'_> {
    fn default() -> Self {
        Self { account: None, partition: Cow::Borrowed("aws"), arn: None, organization: None }
    }
}

/// The answer to a question, with what decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the caller may.
    pub answer: Answer,
    /// Whether it might if there were no `Deny`.
    pub without_denials: Answer,
    /// The `Allow` statement that allows, or would allow but for a `Deny`.
    pub allowed_by: Option<usize>,
    /// The `Deny` statement that takes it away.
    pub denied_by: Option<usize>,
    /// Whether the identity policies of the caller's account are what allows.
    pub delegated: bool,
}

impl Verdict {
    const NO: Self = Self {
        answer: Answer::No,
        without_denials: Answer::No,
        allowed_by: None,
        denied_by: None,
        delegated: false,
    };
}

/// Answers questions about one policy and its key.
#[derive(Debug)]
pub struct Evaluator<'p> {
    policy: &'p Policy<'p>,
    key: &'p Key<'p>,
    /// For each statement, whether its resources are the key.
    on_this_key: Vec<Answer>,
}

impl<'p> Evaluator<'p> {
    /// Prepares a policy for questions.
    pub fn new(policy: &'p Policy<'p>, key: &'p Key<'p>) -> Self {
        let on_this_key = policy.statements.iter().map(|statement| is_this_key(statement, key)).collect();
        Self { policy, key, on_this_key }
    }

    /// The policy that is asked about.
    pub fn policy(&self) -> &'p Policy<'p> {
        self.policy
    }

    /// What is known of the key.
    pub fn key(&self) -> &'p Key<'p> {
        self.key
    }

    /// Whether the resources of a statement are this key. A statement that does not exist has none.
    pub fn resource_answer(&self, statement: usize) -> Answer {
        self.on_this_key.get(statement).copied().unwrap_or(Answer::No)
    }

    /// Whether a caller may call an operation on the key. For several questions about one caller, see
    /// [`Evaluator::about`].
    pub fn may(&self, caller: &Caller<'_>, operation: Operation, context: &Context<'_>) -> Verdict {
        self.about(caller).may(operation, context)
    }

    /// Prepares questions about one caller.
    pub fn about<'a>(&'a self, caller: &'a Caller<'a>) -> About<'a, 'p> {
        About::new(self, caller)
    }

    /// Prepares questions about one caller of an identity policy: a policy that is attached to the caller, and names no
    /// principals. What it allows and denies is the caller's; the key policy decides whether that counts.
    pub fn about_holder<'a>(&'a self, caller: &'a Caller<'a>) -> About<'a, 'p> {
        About::holding(self, caller)
    }
}

/// Whether the resources of a statement are the key itself. In a key policy `*` means this key.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>
fn is_this_key(statement: &Statement<'_>, key: &Key<'_>) -> Answer {
    let resources = &statement.resources;
    if let ([only], false, false) = (resources.items.as_slice(), resources.open, resources.negated)
        && only.as_str() == "*"
    {
        return Answer::Yes;
    }
    let account = key.account.as_deref().filter(|account| !pattern::has_hole(account));
    let arn = match &key.arn {
        Some(arn) => Cow::Borrowed(arn.as_ref()),
        // What is not known of the key's ARN is a hole.
        None => Cow::Owned(format!(
            "arn:${{partition}}:kms:${{region}}:{}:key/${{key}}",
            account.unwrap_or("${account}")
        )),
    };
    // A word in the place of an account's digits is to be replaced before the policy is used.
    let is_placeholder = |text: &str| {
        let key = Arn::parse(text).filter(|arn| arn.service == "kms" && arn.resource.starts_with("key/"));
        text.contains(['<', '>'])
            || key.is_some_and(|arn| {
                !pattern::has_hole(arn.account) && arn.account.bytes().any(|byte| byte.is_ascii_alphabetic())
            })
    };
    let listed = Answer::any(resources.items.iter().map(|item| match item.as_str() {
        "*" => Answer::Yes,
        text if is_placeholder(text) => Answer::Maybe,
        text => resource_matches(text, &arn),
    }));
    let listed = if resources.open { listed.or(Answer::Maybe) } else { listed };
    if resources.negated { !listed } else { listed }
}
