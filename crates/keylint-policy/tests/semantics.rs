//! What each sentence of the documentation means for one request: hand-written cases, asked of both evaluators.
//!
//! `semantics.json` holds them. What a statement of a case leaves out is the usual: `Allow`, `kms:*`, `*`.

#[cfg(test)]
mod ask;
#[cfg(test)]
mod decide;

#[cfg(test)]
mod tests {
    use keylint_policy::Answer;
    use keylint_policy::evaluate::{self, State};
    use keylint_policy::vocabulary::Operation;
    use pretty_assertions::{assert_eq, assert_ne};
    use serde_json::{Value, json};

    use crate::ask::{ask, caller_of, complete, key, of_evaluator};
    use crate::decide::{Caller, Context, Decision, Kind, Reading, Request, decide};

    use Decision::{Allow, Delegated, ExplicitDeny, ImplicitDeny, Undocumented};

    const AUTO_SCALING: &str = "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";

    /// The callers of the cases, by short names.
    fn caller(name: &str) -> Caller {
        let (kind, account, arn, session) = match name {
            "root user" => (Kind::RootUser, "111122223333", "arn:aws:iam::111122223333:root", None),
            "alice" => (Kind::User, "111122223333", "arn:aws:iam::111122223333:user/alice", None),
            "app" => (Kind::Role, "111122223333", "arn:aws:iam::111122223333:role/app", None),
            "deployer" => (Kind::Role, "111122223333", "arn:aws:iam::111122223333:role/team/deployer", None),
            "session of app" => (
                Kind::Session,
                "111122223333",
                "arn:aws:iam::111122223333:role/app",
                Some("arn:aws:sts::111122223333:assumed-role/app/i-1"),
            ),
            "carol" => {
                (Kind::FederatedUser, "111122223333", "arn:aws:sts::111122223333:federated-user/carol", None)
            }
            "auto scaling" => (Kind::ServiceLinkedRole, "111122223333", AUTO_SCALING, None),
            "their auto scaling" => (
                Kind::ServiceLinkedRole,
                "444455556666",
                "arn:aws:iam::444455556666:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
                None,
            ),
            "their role" => (Kind::Role, "444455556666", "arn:aws:iam::444455556666:role/app", None),
            "their root user" => (Kind::RootUser, "444455556666", "arn:aws:iam::444455556666:root", None),
            "logs" => (Kind::Service, "", "logs.us-east-1.amazonaws.com", None),
            _ => unreachable!("no caller {name}"),
        };
        Caller { kind, account: account.to_owned(), arn: arn.to_owned(), session: session.map(str::to_owned) }
    }

    /// A policy of these statements. What they leave out is the usual: `Allow`, `kms:*`, `*`.
    fn policy(statements: &Value) -> Value {
        let mut statements = statements.clone();
        for statement in statements.as_array_mut().unwrap() {
            let mut usual = |names: [&str; 2], value: &str| {
                if names.iter().all(|name| statement[name].is_null()) {
                    statement[names[0]] = json!(value);
                }
            };
            usual(["Effect", "Effect"], "Allow");
            usual(["Action", "NotAction"], "kms:*");
            usual(["Resource", "NotResource"], "*");
        }
        json!({ "Version": "2012-10-17", "Statement": statements })
    }

    fn parsed(statements: &str) -> Value {
        serde_json::from_str(&format!("[{statements}]")).unwrap()
    }

    fn context(entries: &[(&str, &str)]) -> Context {
        let mut context = Context::new();
        for (key, value) in entries {
            context.entry(key.to_lowercase()).or_default().push((*value).to_owned());
        }
        context
    }

    /// What the fast evaluator says if the caller's identity policies allow everything, and if nothing.
    fn answers(
        policy: &Value,
        caller: &Caller,
        operation: &str,
        context: &evaluate::Context<'_>,
    ) -> [Answer; 2] {
        let bound = matches!(caller.kind, Kind::ServiceLinkedRole | Kind::Service);
        let identity_policies = if bound { Answer::No } else { Answer::Yes };
        [identity_policies, Answer::No]
            .map(|policies| ask(&policy.to_string(), &caller_of(caller, policies), operation, context).answer)
    }

    /// Asks both evaluators about a request of which everything is known.
    fn check(
        name: &str,
        policy: &Value,
        by: &str,
        operation: &str,
        entries: &[(&str, &str)],
        expected: Decision,
    ) {
        let (caller, context) = (caller(by), context(entries));
        let request = Request { caller: &caller, operation, key: &key(), context: &context };
        let plain = decide(policy, request);
        assert_eq!(plain.decision(), expected, "decide: {name}");
        let expected =
            [true, false].map(|identity_policies_allow| match plain.may(identity_policies_allow) {
                Reading::Yes => Answer::Yes,
                Reading::No => Answer::No,
                Reading::Open => Answer::Maybe,
            });
        assert_eq!(answers(policy, &caller, operation, &complete(&context)), expected, "{name}");
    }

    /// Every case of `semantics.json`.
    #[test]
    fn cases() {
        let cases: Vec<Value> = serde_json::from_str(include_str!("semantics.json")).unwrap();
        for case in &cases {
            let text = |name: &str| case[name].as_str().unwrap_or_else(|| panic!("{name} of {case}"));
            let entries = case["context"].as_object().into_iter().flatten();
            let entries: Vec<_> =
                entries.flat_map(|(key, found)| texts(found).map(move |one| (key.as_str(), one))).collect();
            let expected = match text("expected") {
                "allow" => Allow,
                "delegated" => Delegated,
                "explicit deny" => ExplicitDeny,
                "implicit deny" => ImplicitDeny,
                "undocumented" => Undocumented,
                other => panic!("{other}"),
            };
            let policy = policy(&case["statements"]);
            check(text("case"), &policy, text("caller"), text("operation"), &entries, expected);
        }
    }

    /// A text, or a list of texts.
    fn texts(value: &Value) -> impl Iterator<Item = &str> {
        value.as_str().into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
    }

    /// Operators: a key, a value of the policy, a value that makes the condition true, one that makes it false.
    const OPERATORS: &[(&str, &str, &str, &str, &str)] = &[
        ("StringEquals", "aws:PrincipalTag/t", "Red*", "Red*", "Redder"),
        ("StringNotEquals", "aws:PrincipalTag/t", "Red", "red", "Red"),
        ("StringEqualsIgnoreCase", "aws:PrincipalTag/t", "Red", "rED", "re"),
        ("StringNotEqualsIgnoreCase", "aws:PrincipalTag/t", "Red", "re", "rED"),
        ("StringLike", "aws:PrincipalTag/t", "R?d*", "Redder", "redder"),
        ("StringNotLike", "aws:PrincipalTag/t", "R?d*", "Rd", "Rad"),
        ("NumericEquals", "kms:RotationPeriodInDays", "90", "90", "91"),
        ("NumericNotEquals", "kms:RotationPeriodInDays", "90", "91", "90"),
        ("NumericLessThan", "kms:RotationPeriodInDays", "90", "89", "90"),
        ("NumericLessThanEquals", "kms:RotationPeriodInDays", "90", "90", "100"),
        ("NumericGreaterThan", "kms:RotationPeriodInDays", "90", "100", "90"),
        ("NumericGreaterThanEquals", "kms:RotationPeriodInDays", "90", "90", "9"),
        ("DateEquals", "aws:CurrentTime", "2026-01-01", "1767225600", "2026-01-01T00:00:01Z"),
        (
            "DateNotEquals",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:01Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "DateLessThan",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            "2025-12-31T23:59:59Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "DateLessThanEquals",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2026-02-01T00:00:00Z",
        ),
        (
            "DateGreaterThan",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            "2026-02-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
        ),
        (
            "DateGreaterThanEquals",
            "aws:CurrentTime",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
            "2025-02-01T00:00:00Z",
        ),
        ("Bool", "aws:SecureTransport", "true", "true", "false"),
        ("BinaryEquals", "aws:PrincipalTag/t", "QmluYXJ5", "QmluYXJ5", "QmluYXJ6"),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", "203.0.113.7", "203.0.112.7"),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", "2001:db8::1", "203.0.113.7"),
        ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", "arn:aws:s3:::a"),
        ("ArnLike", "aws:SourceArn", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", "arn:aws:sns:::b"),
        ("ArnNotEquals", "aws:SourceArn", "arn:aws:s3:::b*", "arn:aws:s3:::a", "arn:aws:s3:::bucket"),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:::b*", "arn:aws:s3:::a", "arn:aws:s3:::bucket"),
    ];

    #[test]
    fn every_operator_with_the_key_and_without_it() {
        for (name, key, value, yes, no) in OPERATORS {
            let check_one = |operator: &str, entries: &[(&str, &str)], expected: bool| {
                let statement = json!({ "Principal": "*", "Condition": { operator: { *key: value } } });
                let expected = if expected { Allow } else { ImplicitDeny };
                let title = format!("{operator} {value} with {entries:?}");
                check(&title, &policy(&json!([statement])), "alice", "EnableKeyRotation", entries, expected);
            };
            for suffix in ["", "IfExists"] {
                for set in ["", "ForAllValues:", "ForAnyValue:"] {
                    let operator = format!("{set}{name}{suffix}");
                    check_one(&operator, &[(key, yes)], true);
                    check_one(&operator, &[(key, no)], false);
                }
            }
            // "If the key is not in the request, a negated operator is true, and any other is false."
            check_one(name, &[], name.contains("Not"));
            check_one(&format!("{name}IfExists"), &[], true);
            check_one(&format!("ForAllValues:{name}"), &[], true);
            check_one(&format!("ForAllValues:{name}IfExists"), &[], true);
            check_one(&format!("ForAnyValue:{name}"), &[], false);
        }
        for (value, entries, expected) in [
            ("true", [].as_slice(), Allow),
            ("false", &[], ImplicitDeny),
            ("true", &[("aws:PrincipalTag/t", "x")], ImplicitDeny),
            ("false", &[("aws:PrincipalTag/t", "x")], Allow),
        ] {
            let statement =
                json!({ "Principal": "*", "Condition": { "Null": { "aws:PrincipalTag/t": value } } });
            check("Null", &policy(&json!([statement])), "alice", "Decrypt", entries, expected);
        }
    }

    /// In version 2008-10-17 and without a version, a policy variable is the text that it is written as.
    #[test]
    fn old_versions_have_no_policy_variables() {
        let statement =
            r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "${aws:username}"}}}"#;
        for version in [json!("2008-10-17"), Value::Null] {
            let mut policy = policy(&parsed(statement));
            match version {
                Value::Null => policy.as_object_mut().unwrap().remove("Version"),
                version => policy.as_object_mut().unwrap().insert("Version".to_owned(), version),
            };
            let username = ("aws:username", "alice");
            check(
                "its value",
                &policy,
                "alice",
                "Decrypt",
                &[username, ("aws:PrincipalTag/t", "alice")],
                ImplicitDeny,
            );
            let other = policy.to_string().replace("StringEquals", "StringNotEquals");
            let other = serde_json::from_str(&other).unwrap();
            check("another", &other, "alice", "Decrypt", &[username, ("aws:PrincipalTag/t", "alice")], Allow);
        }
    }

    /// What is misspelt is reported by a rule of its own, and must not be the cause of a second finding.
    #[test]
    fn what_is_misspelt_is_maybe_on_purpose() {
        for (statement, by, operation) in [
            (r#"{"Principal": "*", "Action": "kms:ReEncrpt*"}"#, "alice", "ReEncryptTo"),
            (
                r#"{"Principal": "*", "Condition": {"StringEqual": {"kms:CallerAccount": "111122223333"}}}"#,
                "alice",
                "Decrypt",
            ),
            (
                r#"{"Principal": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResources": true}}}"#,
                "alice",
                "CreateGrant",
            ),
            (
                r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/AWSServiceRoleForAutoScaling"}}"#,
                "auto scaling",
                "Decrypt",
            ),
            (r#"{"Principal": {"AWS": "AROAEXAMPLEEXAMPLE"}}"#, "alice", "Decrypt"),
        ] {
            let answers =
                answers(&policy(&parsed(statement)), &caller(by), operation, &evaluate::Context::open());
            assert_eq!(answers, [Answer::Maybe, Answer::Maybe], "{statement}");
        }
    }

    /// A key whose value is open: what the caller chooses has to work once, what the world decides always.
    #[test]
    fn open_keys() {
        let value = r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "red"}}}"#;
        let others = r#"{"Principal": "*", "Condition": {"ForAllValues:StringLike": {"kms:EncryptionContext:x": "?"}}}"#;
        let both = r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "red"}}},
            {"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalTag/t": "red"}}}"#;
        let never = r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "red"}}},
            {"Effect": "Deny", "Principal": "*", "Condition": {"StringLike": {"aws:PrincipalTag/t": "r*"}}}"#;
        for (statements, key, state, expected) in [
            (value, "aws:PrincipalTag/t", State::Free, Answer::Yes),
            (value, "aws:PrincipalTag/t", State::Unknown, Answer::Maybe),
            (value, "aws:PrincipalTag/t", State::Absent, Answer::No),
            // Not every value has one character.
            (others, "kms:EncryptionContext:x", State::Unknown, Answer::Maybe),
            (both, "aws:PrincipalTag/t", State::Unknown, Answer::Yes),
            (never, "aws:PrincipalTag/t", State::Free, Answer::No),
            (never, "aws:PrincipalTag/t", State::Unknown, Answer::No),
        ] {
            let context = evaluate::Context::open().with(key, state);
            let case = format!("{statements} {:?}", context.entries);
            assert_eq!(
                answers(&policy(&parsed(statements)), &caller("alice"), "Decrypt", &context),
                [expected; 2],
                "{case}"
            );
        }
        // A value that a pattern matches as a text and not as an ARN: its wildcard spans a colon.
        let spanning = r#"{"Principal": "*", "Condition": {
            "StringLike": {"aws:PrincipalTag/t": "arn:aws:logs:*:111122223333:log-group:*"},
            "ArnNotLike": {"aws:PrincipalTag/t": "arn:aws:logs:*:111122223333:log-group:*"}}}"#;
        let context = evaluate::Context::open().with("aws:PrincipalTag/t", State::Free);
        let answer = answers(&policy(&parsed(spanning)), &caller("alice"), "Decrypt", &context);
        assert_ne!(answer, [Answer::No; 2]);
        // A value that must be this text, and another.
        let pinned = r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "red"},
            "StringNotLike": {"aws:PrincipalTag/t": ["*e*", "r*"]}}}"#;
        let context = evaluate::Context::open().with("aws:PrincipalTag/t", State::Unknown);
        let answer = answers(&policy(&parsed(pinned)), &caller("alice"), "Decrypt", &context);
        assert_eq!(answer, [Answer::No; 2]);
        // Both and no other: not every set of five values is tried, but none is forgotten.
        let pair = r#"{"Principal": "*", "Action": "kms:CreateGrant", "Condition": {
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
            "ForAnyValue:StringEquals": {"kms:GrantOperations": "Encrypt"}, "ForAnyValue:StringLike": {"kms:GrantOperations": "Decrypt"}}},
            {"Effect": "Deny", "Principal": "*", "Condition": {
            "ForAnyValue:StringEquals": {"kms:GrantOperations": ["Sign", "Verify", "DescribeKey"]}}}"#;
        let context = evaluate::Context::open().with("kms:GrantOperations", State::Free);
        assert_ne!(
            answers(&policy(&parsed(pair)), &caller("alice"), "CreateGrant", &context),
            [Answer::No; 2]
        );
    }

    /// Whether one statement can apply, whoever decides the open keys and whatever other statements say.
    #[test]
    fn a_statement_can_apply() {
        let context = evaluate::Context::open();
        for (statement, by, operation, expected) in [
            (r#"{"Principal": "*"}"#, "alice", "Decrypt", Answer::Yes),
            (r#"{"Principal": {"AWS": "111122223333"}}"#, "alice", "Decrypt", Answer::Yes),
            (r#"{"Principal": {"AWS": "444455556666"}}"#, "alice", "Decrypt", Answer::No),
            (r#"{"Principal": "*", "Action": "kms:Encrypt"}"#, "alice", "Decrypt", Answer::No),
            (r#"{"Principal": "*", "Action": "kms:CreateKey"}"#, "alice", "CreateKey", Answer::No),
            (r#"{"Principal": "*", "Resource": "arn:aws:s3:::b"}"#, "alice", "Decrypt", Answer::No),
            // KMS sends this key with three operations only.
            (
                r#"{"Principal": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}}}"#,
                "alice",
                "Decrypt",
                Answer::No,
            ),
            (
                r#"{"Principal": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}}}"#,
                "alice",
                "CreateGrant",
                Answer::Yes,
            ),
            // The world decides: there is a time that satisfies both.
            (
                r#"{"Principal": "*", "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2026-01-01"}, "DateLessThan": {"aws:CurrentTime": "2027-01-01"}}}"#,
                "alice",
                "Decrypt",
                Answer::Yes,
            ),
            (
                r#"{"Principal": "*", "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01"}, "DateLessThan": {"aws:CurrentTime": "2026-01-01"}}}"#,
                "alice",
                "Decrypt",
                Answer::No,
            ),
            // Two values of one key at once.
            (
                r#"{"Principal": "*", "Condition": {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}, "StringLike": {"kms:ViaService": "s3.*"}}}"#,
                "alice",
                "Decrypt",
                Answer::No,
            ),
            (
                r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/bob"}}}"#,
                "alice",
                "Decrypt",
                Answer::No,
            ),
        ] {
            for effect in ["Allow", "Deny"] {
                let statement = statement.replacen('{', &format!("{{\"Effect\": \"{effect}\", "), 1);
                let denial = r#"{"Effect": "Deny", "Principal": "*"}"#;
                let policy = policy(&parsed(&format!("{denial}, {statement}")));
                let answer = of_evaluator(&policy.to_string(), |evaluator| {
                    let caller = caller(by);
                    let caller = caller_of(&caller, Answer::No);
                    let operation = Operation::from_name(operation).unwrap();
                    evaluator.about(&caller).can_apply(1, operation, &context)
                });
                assert_eq!(answer, expected, "{statement} {operation}");
            }
        }
    }

    /// Of several statements the one that allows is named, and rather one that needs no identity policy.
    #[test]
    fn the_evidence_is_the_statement_that_allows() {
        let both = policy(&parsed(
            r#"{"Principal": {"AWS": "111122223333"}}, {"Principal": "*"}, {"Effect": "Deny", "Principal": {"AWS": "444455556666"}}"#,
        ));
        for by in ["alice", "auto scaling"] {
            let caller = caller(by);
            let caller = caller_of(&caller, if by == "alice" { Answer::Yes } else { Answer::No });
            let verdict = ask(&both.to_string(), &caller, "Decrypt", &evaluate::Context::open());
            assert_eq!(
                (verdict.allowed_by, verdict.denied_by, verdict.delegated),
                (Some(1), None, false),
                "{by}"
            );
        }
        let verdict = ask(
            &both.to_string(),
            &caller_of(&caller("their role"), Answer::Yes),
            "Decrypt",
            &evaluate::Context::open(),
        );
        assert_eq!((verdict.allowed_by, verdict.denied_by, verdict.delegated), (Some(1), Some(2), true));
    }
}
