//! The documentation is true: its tables are what the program knows, its commands print what stands below them, and
//! the files that it names are there.
//!
//! `UPDATE=1 cargo test --test documentation` rewrites tables and output. Read the difference before it is committed.

#![cfg(test)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keylint::lint::{Linter, Settings};
use keylint_syntax::{Arena, Node, Tree, yaml};
use pretty_assertions::assert_eq;

/// What `$ cargo run …` and `$ keylint …` begin with.
const PROGRAMS: [&str; 2] = ["cargo run --release -- ", "keylint "];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Holds a document against what it should be, or makes it so. The files that it names have to be there.
fn keep(document: &str, wanted: &str) {
    assert_eq!(missing_files(wanted), [""; 0], "{document}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(root().join(document), wanted).unwrap();
    } else {
        assert_eq!(read(document), wanted);
    }
}

/// The files that a document names or links to, and that are not there.
fn missing_files(document: &str) -> Vec<&str> {
    let prose = || document.split("```").step_by(2);
    let is_path = |quoted: &&str| {
        let folders = ["crates/", "rules/", "fixtures/", ".ci/"];
        // A name in capitals stands for any.
        folders.iter().any(|folder| quoted.starts_with(folder)) && !quoted.contains("NAME")
    };
    let quoted = prose().flat_map(|prose| prose.split('`').skip(1).step_by(2)).filter(is_path);
    let linked =
        prose().flat_map(|prose| prose.split("](").skip(1)).filter_map(|link| link.split(')').next());
    let named: Vec<&str> = quoted.chain(linked.filter(|link| !link.starts_with("https://"))).collect();
    assert!(named.len() > 2, "the files are not where they are looked for");
    named.into_iter().filter(|path| !root().join(path).exists()).collect()
}

/// The document with this table between `<!-- name -->` and `<!-- /name -->`.
fn with_table(
    document: &str,
    name: &str,
    heading: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let (before, rest) = document.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(&heading.iter().map(ToString::to_string).collect::<Vec<_>>());
    table += &line(&heading.iter().map(|_| "---".to_owned()).collect::<Vec<_>>());
    table.extend(rows.map(|row| line(&row)));
    format!("{before}{begin}\n{table}\n{end}{after}")
}

/// The name and the title of each service, and who calls KMS for it.
fn services() -> Vec<Vec<String>> {
    let entries = fs::read_dir(root().join("rules/services")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let service = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let mut arena = Arena::default();
        yaml::parse(&text, &mut arena, &mut Vec::new());
        let root = Tree::new(&text, &arena).root().unwrap();
        let text = |node: Node<'_>, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        let calls = match (root.get("service-linked-role"), text(root, "principal")) {
            (Some(role), _) => {
                let suffix = role.get("custom-suffix").and_then(Node::as_bool) == Some(true);
                let name = text(role, "name").unwrap();
                format!("its role `{name}`{}", if suffix { ", and with a suffix" } else { "" })
            }
            (None, Some(principal)) => format!("`{}`", principal.replace("{region}", "REGION")),
            (None, None) => "whoever calls the service, and grants".to_owned(),
        };
        let name = path.file_stem().unwrap().to_str().unwrap();
        vec![format!("`{name}`"), text(root, "title").unwrap(), calls]
    };
    files.iter().map(service).collect()
}

/// A folder of its own, with the fixtures in it; gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = Self(std::env::temp_dir().join(format!("keylint-documentation-{}", std::process::id())));
        for entry in fs::read_dir(root().join("fixtures/key-policy")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            folder.write(&format!("fixtures/key-policy/{name}"), &fs::read(&path).unwrap());
        }
        folder
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// What a terminal shows of a run.
    fn run(&self, command: &str) -> String {
        let arguments = PROGRAMS.iter().find_map(|program| command.strip_prefix(program));
        let arguments = arguments.unwrap_or_else(|| panic!("not a run of keylint: {command}"));
        let mut keylint = Command::new(env!("CARGO_BIN_EXE_keylint"));
        keylint.args(arguments.split_whitespace()).current_dir(&self.0).env_clear().stdin(Stdio::null());
        let output = keylint.output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// The document, read from top to bottom: a block that names a file behind its language writes that file, and a
/// command in a block for the console has its output below it.
fn run_through(document: &str) -> String {
    let folder = Folder::new();
    let mut result = String::new();
    let mut commands = 0;
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(result, "{line}");
        let Some(info) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if let Some((_, file)) = info.split_once(' ') {
            folder.write(file, block.join("\n").as_bytes());
        }
        if info == "console" {
            for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                let _ = write!(result, "$ {command}\n{}", folder.run(command));
                commands += 1;
            }
        } else {
            result.extend(block.iter().flat_map(|line| [line, "\n"]));
        }
        result.push_str("```\n");
    }
    assert!(commands > 2, "the commands are not where they are looked for");
    result
}

#[test]
fn the_readme_lists_the_rules_and_services_and_shows_what_the_program_prints() {
    let (linter, ..) = Linter::new(&Settings::default(), &|_| unreachable!("no file is named")).unwrap();
    let rules = linter.rules().into_iter();
    let rules = rules.map(|rule| {
        vec![format!("`{}`", rule.name), rule.group.clone(), rule.severity.to_string(), rule.summary.clone()]
    });
    let document = read("README.md");
    let document = with_table(&document, "rules", &["rule", "group", "severity", "finds"], rules);
    let heading = ["name", "service", "who calls"];
    let document = with_table(&document, "services", &heading, services().into_iter());
    keep("README.md", &run_through(&document));
}

#[test]
fn the_guide_lists_the_words_of_sentences() {
    let words = keylint_rules::WORDS.iter().map(|(word, is)| vec![format!("`{word}`"), (*is).to_owned()]);
    keep("CONTRIBUTING.md", &with_table(&read("CONTRIBUTING.md"), "words", &["word", "stands for"], words));
}
