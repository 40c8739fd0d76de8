//! Which files are checked, and what becomes of those that cannot be.

use std::ffi::OsStr;
use std::fs;

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, Ran, all_broken, broken};

#[test]
fn a_walk_takes_json_files_in_order_and_skips_what_is_not_the_users() {
    let folder = Folder::new(&[
        ("b.json", BAD),
        ("a/z.json", BAD),
        ("a.json", BAD),
        ("a/LOUD.JSON", BAD),
        ("notes.txt", BAD),
        ("key.tpl", BAD),
        (".hidden.json", BAD),
        (".terraform/x.json", BAD),
        ("node_modules/p/x.json", BAD),
        ("cdk.out/x.json", BAD),
        ("directory.json/inside.json", BAD),
    ]);
    let expected = all_broken(&["a.json", "a/LOUD.JSON", "a/z.json", "b.json", "directory.json/inside.json"]);
    assert_eq!(folder.concise(&[]), expected);
    assert_eq!(folder.concise(&["./"]), expected);
    assert_eq!(folder.concise(&["a", "./b.json"]), all_broken(&["a/LOUD.JSON", "a/z.json", "b.json"]));
    assert_eq!(folder.concise(&["directory.json"]), broken("directory.json/inside.json"));
    assert_eq!(folder.concise(&["cdk.out"]), broken("cdk.out/x.json"), "a folder that is named is walked");
    let named = ["notes.txt", "key.tpl", ".hidden.json"];
    assert_eq!(folder.concise(&named), all_broken(&[".hidden.json", "key.tpl", "notes.txt"]));
}

#[test]
fn a_walk_honours_gitignore_and_a_name_overrides_it() {
    let folder = Folder::new(&[
        (".gitignore", "out/\nb.json\n"),
        ("a.json", BAD),
        ("b.json", BAD),
        ("out/c.json", BAD),
    ]);
    fs::create_dir(folder.0.join(".git")).unwrap();
    assert_eq!(folder.concise(&[]), broken("a.json"));
    assert_eq!(folder.concise(&["b.json", "out/c.json"]), all_broken(&["b.json", "out/c.json"]));
    assert_eq!(folder.concise(&["**/*.json"]), broken("a.json"));
    let ran = folder.run(&["b*.json"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.contains("a pattern finds no hidden and no ignored files"), "{}", ran.stdout);
}

#[test]
fn patterns_find_files() {
    let folder = Folder::new(&[
        ("keys/a.json", BAD),
        ("keys/eu/b.json", BAD),
        ("keys/eu/c.txt", BAD),
        ("keys/.hidden.json", BAD),
        ("x[1].json", BAD),
    ]);
    assert_eq!(folder.concise(&["keys/**/*.json"]), all_broken(&["keys/a.json", "keys/eu/b.json"]));
    assert_eq!(folder.concise(&["./keys/*.json"]), broken("keys/a.json"));
    assert_eq!(folder.concise(&["keys/e?"]), broken("keys/eu/b.json"), "a folder that is found is walked");
    assert_eq!(
        folder.concise(&["keys/eu/*.txt", "keys/eu"]),
        all_broken(&["keys/eu/b.json", "keys/eu/c.txt"])
    );
    assert_eq!(folder.concise(&["x[1].json"]), broken("x[1].json"), "a file that exists is no pattern");

    let ran = folder.run(&["--output-format=concise", "-q", "no/*.json", "keys/a.json"]);
    let expected = "no/*.json:1:1: error: no file matches `no/*.json` [unreadable-file]\n";
    assert_eq!(ran, Ran::new(2, broken("keys/a.json") + expected, ""));
    let ran = folder.run(&["--output-format=concise", "-q", "a***"]);
    assert_eq!(ran.status, 2);
    assert!(ran.stdout.starts_with("a***:1:1: error: `a***` is no pattern: "), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_read_fails_the_run_and_the_others_are_checked() {
    let folder = Folder::new(&[("a.json", BAD), ("c.json", GOOD)]);
    let ran = folder.run(&[
        "--output-format",
        "concise",
        "--fail-level",
        "never",
        "b.json",
        "c.json",
        "./b.json",
        "a.json",
    ]);
    let expected = broken("a.json") + "b.json:1:1: error: `b.json` does not exist [unreadable-file]\n";
    assert_eq!(ran, Ran::new(2, expected, "Checked 2 key policies in 2 files: 2 errors.\n"));
}

#[test]
fn text_that_is_not_utf8_is_shown_where_it_starts() {
    let folder = Folder::new(&[]);
    folder.write("a.json", b"{\"kms\":\n \"\xc3\xa9\xff\"}");
    folder.write("b.json", b"{\"weather\": \"\xff\"}");
    folder.write(
        "c.json",
        [&[0xff, 0xfe][..], &"{\"kms\"}".bytes().flat_map(|b| [b, 0]).collect::<Vec<_>>()].concat(),
    );
    let ran = folder.run(&["--output-format", "concise", "-q"]);
    let expected = "\
a.json:2:4: error: this is not UTF-8 text [invalid-syntax]
c.json:1:1: error: this is not UTF-8 text [invalid-syntax]
";
    assert_eq!(ran, Ran::new(2, expected, ""));
    let ran = folder.run(&["c.json"]);
    assert!(ran.stdout.contains("the file is UTF-16"), "{}", ran.stdout);
}

#[test]
#[cfg(unix)]
fn links_to_files_count_and_each_file_is_reported_once() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("keys/b.json", BAD), ("elsewhere/c.json", BAD)]);
    let link = |to: &str, from: &str| symlink(to, folder.0.join(from)).unwrap();
    link("b.json", "keys/a.json");
    link("../elsewhere/c.json", "keys/linked.json");
    link("..", "keys/loop");
    link("../elsewhere", "keys/folder.json");
    assert_eq!(folder.concise(&["keys"]), all_broken(&["keys/b.json", "keys/linked.json"]));
    assert_eq!(folder.concise(&["keys/a.json"]), broken("keys/a.json"));
    assert_eq!(
        folder.concise(&["keys/loop"]),
        all_broken(&["keys/loop/elsewhere/c.json", "keys/loop/keys/b.json"])
    );
    let everything = all_broken(&["elsewhere/c.json", "keys/b.json"]);
    let absolute = folder.0.join("keys/b.json");
    assert_eq!(folder.concise(&["."]), everything);
    let twice = ["keys/b.json", "./keys//b.json", ".", "keys", "**/*.json", "keys/../elsewhere/c.json"];
    assert_eq!(folder.concise(&twice), everything);
    let named = folder.run(&[OsStr::new("--output-format=concise"), absolute.as_os_str()]);
    assert_eq!(named.stdout, broken(absolute.to_str().unwrap()), "an absolute path stays one");
}

#[test]
#[cfg(unix)]
fn a_link_that_leads_nowhere_cannot_be_read() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new(&[("good.json", GOOD)]);
    symlink("self.json", folder.0.join("self.json")).unwrap();
    symlink("gone", folder.0.join("broken.json")).unwrap();
    symlink("gone", folder.0.join("broken.txt")).unwrap();
    for arguments in [&["."][..], &["self.json", "broken.json", "good.json"]] {
        let ran = folder.run(&[&["--output-format=concise", "-q"], arguments].concat());
        assert_eq!(ran.status, 2);
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0], "broken.json:1:1: error: `broken.json` does not exist [unreadable-file]");
        assert!(lines[1].starts_with("self.json:1:1: error: cannot read `self.json`: "), "{lines:?}");
    }
}

#[test]
fn standard_input_is_read_for_a_dash_alone() {
    let folder = Folder::new(&[]);
    let concise = ["--output-format", "concise", "-q", "-"];
    assert_eq!(folder.pipe(&concise, BAD), Ran::new(1, broken("<stdin>"), ""));
    let named = ["check", "--output-format", "concise", "-q", "--stdin-filename", "keys/a.json", "-"];
    assert_eq!(folder.pipe(&named, BAD), Ran::new(1, broken("keys/a.json"), ""));
    assert_eq!(folder.pipe(&["-"], GOOD), Ran::new(0, "Checked 1 key policy in 1 file: no problems.\n", ""));
    assert_eq!(folder.pipe(&["-"], ""), Ran::new(0, "", ""));
    let walked = folder.pipe(&[], BAD);
    assert_eq!(
        walked,
        Ran::new(0, "No key policy found in 0 files.\n", ""),
        "input that nobody asked for is not read"
    );
}

#[test]
fn files_are_taken_from_a_list() {
    let folder = Folder::new(&[
        ("a b.json", BAD),
        ("c.txt", BAD),
        ("d*.json", BAD),
        ("keys/e.json", BAD),
        ("lines", "a b.json\r\nc.txt\n\nd*.json\n"),
        ("nuls", "c.txt\0a b.json\0"),
        ("empty", ""),
        ("star", "*.json\n"),
    ]);
    assert_eq!(folder.concise(&["--files-from", "lines"]), all_broken(&["a b.json", "c.txt", "d*.json"]));
    assert_eq!(
        folder.concise(&["--files-from=nuls", "keys"]),
        all_broken(&["a b.json", "c.txt", "keys/e.json"])
    );
    assert_eq!(
        folder.run(&["--files-from", "empty"]),
        Ran::new(0, "", ""),
        "an empty list is not this folder"
    );
    assert_eq!(folder.run(&["--files-from", "star"]).status, 2, "a list has names and no patterns");
    let ran = folder.pipe(&["--output-format", "concise", "-q", "--files-from", "-"], "keys\nc.txt\n");
    assert_eq!(ran, Ran::new(1, all_broken(&["c.txt", "keys/e.json"]), ""));
}
