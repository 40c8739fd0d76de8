//! What is not to be reported, and what is wrong with saying so.

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, Ran, broken};

/// A template with a misspelt action in its statement `A`.
const TEMPLATE: &str = "Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Sid: A
            Effect: Allow
            Principal: { AWS: 'arn:aws:iam::111122223333:root' }
            Action: ['kms:Decrpt', 'kms:*']
            Resource: '*'
";

fn concise(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(&[&["--output-format", "concise"], arguments].concat())
}

#[test]
fn an_entry_of_the_configuration_is_about_a_rule_in_a_place_for_a_reason() {
    let folder = Folder::new(&[("kms/a.json", BAD), ("kms/b.json", BAD), ("other.json", GOOD)]);
    let entry = |members: &str| {
        folder.write("keylint.yaml", format!("ignore:\n  - {{ rule: unknown-action, {members} }}\n"));
        concise(&folder, &["."])
    };
    let ran = entry("path: kms/a.json, reason: SEC-1");
    assert_eq!((ran.status, ran.stdout), (1, broken("kms/b.json")));
    assert_eq!(ran.stderr, "Checked 3 key policies in 4 files: 1 error (1 ignored).\n");
    let ran = entry("path: 'kms/*.json', statement: 0, reason: SEC-1, expires: 9999-12-31");
    assert_eq!((ran.status, &*ran.stdout), (0, ""));
    assert_eq!(ran.stderr, "Checked 3 key policies in 4 files: no problems (2 ignored).\n");
    // Nothing has this Sid or is of this resource.
    for other in ["sid: Partner", "resource: aws_kms_key.a", "statement: 1", "path: kms"] {
        let ran = entry(&format!("{other}, reason: SEC-1"));
        assert!(ran.stdout.contains(&broken("kms/a.json")), "{other}: {}", ran.stdout);
    }
    // Names of rules and groups stand beside entries.
    folder.write(
        "keylint.yaml",
        "ignore: [unknown-action, { rule: invalid-policy, path: a.json, reason: x }]\n",
    );
    assert_eq!(concise(&folder, &["kms"]).stdout, "");
    let ran = concise(&folder, &["--no-ignores", "kms"]);
    assert_eq!(ran.stdout, "", "rules that are not applied stay so");
}

#[test]
fn what_is_wrong_with_an_ignore_is_a_finding_and_nothing_is_ignored() {
    let folder = Folder::new(&[("a.json", BAD)]);
    let said = |entry: &str| {
        folder.write("keylint.yaml", format!("ignore:\n  - {entry}\n"));
        let ran = concise(&folder, &["-q"]);
        let (ours, theirs): (Vec<&str>, Vec<&str>) =
            ran.stdout.lines().partition(|line| line.starts_with("keylint.yaml"));
        (ran.status, ours.join("\n"), theirs.len())
    };
    let cases = [
        (
            "{ rule: unknown-actoin, reason: x }",
            "keylint.yaml:2:13: error: no rule is named `unknown-actoin` [invalid-ignore]",
        ),
        (
            "{ rule: unknown-action }",
            "keylint.yaml:2:5: error: this says no reason, and is not followed [missing-reason]",
        ),
        (
            "{ rule: unknown-action, reason: ' ' }",
            "keylint.yaml:2:5: error: this says no reason, and is not followed [missing-reason]",
        ),
        (
            "{ rule: unknown-action, reason: x, expires: 2027-31-01 }",
            "keylint.yaml:2:49: error: `2027-31-01` is no date, so this is not followed [invalid-ignore]",
        ),
        (
            "{ rule: unknown-action, reason: x, expires: 2020-01-31 }",
            "keylint.yaml:2:49: warning: this ignore expired: it held until 2020-01-31 [expired-ignore]",
        ),
        (
            "{ rule: invalid-syntax, reason: x }",
            "keylint.yaml:2:13: error: `invalid-syntax` cannot be ignored [invalid-ignore]",
        ),
        (
            "{ rule: [unknown-operator, duplicate-sid], reason: x }",
            "keylint.yaml:2:14: warning: nothing is ignored by this: `unknown-operator` and `duplicate-sid` find nothing here [unused-ignore]",
        ),
    ];
    for (entry, expected) in cases {
        assert_eq!(said(entry), (1, expected.to_owned(), 1), "{entry}");
    }
    // A slip in the configuration itself keeps keylint from its job.
    assert_eq!(said("{ rule: unknown-action, reson: x }").0, 2);
}

#[test]
fn comments_cover_what_they_stand_at() {
    let folder = Folder::new(&[]);
    let with = |from: &str, to: &str| {
        folder.write("a.yaml", TEMPLATE.replacen(from, to, 1));
        let ran = concise(&folder, &["-q", "a.yaml"]);
        (ran.status, ran.stdout)
    };
    let clean = (0, String::new());
    let comment = "# keylint: ignore[unknown-action] SEC-1: on purpose";
    assert_eq!(with("'kms:*']", &format!("'kms:*'] {comment}")), clean);
    assert_eq!(with("          - Sid: A", &format!("          {comment}\n          - Sid: A")), clean);
    assert_eq!(with("- Sid: A", &format!("- Sid: A {comment}")), clean);
    assert_eq!(with("  Key:", &format!("  {comment}\n  Key:")), clean);
    // Beside it, it is of no use.
    let (status, stdout) = with("Effect: Allow", &format!("Effect: Allow {comment}"));
    assert!(status == 1 && stdout.lines().count() == 2 && stdout.contains("[unused-ignore]"), "{stdout}");
    let (_, stdout) = with("'kms:*']", "'kms:*'] # keylint: ignore[unknown-action]");
    assert!(stdout.contains("[missing-reason]") && stdout.contains("[unknown-action]"), "{stdout}");
    let (_, stdout) = with("'kms:*']", "'kms:*'] # keylint: ignore because");
    assert!(stdout.contains("it is not said what to ignore [invalid-ignore]"), "{stdout}");
}

#[test]
fn metadata_and_json_have_their_own_ways() {
    let folder = Folder::new(&[]);
    let metadata = "Type: AWS::KMS::Key\n    Metadata:\n      keylint:\n        ignore:\n          - { rule: unknown-action, sid: A, reason: SEC-1 }\n";
    folder.write("a.yaml", TEMPLATE.replace("Type: AWS::KMS::Key\n", metadata));
    assert_eq!(concise(&folder, &["-q", "a.yaml"]), Ran::new(0, "", ""));
    folder.write("a.yaml", TEMPLATE.replace("Type: AWS::KMS::Key\n", &metadata.replace("sid: A", "sid: B")));
    assert_eq!(concise(&folder, &["-q", "a.yaml"]).stdout.lines().count(), 2);

    let key = |comment: &str| {
        let policy = BAD.replace('\n', "").replace('"', "\\\"");
        format!(r#"{{"resource": {{"aws_kms_key": {{"k": {{{comment} "policy": "{policy}"}}}}}}}}"#)
    };
    folder.write("m/a.tf.json", key(r#""//": "keylint: ignore[unknown-action] SEC-1","#));
    assert_eq!(concise(&folder, &["-q", "m"]), Ran::new(0, "", ""));
    folder.write("m/a.tf.json", key(""));
    assert_eq!(concise(&folder, &["-q", "m"]).status, 1);
}

#[test]
fn in_terraform_a_comment_at_the_resource_covers_its_policy_elsewhere() {
    let document = |comment: &str| {
        format!(
            r#"data "aws_iam_policy_document" "k" {{
  statement {{
    actions   = ["kms:Decrpt", "kms:*"]
    resources = ["*"]
    principals {{
      type        = "AWS"
      identifiers = ["arn:aws:iam::111122223333:root"]
    }}
  }}
}}
{comment}
resource "aws_kms_key" "k" {{
  policy = data.aws_iam_policy_document.k.json
}}
"#
        )
    };
    let folder = Folder::new(&[("main.tf", &document("")), ("other.tf", "locals {}\n")]);
    assert_eq!(concise(&folder, &["-q"]).status, 1);
    folder.write("main.tf", document("// keylint: ignore[unknown-action] SEC-1"));
    assert_eq!(concise(&folder, &["-q"]), Ran::new(0, "", ""));
}

#[test]
fn a_part_of_the_files_tells_nothing_of_the_rest() {
    let config = "ignore:\n  - { rule: unknown-action, path: kms/a.json, reason: x }\n  - { rule: duplicate-sid, reason: x }\n";
    let folder = Folder::new(&[("keylint.yaml", config), ("kms/a.json", GOOD), ("kms/b.json", GOOD)]);
    assert_eq!(concise(&folder, &["-q", "kms/b.json"]), Ran::new(0, "", ""));
    let unused = |ran: &Ran| ran.stdout.matches("[unused-ignore]").count();
    assert_eq!(unused(&concise(&folder, &["-q", "kms/a.json"])), 1);
    assert_eq!(unused(&concise(&folder, &["-q"])), 2);
    // What is not looked for is not missed.
    assert_eq!(unused(&concise(&folder, &["-q", "--select", "unused-ignore"])), 0);
}

#[test]
fn ignores_are_listed() {
    let config = "ignore:\n  - { rule: [unknown-action, duplicate-sid], path: kms/a.json, sid: A, reason: SEC-1, expires: 2999-01-31 }\n";
    let folder = Folder::new(&[("keylint.yaml", config)]);
    folder.write(
        "b.yaml",
        TEMPLATE.replacen("- Sid: A", "- Sid: A # keylint: ignore[unknown-action] SEC-2", 1),
    );
    let ran = folder.run(&["ignores"]);
    let expected = "keylint.yaml:2:5: unknown-action, duplicate-sid (in kms/a.json, in the statement `A`, until 2999-01-31): SEC-1\nb.yaml:8:22: unknown-action: SEC-2\n";
    assert_eq!(ran, Ran::new(0, expected, ""));
}

#[test]
fn a_pattern_is_unused_only_if_all_that_it_covers_was_checked() {
    let config = "ignore:\n  - { rule: unknown-action, path: 'kms/*.json', reason: x }\n";
    let folder = Folder::new(&[("keylint.yaml", config), ("kms/a.json", BAD), ("kms/b.json", GOOD)]);
    assert_eq!(concise(&folder, &["-q", "kms/b.json"]), Ran::new(0, "", ""));
    folder.write("kms/a.json", GOOD);
    assert_eq!(concise(&folder, &["-q", "kms/b.json"]), Ran::new(0, "", ""));
    for all in [&["-q", "kms"][..], &["-q", "."], &["-q", "kms/a.json", "kms/b.json"]] {
        assert_eq!(concise(&folder, all).stdout.matches("[unused-ignore]").count(), 1, "{all:?}");
    }
}

#[test]
fn a_comment_counts_in_a_file_of_the_module_that_was_not_asked_for() {
    let data = "# keylint: ignore[unknown-action] SEC-1\n# keylint: ignore[unknown-action]\ndata \"aws_iam_policy_document\" \"k\" {\n  statement {\n    actions = [\"kms:Decrpt\", \"kms:*\"]\n    resources = [\"*\"]\n    principals {\n      type = \"AWS\"\n      identifiers = [\"111122223333\"]\n    }\n  }\n}\n";
    let key = "resource \"aws_kms_key\" \"k\" {\n  policy = data.aws_iam_policy_document.k.json\n}\n";
    let folder = Folder::new(&[("data.tf", data), ("main.tf", key)]);
    assert_eq!(concise(&folder, &["-q", "main.tf"]), Ran::new(0, "", ""));
    let all = concise(&folder, &["-q"]).stdout;
    assert!(all.contains("[missing-reason]") && !all.contains("[unknown-action]"), "{all}");
}

#[test]
fn metadata_that_is_not_understood_is_not_followed() {
    let folder = Folder::new(&[]);
    for (metadata, said) in [
        (
            "ignore: [{ rule: unknown-action, until: 2020-01-01, reason: x }]",
            "an ignore has no member `until`",
        ),
        ("ignore: [{ rule: unknown-action, sids: A, reason: x }]", "an ignore has no member `sids`"),
        (
            "ignore: [{ rule: unknown-action, statement: -1, reason: x }]",
            "the index of a statement is a number",
        ),
        ("ignores: [{ rule: unknown-action, reason: x }]", "keylint knows nothing of this name here"),
    ] {
        let with = format!("Type: AWS::KMS::Key\n    Metadata:\n      keylint: {{ {metadata} }}\n");
        folder.write("a.yaml", TEMPLATE.replace("Type: AWS::KMS::Key\n", &with));
        let ran = concise(&folder, &["-q", "a.yaml"]);
        let lines = ran.stdout.lines().count();
        assert!(
            lines == 2 && ran.stdout.contains(said) && ran.stdout.contains("[invalid-ignore]"),
            "{}",
            ran.stdout
        );
    }
    let alone =
        "Type: AWS::KMS::Key\n    Metadata: { keylint: { ignore: { rule: unknown-action, reason: x } } }\n";
    folder.write("a.yaml", TEMPLATE.replace("Type: AWS::KMS::Key\n", alone));
    assert_eq!(concise(&folder, &["-q", "a.yaml"]), Ran::new(0, "", ""));
    folder.write("a.yaml", format!("Metadata: {{ keylint: {{ ignore: [] }} }}\n{TEMPLATE}"));
    assert!(concise(&folder, &["-q", "a.yaml"]).stdout.contains("this stands at no resource"));
}

#[test]
fn the_list_is_safe_and_says_what_is_over_and_what_could_not_be_read() {
    let config =
        "ignore:\n  - { rule: unknown-action, reason: \"##[error]\\e[31m\\nx\", expires: 2020-01-31 }\n";
    let folder = Folder::new(&[("keylint.yaml", config)]);
    let ran = folder.run(&["ignores"]);
    let expected =
        "keylint.yaml:2:5: unknown-action (until 2020-01-31, so not followed): # #[error]␛[31m␊x\n";
    assert_eq!(ran, Ran::new(0, expected, ""));
    let ran = folder.run(&["ignores", "none.json"]);
    assert!(ran.status == 2 && ran.stderr.contains("[unreadable-file]"), "{}", ran.stderr);
}
