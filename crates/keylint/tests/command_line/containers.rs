//! Policies inside of templates and modules, as a user meets them.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::{Folder, Ran};

const KEY: &str = r#"resource "aws_kms_key" "key" {
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.root, { Effect = "Allow", Principal = { AWS = var.reader }, Action = local.use, Resource = "*" }]
  })
}
"#;
const LOCALS: &str = r#"variable "reader" { default = "x" }
locals {
  root = { Effect = "Allow", Principal = { AWS = "111122223333" }, Action = "kms:*", Resource = "*" }
  use  = ["kms:Decrpt"]
}
"#;
const TEMPLATE: &str = "Resources:
  One: &key
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: 2012-10-17
        Statement:
          - { Effect: Allow, Principal: { AWS: !Ref AWS::AccountId }, Action: kms:*, Resource: '*' }
          - { Effect: Allow, Principal: { AWS: 444455556666 }, Action: kms:RevokeGrant, Resource: '*' }
  Other: *key
";
const FOUND: &str = "m/locals.tf:4:12: error: unknown action `kms:Decrpt` [unknown-action]\n";
const NOT_KNOWN: &str =
    "m/key.tf:4:70: not known before deployment: `var.reader`, by default `x`, in `aws_kms_key.key`\n";

fn module() -> Folder {
    Folder::new(&[
        ("m/key.tf", KEY),
        ("m/locals.tf", LOCALS),
        ("m/unrelated.tf", "# kms\n"),
        ("n/key.tf", KEY),
    ])
}

#[test]
fn a_folder_is_a_module_and_another_folder_is_another() {
    let folder = module();
    let last = "Checked 2 key policies in 3 files: 1 error (4 values not known before deployment).\n";
    let ran = folder.run(&["--output-format", "concise"]);
    assert_eq!(ran, Ran::new(1, FOUND, last.replace("3 files", "4 files")));
}

#[test]
fn of_a_module_one_file_is_enough() {
    let folder = module();
    // The key is asked for, and what is wrong with it stands in the other file; the other file is asked for.
    for arguments in [["m/key.tf"], ["m/locals.tf"]] {
        assert_eq!(folder.concise(&arguments), FOUND, "{arguments:?}");
    }
    assert_eq!(folder.concise(&["m/unrelated.tf"]), "");
    assert_eq!(folder.concise(&["m/locals.tf", "m/key.tf", "m"]), FOUND);
    // Without the others a file still gets what it can.
    assert_eq!(folder.concise(&["n"]), "");
}

#[test]
fn what_is_not_known_is_counted_and_listed() {
    let folder = module();
    let ran = folder.run(&["--output-format", "concise", "-v", "m"]);
    let last = "Checked 1 key policy in 3 files: 1 error (1 value not known before deployment).\n";
    assert_eq!(ran, Ran::new(1, FOUND, format!("{NOT_KNOWN}{last}")));
    let ran = folder.run(&["--output-format", "json", "m"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let unknown = &report["unknown"][0];
    assert_eq!(
        (&unknown["name"], &unknown["default"], &unknown["resource"]),
        (&json!("var.reader"), &json!("x"), &json!("aws_kms_key.key"))
    );
    assert_eq!(report["diagnostics"][0]["resource"], "aws_kms_key.key");
    assert_eq!(report["summary"]["unknown"], 1);
    let clean = Folder::new(&[("a.yaml", TEMPLATE)]).run(&["-v"]);
    assert_eq!(clean, Ran::new(0, "Checked 2 key policies in 1 file: no problems.\n", ""));
}

/// A literal account may be the account of the stack, as long as nobody says which that is.
#[test]
fn the_account_of_a_deployment_can_be_told() {
    let folder = Folder::new(&[("a.yaml", TEMPLATE)]);
    assert_eq!(folder.concise(&[]), "");
    let found = folder.concise(&["--account", "111122223333"]);
    assert_eq!(found.matches("[accidental-revoke]").count(), 1, "{found}");
    assert_eq!(folder.concise(&["--account", "444455556666"]), "");
}

#[test]
fn a_file_that_a_module_reads_is_told_of_once() {
    let policy = "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"111122223333\"},\n \"Action\": [\"kms:*\", \"kms:Decrpt\"], \"Resource\": \"*\"}, \"Version\": \"2012-10-17\"}";
    let module =
        "resource \"aws_kms_key\" \"k\" {\n  policy = file(\"${path.module}/../files/key.json\")\n}\n";
    let folder = Folder::new(&[("m/main.tf", module), ("files/key.json", policy)]);
    let found = "files/key.json:2:23: error: unknown action `kms:Decrpt` [unknown-action]\n";
    assert_eq!(folder.concise(&[]), found);
    assert_eq!(folder.concise(&["m"]), found);
    assert_eq!(folder.concise(&["files"]), found);
}

#[test]
fn what_cannot_be_parsed_is_told_and_the_rest_is_checked() {
    let folder = module();
    folder.write("m/broken.tf", "resource \"aws_kms_key\" \"b\" {\n  policy = \n}\n");
    folder.write("t.yaml", "Type: AWS::KMS::Key\nResources: [\n");
    folder.write("other.yaml", "# AWS::KMS::Key\na: [\n");
    folder.write("m/other.tf", "resource \"x\" {\n");
    let ran = folder.run(&["--output-format", "concise"]);
    assert_eq!(ran.status, 2);
    let expected = format!(
        "m/broken.tf:2:12: error: expected a value, found the end of the line [invalid-syntax]\n{FOUND}t.yaml:2:12: error: a `[` or `{{` is not closed [invalid-syntax]\n"
    );
    assert_eq!(ran.stdout, expected);
}

#[test]
fn questions_are_answered_about_templates_and_modules() {
    let folder = Folder::new(&[("a.yaml", TEMPLATE), ("key.tf", &KEY.replace("local.root, ", ""))]);
    let question = ["can", "--principal", "arn:aws:iam::444455556666:role/x", "--action", "kms:RevokeGrant"];
    let ask = |more: &[&str]| folder.run(&[&question, more].concat());
    let ran = ask(&["a.yaml"]);
    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr,
        "error: `a.yaml` has 2 key policies\n  help: name one with --key: `One` and `Other`\n"
    );
    let ran = ask(&["--key", "One", "--account", "111122223333", "a.yaml"]);
    assert!(ran.stdout.starts_with("delegated: "), "{ran:?}");
    assert_eq!(
        ask(&["--key", "Two", "a.yaml"]).stderr.lines().next(),
        Some("error: `a.yaml` has no key policy of `Two`")
    );
    assert!(ask(&["key.tf"]).stdout.starts_with("maybe: "));
}
