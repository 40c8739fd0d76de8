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
    let broken =
        |path: &str| Ran::new(2, format!("{path}:1:1: error: this is broken [invalid-config]\n"), "");
    let fine = Ran::new(0, "", "");
    assert_eq!(in_folder(".", &[]), broken("keylint.yaml"));
    assert_eq!(in_folder("repo/a/b", &[]), fine, "the root of the repository is the end of the way");
    folder.write("repo/keylint.yaml", "BROKEN");
    assert_eq!(in_folder("repo/a/b", &[]), broken("../../keylint.yaml"));
    folder.write("repo/a/keylint.yaml", "fine");
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
fn what_is_wrong_with_the_configuration_comes_first_and_fails_every_command() {
    let folder = Folder::new(&[("keylint.yaml", "BROKEN"), ("a.json", BAD)]);
    let wrong = "keylint.yaml:1:1: error: this is broken [invalid-config]\n";
    let ran = folder.run(&["--output-format=concise", "-q"]);
    assert_eq!(ran, Ran::new(2, wrong.to_owned() + &broken("a.json"), ""));
    let ran = folder.run(&["rules"]);
    assert_eq!((ran.status, &*ran.stderr), (2, wrong));
    assert!(ran.stdout.starts_with("name"), "{}", ran.stdout);
}
