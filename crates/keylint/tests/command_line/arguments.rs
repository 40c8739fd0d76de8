//! What can be asked for, and how it is refused.

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, Ran, broken};

#[test]
fn the_word_check_may_be_left_out() {
    let folder = Folder::new(&[("a.json", GOOD), ("b.json", GOOD)]);
    let expected = Ran::new(0, "Checked 2 key policies in 2 files: no problems.\n", "");
    for arguments in [
        &[][..],
        &["."],
        &["check"],
        &["check", "."],
        &["a.json", "b.json"],
        &["*.json"],
        &["--color", "never"],
        &["check", "--color", "never", "a.json", "b.json"],
    ] {
        assert_eq!(folder.run(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_word_that_is_no_file_may_be_a_command() {
    let folder = Folder::new(&[]);
    let ran = folder.run(&["rulse"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.contains("`rulse` does not exist"), "{}", ran.stdout);
    assert!(ran.stdout.contains("did you mean the command `rules`?"), "{}", ran.stdout);
    let ran = folder.run(&["--color", "never", "rules"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.contains("a command stands before all options: `keylint rules …`"), "{}", ran.stdout);
}

#[test]
fn wrong_usage_is_status_2_and_says_what_is_right() {
    let folder = Folder::new(&[("a.json", GOOD)]);
    for (arguments, words) in [
        (&["--nonsense"][..], "unexpected argument '--nonsense'"),
        (&["--output-format", "jsno"], "did you mean `json`?"),
        (
            &["--output-format", "xml"],
            "the formats are `full`, `plain`, `concise`, `json`, `jsonl`, `sarif`, ",
        ),
        (
            &["--output-format", "json", "--output-format", "full"],
            "only one --output-format can go to standard output",
        ),
        (
            &["--output-format", "json=x", "--output-format", "full=./x"],
            "only one --output-format can go to `./x`",
        ),
        (&["--fail-level", "info"], "[possible values: error, warning, note, never]"),
        (&["--account", "1234"], "the id of an account has 12 digits"),
        (&["--threads", "0"], "'--threads <N>'"),
        (&["--select", "unknown-actoin"], "did you mean `unknown-action`?"),
        (&["--ignore", "unknown-action,zzzzzzzzz"], "`keylint rules` lists them"),
        (&["--config", "no.yaml"], "cannot read the configuration `no.yaml`: it does not exist"),
        (&["--files-from", "no.txt"], "--files-from: `no.txt` does not exist"),
        (&["-", "a.json"], "`-` (standard input) cannot be checked together with other files"),
        (&["--stdin-filename", "x.json", "a.json"], "--stdin-filename needs `-`"),
        (&["explain", "unknown-actoin"], "did you mean `unknown-action`?"),
        (&["explain", "zzzzzzzzz"], "no rule is named `zzzzzzzzz`"),
        (&["schema", "x"], "[possible values: policy, rule, service, config, output]"),
        (&["schema"], "<KIND>"),
    ] {
        let ran = folder.run(arguments);
        assert_eq!((ran.status, &*ran.stdout), (2, ""), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn options_come_from_the_environment_too() {
    let folder = Folder::new(&[("a.json", BAD)]);
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        Ran::of(folder.command(arguments).envs(variables.iter().copied()))
    };
    let variables =
        [("KEYLINT_OUTPUT_FORMAT", "concise"), ("KEYLINT_QUIET", "1"), ("KEYLINT_FAIL_LEVEL", "never")];
    assert_eq!(with(&variables, &[]), Ran::new(0, broken("a.json"), ""));
    assert_eq!(with(&variables, &["--fail-level", "error"]), Ran::new(1, broken("a.json"), ""));
    assert_eq!(
        with(&[("KEYLINT_QUIET", "0"), ("KEYLINT_OUTPUT_FORMAT", "concise")], &[]).stderr.lines().count(),
        1
    );
    assert_eq!(with(&[("KEYLINT_THREADS", "x")], &[]).status, 2);
    assert_eq!(with(&[("KEYLINT_COLOR", "never")], &["schema", "config"]).status, 0);
}

#[test]
fn help_is_grouped_and_has_examples() {
    let folder = Folder::new(&[]);
    let ran = folder.run(&["--help"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let expected = include_str!("help.txt");
    assert_eq!(ran.stdout, expected);
    let version = folder.run(&["--version"]);
    assert_eq!(version, Ran::new(0, format!("keylint {}\n", env!("CARGO_PKG_VERSION")), ""));
}

#[test]
fn rules_are_listed_and_explained() {
    let folder = Folder::new(&[]);
    let ran = folder.run(&["rules"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    let mut lines = ran.stdout.lines();
    let heading = lines.next().unwrap();
    assert_eq!(heading.split_whitespace().collect::<Vec<_>>(), ["name", "group", "severity", "summary"]);
    let column = heading.find("summary").unwrap();
    let rule = lines.find(|line| line.starts_with("unknown-action ")).unwrap();
    assert_eq!(rule.get(column..), Some("an action is no operation of KMS"));

    let list = |arguments: &[&str]| -> serde_json::Value {
        let ran = folder.run(&[&["rules", "--output-format", "json"], arguments].concat());
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        serde_json::from_str(&ran.stdout).unwrap()
    };
    let named = |list: &serde_json::Value, member: &str, name: &str| -> serde_json::Value {
        list.as_array().unwrap().iter().find(|entry| entry[member] == name).unwrap().clone()
    };
    assert_eq!(named(&list(&[]), "name", "unknown-action")["group"], "correctness");
    let covered = named(&list(&["--parity"]), "code", "INVALID_ACTION");
    assert_eq!(covered["rules"], serde_json::json!(["unknown-action"]));

    let ran = folder.run(&["rules", "--output-format", "markdown"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    for part in ["\n- security\n", "\n## correctness\n\n### ", "\n### unknown-action\n", "```json\n{"] {
        assert!(ran.stdout.contains(part), "{part}");
    }

    let ran = folder.run(&["explain", "unknown-action"]);
    assert_eq!((ran.status, &*ran.stderr), (0, ""));
    assert!(ran.stdout.starts_with("unknown-action"), "{}", ran.stdout);
}

#[test]
fn schemas_are_printed() {
    let folder = Folder::new(&[]);
    for kind in ["policy", "rule", "service", "config", "output"] {
        let ran = folder.run(&["schema", kind]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""));
        let schema: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(schema.is_object(), "{kind}");
    }
}
