//! The JSON Schemas of rule files, service files and the configuration.

use std::sync::LazyLock;

use keylint_source::Problem;
use keylint_syntax::Node;
use keylint_syntax::schema::{Schema, ViolationKind};

/// The schema of a rule file.
pub const RULE_SCHEMA: &str = include_str!("../schemas/rule.json");
/// The schema of a service file.
pub const SERVICE_SCHEMA: &str = include_str!("../schemas/service.json");
/// The schema of `keylint.yaml`.
pub const CONFIG_SCHEMA: &str = include_str!("../schemas/config.json");

/// A schema that is built when it is first used.
pub(crate) type Lazy = LazyLock<Option<Schema>>;

pub(crate) static RULE: Lazy = LazyLock::new(|| Schema::new(RULE_SCHEMA).ok());
pub(crate) static SERVICE: Lazy = LazyLock::new(|| Schema::new(SERVICE_SCHEMA).ok());
pub(crate) static CONFIG: Lazy = LazyLock::new(|| Schema::new(CONFIG_SCHEMA).ok());

/// What is wrong with a document by its schema.
pub(crate) fn problems(schema: &Lazy, root: Node<'_>) -> Vec<Problem> {
    let violations = schema.as_ref().map(|schema| schema.violations(root)).unwrap_or_default();
    let in_short = violations.into_iter().map(|violation| {
        let mut problem = violation.problem;
        // What is missing in an object is said at its beginning, not by underlining all of it.
        if matches!(violation.kind, ViolationKind::MissingMember { .. }) {
            problem.at = root.tree().character(problem.at);
        }
        problem
    });
    in_short.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_can_be_read() {
        for schema in [&RULE, &SERVICE, &CONFIG] {
            assert!(schema.is_some());
        }
    }
}
