//! What is said, where, and how.

use std::fs;

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, OTHER, Ran, UNRELATED, broken};

#[test]
fn the_last_line_says_what_was_looked_at() {
    let folder = Folder::new(&[
        ("good/a.json", GOOD),
        ("good/other.json", OTHER),
        ("good/unrelated.json", UNRELATED),
        ("none/other.json", OTHER),
        ("none/unrelated.json", UNRELATED),
        ("bad/a.json", BAD),
    ]);
    let line =
        |arguments: &[&str]| folder.run(arguments).stdout.lines().last().unwrap_or_default().to_owned();
    assert_eq!(line(&["good"]), "Checked 1 key policy in 2 files: no problems.");
    assert_eq!(line(&["none"]), "No key policy found in 2 files.");
    assert_eq!(line(&["none/*.json"]), "No key policy found in 2 files.");
    assert_eq!(line(&["bad", "good"]), "Checked 2 key policies in 3 files: 1 error.");
    for named in ["none/other.json", "none/unrelated.json"] {
        assert_eq!(folder.run(&[named]), Ran::new(0, "", ""), "{named}");
    }
    assert_eq!(folder.run(&["-q", "good"]), Ran::new(0, "", ""));
    let quiet = folder.run(&["-q", "bad"]);
    assert!(quiet.stdout.contains("unknown action") && !quiet.stdout.contains("Checked"), "{}", quiet.stdout);
}

#[test]
fn each_format_writes_its_own_and_the_status_is_the_same() {
    let folder = Folder::new(&[("a.json", BAD)]);
    let last_line = "Checked 1 key policy in 1 file: 1 error.\n";
    let full = folder.run(&["a.json"]);
    assert_eq!((full.status, &*full.stderr), (1, ""));
    assert!(full.stdout.contains("error[unknown-action]: unknown action `kms:Decrpt`"), "{}", full.stdout);
    assert!(full.stdout.ends_with(&format!("\n\n{last_line}")), "{}", full.stdout);
    assert_eq!(folder.run(&["--output-format=full", "a.json"]), full);

    let concise = folder.run(&["--output-format=concise", "a.json"]);
    assert_eq!(concise, Ran::new(1, broken("a.json"), last_line));
    assert_eq!(folder.run(&["--output-format=concise", "-q", "a.json"]), Ran::new(1, broken("a.json"), ""));

    let json = folder.run(&["--output-format=json", "a.json"]);
    assert_eq!((json.status, &*json.stderr), (1, ""));
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["diagnostics"][0]["file"], "a.json");
    assert_eq!(document["summary"]["policies"], 1);
    assert_eq!(document["keylint"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn several_formats_are_written_in_one_run() {
    let folder = Folder::new(&[("a.json", BAD), ("concise.txt", "old"), ("sub/x", "")]);
    let arguments = [
        "--output-format",
        "json=sub/report.json",
        "--output-format=full",
        "--output-format=concise=concise.txt",
    ];
    let ran = folder.run(&[&arguments[..], &["a.json"]].concat());
    assert_eq!(ran, folder.run(&["a.json"]));
    assert_eq!(folder.read("concise.txt"), broken("a.json"));
    let json = folder.run(&["--output-format=json", "a.json"]);
    assert_eq!(folder.read("sub/report.json"), json.stdout);
    assert_eq!(fs::read_dir(folder.0.join("sub")).unwrap().count(), 2, "no temporary file is left behind");

    let ran = folder.run(&["--output-format=json=report.json", "a.json"]);
    assert_eq!(ran, Ran::new(1, "", "Checked 1 key policy in 1 file: 1 error.\n"));
}

#[test]
fn a_report_that_cannot_be_written_is_status_2() {
    let folder = Folder::new(&[("a.json", GOOD)]);
    let ran = folder.run(&["--output-format=json=no/report.json", "a.json"]);
    assert_eq!(ran, Ran::new(2, "", "error: cannot write `no/report.json`: it does not exist\n"));
    let ran = folder.run(&["--output-format=json=.", "a.json"]);
    assert_eq!((ran.status, &*ran.stdout), (2, ""));
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1);
}

#[test]
#[cfg(unix)]
fn a_report_keeps_links_and_devices() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("a.json", BAD), ("real.txt", "old")]);
    symlink("real.txt", folder.0.join("link.txt")).unwrap();
    folder.run(&["--output-format=concise=link.txt", "a.json"]);
    assert_eq!(folder.read("real.txt"), broken("a.json"));
    assert!(fs::symlink_metadata(folder.0.join("link.txt")).unwrap().is_symlink());
    assert_eq!(folder.run(&["--output-format=concise=/dev/null", "-q", "a.json"]), Ran::new(1, "", ""));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    let ran = folder.run(&["--output-format=concise=/dev/stdout", "-q", "a.json"]);
    assert_eq!(ran, Ran::new(1, broken("a.json"), ""));
}

#[test]
fn colour_is_for_terminals_and_for_who_asks() {
    let folder = Folder::new(&[("a.json", BAD)]);
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let ran = Ran::of(folder.command(arguments).args(["a.json"]).envs(variables.iter().copied()));
        assert_eq!(ran.status, 1);
        ran.stdout.contains('\u{1b}')
    };
    assert!(!colored(&[], &[]));
    assert!(colored(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(colored(&[], &[("FORCE_COLOR", "1")]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[], &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(&["--color=never"], &[("FORCE_COLOR", "1")]));
    assert!(!colored(&["--color=always", "--output-format=concise"], &[]));
    folder.run(&["--color=always", "--output-format=full=full.txt", "a.json"]);
    assert!(!folder.read("full.txt").contains('\u{1b}'), "a file has no colour");
}

#[test]
fn the_level_decides_between_0_and_1() {
    let folder = Folder::new(&[("a.json", BAD)]);
    for format in ["full", "concise", "json"] {
        let status =
            |level: &str| folder.run(&["--output-format", format, "--fail-level", level, "."]).status;
        assert_eq!(["error", "warning", "note", "never"].map(status), [1, 1, 1, 0], "{format}");
    }
}
