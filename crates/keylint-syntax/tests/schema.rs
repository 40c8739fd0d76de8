//! Checks against a schema: what is found, where, and in which words.

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a place that splits a character is to fail the test")]
mod schema {
    use keylint_syntax::schema::{Schema, Violation, ViolationKind};
    use keylint_syntax::{Arena, Tree, json, limits, yaml};
    use pretty_assertions::assert_eq;

    const SCHEMA: &str = r##"{
        "type": "object",
        "required": ["Effect"],
        "additionalProperties": false,
        "properties": {
            "Effect": { "enum": ["Allow", "Deny"] },
            "Action": { "type": ["array", "string"], "pattern": "^kms:", "minItems": 1, "items": { "type": "string" } },
            "Names": { "$ref": "#/$defs/names" },
            "Count": { "type": "integer", "minimum": 1, "maximum": 10 },
            "Version": { "const": "2012-10-17", "x-words": { "const": "the version is never `{value}`" } },
            "Old": { "not": {}, "x-words": { "not": "`Old` is not used any more" } },
            "Any": { "anyOf": [{ "type": "string" }, { "type": "null" }] }
        },
        "$defs": {
            "names": {
                "type": "object",
                "propertyNames": { "enum": ["StringEquals", "StringLike"] },
                "additionalProperties": { "type": "object" },
                "uniqueItems": true,
                "x-words": { "propertyNames": "`{value}` is no operator", "type": "names are an object" }
            }
        }
    }"##;

    fn violations_of(schema: &str, source: &str, is_yaml: bool) -> Vec<Violation> {
        let mut arena = Arena::default();
        let mut problems = Vec::new();
        let parse = if is_yaml { yaml::parse } else { json::parse };
        parse(source, &mut arena, &mut problems);
        let root = Tree::new(source, &arena).root().unwrap();
        let schema = Schema::new(schema).unwrap();
        let violations = schema.violations(root);
        assert_eq!(schema.accepts(root), violations.is_empty(), "{violations:?}");
        violations
    }

    /// The text that is underlined, the pointer, the message, and the help if there is some.
    fn said(source: &str) -> Vec<[String; 4]> {
        let violations = violations_of(SCHEMA, source, false);
        violations
            .into_iter()
            .map(|Violation { pointer, problem, .. }| {
                let at = source[problem.at.range()].to_owned();
                [at, pointer, problem.message, problem.help.unwrap_or_default()]
            })
            .collect()
    }

    fn assert_said(source: &str, expected: &[[&str; 4]]) {
        assert_eq!(said(source), expected, "{source}");
    }

    #[test]
    fn members_that_are_unknown_or_missing() {
        assert_said(r#"{"Effect": "Allow"}"#, &[]);
        assert_said("{}", &[["{}", "", "this object has no `Effect`", ""]]);
        assert_said(
            r#"{"Effect": "Deny", "Acton": 1, "Zzz": 2}"#,
            &[
                [r#""Acton""#, "", "unknown member `Acton`", "did you mean `Action`?"],
                [
                    r#""Zzz""#,
                    "",
                    "unknown member `Zzz`",
                    "known here: `Action`, `Any`, `Count`, `Effect`, `Names`, `Old`, and `Version`",
                ],
            ],
        );
    }

    #[test]
    fn a_misspelt_member_is_not_missing_too() {
        assert_said(
            r#"{"effect": "Deny"}"#,
            &[[r#""effect""#, "", "unknown member `effect`", "did you mean `Effect`?"]],
        );
    }

    #[test]
    fn values_of_the_wrong_type_are_said_once() {
        assert_said(
            r#"{"Effect": "Allow", "Action": {"a": 1}}"#,
            &[[r#"{"a": 1}"#, "/Action", "expected a string or a list of strings, found an object", ""]],
        );
        assert_said(
            r#"{"Effect": "Allow", "Action": ["kms:*", 5, null]}"#,
            &[
                ["5", "/Action/1", "expected a string, found a number", ""],
                ["null", "/Action/2", "expected a string, found null", ""],
            ],
        );
        assert_said(
            r#"{"Effect": "Allow", "Count": 1.5}"#,
            &[["1.5", "/Count", "expected a whole number, found a number", ""]],
        );
    }

    #[test]
    fn values_that_are_none_of_those_allowed() {
        assert_said(
            r#"{"Effect": "allow"}"#,
            &[[
                r#""allow""#,
                "/Effect",
                "expected `Allow` or `Deny`, found `allow`",
                "did you mean `Allow`?",
            ]],
        );
        assert_said(
            r#"{"Effect": ["Allow"]}"#,
            &[[r#"["Allow"]"#, "/Effect", "expected `Allow` or `Deny`, found a list", ""]],
        );
        assert_said(
            r#"{"Effect": "Deny", "Action": "s3:*"}"#,
            &[[r#""s3:*""#, "/Action", "`s3:*` does not have the form `^kms:`", ""]],
        );
        assert_said(
            r#"{"Effect": "Deny", "Action": [], "Count": 11}"#,
            &[["[]", "/Action", "this list is empty", ""], ["11", "/Count", "`11` is more than 10", ""]],
        );
        assert_said(
            r#"{"Effect": "Deny", "Any": 1}"#,
            &[["1", "/Any", "a number of this form cannot stand here", ""]],
        );
    }

    #[test]
    fn an_author_s_words_replace_ours() {
        assert_said(
            r#"{"Effect": "Deny", "Version": "2012", "Old": 1}"#,
            &[
                [r#""2012""#, "/Version", "the version is never `2012`", ""],
                ["1", "/Old", "`Old` is not used any more", ""],
            ][..],
        );
        assert_said(
            r#"{"Effect": "Deny", "Names": {"stringlike": {}}}"#,
            &[[r#""stringlike""#, "/Names", "`stringlike` is no operator", "did you mean `StringLike`?"]],
        );
        assert_said(r#"{"Effect": "Deny", "Names": 1}"#, &[["1", "/Names", "names are an object", ""]]);
    }

    #[test]
    fn of_duplicate_members_the_wrong_one_is_pointed_at() {
        let source = r#"{"Effect": "Deny", "Names": {"StringLike": 1, "StringLike": {}}}"#;
        assert_said(source, &[["1", "/Names/StringLike", "expected an object, found a number", ""]]);
        assert_said(
            r#"{"Count": 1, "Count": 1}"#,
            &[[r#"{"Count": 1, "Count": 1}"#, "", "this object has no `Effect`", ""]],
        );
    }

    #[test]
    fn violations_are_in_the_order_of_the_document() {
        let source = r#"{"Zzz": 1, "Count": 0, "Action": [7], "Effect": "no"}"#;
        let places: Vec<u32> = violations_of(SCHEMA, source, false)
            .iter()
            .map(|violation| violation.problem.at.start())
            .collect();
        assert_eq!(places.len(), 4);
        assert!(places.is_sorted());
    }

    #[test]
    fn what_could_not_be_read_violates_nothing() {
        // Of these, each value that stands for itself would be wrong.
        assert_said(
            "{\"Effect\": ?, \"Action\": [?, \"kms:a\"], \"Names\": 'x, \"Count\": ?, \"Any\": ?, \"Version\": ?}",
            &[],
        );
        // A member that is missing is so whatever the values are.
        assert_said("{\"Count\": ?}", &[["{\"Count\": ?}", "", "this object has no `Effect`", ""]]);
    }

    #[test]
    fn numbers_of_yaml_are_numbers() {
        for number in ["0x1", "+1", "01", "0o7", "1.0"] {
            assert_eq!(
                violations_of(SCHEMA, &format!("Effect: Deny\nCount: {number}\n"), true),
                [],
                "{number}"
            );
        }
        for number in ["0x1F", "-1", ".inf", ".nan", "1.5"] {
            assert_eq!(
                violations_of(SCHEMA, &format!("Effect: Deny\nCount: {number}\n"), true).len(),
                1,
                "{number}"
            );
        }
    }

    #[test]
    fn items_are_compared_by_value() {
        let schema = r#"{"uniqueItems": true, "items": {"enum": [1, "1", [null], {"a": true}]}}"#;
        assert_eq!(violations_of(schema, r#"[1, "1", [null], {"a": true}]"#, false), []);
        let twice = violations_of(schema, r#"[{"a": true}, {"a": true}]"#, false);
        assert_eq!(twice.len(), 1);
        assert_eq!(twice[0].kind, ViolationKind::NotAllowed);
        assert_eq!(twice[0].problem.message, "this list has the same item twice");
    }

    #[test]
    fn violations_are_bounded() {
        let many = |member: &str| {
            (0..5_000).map(|index| member.replace('#', &index.to_string())).collect::<Vec<_>>()
        };
        let unknown = format!(r#"{{"Effect": "Deny", {}}}"#, many(r##""#": 1"##).join(","));
        let names = format!(r#"{{"Effect": "Deny", "Names": {{{}}}}}"#, many(r##""#": {}"##).join(","));
        for source in [unknown, names] {
            assert_eq!(violations_of(SCHEMA, &source, false).len(), limits::VIOLATIONS);
        }
    }

    #[test]
    fn a_schema_with_a_mistake_is_refused() {
        assert!(Schema::new("{").is_err());
        assert!(Schema::new(r#"{"type": "strong"}"#).is_err());
        assert!(Schema::new(r#"{"$ref": "https://example.com/other.json"}"#).is_err());
    }
}
