//! The schema of a key policy: what it accepts, and how it words what it does not. The file belongs to
//! `keylint-policy`; that it says the right thing is a matter of the words made here.

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod key_policy {
    use keylint_syntax::schema::Schema;
    use keylint_syntax::{Arena, Tree, json};
    use pretty_assertions::assert_eq;

    const SCHEMA: &str = include_str!("../../keylint-policy/schemas/key-policy.json");

    /// What is underlined, and the message.
    fn said(source: &str) -> Vec<(String, String)> {
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        json::parse(source, &mut arena, &mut problems);
        assert_eq!(problems, []);
        let root = Tree::new(source, &arena).root().unwrap();
        let violations = Schema::new(SCHEMA).unwrap().violations(root);
        violations
            .into_iter()
            .map(|violation| (source[violation.problem.at.range()].to_owned(), violation.problem.message))
            .collect()
    }

    /// What is said about a statement to which `members` are added, or which they replace if they begin with `!`.
    fn assert_said_of(members: &str, expected: &[(&str, &str)]) {
        let statement = match members.strip_prefix('!') {
            Some(members) => format!("{{{members}}}"),
            None => format!(
                r#"{{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"{members}}}"#
            ),
        };
        for source in [
            format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#),
            format!(r#"{{"Statement": [{statement}]}}"#),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(at, words)| ((*at).replace("STATEMENT", &statement), (*words).to_owned()))
                .collect();
            assert_eq!(said(&source), expected, "{source}");
        }
    }

    #[test]
    fn every_form_of_the_grammar_is_accepted() {
        assert_said_of("", &[]);
        assert_said_of(r#", "Sid": "With spaces""#, &[]);
        let form = |members: &str| assert_said_of(&format!("!{members}"), &[]);
        form(r#""Effect": "Deny", "NotPrincipal": {"AWS": []}, "NotAction": [], "NotResource": ["*"]"#);
        form(
            r#""Effect": "Allow", "Principal": {"AWS": ["111122223333"], "Service": "s3.amazonaws.com", "Federated": "x"},
               "Action": ["kms:a", "kms:b"], "Resource": [],
               "Condition": {"Bool": {"a": true, "b": "true"}, "NumericEquals": {"c": 1, "d": [1, "2", false]}}"#,
        );
    }

    #[test]
    fn mistakes_at_the_top() {
        assert_eq!(said("{}"), [("{}".into(), "this policy has no `Statement`".into())]);
        assert_eq!(said(r#"{"Statement": []}"#), [("[]".into(), "this policy has no statement".into())]);
        assert_eq!(said("[]"), [("[]".into(), "expected an object, found a list".into())]);
        assert_eq!(
            said(r#"{"Statement": ["a"]}"#),
            [(r#""a""#.into(), "expected an object, found a string".into())]
        );
        assert_eq!(
            said(r#"{"Statement": "a"}"#),
            [(r#""a""#.into(), "expected an object or a list of objects, found a string".into())]
        );
        assert_eq!(
            said(r#"{"Version": "2012", "statement": 1}"#),
            [
                (r#""2012""#.into(), "expected `2012-10-17` or `2008-10-17`, found `2012`".into()),
                (r#""statement""#.into(), "`statement` is no element of a policy".into()),
            ]
        );
    }

    #[test]
    fn each_element_stands_in_a_statement_once_and_in_one_form() {
        assert_said_of(
            r#"!"Effect": "Allow""#,
            &[
                ("STATEMENT", "this statement has no `Action`"),
                ("STATEMENT", "this statement has no `Principal`"),
                ("STATEMENT", "this statement has no `Resource`"),
            ],
        );
        assert_said_of(
            r#"!"Principal": "*", "Action": "*", "Resource": "*""#,
            &[("STATEMENT", "this statement has no `Effect`")],
        );
        assert_said_of(
            r#", "NotAction": "kms:x""#,
            &[("\"kms:*\"", "a statement has `Action` or `NotAction`, not both")],
        );
        assert_said_of(
            r#", "NotPrincipal": "*", "NotResource": "y""#,
            &[
                ("\"*\"", "a statement has `Principal` or `NotPrincipal`, not both"),
                ("\"*\"", "a statement has `Resource` or `NotResource`, not both"),
            ],
        );
    }

    #[test]
    fn mistakes_in_the_elements_of_a_statement() {
        assert_said_of(
            r#", "Sid": 1, "Conditions": {}"#,
            &[
                ("1", "expected a string, found a number"),
                ("\"Conditions\"", "`Conditions` is no element of a statement"),
            ],
        );
        let rest = r#""Effect": "allow", "Action": {}, "Resource": [1]"#;
        assert_said_of(
            &format!("!{rest}, \"Principal\": \"arn:aws:iam::111122223333:root\""),
            &[
                ("\"allow\"", "expected `Allow` or `Deny`, found `allow`"),
                ("{}", "expected a string or a list of strings, found an object"),
                ("1", "expected a string, found a number"),
                (
                    "\"arn:aws:iam::111122223333:root\"",
                    "a principal is `*` or an object such as `{\"AWS\": \"…\"}`, not the string \
                 `arn:aws:iam::111122223333:root`",
                ),
            ],
        );
        assert_said_of(
            r#"!"Effect": "Allow", "Principal": {"Aws": "*"}, "Action": [], "Resource": []"#,
            &[("\"Aws\"", "`Aws` is no kind of principal")],
        );
        assert_said_of(
            r#", "Condition": {"Bool": "true", "Null": {"a": {}}}"#,
            &[
                ("\"true\"", "a condition operator needs an object of condition keys and their values"),
                ("{}", "expected a string, a number, `true` or `false`, or a list, found an object"),
            ],
        );
    }
}
