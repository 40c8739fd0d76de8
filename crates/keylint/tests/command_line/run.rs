//! What holds for a run as a whole.

use std::fs;
use std::process::Stdio;

use pretty_assertions::assert_eq;

use crate::{BAD, Folder, GOOD, OTHER, Ran, UNRELATED};

#[test]
fn output_is_the_same_for_any_number_of_threads() {
    let folder = Folder::new(&[]);
    for index in 0..300 {
        let text = [GOOD, BAD, OTHER, UNRELATED][index % 4];
        folder.write(&format!("{}/{index}.json", index % 7), text);
    }
    for format in ["full", "concise", "json"] {
        let run =
            |threads: &str| folder.run(&["--output-format", format, "--threads", threads, ".", "no.json"]);
        let one = run("1");
        assert_eq!(one.status, 2);
        for threads in ["2", "8"] {
            assert_eq!(run(threads), one, "{format}, {threads} threads");
        }
    }
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let folder = Folder::new(&[("a.json", GOOD)]);
    // More than a pipe holds, so that the writer is still writing when its reader leaves.
    folder.write("b.json", BAD.replace(r#""kms:Decrpt""#, &vec![r#""kms:Decrpt""#; 20_000].join(",\n")));
    for (path, status) in [("b.json", 1), ("missing.json", 2)] {
        let arguments = ["--output-format=concise", "-q", "b.json", path];
        let mut child =
            folder.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(output.status.code(), Some(status));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure() {
    let folder = Folder::new(&[("a.json", GOOD)]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::with_streams(folder.command(&["a.json"]).stdout(full).stderr(Stdio::piped()));
    assert_eq!(ran.status, 2);
    assert!(ran.stderr.starts_with("error: cannot write to standard output: "), "{}", ran.stderr);
}
