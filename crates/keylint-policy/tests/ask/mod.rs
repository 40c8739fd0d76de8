//! Asks the fast evaluator, in terms of the plain one.

use std::borrow::Cow;

use keylint_policy::Answer;
use keylint_policy::evaluate::{self, CallerKind, Evaluator, State, Verdict};
use keylint_policy::lower;
use keylint_policy::vocabulary::Operation;
use keylint_syntax::{Arena, Tree};

use crate::decide::{Caller, Context, Key, Kind};

/// The key that every policy of these tests belongs to.
pub(crate) fn key() -> Key {
    Key { account: "111122223333".to_owned(), arn: "arn:aws:kms:us-east-1:111122223333:key/1a2b".to_owned() }
}

/// The caller as the fast evaluator wants it. It chooses nothing of its own.
pub(crate) fn caller_of(caller: &Caller, identity_policies: Answer) -> evaluate::Caller<'_> {
    evaluate::Caller {
        kind: match caller.kind {
            Kind::RootUser => CallerKind::RootUser,
            Kind::User => CallerKind::User,
            Kind::Role => CallerKind::Role,
            Kind::Session => CallerKind::Session,
            Kind::FederatedUser => CallerKind::FederatedUser,
            Kind::ServiceLinkedRole => CallerKind::ServiceLinkedRole,
            Kind::Service => CallerKind::Service,
        },
        account: Cow::Borrowed(&caller.account),
        arn: Cow::Borrowed(&caller.arn),
        session: caller.session.as_deref().map(Cow::Borrowed),
        identity_policies,
        chooses: false,
        outsider: false,
    }
}

/// Asks the fast evaluator about the key of all tests.
pub(crate) fn ask(
    json: &str,
    caller: &evaluate::Caller<'_>,
    operation: &str,
    context: &evaluate::Context<'_>,
) -> Verdict {
    of_evaluator(json, |evaluator| evaluator.may(caller, Operation::from_name(operation).unwrap(), context))
}

/// Asks the evaluator of a policy anything.
pub(crate) fn of_evaluator<T>(json: &str, question: impl FnOnce(&Evaluator<'_>) -> T) -> T {
    let mut arena = Arena::default();
    let mut problems = Vec::new();
    keylint_syntax::json::parse(json, &mut arena, &mut problems);
    assert_eq!(problems.len(), 0, "{json}");
    let policy = lower(Tree::new(json, &arena).root().unwrap());
    let key = evaluate::Key {
        account: Some(Cow::Owned(key().account)),
        arn: Some(Cow::Owned(key().arn)),
        ..evaluate::Key::default()
    };
    question(&Evaluator::new(&policy, &key))
}

/// A context of which everything is known.
pub(crate) fn complete(context: &Context) -> evaluate::Context<'_> {
    let values = |values: &[String]| values.iter().cloned().map(Cow::Owned).collect();
    let known = context.iter().map(|(key, found)| (key, State::Is(values(found))));
    let complete = evaluate::Context { complete: true, ..evaluate::Context::open() };
    known.fold(complete, |context, (key, state)| context.with(key, state))
}
