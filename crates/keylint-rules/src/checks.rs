//! The checks that need an algorithm: a rule names one of them under `check`.

mod confused_deputy;
mod service_linked_role;
pub(crate) mod service_principal;
mod spelling;

use keylint_policy::model::Policy;
use keylint_source::{Problem, Severity};
use keylint_syntax::Node;

use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// A check that needs an algorithm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// What it finds in a policy, given the services that keylint knows.
    Policy(for<'p> fn(&Facts<'p>, &[Service], Severity) -> Vec<Finding<'p>>),
    /// What it finds in the document that a policy is: its text, and the policy that was made of it.
    Document(fn(Node<'_>, &Policy<'_>) -> Vec<Problem>),
}

/// Every check, by the name that rule files use.
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("confused-deputy", Check::Policy(confused_deputy::unrestricted)),
    ("malformed-service-linked-role", Check::Policy(service_linked_role::malformed)),
    ("service-principal-region", Check::Policy(service_principal::region)),
    ("unknown-action", Check::Policy(spelling::actions)),
    ("unknown-condition-key", Check::Policy(spelling::condition_keys)),
    ("unknown-operator", Check::Policy(spelling::operators)),
    ("unknown-service", Check::Policy(spelling::services)),
    ("wrong-kind-of-principal", Check::Policy(service_principal::wrong_kind)),
];
