//! What reads the output of keylint: problem matchers, build servers, code hosts, shells.

use pretty_assertions::assert_eq;
use regex::Regex;
use serde_json::{Value, json};

use crate::{BAD, Folder, GOOD};

/// A finding as a matcher sees it: file, line, column, severity, message, rule.
type Seen = [Option<String>; 6];

/// What a matcher of GitHub Actions or VS Code makes of lines: its patterns have to match lines that follow one another.
fn matched(matcher: &Value, text: &str) -> Vec<Seen> {
    let patterns = match &matcher["pattern"] {
        Value::Array(patterns) => patterns.clone(),
        one => vec![one.clone()],
    };
    let regexes: Vec<Regex> =
        patterns.iter().map(|pattern| Regex::new(pattern["regexp"].as_str().unwrap()).unwrap()).collect();
    let lines: Vec<&str> = text.lines().collect();
    let mut seen = Vec::new();
    for window in lines.windows(patterns.len()) {
        let captures: Option<Vec<_>> =
            regexes.iter().zip(window).map(|(regex, line)| regex.captures(line)).collect();
        let Some(captures) = captures else { continue };
        let names = ["file", "line", "column", "severity", "message", "code"];
        seen.push(names.map(|name| {
            let of_pattern = |(pattern, captures): (&Value, &regex::Captures<'_>)| {
                let group = usize::try_from(pattern[name].as_u64()?).unwrap();
                Some(captures.get(group)?.as_str().to_owned())
            };
            patterns.iter().zip(&captures).find_map(of_pattern)
        }));
    }
    seen
}

#[test]
fn problem_matchers_read_what_is_printed() {
    let folder = Folder::new(&[("a.json", BAD), ("kms/b c.json", BAD)]);
    let github: Value = serde_json::from_str(&folder.run(&["problem-matcher", "github"]).stdout).unwrap();
    let vscode: Value = serde_json::from_str(&folder.run(&["problem-matcher", "vscode"]).stdout).unwrap();
    let matchers = github["problemMatcher"].as_array().unwrap();
    let expected = |file: &str| -> Seen {
        [file, "2", "14", "error", "`kms:Decrpt` is no action of KMS", "unknown-action"]
            .map(|part| Some(part.to_owned()))
    };
    let concise = folder.run(&["--output-format", "concise"]).stdout;
    let full = folder.run(&[] as &[&str]).stdout;
    let all = [expected("a.json"), expected("kms/b c.json")];
    let message = |seen: Vec<Seen>| -> Vec<Seen> {
        seen.into_iter()
            .map(|mut one| {
                assert!(one[4].as_ref().is_some_and(|text| text.contains("`kms:Decrpt`")), "{one:?}");
                one[4].clone_from(&all[0][4]);
                one
            })
            .collect()
    };
    assert_eq!(message(matched(&matchers[0], &concise)), all);
    assert_eq!(message(matched(&vscode["tasks"][0]["problemMatcher"], &concise)), all);
    assert_eq!(message(matched(&matchers[2], &full)), all);
    // No line is read by two of them, and the drawing of `full` by none but its own.
    assert_eq!(matched(&matchers[1], &concise), Vec::<Seen>::new());
    assert_eq!(matched(&matchers[0], &full), Vec::<Seen>::new());
    assert_eq!(matched(&matchers[2], &concise), Vec::<Seen>::new());
}

#[test]
fn several_reports_are_written_at_once_and_the_status_is_the_same() {
    let folder = Folder::new(&[("a.json", BAD), ("b.json", GOOD)]);
    std::fs::create_dir(folder.0.join(".git")).unwrap();
    let formats = [
        "plain",
        "concise",
        "json",
        "jsonl",
        "sarif",
        "github",
        "gitlab",
        "junit",
        "checkstyle",
        "rdjson",
        "rdjsonl",
        "azure",
        "teamcity",
        "markdown",
    ];
    let files: Vec<String> = formats.iter().map(|format| format!("{format}=out/{format}")).collect();
    std::fs::create_dir(folder.0.join("out")).unwrap();
    let mut arguments: Vec<&str> = files.iter().flat_map(|file| ["--output-format", file]).collect();
    arguments.extend(["--output-format", "github", "a.json"]);
    let ran = folder.run(&arguments);
    assert_eq!(ran.status, 1);
    assert!(ran.stdout.starts_with("::error file=a.json,line=2,col=14,endLine=2,endColumn=24,title=keylint"));
    assert_eq!(ran.stderr, "Checked 1 key policy in 1 file: 1 error.\n");
    for format in formats {
        let text = folder.read(&format!("out/{format}"));
        assert!(text.contains("a.json") && text.contains("unknown-action"), "{format}: {text}");
        let one = folder.run(&["--output-format", format, "a.json"]);
        assert_eq!((one.status, one.stdout.starts_with(&text)), (1, true), "{format}");
        // Without a finding each is still what its readers expect.
        let clean = folder.run(&["--output-format", format, "b.json"]);
        assert_eq!(clean.status, 0, "{format}");
    }
    let clean = |format| folder.run(&["--output-format", format, "b.json"]).stdout;
    assert_eq!(
        (clean("github"), clean("jsonl"), clean("gitlab")),
        (String::new(), String::new(), "[]\n".to_owned())
    );
    assert!(clean("junit").contains("tests=\"1\" failures=\"0\""));
}

#[test]
fn reports_for_code_hosts_have_paths_from_the_root_of_the_repository() {
    let folder = Folder::new(&[("infra/kms/a.json", BAD)]);
    std::fs::create_dir(folder.0.join(".git")).unwrap();
    let run = |format| {
        let mut command = folder.command(&["--output-format", format, "kms"]);
        crate::Ran::of(command.current_dir(folder.0.join("infra"))).stdout
    };
    let sarif: Value = serde_json::from_str(&run("sarif")).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "infra/kms/a.json");
    assert_eq!(place["region"], json!({"startLine": 2, "startColumn": 14, "endLine": 2, "endColumn": 24}));
    assert_eq!(result["ruleId"], "keylint/unknown-action");
    let rules = &sarif["runs"][0]["tool"]["driver"]["rules"];
    assert_eq!(
        rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["name"],
        "unknown-action"
    );
    assert!(run("github").starts_with("::error file=infra/kms/a.json,"));
    assert!(run("gitlab").contains("\"path\": \"infra/kms/a.json\""));
    // What is read where keylint runs has the paths of the folder.
    assert!(run("concise").starts_with("kms/a.json:2:14: error: "));
}

#[test]
fn what_could_not_be_read_is_told_to_code_scanning() {
    let folder = Folder::new(&[("a.json", "{\"Statement\": [\"kms:\"\n")]);
    let ran = folder.run(&["--output-format", "sarif"]);
    let sarif: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.status, 2);
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn shells_and_manuals_are_served() {
    let folder = Folder::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = folder.run(&["completions", shell]);
        assert_eq!((ran.status, &*ran.stderr), (0, ""), "{shell}");
        assert!(ran.stdout.contains("output-format") && ran.stdout.contains("explain"), "{shell}");
        // Not every shell's completions know the values of options and arguments.
        let knows_formats = ["bash", "zsh", "fish"].contains(&shell);
        let knows_rules = ["bash", "zsh"].contains(&shell);
        assert_eq!(ran.stdout.contains("rdjsonl"), knows_formats, "{shell}");
        assert_eq!(ran.stdout.contains("unknown-action"), knows_rules, "{shell}");
    }
    let page = folder.run(&["man"]);
    assert!(page.status == 0 && page.stdout.contains(".TH keylint 1"), "{}", page.stdout);
    assert!(page.stdout.contains("fail\\-level"));
    assert!(folder.run(&["man", "can"]).stdout.contains(".TH keylint-can 1"));
    let unknown = folder.run(&["man", "chek"]);
    assert_eq!((unknown.status, unknown.stderr.contains("did you mean `check`?")), (2, true));
}

/// The script of the step `check` of the action.
#[cfg(unix)]
fn action_script() -> String {
    let action = include_str!("../../../../action.yml");
    let (_, step) = action.split_once("      id: check\n").unwrap();
    let (_, script) = step.split_once("      run: |\n").unwrap();
    let lines = script.lines().take_while(|line| line.starts_with("        "));
    lines.map(str::trim_start).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
#[cfg(unix)]
fn the_action_checks_reports_and_tells_the_status() {
    let folder = Folder::new(&[("kms/a.json", BAD), ("b c.json", GOOD), ("step.sh", &action_script())]);
    let bin = folder.0.join("temp/keylint/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keylint"), bin.join("keylint")).unwrap();
    let run = |paths: &str, arguments: &str| {
        for file in ["output", "summary"] {
            folder.write(file, "");
        }
        let mut command = std::process::Command::new("bash");
        let at = |name: &str| folder.0.join(name);
        command.arg("-e").arg("step.sh").current_dir(&folder.0).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.env("RUNNER_TEMP", at("temp")).env("GITHUB_OUTPUT", at("output"));
        command.env("GITHUB_STEP_SUMMARY", at("summary")).env("SARIF_FILE", "keylint.sarif");
        command.env("PATHS", paths).env("ARGUMENTS", arguments).env("KEYLINT_FAIL_LEVEL", "warning");
        (crate::Ran::of(&mut command), folder.read("output"), folder.read("summary"))
    };
    let (ran, output, summary) = run("", "");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("::error file=kms/a.json,line=2,col=14,"), "{ran:?}");
    assert!(
        output.starts_with("exit-code=1\nsarif-file=/") && output.ends_with("/keylint.sarif\n"),
        "{output}"
    );
    assert!(summary.contains("| error | `kms/a.json:2:14` |"), "{summary}");
    assert!(folder.read("keylint.sarif").contains("keylint/unknown-action"));
    // A line is one argument, whatever is in it, and a path is no option.
    let (ran, output, _) = run("b c.json\n", "--ignore\nduplicate-sid\n");
    assert_eq!((ran.stdout.as_str(), output.starts_with("exit-code=0\n")), ("", true), "{ran:?}");
    let (ran, output, _) = run("--version\n$(touch forged)\n", "");
    assert!(output.starts_with("exit-code=2\n"), "{ran:?}");
    assert!(!folder.0.join("forged").exists());
}
