//! The checks that need an algorithm: a rule names one of them under `check`.

mod action;
mod applicability;
mod principal;
mod service_linked_role;
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
    ("account-level-action", Check::Policy(action::account_level)),
    ("action-not-for-key", Check::Policy(action::not_for_key)),
    ("condition-key-not-for-action", Check::Policy(applicability::not_for_action)),
    ("condition-never-met", Check::Policy(applicability::never_met)),
    ("dead-statement", Check::Policy(applicability::dead_statements)),
    ("external-administration", Check::Policy(action::external_administration)),
    ("foreign-action", Check::Policy(action::foreign)),
    ("foreign-resource", Check::Policy(applicability::foreign_resources)),
    ("invalid-principal", Check::Policy(principal::invalid)),
    ("malformed-service-linked-role", Check::Policy(service_linked_role::malformed)),
    ("orphaned-principal", Check::Policy(principal::orphaned)),
    ("unknown-action", Check::Policy(spelling::actions)),
    ("unknown-condition-key", Check::Policy(spelling::condition_keys)),
    ("unknown-operator", Check::Policy(spelling::operators)),
    ("unknown-service", Check::Policy(spelling::services)),
    ("vacuous-condition", Check::Policy(applicability::vacuous)),
    ("wildcard-matches-nothing", Check::Policy(action::matching_nothing)),
];
