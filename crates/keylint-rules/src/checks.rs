//! The checks that need an algorithm: a rule names one of them under `check`.

mod access;
mod action;
mod applicability;
mod condition;
mod confused_deputy;
mod form;
mod grant;
mod identity_policy;
mod key;
mod placeholder;
mod principal;
mod redundancy;
mod service_linked_role;
pub(crate) mod service_principal;
mod spelling;
mod vacuous;
mod value;
mod variable;

use keylint_source::Severity;
use keylint_syntax::Node;

use crate::access::Chain;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::grant_facts::GrantFacts;
use crate::identity_policy::HeldPolicy;
use crate::rule::Service;

/// A check that needs an algorithm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// What it finds in a policy, given the services that keylint knows.
    Policy(for<'p> fn(&Facts<'p>, &[Service], Severity) -> Vec<Finding<'p>>),
    /// What it finds in a grant.
    Grant(for<'p> fn(&GrantFacts<'p>, &[Service], Severity) -> Vec<Finding<'p>>),
    /// What it finds in an IAM policy.
    Identity(for<'p> fn(&HeldPolicy<'p>, Severity) -> Vec<Finding<'p>>),
    /// What it finds in documents that have to agree.
    Access(for<'c, 'p> fn(&Chain<'c, 'p>, Severity) -> Vec<Finding<'p>>),
    /// What it finds in the text of a policy and in what was made of it.
    Text(for<'p> fn(Node<'_>, &Facts<'p>, Severity) -> Vec<Finding<'p>>),
}

/// Every check, by the name that rule files use.
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("account-level-action", Check::Policy(action::account_level)),
    ("action-not-for-key", Check::Policy(action::not_for_key)),
    ("alias-as-resource", Check::Identity(identity_policy::aliases)),
    ("broken-cross-account-access", Check::Access(access::broken)),
    ("condition-key-not-for-action", Check::Policy(vacuous::not_for_action)),
    ("condition-never-met", Check::Policy(applicability::never_met)),
    ("condition-type-mismatch", Check::Policy(condition::type_mismatch)),
    ("confused-deputy", Check::Policy(confused_deputy::unrestricted)),
    ("decrypt-on-all-keys", Check::Identity(identity_policy::use_of_all)),
    ("dead-statement", Check::Policy(applicability::dead_statements)),
    ("duplicate-sid", Check::Policy(form::duplicate_sids)),
    ("empty-list", Check::Text(form::empty_lists)),
    ("external-administration", Check::Policy(action::external_administration)),
    ("foreign-action", Check::Policy(action::foreign)),
    ("foreign-resource", Check::Policy(applicability::foreign_resources)),
    ("grant-creator-not-permitted", Check::Access(access::creator_not_permitted)),
    ("grant-not-permitted", Check::Access(access::grant_not_permitted)),
    ("incomplete-use-permissions", Check::Policy(redundancy::incomplete_use)),
    ("invalid-condition-value", Check::Policy(value::invalid)),
    ("invalid-grant", Check::Grant(grant::invalid)),
    ("invalid-principal", Check::Policy(principal::invalid)),
    ("invalid-variable", Check::Policy(variable::invalid)),
    ("key-administration-on-all-keys", Check::Identity(identity_policy::administration_of_all)),
    ("malformed-service-linked-role", Check::Policy(service_linked_role::malformed)),
    ("missing-grant-operation", Check::Grant(grant::missing_operations)),
    ("missing-set-operator", Check::Policy(condition::missing_set_operator)),
    ("missing-substitution", Check::Text(form::missing_substitutions)),
    ("missing-version", Check::Policy(form::missing_version)),
    ("needless-set-operator", Check::Policy(condition::needless_set_operator)),
    ("orphaned-principal", Check::Policy(principal::orphaned)),
    ("outdated-version", Check::Policy(form::outdated_version)),
    ("oversized-policy", Check::Text(form::oversized)),
    ("redundant-action", Check::Policy(redundancy::actions)),
    ("redundant-statement", Check::Policy(redundancy::statements)),
    ("revocable-access", Check::Access(access::revocable)),
    ("service-linked-role-across-accounts", Check::Policy(service_linked_role::across_accounts)),
    ("service-principal-region", Check::Policy(service_principal::region)),
    ("unknown-action", Check::Policy(spelling::actions)),
    ("unknown-condition-key", Check::Policy(spelling::condition_keys)),
    ("unknown-operator", Check::Policy(spelling::operators)),
    ("unknown-service", Check::Policy(spelling::services)),
    ("unsupported-character", Check::Text(form::unsupported_characters)),
    ("unsuitable-key", Check::Policy(key::unsuitable)),
    ("vacuous-condition", Check::Policy(vacuous::vacuous)),
    ("variable-needs-version", Check::Policy(variable::needs_version)),
    ("wildcard-matches-nothing", Check::Policy(action::matching_nothing)),
    ("wrong-kind-of-principal", Check::Policy(service_principal::wrong_kind)),
];
