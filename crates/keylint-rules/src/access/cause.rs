//! What keeps the grant from being created: in the key policy, or in an IAM policy.

use keylint_policy::Answer;
use keylint_policy::evaluate::{Caller, Context, Obstacle};
use keylint_policy::model::{Effect, Policy, Statement};
use keylint_policy::vocabulary::{KeyId, Operation};
use keylint_source::{FileId, Span};

use super::Chain;

/// What keeps a call from being allowed, with the statement that says so.
pub(crate) enum Cause<'p> {
    /// A `Deny`.
    Denied(&'p Statement<'p>),
    /// A condition of an `Allow`, by its index.
    Condition(&'p Statement<'p>, usize),
    /// The resource of an `Allow`.
    Resource(&'p Statement<'p>),
    /// No statement allows the operation; the nearest that names whoever calls.
    Operation(Option<&'p Statement<'p>>),
}

/// What is in the way in an IAM policy.
pub(crate) struct HeldCause<'p> {
    pub(crate) file: FileId,
    pub(crate) policy: &'p Policy<'p>,
    pub(crate) cause: Cause<'p>,
}

impl HeldCause<'_> {
    pub(crate) fn place(&self) -> Span {
        self.cause.place().unwrap_or(self.policy.heading)
    }
}

impl<'p> Cause<'p> {
    /// What keeps a statement from allowing a call.
    pub(super) fn of(statement: &'p Statement<'p>, obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Condition(condition) => Self::Condition(statement, condition),
            Obstacle::Resource => Self::Resource(statement),
            Obstacle::Action => Self::Operation(Some(statement)),
        }
    }

    /// The bytes that are in the way.
    pub(crate) fn place(&self) -> Option<Span> {
        match self {
            Self::Denied(statement) => Some(statement.actions.value),
            Self::Condition(statement, index) => {
                Some(statement.conditions.get(*index).map_or(statement.span, |it| it.key_text.span()))
            }
            Self::Resource(statement) => Some(statement.resources.value),
            Self::Operation(statement) => statement.map(|statement| statement.actions.value),
        }
    }

    pub(crate) fn statement(&self) -> Option<&'p Statement<'p>> {
        match self {
            Self::Denied(statement) | Self::Condition(statement, _) | Self::Resource(statement) => {
                Some(statement)
            }
            Self::Operation(statement) => *statement,
        }
    }
}

/// Whether a condition key is about a grant that is created, so that the grant can be changed to meet it.
pub(crate) fn is_about_grant(key: Option<KeyId>) -> bool {
    matches!(
        key,
        Some(
            KeyId::GRANTEE_PRINCIPAL
                | KeyId::GRANT_OPERATIONS
                | KeyId::RETIRING_PRINCIPAL
                | KeyId::GRANT_CONSTRAINT_TYPE
        )
    )
}

impl<'p> Chain<'_, 'p> {
    /// What keeps everyone from calling an operation that nobody may call.
    pub(super) fn cause(
        &self,
        callers: &[Caller<'p>],
        operation: Operation,
        context: &Context<'_>,
    ) -> Cause<'p> {
        let statement = |index: usize| self.facts.policy().statements.get(index);
        for caller in callers {
            let about = self.facts.evaluator.about(caller);
            let verdict = about.may(operation, context);
            if verdict.without_denials != Answer::No
                && let Some(denial) = verdict.denied_by.and_then(statement)
            {
                return Cause::Denied(denial);
            }
        }
        let mut nearest = None;
        for caller in callers {
            let about = self.facts.evaluator.about(caller);
            for (index, obstacle) in about.obstacles(operation, context) {
                let Some(statement) = statement(index) else { continue };
                match Cause::of(statement, obstacle) {
                    // Of those that do not cover the operation, the last comes nearest: it is about use.
                    Cause::Operation(statement) => nearest = statement,
                    cause => return cause,
                }
            }
        }
        // A `Deny` where an `Allow` was meant, perhaps.
        let denies = |statement: &&Statement<'_>| {
            let to = |caller: &Caller<'_>| {
                let about = self.facts.evaluator.about(caller);
                about.applies(statement.index, operation, context).at_all() == Answer::Yes
            };
            statement.effect == Some(Effect::Deny) && callers.iter().all(to)
        };
        match self.facts.policy().statements.iter().find(denies) {
            Some(denial) => Cause::Denied(denial),
            None => Cause::Operation(nearest),
        }
    }
}
