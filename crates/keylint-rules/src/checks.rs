//! The checks that need an algorithm: a rule names one of them under `check`.

mod service_linked_role;
mod spelling;

use keylint_source::Severity;

use crate::facts::Facts;
use crate::finding::Finding;
use crate::rule::Service;

/// A check: what it finds in a policy, given the services that keylint knows.
pub(crate) type Check = for<'p> fn(&Facts<'p>, &[Service], Severity) -> Vec<Finding<'p>>;

/// Every check, by the name that rule files use.
pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("malformed-service-linked-role", service_linked_role::malformed),
    ("unknown-action", spelling::actions),
    ("unknown-condition-key", spelling::condition_keys),
    ("unknown-operator", spelling::operators),
    ("unknown-service", spelling::services),
];
