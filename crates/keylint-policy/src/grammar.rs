//! What is wrong with the form of a policy: the grammar that AWS documents, and what KMS refuses beyond it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html>

use std::sync::LazyLock;

use keylint_source::Problem;
use keylint_syntax::schema::{Schema, Violation, ViolationKind};
use keylint_syntax::{Kind, Member, Node};

use crate::pattern::has_hole;
use crate::plain::is_plain;

/// The JSON Schema of a key policy.
pub const SCHEMA: &str = include_str!("../schemas/key-policy.json");

/// `None` only if the schema, which is part of the program, cannot be read: a test sees to that.
static KEY_POLICY: LazyLock<Option<Schema>> = LazyLock::new(|| Schema::new(SCHEMA).ok());

/// Everything that is wrong with the form of a policy, in the order of the file.
///
/// `node` is the object that is the policy.
pub fn problems(node: Node<'_>) -> Vec<Problem> {
    if is_plain(node) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    if let Some(schema) = KEY_POLICY.as_ref().filter(|schema| !schema.accepts(node)) {
        let violations = schema.violations(node).into_iter();
        let certain = violations.filter(|violation| !is_about_placeholder(violation, node));
        certain.for_each(|violation| add(violation, node, &mut problems));
    }
    duplicates(node, false, &mut problems);
    problems.sort_by_key(|problem| problem.at);
    problems
}

/// Whether something is wrong only as long as a placeholder is not filled in.
fn is_about_placeholder(violation: &Violation, policy: Node<'_>) -> bool {
    let is_it = |node: Node<'_>| node.span() == violation.node && node.as_string().is_some_and(has_hole);
    match &violation.kind {
        ViolationKind::UnknownMember { name, .. } => has_hole(name),
        ViolationKind::MissingMember { .. } => false,
        _ => policy.descendants().any(is_it),
    }
}

/// What is missing in an object is said at its brace, not by underlining all of it, and in one sentence.
fn add(violation: Violation, policy: Node<'_>, problems: &mut Vec<Problem>) {
    let mut problem = violation.problem;
    if let ViolationKind::MissingMember { name } = &violation.kind {
        problem.at = policy.tree().character(problem.at);
        let beginning = problem.message.split('`').next().unwrap_or_default();
        let same_place =
            |other: &&mut Problem| other.at == problem.at && other.message.starts_with(beginning);
        if let Some(said) = problems.iter_mut().find(same_place) {
            let named = said.message.split('`').skip(1).step_by(2);
            let names: Vec<&str> = named.chain([name.as_str()]).collect();
            said.message = format!("{beginning}{}", keylint_source::quoted_list(&names));
            return;
        }
    }
    problems.push(problem);
}

/// Members that are there twice. JSON parsers keep the last one in silence; IAM's grammar allows one.
///
/// Condition keys are the same whatever their letter case.
fn duplicates(node: Node<'_>, keys_of_conditions: bool, problems: &mut Vec<Problem>) {
    let same =
        |left: &str, right: &str| left == right || (keys_of_conditions && left.eq_ignore_ascii_case(right));
    let mut names: Vec<&str> = Vec::new();
    for Member { key, value } in node.members() {
        let name = key.as_str().unwrap_or_default();
        if names.iter().any(|earlier| same(earlier, name)) {
            let problem = Problem::new(key.content_span(), format!("`{name}` is given twice"));
            let help = "keep one of them; where both are meant, write their values as one list";
            problems.push(problem.with_label("only one of the two counts").with_help(help));
        }
        names.push(name);
        match (name, value.kind()) {
            ("Statement", Kind::Array) => value.items().for_each(|item| duplicates(item, false, problems)),
            ("Statement" | "Principal" | "NotPrincipal", Kind::Object) => duplicates(value, false, problems),
            ("Condition", Kind::Object) => {
                duplicates(value, false, problems);
                value.members().for_each(|operator| duplicates(operator.value, true, problems));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keylint_syntax::{Arena, Tree};
    use pretty_assertions::assert_eq;
    use proptest::prelude::*;

    /// What is said of a policy: the text it points at, and the message.
    fn said(json: &str) -> Vec<(String, String)> {
        let mut arena = Arena::default();
        let mut syntax = Vec::new();
        keylint_syntax::json::parse(json, &mut arena, &mut syntax);
        assert_eq!(syntax, []);
        let root = Tree::new(json, &arena).root().unwrap();
        let problems = problems(root);
        problems.into_iter().map(|p| (json.get(p.at.range()).unwrap().to_owned(), p.message)).collect()
    }

    fn statement(members: &str) -> String {
        format!(r#"{{"Version": "2012-10-17", "Statement": [{{{members}}}]}}"#)
    }

    proptest! {
        /// The short cut is one: what it calls plain, the schema accepts, and nothing in it is given twice.
        #[test]
        fn nothing_is_wrong_with_a_plain_policy(
            members in proptest::collection::vec(0..PIECES.len(), 0..8),
            around in 0..4_usize,
        ) {
            let statement = format!("{{{}}}", members.iter().map(|&piece| PIECES[piece]).collect::<Vec<_>>().join(","));
            let json = match around {
                0 => format!(r#"{{"Statement": {statement}}}"#),
                1 => format!(r#"{{"Version": "2012-10-17", "Id": "x", "Statement": [{statement}]}}"#),
                2 => format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}, {{{RIGHT}}}], "Version": "2008-10-17"}}"#),
                _ => format!(r#"{{"Statement": [{{{RIGHT}}}, {statement}], "id": "x"}}"#),
            };
            let mut arena = Arena::default();
            keylint_syntax::json::parse(&json, &mut arena, &mut Vec::new());
            let root = Tree::new(&json, &arena).root().unwrap();
            let mut twice = Vec::new();
            duplicates(root, false, &mut twice);
            let right = KEY_POLICY.as_ref().unwrap().accepts(root) && twice.is_empty();
            // And it is worth taking: it finds nearly everything that is right.
            prop_assert_eq!(is_plain(root), right, "{}", json);
        }
    }

    /// Members of statements, right and wrong.
    const PIECES: &[&str] = &[
        r#""Effect": "Allow""#,
        r#""Effect": "Deny""#,
        r#""Effect": "allow""#,
        r#""Sid": "s""#,
        r#""Sid": 1"#,
        r#""Principal": "*""#,
        r#""Principal": {"AWS": ["a", "b"], "Service": "s"}"#,
        r#""Principal": {}"#,
        r#""Principal": {"AWS": "a", "AWS": "b"}"#,
        r#""Principal": {"aws": "a"}"#,
        r#""NotPrincipal": {"AWS": []}"#,
        r#""Action": "kms:*""#,
        r#""Action": ["kms:Decrypt"]"#,
        r#""NotAction": []"#,
        r#""Action": [1]"#,
        r#""Resource": "*""#,
        r#""Resource": ["*"]"#,
        r#""NotResource": "x""#,
        r#""Resource": null"#,
        r#""Condition": {}"#,
        r#""Condition": {"Bool": {"a:b": true, "a:c": ["x", 1]}}"#,
        r#""Condition": {"Bool": {"a:b": true, "A:B": false}}"#,
        r#""Condition": {"Bool": {}, "Bool": {}}"#,
        r#""Condition": {"Bool": []}"#,
        r#""Condition": []"#,
        r#""Other": 1"#,
    ];

    const RIGHT: &str =
        r#""Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*""#;

    #[test]
    fn the_schema_can_be_read() {
        assert!(Schema::new(SCHEMA).is_ok());
    }

    #[test]
    fn nothing_is_wrong_with_what_aws_prints() {
        assert_eq!(said(&statement(RIGHT)), []);
        let one = format!(r#"{{"Id": "key-default-1", "Statement": {{"Sid": "with spaces", {RIGHT}}}}}"#);
        assert_eq!(said(&one), []);
    }

    #[test]
    fn each_mistake_is_said_once_and_where_it_is() {
        let places = |json: &str| said(json).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
        for (right, wrong, place) in [
            (r#""Allow""#, r#""allow""#, r#""allow""#),
            (r#""Principal""#, r#""Principals""#, "Principals"),
            (r#""Effect": "Allow", "#, "", "{"),
            (r#""Action": "kms:*", "#, "", "{"),
            (r#", "Resource": "*""#, "", "{"),
            (r#""Principal": {"AWS": "111122223333"}, "#, "", "{"),
            (r#"{"AWS": "111122223333"}"#, r#""111122223333""#, r#""111122223333""#),
            (r#""AWS""#, r#""aws""#, "aws"),
            (r#""kms:*""#, "7", "7"),
            (r#""Effect""#, r#""Effect": "Allow", "Effect""#, "Effect"),
        ] {
            assert!(RIGHT.contains(right));
            let places = places(&statement(&RIGHT.replace(right, wrong)));
            let places: Vec<&str> = places.iter().map(|place| place.trim_matches('"')).collect();
            assert_eq!(places, [place.trim_matches('"')], "{wrong}");
        }
    }

    #[test]
    fn what_a_placeholder_stands_for_may_be_right() {
        for (right, open) in [
            (r#""Allow""#, r#""${effect}""#),
            (r#""AWS""#, r#""${kind}""#),
            (r#"{"AWS": "111122223333"}"#, r#""${principal}""#),
        ] {
            assert_eq!(said(&statement(&RIGHT.replace(right, open))), [], "{open}");
        }
    }

    #[test]
    fn what_is_missing_is_said_in_one_sentence() {
        let message = "this statement has no `Action`, `Principal`, and `Resource`".to_owned();
        assert_eq!(said(&statement(r#""Effect": "Deny""#)), [("{".to_owned(), message)]);
    }

    #[test]
    fn condition_keys_are_compared_without_case() {
        let json = statement(&format!(
            r#"{RIGHT}, "Condition": {{"StringEquals": {{"aws:SourceArn": "a", "aws:sourcearn": "b"}}}}"#
        ));
        assert_eq!(said(&json), [("aws:sourcearn".to_owned(), "`aws:sourcearn` is given twice".to_owned())]);
    }
}
