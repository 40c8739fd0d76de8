//! Conditions and contexts.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::one_or_many;
use crate::decide::Context;

/// A condition key, and the values that policies and requests have for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    pub(crate) key: &'static str,
    family: Family,
    pub(crate) multi_valued: bool,
    /// What a request may hold. The last one stands in no policy.
    pub(crate) found: &'static [&'static str],
    /// What a policy may compare it with, beside what a request may hold.
    also_expected: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Time,
    Truth,
    Address,
    Arn,
}

const fn pool(
    key: &'static str,
    family: Family,
    found: &'static [&'static str],
    also_expected: &'static [&'static str],
) -> Pool {
    Pool { key, family, multi_valued: false, found, also_expected }
}

pub(crate) const KEYS: &[Pool] = &[
    pool("kms:GrantIsForAWSResource", Family::Truth, &["true", "false"], &[]),
    pool("aws:SecureTransport", Family::Truth, &["true", "false"], &[]),
    pool(
        "kms:ViaService",
        Family::Text,
        &["ec2.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "nowhere.eu-north-1.amazonaws.com"],
        &["ec2.*.amazonaws.com", "*"],
    ),
    pool("aws:PrincipalIsAWSService", Family::Truth, &["true", "false"], &[]),
    pool("kms:CallerAccount", Family::Text, &["111122223333", "444455556666", "000000000000"], &["1111*"]),
    pool(
        "aws:PrincipalArn",
        Family::Arn,
        &[
            "arn:aws:iam::111122223333:role/app",
            "arn:aws:iam::444455556666:role/app",
            "arn:aws:iam::111122223333:user/team/bob",
            "arn:aws:iam::000000000000:role/nowhere",
        ],
        &[
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:role/app",
            "arn:aws:iam::111122223333:user/*/bob",
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam:*:role/app",
            "*",
        ],
    ),
    pool("aws:PrincipalOrgID", Family::Text, &["o-one", "o-two", "o-nowhere"], &["o-*", "o-???"]),
    pool(
        "kms:EncryptionContext:x",
        Family::Text,
        &["red", "blue", "nowhere"],
        &["r*", "?", "RED", "${aws:PrincipalTag/team}"],
    ),
    pool(
        "aws:PrincipalTag/team",
        Family::Text,
        &["red", "blue", "nowhere"],
        &["r?d", "*e*", "${kms:EncryptionContext:x, 'red'}", "$${*}"],
    ),
    Pool {
        multi_valued: true,
        ..pool("kms:EncryptionContextKeys", Family::Text, &["x", "y", "nowhere"], &["?"])
    },
    Pool {
        multi_valued: true,
        ..pool(
            "kms:GrantOperations",
            Family::Text,
            &["Decrypt", "Encrypt", "CreateGrant"],
            &["*crypt", "DescribeKey", "Sign", "Verify"],
        )
    },
    pool(
        "aws:SourceArn",
        Family::Arn,
        &["arn:aws:logs:us-east-1:111122223333:log-group:x", "arn:aws:s3:::bucket", "arn:aws:sns:::nowhere"],
        &["arn:aws:logs:*:111122223333:log-group:*", "arn:aws:logs:us-east-1:*:*", "arn:aws:s3:::*"],
    ),
    pool(
        "aws:SourceIp",
        Family::Address,
        &["10.0.0.1", "10.0.1.1", "2001:db8::1", "198.51.100.1"],
        &["10.0.0.0/24", "10.0.0.0/16", "0.0.0.0/0", "2001:db8::/32", "::/0"],
    ),
    pool(
        "aws:CurrentTime",
        Family::Time,
        &["2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "1999-01-01T00:00:00Z"],
        &["2026-01-01", "1767225600"],
    ),
    pool(
        "kms:ScheduleKeyDeletionPendingWindowInDays",
        Family::Number,
        &["7", "14", "30", "8"],
        &["7.0", "14.5", "-1"],
    ),
];

const TEXT: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
];
const NUMBER: &[&str] = &[
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
];
const TIME: &[&str] = &[
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
];
const ADDRESS: &[&str] = &["IpAddress", "NotIpAddress"];
const ARN: &[&str] = &["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"];

impl Family {
    fn operators(self) -> Vec<&'static str> {
        match self {
            Self::Text => TEXT.to_vec(),
            Self::Number => NUMBER.to_vec(),
            Self::Time => TIME.to_vec(),
            Self::Truth => vec!["Bool"],
            Self::Address => ADDRESS.to_vec(),
            Self::Arn => [ARN, TEXT].concat(),
        }
    }
}

/// An operator, a key in some letter case, and values.
pub(crate) fn condition() -> impl Strategy<Value = (String, String, Value)> {
    select(KEYS).prop_flat_map(|pool| {
        let plain = operator(pool, pool.family.operators());
        // A comparison of another type than the key's.
        let foreign = operator(pool, [TEXT, NUMBER, TIME, ADDRESS, ARN, &["Bool", "BinaryEquals"]].concat());
        let expected: Vec<_> = pool.found.iter().chain(pool.also_expected).copied().collect();
        let values = one_or_many(select(expected));
        let compared = (prop_oneof![9 => plain, 1 => foreign], key_in_any_case(pool.key), values);
        let truth = prop_oneof![
            select(vec!["true", "false"]).prop_map(|text| json!(text)),
            any::<bool>().prop_map(|value| json!(value))
        ];
        let null = (Just("Null".to_owned()), key_in_any_case(pool.key), truth.clone());
        let boolean = (Just("Bool".to_owned()), key_in_any_case(pool.key), truth);
        let is_truth = u32::from(pool.family == Family::Truth);
        prop_oneof![6 => compared, 1 => null, 1 + is_truth => boolean]
    })
}

fn operator(pool: Pool, names: Vec<&'static str>) -> impl Strategy<Value = String> {
    let sets = if pool.multi_valued {
        vec!["ForAnyValue:", "ForAllValues:", "ForAnyValue:", "ForAllValues:", ""]
    } else {
        vec!["", "", "", "", "ForAnyValue:", "ForAllValues:"]
    };
    (select(sets), select(names), prop::bool::weighted(0.2))
        .prop_map(|(set, name, if_exists)| format!("{set}{name}{}", if if_exists { "IfExists" } else { "" }))
}

fn key_in_any_case(key: &'static str) -> impl Strategy<Value = String> {
    select(vec![key.to_owned(), key.to_owned(), key.to_lowercase(), key.to_uppercase()])
}

/// A context of which everything is known.
pub(crate) fn context() -> impl Strategy<Value = Context> {
    let entries: Vec<_> = KEYS
        .iter()
        .map(|pool| {
            let many = if pool.multi_valued { 1..4 } else { 1..2 };
            let values = prop::collection::vec(select(pool.found).prop_map(str::to_owned), many);
            prop::option::weighted(0.6, values).prop_map(|values| (pool.key.to_lowercase(), values))
        })
        .collect();
    entries.prop_map(|entries| {
        let known = entries.into_iter().filter_map(|(key, values)| Some((key, values?)));
        known.collect::<BTreeMap<_, _>>()
    })
}

/// What an open key may turn out to be: absent, each value of its pool, and, for a key with several values, some of
/// their sets.
pub(crate) fn completion_values(pool: &Pool) -> Vec<Option<Vec<String>>> {
    let owned = |values: &[&str]| Some(values.iter().map(|&value| value.to_owned()).collect());
    let mut all = vec![None];
    all.extend(pool.found.iter().chain(pool.also_expected).map(|value| owned(&[value])));
    if pool.multi_valued {
        let [a, b, c, ..] = *pool.found else { unreachable!("pools of several values have three") };
        all.extend([owned(&[a, b]), owned(&[a, c]), owned(&[b, c]), owned(&[a, b, c])]);
    }
    all
}

/// Keys whose values tell everything apart that [`restricted_condition`] can ask for.
pub(crate) const RESTRICTED: &[Pool] = &[
    pool("kms:GrantIsForAWSResource", Family::Truth, &["true", "false"], &[]),
    pool(
        "kms:EncryptionContext:x",
        Family::Text,
        &["red", "blue", "re", "rex", "r", "rx", "r*", "re*", "x"],
        &[],
    ),
    pool("aws:PrincipalTag/team", Family::Text, &["red", "ted", "blue", "?ed", "x"], &[]),
    Pool {
        multi_valued: true,
        ..pool("kms:GrantOperations", Family::Text, &["Decrypt", "Encrypt", "CreateGrant"], &[])
    },
];

/// A condition over the keys of [`RESTRICTED`].
pub(crate) fn restricted_condition() -> impl Strategy<Value = (String, String, Value)> {
    let [grant, context, team, operations] = [0, 1, 2, 3].map(|index| Just(RESTRICTED[index].key.to_owned()));
    let truth = || select(vec!["true", "false"]).prop_map(|text| json!(text));
    let text = || {
        select(vec!["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists"])
            .prop_map(str::to_owned)
    };
    let set = (select(vec!["ForAnyValue", "ForAllValues"]), select(vec!["StringEquals", "StringNotEquals"]))
        .prop_map(|(set, name)| format!("{set}:{name}"));
    let keys: Vec<_> = RESTRICTED.iter().map(|pool| pool.key.to_owned()).collect();
    prop_oneof![
        (select(vec!["Bool".to_owned(), "BoolIfExists".to_owned()]), grant, truth()),
        (text(), context, one_or_many(select(vec!["red", "blue", "r*", "re*"]))),
        (text(), team, one_or_many(select(vec!["red", "blue", "?ed"]))),
        (set, operations, one_or_many(select(vec!["Decrypt", "Encrypt"]))),
        (Just("Null".to_owned()), select(keys), truth()),
    ]
}
