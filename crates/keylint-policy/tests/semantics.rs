//! What each sentence of the documentation means for one request: hand-written cases, asked of both evaluators.

#[cfg(test)]
mod ask;
#[cfg(test)]
mod decide;

#[cfg(test)]
mod tests {
    use keylint_policy::Answer;
    use keylint_policy::evaluate::{self, State};
    use pretty_assertions::{assert_eq, assert_ne};
    use serde_json::{Value, json};

    use crate::ask::{ask, caller_of, complete, key};
    use crate::decide::{Caller, Context, Decision, Kind, Request, decide};

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
    fn policy(statements: &str) -> Value {
        let mut statements: Value = serde_json::from_str(&format!("[{statements}]")).unwrap();
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
        assert_eq!(decide(policy, request).decision(), expected, "decide: {name}");
        let expected = match expected {
            Allow => [Answer::Yes, Answer::Yes],
            Delegated => [Answer::Yes, Answer::No],
            ExplicitDeny | ImplicitDeny => [Answer::No, Answer::No],
            Undocumented => [Answer::Maybe, Answer::Maybe],
        };
        assert_eq!(answers(policy, &caller, operation, &complete(&context)), expected, "{name}");
    }

    /// A name, statements, a caller, an operation, what the request brings along, and what the key policy says.
    type Case = (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static [(&'static str, &'static str)],
        Decision,
    );

    const ROOT: &str = r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}"#;
    const EVERYONE: &str = r#"{"Principal": "*"}"#;
    const APP: &str = r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}}"#;

    /// Principals.
    const PRINCIPALS: &[Case] = &[
        ("an account principal delegates", ROOT, "alice", "Decrypt", &[], Delegated),
        (
            "an account id is the account principal",
            r#"{"Principal": {"AWS": "111122223333"}}"#,
            "app",
            "Decrypt",
            &[],
            Delegated,
        ),
        (
            "another account principal is not the caller's",
            r#"{"Principal": {"AWS": "444455556666"}}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        ("the root user is named by its account's ARN", ROOT, "root user", "PutKeyPolicy", &[], Allow),
        ("everyone of the own account is allowed directly", EVERYONE, "alice", "PutKeyPolicy", &[], Allow),
        (
            "everyone, spelled as an object",
            r#"{"Principal": {"AWS": ["*"]}}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "everyone of another account needs its own policies",
            EVERYONE,
            "their role",
            "Decrypt",
            &[],
            Delegated,
        ),
        ("a role is named directly", APP, "app", "Decrypt", &[], Allow),
        ("a role ARN names the role's sessions", APP, "session of app", "Decrypt", &[], Allow),
        (
            "a session ARN names that session",
            r#"{"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/app/i-1"}}"#,
            "session of app",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "a session ARN names no other session",
            r#"{"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/app/i-2"}}"#,
            "session of app",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "of a role it is not told which session calls",
            r#"{"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/app/i-1"}}"#,
            "app",
            "Decrypt",
            &[],
            Undocumented,
        ),
        (
            "a path is part of the name",
            r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/deployer"}}"#,
            "deployer",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "letter case matters in names",
            r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/App"}}"#,
            "app",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "a user is no role",
            r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:user/app"}}"#,
            "app",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "a federated user is named by its ARN",
            r#"{"Principal": {"AWS": "arn:aws:sts::111122223333:federated-user/carol"}}"#,
            "carol",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "a list names each of its members",
            r#"{"Principal": {"AWS": ["444455556666", "arn:aws:iam::111122223333:role/app"], "Service": "logs.us-east-1.amazonaws.com"}}"#,
            "app",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "there are no wildcards in names: KMS rejects it",
            r#"{"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}}"#,
            "app",
            "Decrypt",
            &[],
            Undocumented,
        ),
        (
            "a service is named as a service",
            r#"{"Principal": {"Service": "logs.us-east-1.amazonaws.com"}}"#,
            "logs",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "a service of another Region is another",
            r#"{"Principal": {"Service": "logs.eu-west-1.amazonaws.com"}}"#,
            "logs",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        ("an account principal is no service", ROOT, "logs", "Decrypt", &[], ImplicitDeny),
        ("whether everyone includes services is not said", EVERYONE, "logs", "Decrypt", &[], Undocumented),
        (
            "a service principal is no identity",
            r#"{"Principal": {"Service": "logs.us-east-1.amazonaws.com"}}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "not principal: everyone else",
            r#"{"NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/app"}}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "not principal: the user and its account are spared",
            r#"{"Principal": "*"}, {"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:iam::111122223333:user/alice", "111122223333"]}}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "not principal: the user without its account",
            r#"{"Principal": "*"}, {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/alice"}}"#,
            "alice",
            "Decrypt",
            &[],
            Undocumented,
        ),
        (
            "not principal: a session, its role and its account are spared",
            r#"{"Principal": "*"}, {"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:sts::111122223333:assumed-role/app/i-1", "arn:aws:iam::111122223333:role/app", "111122223333"]}}"#,
            "session of app",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "not principal: a session without its role",
            r#"{"Principal": "*"}, {"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:sts::111122223333:assumed-role/app/i-1", "111122223333"]}}"#,
            "session of app",
            "Decrypt",
            &[],
            Undocumented,
        ),
    ];

    /// Accounts, denials, service-linked roles: EC2 Auto Scaling's page.
    const ACCOUNTS: &[Case] = &[
        ("no statement, no permission", APP, "alice", "Decrypt", &[], ImplicitDeny),
        (
            "a deny wins over a direct allow",
            r#"{"Principal": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt"}"#,
            "alice",
            "Decrypt",
            &[],
            ExplicitDeny,
        ),
        (
            "a deny comes first as well",
            r#"{"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt"}, {"Principal": "*"}"#,
            "alice",
            "Decrypt",
            &[],
            ExplicitDeny,
        ),
        (
            "a deny of an account reaches everyone in it",
            r#"{"Principal": "*"}, {"Effect": "Deny", "Principal": {"AWS": "111122223333"}}"#,
            "session of app",
            "Decrypt",
            &[],
            ExplicitDeny,
        ),
        (
            "a deny of something else",
            r#"{"Principal": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt"}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "a deny without an allow",
            r#"{"Effect": "Deny", "Principal": "*"}"#,
            "alice",
            "Decrypt",
            &[],
            ExplicitDeny,
        ),
        (
            "across accounts a named role needs its own policies",
            r#"{"Principal": {"AWS": "arn:aws:iam::444455556666:role/app"}}"#,
            "their role",
            "Decrypt",
            &[],
            Delegated,
        ),
        (
            "across accounts an account delegates",
            r#"{"Principal": {"AWS": "444455556666"}}"#,
            "their role",
            "CreateGrant",
            &[],
            Delegated,
        ),
        (
            "across accounts the root user too needs a policy",
            r#"{"Principal": {"AWS": "444455556666"}}"#,
            "their root user",
            "Decrypt",
            &[],
            Delegated,
        ),
        (
            "some operations do not work across accounts",
            r#"{"Principal": {"AWS": "444455556666"}}"#,
            "their role",
            "PutKeyPolicy",
            &[],
            ImplicitDeny,
        ),
        (
            "nor for a named role",
            r#"{"Principal": {"AWS": "arn:aws:iam::444455556666:role/app"}}"#,
            "their role",
            "ScheduleKeyDeletion",
            &[],
            ImplicitDeny,
        ),
        (
            "a key policy says nothing of operations without a key",
            EVERYONE,
            "alice",
            "ListKeys",
            &[],
            ImplicitDeny,
        ),
        (
            "the root statement does not help a service-linked role",
            ROOT,
            "auto scaling",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        ("example 1, use", EXAMPLE_1, "auto scaling", "ReEncryptFrom", &[], Allow),
        (
            "example 1, a grant for an AWS resource",
            EXAMPLE_1,
            "auto scaling",
            "CreateGrant",
            &[("kms:GrantIsForAWSResource", "true")],
            Allow,
        ),
        (
            "example 1, another grant",
            EXAMPLE_1,
            "auto scaling",
            "CreateGrant",
            &[("kms:GrantIsForAWSResource", "false")],
            ImplicitDeny,
        ),
        (
            "example 1, no revocation",
            EXAMPLE_1,
            "auto scaling",
            "RevokeGrant",
            &[("kms:GrantIsForAWSResource", "true")],
            ImplicitDeny,
        ),
        ("example 1, another account's role", EXAMPLE_1, "their auto scaling", "Decrypt", &[], ImplicitDeny),
        (
            "example 2, whoever makes the grant",
            EXAMPLE_2,
            "their role",
            "CreateGrant",
            &[("kms:GrantIsForAWSResource", "false")],
            Delegated,
        ),
        (
            "example 2, the service-linked role without the grant",
            EXAMPLE_2,
            "their auto scaling",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "a condition without a key in the request fails",
            r#"{"Principal": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}}}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "the same restriction written as a denial",
            r#"{"Principal": "*"}, {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}}}"#,
            "alice",
            "CreateGrant",
            &[("kms:GrantIsForAWSResource", "false")],
            ExplicitDeny,
        ),
        (
            "which leaves other operations alone",
            r#"{"Principal": "*"}, {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "false"}}}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "a denial of other services denies direct calls",
            r#"{"Principal": "*"}, {"Effect": "Deny", "Principal": "*", "Condition": {"StringNotEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}}"#,
            "alice",
            "Decrypt",
            &[],
            ExplicitDeny,
        ),
    ];

    const EXAMPLE_1: &str = r#"
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"]},
         "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]},
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"]},
         "Action": ["kms:CreateGrant"], "Condition": {"Bool": {"kms:GrantIsForAWSResource": true}}}"#;
    const EXAMPLE_2: &str = r#"
        {"Principal": {"AWS": ["arn:aws:iam::444455556666:root"]},
         "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]},
        {"Principal": {"AWS": ["arn:aws:iam::444455556666:root"]}, "Action": ["kms:CreateGrant"]}"#;

    /// Actions and resources.
    const ACTIONS: &[Case] = &[
        (
            "letter case does not matter in actions",
            r#"{"Principal": "*", "Action": "KMS:dECRYPT"}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "wildcards",
            r#"{"Principal": "*", "Action": ["kms:Gen*Key", "kms:?ecrypt"]}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "the whole action must match",
            r#"{"Principal": "*", "Action": "kms:GenerateDataKey"}"#,
            "alice",
            "GenerateDataKeyPair",
            &[],
            ImplicitDeny,
        ),
        ("a star alone", r#"{"Principal": "*", "Action": "*"}"#, "alice", "Decrypt", &[], Allow),
        ("another service", r#"{"Principal": "*", "Action": "s3:*"}"#, "alice", "Decrypt", &[], ImplicitDeny),
        (
            "not action: everything else",
            r#"{"Principal": "*", "NotAction": ["kms:Put*"]}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "not action: what it lists",
            r#"{"Principal": "*", "NotAction": ["kms:decr*"]}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "the key's own ARN",
            r#"{"Principal": "*", "Resource": "arn:aws:kms:us-east-1:111122223333:key/1a2b"}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "a pattern for the key's ARN",
            r#"{"Principal": "*", "Resource": "arn:aws:kms:*:111122223333:key/*"}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "another key",
            r#"{"Principal": "*", "Resource": "arn:aws:kms:us-east-1:111122223333:key/ffff"}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "an alias is no key",
            r#"{"Principal": "*", "Resource": "arn:aws:kms:us-east-1:111122223333:alias/app"}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "a bucket is no key",
            r#"{"Principal": "*", "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "not resource: another",
            r#"{"Principal": "*", "NotResource": "arn:aws:s3:::bucket"}"#,
            "alice",
            "Decrypt",
            &[],
            Allow,
        ),
        (
            "not resource: this key",
            r#"{"Principal": "*", "NotResource": "*"}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "whether a wildcard spans colons is said both ways",
            r#"{"Principal": "*", "Resource": "arn:aws:kms:*:key/1a2b"}"#,
            "alice",
            "Decrypt",
            &[],
            Undocumented,
        ),
    ];

    /// Conditions, beyond what [`OPERATORS`] tries.
    const CONDITIONS: &[Case] = &[
        (
            "letter case does not matter in keys",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"KMS:encryptionCONTEXT:X": "a"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContext:x", "a")],
            Allow,
        ),
        (
            "several keys must all hold",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "111122223333", "aws:PrincipalOrgID": "o-one"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:CallerAccount", "111122223333")],
            ImplicitDeny,
        ),
        (
            "several operators must all hold",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-one"}, "Bool": {"aws:SecureTransport": "true"}}}"#,
            "alice",
            "Decrypt",
            &[("aws:PrincipalOrgID", "o-one"), ("aws:SecureTransport", "true")],
            Allow,
        ),
        (
            "one of several values is enough",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-one", "o-two"]}}}"#,
            "alice",
            "Decrypt",
            &[("aws:PrincipalOrgID", "o-two")],
            Allow,
        ),
        (
            "of a negated operator none may match",
            r#"{"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ["o-one", "o-two"]}}}"#,
            "alice",
            "Decrypt",
            &[("aws:PrincipalOrgID", "o-two")],
            ImplicitDeny,
        ),
        (
            "an ARN pattern is matched part by part",
            r#"{"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app"}}}"#,
            "app",
            "Decrypt",
            &[("aws:PrincipalArn", "arn:aws:iam::111122223333:role/app")],
            Allow,
        ),
        (
            "a wildcard of an ARN pattern does not span colons",
            r#"{"Principal": "*", "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:logs:*:111122223333:*:x"}}}"#,
            "alice",
            "Decrypt",
            &[("aws:SourceArn", "arn:aws:logs:us-east-1:444455556666:111122223333:g:x")],
            ImplicitDeny,
        ),
        (
            "all values: each must match",
            r#"{"Principal": "*", "Condition": {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}}}"#,
            "alice",
            "CreateGrant",
            &[("kms:GrantOperations", "Decrypt"), ("kms:GrantOperations", "CreateGrant")],
            ImplicitDeny,
        ),
        (
            "all values: none is enough",
            r#"{"Principal": "*", "Condition": {"ForAllValues:StringEquals": {"kms:GrantOperations": "Decrypt"}}}"#,
            "alice",
            "CreateGrant",
            &[],
            Allow,
        ),
        (
            "any value: one is enough",
            r#"{"Principal": "*", "Condition": {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "x"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContextKeys", "x"), ("kms:EncryptionContextKeys", "y")],
            Allow,
        ),
        (
            "any value: none is too few",
            r#"{"Principal": "*", "Condition": {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "x"}}}"#,
            "alice",
            "Decrypt",
            &[],
            ImplicitDeny,
        ),
        (
            "any value, negated: one other value is enough",
            r#"{"Principal": "*", "Condition": {"ForAnyValue:StringNotEquals": {"kms:GrantOperations": "Decrypt"}}}"#,
            "alice",
            "CreateGrant",
            &[("kms:GrantOperations", "Decrypt"), ("kms:GrantOperations", "Encrypt")],
            Allow,
        ),
        (
            "any value, negated: none is too few",
            r#"{"Principal": "*", "Condition": {"ForAnyValue:StringNotEquals": {"kms:GrantOperations": "Decrypt"}}}"#,
            "alice",
            "CreateGrant",
            &[],
            ImplicitDeny,
        ),
        (
            "all values, negated: each must be another",
            r#"{"Principal": "*", "Condition": {"ForAllValues:StringNotEquals": {"kms:GrantOperations": "Decrypt"}}}"#,
            "alice",
            "CreateGrant",
            &[("kms:GrantOperations", "Decrypt"), ("kms:GrantOperations", "Encrypt")],
            ImplicitDeny,
        ),
        (
            "any value, if it exists: not said",
            r#"{"Principal": "*", "Condition": {"ForAnyValue:StringEqualsIfExists": {"kms:GrantOperations": "Decrypt"}}}"#,
            "alice",
            "CreateGrant",
            &[],
            Undocumented,
        ),
        (
            "several values without a set operator: not said",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"kms:GrantOperations": "Decrypt"}}}"#,
            "alice",
            "CreateGrant",
            &[("kms:GrantOperations", "Decrypt"), ("kms:GrantOperations", "Encrypt")],
            Undocumented,
        ),
        (
            "a number that is none: not said",
            r#"{"Principal": "*", "Condition": {"NumericLessThan": {"kms:RotationPeriodInDays": "a year"}}}"#,
            "alice",
            "EnableKeyRotation",
            &[("kms:RotationPeriodInDays", "90")],
            Undocumented,
        ),
        (
            "a policy variable",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContext:team", "red"), ("aws:PrincipalTag/team", "red")],
            Allow,
        ),
        (
            "a policy variable without a value equals nothing",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContext:team", "red")],
            ImplicitDeny,
        ),
        (
            "and nothing is like it",
            r#"{"Principal": "*", "Condition": {"StringNotLike": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team}*"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContext:team", "red")],
            Allow,
        ),
        (
            "a policy variable with a default",
            r#"{"Principal": "*", "Condition": {"StringEquals": {"kms:EncryptionContext:team": "${aws:PrincipalTag/team, 'red'}"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContext:team", "red")],
            Allow,
        ),
        (
            "a star that is no wildcard",
            r#"{"Principal": "*", "Condition": {"StringLike": {"kms:EncryptionContext:team": "r${*}"}}}"#,
            "alice",
            "Decrypt",
            &[("kms:EncryptionContext:team", "red")],
            ImplicitDeny,
        ),
    ];

    #[test]
    fn principals() {
        check_all(PRINCIPALS);
    }

    #[test]
    fn accounts_and_denials() {
        check_all(ACCOUNTS);
    }

    #[test]
    fn actions_and_resources() {
        check_all(ACTIONS);
    }

    #[test]
    fn conditions() {
        check_all(CONDITIONS);
    }

    fn check_all(cases: &[Case]) {
        for (name, statements, caller, operation, entries, expected) in cases {
            check(name, &policy(statements), caller, operation, entries, *expected);
        }
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
                check(
                    &title,
                    &policy(&statement.to_string()),
                    "alice",
                    "EnableKeyRotation",
                    entries,
                    expected,
                );
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
            check("Null", &policy(&statement.to_string()), "alice", "Decrypt", entries, expected);
        }
    }

    /// In version 2008-10-17 and without a version, a policy variable is the text that it is written as.
    #[test]
    fn old_versions_have_no_policy_variables() {
        let statement =
            r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "${aws:username}"}}}"#;
        for version in [json!("2008-10-17"), Value::Null] {
            let mut policy = policy(statement);
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
            check(
                "its text",
                &policy,
                "alice",
                "Decrypt",
                &[username, ("aws:PrincipalTag/t", "${aws:username}")],
                Allow,
            );
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
            let answers = answers(&policy(statement), &caller(by), operation, &evaluate::Context::open());
            assert_eq!(answers, [Answer::Maybe, Answer::Maybe], "{statement}");
        }
    }

    /// A key whose value is open: what the caller chooses has to work once, what the world decides always.
    #[test]
    fn open_keys() {
        let value = r#"{"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/t": "red"}}}"#;
        let others = r#"{"Principal": "*", "Condition": {"StringLike": {"kms:EncryptionContext:x": "?"}}}"#;
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
                answers(&policy(statements), &caller("alice"), "Decrypt", &context),
                [expected; 2],
                "{case}"
            );
        }
        // Both and no other: not every set of five values is tried, but none is forgotten.
        let pair = r#"{"Principal": "*", "Action": "kms:CreateGrant", "Condition": {
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
            "ForAnyValue:StringEquals": {"kms:GrantOperations": "Encrypt"}, "ForAnyValue:StringLike": {"kms:GrantOperations": "Decrypt"}}},
            {"Effect": "Deny", "Principal": "*", "Condition": {
            "ForAnyValue:StringEquals": {"kms:GrantOperations": ["Sign", "Verify", "DescribeKey"]}}}"#;
        let context = evaluate::Context::open().with("kms:GrantOperations", State::Free);
        assert_ne!(answers(&policy(pair), &caller("alice"), "CreateGrant", &context), [Answer::No; 2]);
    }
}
