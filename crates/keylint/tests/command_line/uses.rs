//! Grants, and keys that another account uses, as a user meets them.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{Folder, Ran};

const CONFIG: &str = r#"keys:
  - policy: kms/key.json
    arn: arn:aws:kms:us-west-2:444455556666:key/1a2b3c4d-5e6f-1a2b-3c4d-5e6f1a2b3c4d
    serves:
      - { service: autoscaling, account: "111122223333", grants: [scripts/*.sh], identity-policies: [iam/deploy.json] }
"#;
const KEY: &str = r#"{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:*", "Resource": "*"},
 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*",
  "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]},
 {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*", "Action": "kms:CreateGrant",
  "Condition": {"StringLike": {"kms:GranteePrincipal": "arn:aws:iam::111122223333:role/aws-service-role/*"}}}]}
"#;
const GRANT: &str = "aws kms create-grant \\
  --key-id arn:aws:kms:us-west-2:444455556666:key/1a2b3c4d-5e6f-1a2b-3c4d-5e6f1a2b3c4d \\
  --grantee-principal arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling \\
  --operations Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext DescribeKey CreateGrant
";
/// For a key of another Region.
const DEPLOY: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:CreateGrant",
 "Resource": "arn:aws:kms:us-east-1:444455556666:key/1a2b3c4d-5e6f-1a2b-3c4d-5e6f1a2b3c4d"}}
"#;
const ROLE: &str =
    "arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling";
const FOUND: &str = "iam/deploy.json:2:14: error: this IAM policy does not let its holder create the grant: `arn:aws:kms:us-east-1:444455556666:key/1a2b3c4d-5e6f-1a2b-3c4d-5e6f1a2b3c4d` is not the key [grant-creator-not-permitted]\n";
const CHAIN: &str = "EC2 Auto Scaling in account 111122223333 uses the key of kms/key.json:
  ✓  key policy kms/key.json:1:28: lets account 111122223333 use the key and create the grant
  ✓  grant      scripts/grant.sh:1:1: gives the role what it needs
  ✗  IAM policy iam/deploy.json:2:14: does not let its holder create the grant
";

fn folder() -> Folder {
    Folder::new(&[
        ("keylint.yaml", CONFIG),
        ("kms/key.json", KEY),
        ("scripts/grant.sh", GRANT),
        ("iam/deploy.json", DEPLOY),
        ("other/policy.json", r#"{"about": "kms"}"#),
    ])
}

#[test]
fn whichever_document_is_checked_the_others_are_read_too() {
    let folder = folder();
    for arguments in
        [&[][..], &["."], &["kms"], &["scripts/grant.sh"], &["./iam/deploy.json"], &["keylint.yaml"]]
    {
        assert_eq!(folder.concise(arguments), FOUND, "{arguments:?}");
    }
    // A file that has no part in it says nothing of it.
    assert_eq!(folder.concise(&["other"]), "");
    assert_eq!(folder.run(&["scripts"]).status, 1);
}

#[test]
fn from_another_folder_paths_are_those_that_lead_there() {
    let folder = folder();
    // The configuration is looked for up to the root of the repository.
    std::fs::create_dir(folder.0.join(".git")).unwrap();
    let mut command = folder.command(&["--output-format", "concise", "grant.sh"]);
    let ran = Ran::of(command.current_dir(folder.0.join("scripts")));
    assert_eq!(ran.stdout, FOUND.replace("iam/", "../iam/"));
}

#[test]
fn the_chain_is_shown_on_demand_and_always_told_to_programs() {
    let folder = folder();
    let ran = folder.run(&["--explain-chain", "--output-format", "concise"]);
    let last = "Checked 1 key policy, 1 grant and 1 IAM policy in 5 files: 1 error.\n";
    assert_eq!(ran.stderr, format!("{CHAIN}{last}"));
    let full = folder.run(&["--explain-chain"]);
    assert!(full.stdout.ends_with(&format!("\n{CHAIN}{last}")), "{}", full.stdout);
    assert_eq!(folder.run(&["--explain-chain", "--quiet"]).status, 2);

    let document: Value = serde_json::from_str(&folder.run(&["--output-format", "json"]).stdout).unwrap();
    let [used] = document["uses"].as_array().unwrap().as_slice() else { panic!("{document:#}") };
    let states: Vec<&Value> =
        used["documents"].as_array().unwrap().iter().map(|document| &document["state"]).collect();
    assert_eq!(states, ["holds", "holds", "broken"]);
    assert_eq!(used["documents"][1]["file"], "scripts/grant.sh");
    assert_eq!(document["summary"]["grants"], json!(1));

    let without = Folder::new(&[("kms/key.json", KEY)]);
    let ran = without.run(&["--explain-chain", "--output-format", "concise"]);
    assert!(ran.stderr.starts_with("No use of a key from another account is declared"), "{}", ran.stderr);
}

#[test]
fn what_the_configuration_names_has_to_be_there() {
    let folder = folder();
    std::fs::remove_file(folder.0.join("scripts/grant.sh")).unwrap();
    let ran = folder.run(&["--output-format", "concise", "kms"]);
    assert_eq!(
        (ran.status, &*ran.stdout),
        (2, "keylint.yaml:5:67: error: no file matches `scripts/*.sh` [invalid-config]\n")
    );
    folder.write("scripts/grant.sh", "echo\n");
    folder.write("iam/deploy.json", DEPLOY.replace("us-east-1", "us-west-2"));
    let expected = "keylint.yaml:5:20: error: EC2 Auto Scaling in account 111122223333 needs a grant for this key, and no file that is listed has one [broken-cross-account-access]\n";
    assert_eq!(folder.concise(&["kms"]), expected);
}

#[test]
fn an_answer_says_that_it_rests_on_a_grant() {
    let folder = folder();
    let ask = |action: &str, more: &[&str]| {
        let question = ["can", "--output-format", "json", "--principal", ROLE, "--action", action];
        let ran = folder.run(&[&question, more, &["kms/key.json"]].concat());
        (ran.status, serde_json::from_str::<Value>(&ran.stdout).unwrap_or_default())
    };
    let grants = ["--grants", "scripts/grant.sh"];
    assert_eq!(ask("kms:Decrypt", &[]).1["decision"], "implicitDeny");
    let (status, answer) = ask("kms:Decrypt", &grants);
    assert_eq!(
        (status, &answer["decision"], &answer["grant"]),
        (0, &json!("allow"), &json!("scripts/grant.sh:1:1"))
    );
    // What it does not list it does not give, and a denial wins.
    assert_eq!(ask("kms:Sign", &grants).1["decision"], "implicitDeny");
    assert_eq!(ask("kms:Sign", &[&grants[..], &["--expect", "allowed"]].concat()).0, 1);
    let deny = r#"{"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"},"#;
    folder.write("kms/key.json", KEY.replacen("\n {", &format!("\n {deny}\n {{"), 1));
    assert_eq!(ask("kms:Decrypt", &grants).1["decision"], "explicitDeny");
    assert_eq!(ask("kms:Encrypt", &grants).1["decision"], "allow");
    // With a constraint it depends on the request.
    folder.write(
        "scripts/grant.sh",
        GRANT.replace("--operations", "--constraints EncryptionContextSubset={team=red} --operations"),
    );
    assert_eq!(ask("kms:Encrypt", &grants).1["decision"], "maybe");
    let red = [&grants[..], &["--context", "kms:EncryptionContext:team=red"]].concat();
    assert_eq!(ask("kms:Encrypt", &red).1["decision"], "allow");
    let blue = [&grants[..], &["--context", "kms:EncryptionContext:team=blue"]].concat();
    assert_eq!(ask("kms:Encrypt", &blue).1["decision"], "implicitDeny");
}

#[test]
fn grants_that_cannot_be_asked_about_are_said() {
    let folder = folder();
    let who = folder.run(&["can", "--action", "kms:Decrypt", "--grants", "scripts/grant.sh", "kms/key.json"]);
    assert_eq!(who.status, 2);
    let none = [
        "can",
        "--principal",
        ROLE,
        "--action",
        "kms:Decrypt",
        "--grants",
        "iam/deploy.json",
        "kms/key.json",
    ];
    let ran = folder.run(&none);
    assert!(ran.stderr.starts_with("error: `iam/deploy.json` has no grant\n"), "{}", ran.stderr);
}

#[test]
fn text_that_only_speaks_of_commands_is_passed_over() {
    let folder = Folder::new(&[
        ("README.md", "Call `aws kms create-grant --key-id` with the key, or `aws kms create-grant help`.\n"),
        ("run.sh", "# aws kms create-grant --key-id alias/a --operations Decrypt\necho kms\n"),
    ]);
    folder.write("latin-1.md", b"KMS f\xfcr alle: create-grant\n");
    assert_eq!(folder.run(&["."]), Ran::new(0, "No key policy found in 3 files.\n", ""));
    folder.write("latin-1.sh", b"# f\xfcr\naws kms create-grant --key-id alias/x\n");
    assert_eq!(folder.run(&["."]).status, 2);
}
