//! Findings that were there before.

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, Ran, broken};

fn concise(folder: &Folder, arguments: &[&str]) -> Ran {
    folder.run(&[&["--output-format", "concise"], arguments].concat())
}

fn folder() -> Folder {
    let folder = Folder::new(&[
        ("keylint.yaml", "baseline: keylint-baseline.json\n"),
        ("kms/a.json", BAD),
        ("kms/b.json", GOOD),
    ]);
    let ran = folder.run(&["baseline"]);
    assert_eq!(ran, Ran::new(0, "keylint-baseline.json: 1 finding\n", ""));
    folder
}

#[test]
fn what_is_in_the_baseline_is_not_reported() {
    let folder = folder();
    let text = folder.read("keylint-baseline.json");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "an entry a line: {text}");
    assert!(lines[1].starts_with(r#"{"file":"kms/a.json","rule":"unknown-action","message":""#), "{text}");
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());

    let ran = concise(&folder, &[]);
    assert_eq!((ran.status, &*ran.stdout), (0, ""));
    assert!(ran.stderr.ends_with(": no problems (1 in the baseline).\n"), "{}", ran.stderr);
    // From another folder too, and with one file.
    let mut command =
        folder.command(&["--output-format", "concise", "--baseline", "../keylint-baseline.json", "a.json"]);
    assert_eq!(Ran::of(command.current_dir(folder.0.join("kms"))).status, 0);
    // The same in another file is new.
    folder.write("kms/b.json", BAD);
    let ran = concise(&folder, &[]);
    assert_eq!((ran.status, ran.stdout), (1, broken("kms/b.json")));
}

#[test]
fn an_entry_survives_formatting_moving_and_renaming() {
    let folder = folder();
    let statement = r#"{ "Resource": "*", "Effect": "Allow",
      "Principal": { "AWS": "111122223333" },
      "Action": [ "kms:Decrpt", "kms:*" ] }"#;
    let other =
        r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}"#;
    let policy =
        format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{other},\n{statement}]\n}}\n");
    folder.write("kms/a.json", &policy);
    assert_eq!(concise(&folder, &["--ignore", "pedantic"]).status, 0);
    std::fs::rename(folder.0.join("kms/a.json"), folder.0.join("kms/new.json")).unwrap();
    assert_eq!(concise(&folder, &[]).status, 0);
}

#[test]
fn what_no_longer_occurs_is_said_and_taken_out() {
    let folder = folder();
    folder.write("kms/a.json", GOOD);
    let ran = concise(&folder, &[]);
    let line = "1 finding of the baseline no longer occur: `keylint baseline --prune` takes it out.\n";
    assert!(ran.status == 0 && ran.stderr.starts_with(&line.replace("occur:", "occurs:")), "{}", ran.stderr);
    // A run that does not check the file does not know.
    let ran = concise(&folder, &["kms/b.json"]);
    assert!(!ran.stderr.contains("baseline"), "{}", ran.stderr);
    assert_eq!(
        folder.run(&["baseline", "--prune", "kms/b.json"]).stdout,
        "keylint-baseline.json: 1 finding\n"
    );
    assert_eq!(folder.run(&["baseline", "--prune"]).stdout, "keylint-baseline.json: 0 findings\n");
    // New findings are not put in by pruning.
    folder.write("kms/a.json", BAD);
    assert_eq!(folder.run(&["baseline", "--prune"]).stdout, "keylint-baseline.json: 0 findings\n");
    assert_eq!(concise(&folder, &[]).status, 1);
}

#[test]
fn what_cannot_be_read_is_in_no_baseline() {
    let folder = folder();
    folder.write("kms/a.json", "{\"Statement\": [\"kms:\"\n");
    let ran = folder.run(&["baseline"]);
    assert_eq!((ran.status, &*ran.stdout), (2, "keylint-baseline.json: 0 findings\n"));
    assert!(ran.stderr.contains("[invalid-syntax]"), "{}", ran.stderr);
    assert_eq!(concise(&folder, &[]).status, 2);
    for (text, said) in [
        ("[]", "is no baseline"),
        ("{\"version\": 7, \"findings\": []}", "its version is 7"),
        ("{\"version\": 1, \"findings\": [", "is no baseline"),
    ] {
        folder.write("keylint-baseline.json", text);
        let ran = concise(&folder, &["kms/b.json"]);
        assert!(ran.status == 2 && ran.stderr.contains(said), "{}", ran.stderr);
    }
    let ran = concise(&folder, &["--baseline", "none.json", "kms/b.json"]);
    let said = "error: cannot read the baseline `none.json`: it does not exist\n  help: `keylint baseline` writes one\n";
    assert_eq!(ran, Ran::new(2, "", said));
}

#[test]
fn a_baseline_in_a_folder_of_its_own_has_no_machine_in_it() {
    let folder = Folder::new(&[("keylint.yaml", "baseline: .ci/known.json\n"), ("kms/a.json", BAD)]);
    std::fs::create_dir(folder.0.join(".ci")).unwrap();
    assert_eq!(folder.run(&["baseline"]).stdout, ".ci/known.json: 1 finding\n");
    assert!(
        folder.read(".ci/known.json").contains(r#""file":"../kms/a.json""#),
        "{}",
        folder.read(".ci/known.json")
    );
    assert_eq!(concise(&folder, &[]).status, 0);
    // In another clone.
    let clone = Folder::new(&[
        ("keylint.yaml", "baseline: .ci/known.json\n"),
        ("kms/a.json", BAD),
        ("kms/b.json", BAD),
    ]);
    clone.write(".ci/known.json", folder.read(".ci/known.json"));
    assert_eq!(concise(&clone, &[]).stdout, broken("kms/b.json"));
}

#[test]
fn a_baseline_of_some_files_keeps_what_is_known_of_the_others() {
    let folder = folder();
    folder.write("kms/b.json", BAD);
    assert_eq!(folder.run(&["baseline", "kms/b.json"]).stdout, "keylint-baseline.json: 2 findings\n");
    folder.write("kms/a.json", GOOD);
    assert_eq!(folder.run(&["baseline", "kms/a.json"]).stdout, "keylint-baseline.json: 1 finding\n");
    std::fs::remove_file(folder.0.join("kms/b.json")).unwrap();
    assert_eq!(folder.run(&["baseline", "kms/a.json"]).stdout, "keylint-baseline.json: 0 findings\n");
}
