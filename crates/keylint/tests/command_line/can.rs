//! Questions: who may do what.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{Folder, Ran};

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
 {"Sid": "root", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"},
 {"Sid": "app", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"}, "Action": "kms:Decrypt", "Resource": "*",
  "Condition": {"StringEquals": {"kms:ViaService": "ec2.us-west-2.amazonaws.com"}}},
 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": ["kms:Decrypt", "kms:PutKeyPolicy"], "Resource": "*"},
 {"Effect": "Allow", "Principal": {"Service": "logs.us-east-1.amazonaws.com"}, "Action": "kms:Encrypt", "Resource": "*"},
 {"Sid": "keep", "Effect": "Deny", "Principal": "*", "Action": "kms:ScheduleKeyDeletion", "Resource": "*",
  "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/security"}}}
]}
"#;
const IDENTITY_POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Action": "kms:De*", "Resource": "arn:aws:kms:*:111122223333:key/*"},
 {"Effect": "Deny", "NotAction": "kms:Decrypt", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": false}}}
]}
"#;
const APP: &str = "arn:aws:iam::111122223333:role/app";
const THEIRS: &str = "arn:aws:iam::444455556666:user/bob";
const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn folder() -> Folder {
    Folder::new(&[("key.json", POLICY), ("iam.json", IDENTITY_POLICY)])
}

fn ask(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(&[&["can", "--account", "111122223333", "key.json"], arguments].concat())
}

#[test]
fn one_question_has_one_verdict() {
    let folder = folder();
    let via = "kms:ViaService=ec2.us-west-2.amazonaws.com";
    for (principal, action, more, expected) in [
        (APP, "kms:Decrypt", ["--context", via].as_slice(), "allowed: `role/app` may call kms:Decrypt"),
        (
            "arn:aws:sts::111122223333:assumed-role/app/i-1",
            "kms:Decrypt",
            &["--context", via],
            "allowed: `assumed-role/app/i-1` may call kms:Decrypt",
        ),
        (
            APP,
            "decrypt",
            &[],
            "delegated: `role/app` may call kms:Decrypt if the IAM policies of account 111122223333 allow it",
        ),
        (
            APP,
            "kms:DescribeKey",
            &["--identity-policy", "iam.json", "--context", "aws:SecureTransport=true"],
            "allowed: `role/app` may call kms:DescribeKey",
        ),
        (
            APP,
            "kms:DescribeKey",
            &["--identity-policy", "iam.json", "--context", "aws:SecureTransport=false"],
            "denied: `role/app` may not call kms:DescribeKey",
        ),
        (
            APP,
            "kms:DescribeKey",
            &["--identity-policy", "iam.json"],
            "maybe: `role/app` may call kms:DescribeKey: it depends on `aws:SecureTransport`",
        ),
        (
            APP,
            "kms:Sign",
            &["--identity-policy", "iam.json", "--context", "aws:SecureTransport=true"],
            "not allowed: `role/app` may not call kms:Sign",
        ),
        (APP, "kms:ScheduleKeyDeletion", &[], "denied: `role/app` may not call kms:ScheduleKeyDeletion"),
        (
            THEIRS,
            "kms:Decrypt",
            &["--identity-policy", "iam.json"],
            "allowed: `user/bob` may call kms:Decrypt",
        ),
        (THEIRS, "kms:PutKeyPolicy", &[], "not allowed: `user/bob` may not call kms:PutKeyPolicy"),
        (
            "logs.us-east-1.amazonaws.com",
            "kms:Encrypt",
            &[],
            "allowed: `logs.us-east-1.amazonaws.com` may call kms:Encrypt",
        ),
        ("111122223333", "kms:PutKeyPolicy", &[], "allowed: `111122223333` may call kms:PutKeyPolicy"),
    ] {
        let ran = ask(&folder, &[&["--principal", principal, "--action", action], more].concat());
        assert_eq!(ran.stdout.lines().next(), Some(expected), "{}", ran.stderr);
        assert_eq!(ran.status, 0, "{expected}");
    }
}

#[test]
fn the_deciding_statement_is_shown() {
    let ran = ask(&folder(), &["--principal", APP, "--action", "kms:ScheduleKeyDeletion"]);
    for shown in
        ["key.json:7:", "denied here, and its conditions hold", "to everyone", "note: `keep` denies it"]
    {
        assert!(ran.stdout.contains(shown), "{shown}: {}", ran.stdout);
    }
}

#[test]
fn an_expectation_makes_it_a_test() {
    let folder = folder();
    for (action, expect, status) in [
        ("kms:ScheduleKeyDeletion", "denied", 0),
        ("kms:ScheduleKeyDeletion", "allowed", 1),
        // Delegated is neither.
        ("kms:Decrypt", "denied", 1),
        ("kms:Decrypt", "allowed", 1),
    ] {
        let ran = ask(&folder, &["--principal", APP, "--action", action, "--expect", expect]);
        assert_eq!(ran.status, status, "{action} {expect}");
    }
}

#[test]
fn everyone_who_may_is_listed() {
    let folder = folder();
    let ran = ask(&folder, &["--action", "kms:ScheduleKeyDeletion"]);
    let expected = "\
who may call kms:ScheduleKeyDeletion on the key of key.json:
  arn:aws:iam::111122223333:role/security  the IAM policies of account 111122223333 decide, by `root`
";
    assert_eq!(ran, Ran::new(0, expected, ""));
    let ran = ask(&folder, &["--action", "kms:Encrypt"]);
    for line in [
        "  identities of account 111122223333 whose IAM policies allow it  delegated, by `root`\n",
        "  the service logs.us-east-1.amazonaws.com                        directly, by `Statement[3]`\n",
    ] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
    assert_eq!(
        ask(&folder, &["--action", "kms:CreateKey"]),
        Ran::new(0, "nobody may call kms:CreateKey on the key of key.json\n", "")
    );
}

#[test]
fn a_question_that_cannot_be_answered_has_status_2() {
    let folder = folder();
    folder.write("other.json", "{}");
    folder.write("cut.json", "{\"Statement\": [");
    let good = ["--principal", APP, "--action", "kms:Decrypt"];
    for (arguments, expected) in [
        (
            ["key.json", "--principal", APP, "--action", "kms:Decrpt"].as_slice(),
            "unknown action `kms:Decrpt`\n  help: did you mean `kms:Decrypt`?",
        ),
        (&["key.json", "--principal", APP, "--action", "kms:*"], "`kms:*` is more than one action"),
        (
            &["key.json", "--principal", "app", "--action", "kms:Decrypt"],
            "`app` is no principal that makes requests",
        ),
        (
            &[&good[..], &["key.json", "--context", "kms:ViaServce=x"]].concat(),
            "unknown condition key `kms:ViaServce`\n  help: did you mean `kms:ViaService`?",
        ),
        (
            &[&good[..], &["key.json", "--context", "kms:ViaService"]].concat(),
            "--context `kms:ViaService` has no value",
        ),
        (
            &[&good[..], &["key.json", "--resource", "arn:aws:s3:::b"]].concat(),
            "`arn:aws:s3:::b` is not the ARN of a KMS key",
        ),
        (&[&good[..], &["none.json"]].concat(), "`none.json` does not exist"),
        (&[&good[..], &["other.json"]].concat(), "`other.json` has no key policy"),
        (&[&good[..], &["cut.json"]].concat(), "cut.json:1:"),
        (
            &[&good[..], &["key.json", "--identity-policy", "other.json"]].concat(),
            "`other.json` has no IAM policy",
        ),
        (
            &[&good[..], &["key.json", "--identity-policy", "key.json"]].concat(),
            "`key.json` names principals, so it is no IAM policy",
        ),
    ] {
        let ran = folder.run(&[&["can"], arguments].concat());
        assert!(ran.stderr.starts_with(&format!("error: {expected}")), "{expected}: {}", ran.stderr);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{expected}");
    }
}

/// Whether the caller has a tag is not known, and so neither is whether the `Deny` reaches it.
#[test]
fn a_denial_of_a_tag_leaves_the_answer_open() {
    let folder = folder();
    let deny = r#"{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/kind": "contractor"}}},"#;
    folder.write("key.json", POLICY.replacen("[\n", &format!("[\n{deny}"), 1));
    let arguments = [
        "--principal",
        APP,
        "--action",
        "kms:DescribeKey",
        "--identity-policy",
        "iam.json",
        "--context",
        "aws:SecureTransport=true",
        "--expect",
        "allowed",
    ];
    let ran = ask(&folder, &arguments);
    let expected = "maybe: `role/app` may call kms:DescribeKey: it depends on `aws:PrincipalTag/kind`\n";
    assert!(ran.stdout.starts_with(expected), "{}", ran.stdout);
    assert_eq!(ran.status, 1);
}

/// A request about the policy of these tests, with what is different.
fn request(id: usize, principal: &str, action: &str, more: &Value) -> Value {
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let mut request = json!({
        "id": id, "policy": policy, "principalArn": principal, "action": action, "resourceArn": KEY,
        "contextIsComplete": true
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[test]
fn each_request_has_an_answer_in_order() {
    let identity_policy: Value = serde_json::from_str(IDENTITY_POLICY).unwrap();
    let requests = [
        (
            APP,
            "KMS:DECRYPT",
            json!({ "context": { "KMS:viaservice": ["ec2.us-west-2.amazonaws.com"] } }),
            "allow",
            json!(["app"]),
        ),
        (APP, "kms:Decrypt", json!({ "identityPolicies": [] }), "implicitDeny", json!([])),
        (APP, "kms:Decrypt", json!({ "identityPolicies": [identity_policy] }), "allow", json!(["root"])),
        (
            APP,
            "kms:DescribeKey",
            json!({ "identityPolicies": [identity_policy], "context": { "aws:SecureTransport": false } }),
            "explicitDeny",
            json!([]),
        ),
        (APP, "kms:Decrypt", json!({}), "maybe", json!(["root"])),
        (
            APP,
            "kms:Decrypt",
            json!({ "contextIsComplete": false, "identityPolicies": [] }),
            "maybe",
            json!(["app"]),
        ),
        (THEIRS, "kms:Decrypt", json!({ "identityPolicies": [identity_policy] }), "allow", json!([2])),
        (THEIRS, "kms:Decrypt", json!({ "identityPolicies": [] }), "implicitDeny", json!([])),
        (
            THEIRS,
            "kms:PutKeyPolicy",
            json!({ "identityPolicies": [{ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } }] }),
            "implicitDeny",
            json!([]),
        ),
        (
            "logs.us-east-1.amazonaws.com",
            "kms:ScheduleKeyDeletion",
            json!({}),
            "explicitDeny",
            json!(["keep"]),
        ),
        ("arn:aws:iam::111122223333:root", "kms:Encrypt", json!({}), "allow", json!(["root"])),
    ];
    let lines: Vec<String> = requests
        .iter()
        .enumerate()
        .map(|(id, (principal, action, more, ..))| request(id, principal, action, more).to_string())
        .collect();
    // More than are answered at once.
    let input = lines.join("\n") + "\n";
    let input = input.repeat(500);
    let ran = folder().pipe(&["can", "--requests", "-"], input);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    let answers: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(answers.len(), 500 * requests.len());
    for (place, answer) in answers.iter().enumerate() {
        let id = place % requests.len();
        let (principal, action, more, decision, by) = &requests[id];
        let answer: Value = serde_json::from_str(answer).unwrap();
        let found = (&answer["id"], &answer["decision"], &answer["by"]);
        assert_eq!(found, (&json!(id), &json!(decision), by), "{principal} {action} {more}: {answer}");
    }
}

#[test]
fn a_malformed_request_does_not_keep_others_from_their_answers() {
    let mut misspelt = request(1, APP, "kms:Decrypt", &json!({}));
    misspelt["identityPolices"] = json!([]);
    let lines = [
        "{oops".to_owned(),
        "[]".to_owned(),
        misspelt.to_string(),
        request(2, APP, "kms:Decrpt", &json!({})).to_string(),
        request(3, APP, "kms:Decrypt", &json!({ "context": { "a:b": null } })).to_string(),
        request(4, APP, "kms:Decrypt", &json!({ "resourceArn": "*" })).to_string(),
        String::new(),
        request(5, THEIRS, "kms:Encrypt", &json!({})).to_string(),
    ];
    let folder = folder();
    folder.write("requests.jsonl", lines.join("\n"));
    let ran = folder.run(&["can", "--requests", "requests.jsonl"]);
    let expected = r#"{"id":null,"error":"byte 2: expected a key in double quotes, found `oops`"}
{"id":null,"error":"a request is a JSON object"}
{"id":1,"error":"unknown member `identityPolices`: did you mean `identityPolicies`?"}
{"id":2,"error":"unknown action `kms:Decrpt`: did you mean `kms:Decrypt`?"}
{"id":3,"error":"`a:b` of the context has to be a text, a number, true, false, or a list of them"}
{"id":4,"error":"`*` is not the ARN of a KMS key: it looks like `arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`"}
{"id":5,"decision":"implicitDeny","by":[],"why":"no statement allows it"}
"#;
    assert_eq!(ran, Ran::new(2, expected, ""));
}
