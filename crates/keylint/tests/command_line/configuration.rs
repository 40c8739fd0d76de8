//! Which configuration counts.

use std::fs;

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, Ran, broken};

#[test]
fn the_nearest_configuration_of_the_repository_is_read() {
    let folder =
        Folder::new(&[("keylint.yaml", "BROKEN"), ("repo/a/b/x.json", GOOD), ("repo/.git/HEAD", "")]);
    let in_folder = |path: &str, arguments: &[&str]| {
        Ran::of(
            folder
                .command(&[&["--output-format=concise", "-q"], arguments].concat())
                .current_dir(folder.0.join(path)),
        )
    };
    let broken = |path: &str| {
        Ran::new(2, format!("{path}:1:1: error: expected an object, found a string [invalid-config]\n"), "")
    };
    let fine = Ran::new(0, "", "");
    assert_eq!(in_folder(".", &[]), broken("keylint.yaml"));
    assert_eq!(in_folder("repo/a/b", &[]), fine, "the root of the repository is the end of the way");
    folder.write("repo/keylint.yaml", "BROKEN");
    assert_eq!(in_folder("repo/a/b", &[]), broken("../../keylint.yaml"));
    folder.write("repo/a/keylint.yaml", "account: '111122223333'\n");
    assert_eq!(in_folder("repo/a/b", &[]), fine, "the nearest one counts");
    assert_eq!(in_folder("repo/a/b", &["--config", "../../keylint.yaml"]), broken("../../keylint.yaml"));
    fs::remove_dir_all(folder.0.join("repo/.git")).unwrap();
    folder.write("repo/a/keylint.yaml", "BROKEN");
    assert_eq!(
        in_folder("repo/a/b", &[]),
        fine,
        "outside of a repository only the current folder is looked at"
    );
}

#[test]
fn the_configuration_says_how_bad_a_finding_is() {
    let folder = Folder::new(&[("a.json", BAD), ("keylint.yaml", "severity: { unknown-action: note }\n")]);
    let ran = folder.run(&["--output-format=concise", "-q"]);
    assert_eq!(ran, Ran::new(0, broken("a.json").replace(": error:", ": note:"), ""));
    for (wrong, said) in [
        ("severity: { unknown-actoin: note }", "no rule is named `unknown-actoin`"),
        ("severity: { invalid-syntax: note }", "`invalid-syntax` is always an error"),
        ("severity: { unknown-action: off }", "off"),
    ] {
        folder.write("keylint.yaml", wrong);
        let ran = folder.run(&["--output-format=concise", "-q"]);
        assert!(ran.status == 2 && ran.stdout.contains(said), "{wrong}: {}", ran.stdout);
    }
}

#[test]
fn what_is_wrong_with_the_configuration_comes_first_and_fails_every_command() {
    let folder = Folder::new(&[("keylint.yaml", "BROKEN"), ("a.json", BAD)]);
    let wrong = "keylint.yaml:1:1: error: expected an object, found a string [invalid-config]\n";
    let ran = folder.run(&["--output-format=concise", "-q"]);
    assert_eq!(ran, Ran::new(2, wrong.to_owned() + &broken("a.json"), ""));
    let ran = folder.run(&["rules"]);
    assert_eq!((ran.status, &*ran.stderr), (2, wrong));
    assert!(ran.stdout.starts_with("name"), "{}", ran.stdout);
}

#[test]
fn mistakes_in_the_configuration_have_a_place_and_a_suggestion() {
    let folder = Folder::new(&[("a.json", GOOD)]);
    let concise = |configuration: &str| {
        folder.write("keylint.yaml", configuration);
        let ran = folder.run(&["--output-format=full", "-q", "a.json"]);
        assert_eq!(ran.status, 2, "{configuration}");
        ran.stdout
    };
    for (configuration, place, said) in [
        ("acount: '111122223333'\n", "keylint.yaml:1:1", "account"),
        ("select: [unknown-actoin]\n", "keylint.yaml:1:10", "did you mean `unknown-action`?"),
        ("rules: [mine.yaml]\n", "keylint.yaml:1:9", "cannot read the rule file `mine.yaml`"),
        (
            "keys:\n  - policy: '*.json'\n    serves: [{ service: autoscalin }]\n",
            "keylint.yaml:3:25",
            "did you mean `autoscaling`?",
        ),
    ] {
        let shown = concise(configuration);
        assert!(
            shown.contains("error[invalid-config]") && shown.contains(place) && shown.contains(said),
            "{shown}"
        );
    }
}

#[test]
fn the_users_own_rules_and_services_are_applied() {
    let folder = Folder::new(&[("keys/a.json", GOOD), ("other/a.json", GOOD)]);
    folder.write("keylint.yaml", "rules: [lint/whole-account.yaml]\nservices: [lint/batch.yaml]\nkeys:\n  - policy: 'keys/*'\n    serves: [{ service: batch }]\n");
    folder.write(
        "lint/whole-account.yaml",
        "summary: an account may do everything\nseverity: warning\ngroup: suspicious\nwhy: We name administrators.\n\
         match: { effect: Allow, principal: account, covers: 'kms:ScheduleKeyDeletion', at: principal }\n\
         message: '{principal} can delete the key'\nhelp: name an administrator\n",
    );
    folder.write(
        "lint/batch.yaml",
        "title: Our batch\nservice-linked-role: { service: batch.amazonaws.com, name: AWSServiceRoleForBatch }\n\
         needs: [{ may: 'kms:Decrypt' }]\nreferences: [https://docs.aws.amazon.com/batch/]\n",
    );
    let expected = "keys/a.json:1:3: error: Our batch cannot use this key: `kms:Decrypt` is not allowed [missing-service-permission]\n\
         keys/a.json:1:57: warning: `111122223333` can delete the key [whole-account]\n\
         other/a.json:1:57: warning: `111122223333` can delete the key [whole-account]\n";
    assert_eq!(folder.concise(&["keys", "other"]), expected);

    folder.write(
        "lint/whole-account.yaml",
        "summary: s\nseverity: fatal\ngroup: suspicious\nwhy: w\nmatch: { effect: Allow }\nmessage: m\n",
    );
    let ran = folder.run(&["--output-format=concise", "-q", "other"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stdout.starts_with("lint/whole-account.yaml:2:11: error: ")
            && ran.stdout.contains("[invalid-rule]"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_only_possible_is_told_to_those_who_ask() {
    let folder = Folder::new(&[]);
    let maybe = GOOD.replace(
        r#""Resource": "*""#,
        r#""Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
    );
    folder.write("a.json", &maybe);
    assert_eq!(folder.concise(&["a.json"]), "");
    let all = folder.concise(&["--select=all", "a.json"]);
    assert!(all.contains(": note: nobody in the key's account may call `kms:PutKeyPolicy`"), "{all}");
}

#[test]
fn a_service_and_an_account_can_be_declared() {
    let folder = Folder::new(&[("a.json", GOOD)]);
    let served = folder.concise(&["--service", "autoscaling", "a.json"]);
    assert!(served.starts_with("a.json:1:3: error: EC2 Auto Scaling cannot use this key: "), "{served}");
    let foreign = folder.concise(&["--account", "444455556666", "a.json"]);
    assert!(foreign.contains("[unmanageable-key]"), "{foreign}");
    let unknown = folder.run(&["--service", "autoscalin", "a.json"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("did you mean `autoscaling`?"), "{}", unknown.stderr);
}

#[test]
fn settings_are_shown_with_where_they_come_from() {
    let config =
        "account: '111122223333'\nignore:\n  - accidental-revoke\n  - { rule: unknown-action, reason: x }\n";
    let folder = Folder::new(&[("keylint.yaml", config)]);
    let mut command = folder.command(&["config", "show", "--select", "security,grants"]);
    command.env("KEYLINT_FAIL_LEVEL", "error");
    let ran = Ran::of(&mut command);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let lines: Vec<String> =
        ran.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "config keylint.yaml",
        "account '111122223333' (keylint.yaml:1:1)",
        "select security, grants (--select)",
        "ignore - accidental-revoke - { rule: unknown-action, reason: x } (keylint.yaml:2:1)",
        "fail-level error (KEYLINT_FAIL_LEVEL)",
        "output-format full (default)",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}: {}", ran.stdout);
    }
    assert_eq!(folder.run(&["config", "shwo"]).status, 2);
    // What is wrong with them is said as a check says it.
    folder.write("keylint.yaml", "acount: 1\n");
    let ran = folder.run(&["config", "show"]);
    assert!(ran.status == 2 && ran.stderr.contains("keylint.yaml:1:1: error:"), "{}", ran.stderr);
    let ran = folder.run(&["config", "show", "--config", "none.yaml"]);
    assert_eq!(ran.status, 2);
}
