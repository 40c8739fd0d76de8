//! The policy checks of IAM Access Analyzer, and what keylint has for each of them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html>

use keylint_syntax::{Arena, Node, Tree, yaml};

const CHECKS: &str = include_str!("../data/access-analyzer.yaml");

/// A policy check of IAM Access Analyzer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzerCheck {
    /// The name of its finding, such as `INVALID_ACTION`.
    pub code: String,
    /// `error`, `security warning`, `general warning`, or `suggestion`.
    pub kind: String,
    /// Whether it can fire on a key policy.
    pub applies: bool,
    /// The rules of keylint that report the same.
    pub rules: Vec<String>,
    /// Where there is none, the reason.
    pub why_not: Option<String>,
}

/// Every policy check of IAM Access Analyzer, in the order of its reference.
pub fn analyzer_checks() -> Vec<AnalyzerCheck> {
    let mut arena = Arena::default();
    yaml::parse(CHECKS, &mut arena, &mut Vec::new());
    let root = Tree::new(CHECKS, &arena).root();
    root.into_iter().flat_map(Node::items).map(check).collect()
}

fn check(node: Node<'_>) -> AnalyzerCheck {
    let text = |name: &str| node.get(name).and_then(Node::as_str);
    let rules = node.get("rules").into_iter().flat_map(Node::items).filter_map(Node::as_str);
    AnalyzerCheck {
        code: text("code").unwrap_or_default().to_owned(),
        kind: text("kind").unwrap_or_default().to_owned(),
        applies: text("applies").is_some_and(|applies| applies != "never"),
        rules: rules.map(str::to_owned).collect(),
        why_not: text("why-not").map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleSet;
    use pretty_assertions::assert_eq;

    #[test]
    fn every_check_that_applies_is_covered_or_there_is_a_reason() {
        let set = RuleSet::built_in();
        let exists = |name: &str| set.rule(name).is_some();
        let mut wrong = Vec::new();
        for check in analyzer_checks() {
            let unknown = check.rules.iter().any(|name| !exists(name));
            if unknown || check.applies != (check.rules.is_empty() == check.why_not.is_some()) {
                wrong.push(check);
            }
        }
        assert_eq!(wrong, []);
    }

    #[test]
    fn every_check_of_the_reference_is_in_the_table_once() {
        let checks = analyzer_checks();
        let of = |kind: &str| checks.iter().filter(|check| check.kind == kind).count();
        let kinds = ["error", "security warning", "general warning", "suggestion"].map(of);
        assert_eq!((checks.len(), kinds), (154, [80, 19, 26, 29]));
        let mut codes: Vec<&str> = checks.iter().map(|check| check.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), checks.len());
        assert_eq!(checks.iter().filter(|check| check.applies).count(), 110);
    }
}
