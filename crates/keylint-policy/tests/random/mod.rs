//! Random policies and requests, from pools so small that they often meet.

mod conditions;

use keylint_policy::Answer;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

pub(crate) use conditions::{
    KEYS, Pool, RESTRICTED, completion_values, condition, context, restricted_condition,
};

use crate::decide::{Caller, Kind};

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";
/// The ARN of the key of these tests.
const KEY_ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1a2b";

pub(crate) fn operation() -> impl Strategy<Value = &'static str> {
    select(vec![
        "Decrypt",
        "CreateGrant",
        "DescribeKey",
        "ScheduleKeyDeletion",
        "PutKeyPolicy",
        "Encrypt",
        "RevokeGrant",
        "ListGrants",
        "RetireGrant",
        "GenerateDataKey",
        "ReEncryptTo",
        "CreateKey",
    ])
}

const IDENTITIES: &[(Kind, &str, &str)] = &[
    (Kind::User, OWN, "arn:aws:iam::111122223333:user/alice"),
    (Kind::User, OWN, "arn:aws:iam::111122223333:user/team/bob"),
    (Kind::User, OTHER, "arn:aws:iam::444455556666:user/alice"),
    (Kind::Role, OWN, "arn:aws:iam::111122223333:role/app"),
    (Kind::Role, OWN, "arn:aws:iam::111122223333:role/team/deployer"),
    (Kind::Role, OTHER, "arn:aws:iam::444455556666:role/app"),
    (
        Kind::ServiceLinkedRole,
        OWN,
        "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    ),
    (
        Kind::ServiceLinkedRole,
        OWN,
        "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_web",
    ),
    (
        Kind::ServiceLinkedRole,
        OTHER,
        "arn:aws:iam::444455556666:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    ),
    (Kind::FederatedUser, OWN, "arn:aws:sts::111122223333:federated-user/carol"),
    (Kind::RootUser, OWN, "arn:aws:iam::111122223333:root"),
    (Kind::RootUser, OTHER, "arn:aws:iam::444455556666:root"),
    (Kind::Service, "", "logs.us-east-1.amazonaws.com"),
    (Kind::Service, "", "cloudtrail.amazonaws.com"),
];

/// Sessions, and the roles they belong to.
const SESSIONS: &[(&str, &str, &str)] = &[
    (OWN, "arn:aws:iam::111122223333:role/app", "arn:aws:sts::111122223333:assumed-role/app/i-1"),
    (
        OWN,
        "arn:aws:iam::111122223333:role/team/deployer",
        "arn:aws:sts::111122223333:assumed-role/deployer/ci",
    ),
    // The path of the role cannot be told from the session.
    (OWN, "arn:aws:iam::111122223333:role/deployer", "arn:aws:sts::111122223333:assumed-role/deployer/ci"),
    (OTHER, "arn:aws:iam::444455556666:role/app", "arn:aws:sts::444455556666:assumed-role/app/i-1"),
];

/// A caller, and what its identity policies allow.
pub(crate) fn caller() -> impl Strategy<Value = (Caller, Answer)> {
    let identity = select(IDENTITIES).prop_map(|(kind, account, arn)| Caller {
        kind,
        account: account.to_owned(),
        arn: arn.to_owned(),
        session: None,
    });
    let session = select(SESSIONS).prop_map(|(account, arn, session)| Caller {
        kind: Kind::Session,
        account: account.to_owned(),
        arn: arn.to_owned(),
        session: Some(session.to_owned()),
    });
    let policies = select(vec![Answer::Yes, Answer::No, Answer::Maybe]);
    (prop_oneof![4 => identity, 1 => session], policies).prop_map(|(caller, policies)| {
        let bound = matches!(caller.kind, Kind::ServiceLinkedRole | Kind::Service);
        (caller, if bound { Answer::No } else { policies })
    })
}

/// How rich the policies are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// All that the policy language has.
    Full,
    /// Few keys, whose possible values can all be tried.
    Restricted,
}

pub(crate) fn policy(grammar: Grammar) -> impl Strategy<Value = Value> {
    let version = select(vec![Some("2012-10-17"), Some("2012-10-17"), Some("2008-10-17"), None]);
    let most = if grammar == Grammar::Full { 5 } else { 3 };
    (version, prop::collection::vec(statement(grammar), 1..=most)).prop_map(|(version, statements)| {
        let mut policy = Map::new();
        if let Some(version) = version {
            policy.insert("Version".to_owned(), json!(version));
        }
        policy.insert("Statement".to_owned(), Value::Array(statements));
        Value::Object(policy)
    })
}

fn statement(grammar: Grammar) -> impl Strategy<Value = Value> {
    let effect = select(vec!["Allow", "Allow", "Deny"]);
    let conditions = match grammar {
        Grammar::Full => prop::collection::vec(condition().boxed(), 0..3),
        Grammar::Restricted => prop::collection::vec(restricted_condition().boxed(), 0..3),
    };
    let not = move |one_in: u32| {
        prop::bool::weighted(if grammar == Grammar::Full { 1.0 / f64::from(one_in) } else { 0.0 })
    };
    let principal = (principals(), not(12));
    let action = (actions(), not(6));
    let resource = (resources(grammar), not(12));
    (effect, principal, action, resource, conditions).prop_map(
        |(effect, principal, action, resource, conditions)| {
            let named =
                |name: &str, negated: bool| if negated { format!("Not{name}") } else { name.to_owned() };
            let mut statement = Map::new();
            statement.insert("Effect".to_owned(), json!(effect));
            statement.insert(named("Principal", principal.1), principal.0);
            statement.insert(named("Action", action.1), action.0);
            statement.insert(named("Resource", resource.1), resource.0);
            if !conditions.is_empty() {
                let mut operators = Map::new();
                for (operator, key, values) in conditions {
                    let keys = operators.entry(operator).or_insert_with(|| json!({}));
                    keys[key] = values;
                }
                statement.insert("Condition".to_owned(), Value::Object(operators));
            }
            Value::Object(statement)
        },
    )
}

fn principals() -> impl Strategy<Value = Value> {
    let mut aws: Vec<&str> = vec![OWN, OTHER, "arn:aws:iam::111122223333:root", "*"];
    aws.extend(IDENTITIES.iter().filter(|identity| identity.0 != Kind::Service).map(|identity| identity.2));
    aws.extend(SESSIONS.iter().flat_map(|session| [session.1, session.2]));
    let services = vec!["logs.us-east-1.amazonaws.com", "cloudtrail.amazonaws.com", "s3.amazonaws.com"];
    let services = || one_or_many(select(services.clone()));
    let aws = || one_or_many(select(aws.clone()));
    prop_oneof![
        4 => Just(json!("*")),
        3 => Just(json!({ "AWS": "*" })),
        2 => Just(json!({ "AWS": "arn:aws:iam::111122223333:root" })),
        8 => aws().prop_map(|aws| json!({ "AWS": aws })),
        2 => services().prop_map(|service| json!({ "Service": service })),
        1 => (aws(), services()).prop_map(|(aws, service)| json!({ "AWS": aws, "Service": service })),
    ]
}

fn actions() -> impl Strategy<Value = Value> {
    prop_oneof![1 => Just(json!("kms:*")), 2 => one_or_many(select(ACTIONS))]
}

const ACTIONS: &[&str] = &[
    "kms:*",
    "*",
    "kms:Decrypt",
    "kms:decrypt",
    "KMS:CreateGrant",
    "kms:Create*",
    "kms:Re*",
    "kms:*Grant*",
    "kms:?ecrypt",
    "kms:?????pt",
    "kms:Generate*",
    "kms:DescribeKey",
    "kms:PutKeyPolicy",
    "kms:Put*",
    "kms:ScheduleKeyDeletion",
    "kms:S*",
    "kms:Encrypt",
    "kms:ReEncryptTo",
    "s3:GetObject",
];

fn resources(grammar: Grammar) -> impl Strategy<Value = Value> {
    let others: &[&str] = &[
        KEY_ARN,
        "arn:aws:kms:*:111122223333:key/*",
        "arn:aws:kms:us-east-1:111122223333:key/????",
        "arn:aws:kms:us-east-1:111122223333:key/ffff",
        "arn:aws:kms:us-east-1:444455556666:key/1a2b",
        "arn:aws:kms:us-east-1:111122223333:alias/app",
        "arn:aws:s3:::bucket",
        "arn:aws:s3:::bucket/*",
        // What AWS does not say.
        "arn:aws:kms:*",
        "arn:*:key/1a2b",
    ];
    let others = if grammar == Grammar::Full { others } else { &others[..8] };
    prop_oneof![8 => Just(json!("*")), 2 => one_or_many(select(others)), 1 => Just(json!([KEY_ARN, "*"]))]
}

/// A value, or a list of one or two.
pub(crate) fn one_or_many(item: impl Strategy<Value = &'static str> + Clone) -> impl Strategy<Value = Value> {
    prop_oneof![
        item.clone().prop_map(|one| json!(one)),
        prop::collection::vec(item, 1..3).prop_map(|many| json!(many)),
    ]
}
