//! Times whole runs of keylint against the floor, and prints how they compare.

mod measure;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use clap::{Parser, Subcommand};
use keylint_bench::{floor, generate};

use crate::measure::{Alternated, alternately, peak_memory};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Times whole runs of keylint against programs that do the least that any linter has to do.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// How often each program runs
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// How many files to generate
    #[arg(long, default_value_t = 10_000)]
    files: usize,
    /// Measure the peak memory of a run over 100,000 key policies too
    #[arg(long)]
    memory: bool,
}

/// The parts of the benchmark, to be run and profiled by themselves.
#[derive(Subcommand)]
enum Part {
    /// Write key policies to a folder
    Generate { folder: PathBuf, count: usize },
    /// Write JSON files that are no policies to a folder
    GenerateOthers { folder: PathBuf, count: usize },
    /// Find and read the JSON files of a folder
    Read { folder: PathBuf },
    /// Find, read and parse the JSON files of a folder
    Parse { folder: PathBuf },
    /// Write templates of CloudFormation to a folder
    GenerateTemplates { folder: PathBuf, count: usize },
    /// Write files of Terraform to a folder
    GenerateModules { folder: PathBuf, count: usize },
    /// Find, read and parse the YAML files of a folder
    ParseYaml { folder: PathBuf },
    /// Find, read and parse the files of Terraform of a folder
    ParseHcl { folder: PathBuf },
}

fn main() -> Outcome<()> {
    let arguments = Arguments::parse();
    match &arguments.part {
        None => compare(&arguments),
        Some(Part::Generate { folder, count }) => {
            Ok(generate::tree(folder, "json", *count, generate::policy)?)
        }
        Some(Part::GenerateOthers { folder, count }) => {
            Ok(generate::tree(folder, "json", *count, generate::other_document)?)
        }
        Some(Part::Read { folder }) => say(&format!("{} bytes", floor::read(folder)?)),
        Some(Part::Parse { folder }) => say(&format!("{} documents", floor::parse(folder)?)),
        Some(Part::GenerateTemplates { folder, count }) => {
            Ok(generate::tree(folder, "yaml", *count, generate::template)?)
        }
        Some(Part::GenerateModules { folder, count }) => {
            Ok(generate::tree(folder, "tf", *count, generate::module)?)
        }
        Some(Part::ParseYaml { folder }) => say(&format!("{} events", floor::parse_yaml(folder)?)),
        Some(Part::ParseHcl { folder }) => say(&format!("{} structures", floor::parse_hcl(folder)?)),
    }
}

fn say(line: &str) -> Outcome<()> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

fn compare(arguments: &Arguments) -> Outcome<()> {
    if cfg!(debug_assertions) {
        return Err("times of a debug build say nothing: cargo run --release -p keylint-bench".into());
    }
    let this = env::current_exe()?;
    let keylint = build(&this)?;
    let files = Files::new()?;
    let (count, rounds) = (arguments.files, arguments.rounds);
    let check = |path: &Path| {
        let mut command = Command::new(&keylint);
        command.args(["check", "--output-format", "concise", "."]).current_dir(path);
        command
    };
    let floor = |part: &str, path: &Path| {
        let mut command = Command::new(&this);
        command.args([part, "."]).current_dir(path);
        command
    };

    let policies = files.folder("policies", count, generate::policy)?;
    let times = alternately(rounds, || check(&policies), || floor("parse", &policies))?;
    say(&format!("{count} key policies of 2 to 4 KB"))?;
    report(&times, "find, read, and parse into `serde_json::Value`", "at most 1.2; aim below 1")?;

    let others = files.folder("others", count, generate::other_document)?;
    let times = alternately(rounds, || check(&others), || floor("read", &others))?;
    say(&format!("{count} JSON files of 2 to 4 KB that are no policies"))?;
    report(&times, "find and read", "at most 2")?;

    let one = files.folder("one", 1, generate::policy)?;
    let times = alternately(rounds * 5, || check(&one), || floor("parse", &one))?;
    say("One key policy")?;
    report(&times, "find, read, and parse into `serde_json::Value`", "keylint below 20 ms")?;

    let count = count / 5;
    let templates = files.folder_of("templates", "yaml", count, generate::template)?;
    let times = alternately(rounds, || check(&templates), || floor("parse-yaml", &templates))?;
    say(&format!("{count} templates of CloudFormation in YAML"))?;
    report(&times, "find, read, and parse into events", "at most 2")?;

    let modules = files.folder_of("modules", "tf", count, generate::module)?;
    let times = alternately(rounds, || check(&modules), || floor("parse-hcl", &modules))?;
    say(&format!("{count} files of Terraform, 25 to a module"))?;
    report(&times, "find, read, and parse into a body", "at most 2")?;

    if arguments.memory {
        const MANY: usize = 100_000;
        let many = files.folder("many", MANY, generate::policy)?;
        let peak = match peak_memory(&mut check(&many))? {
            Some(bytes) => format!("{} MB", bytes / 1_000_000),
            None => "not measured on this system".to_owned(),
        };
        say(&format!(
            "{MANY} key policies of 2 to 4 KB\n  peak memory of keylint  {peak}  (target: below 100 MB)"
        ))?;
    }
    Ok(())
}

fn report(times: &Alternated, floor: &str, target: &str) -> Outcome<()> {
    let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    say(&format!("  keylint  {:8.2} ms  (median of {})", milliseconds(times.first), times.rounds))?;
    say(&format!("  floor    {:8.2} ms  ({floor})", milliseconds(times.second)))?;
    say(&format!("  ratio    {:8.2}     (median of the rounds; target: {target})\n", times.ratio))
}

/// Builds keylint beside this program and returns where it is.
fn build(this: &Path) -> Outcome<PathBuf> {
    let target = this.parent().and_then(Path::parent).ok_or("this program is not in a target folder")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", "keylint", "--bin", "keylint"])
        .args(["--manifest-path", manifest, "--target-dir"])
        .arg(target)
        .status()?;
    if !status.success() {
        return Err("keylint cannot be built".into());
    }
    Ok(target.join("release").join("keylint").with_extension(env::consts::EXE_EXTENSION))
}

/// A folder of generated files that is removed at the end.
struct Files(PathBuf);

impl Files {
    fn new() -> io::Result<Self> {
        let root = env::temp_dir().join(format!("keylint-bench-{}", std::process::id()));
        fs::create_dir_all(&root)?;
        Ok(Self(root))
    }

    fn folder(&self, name: &str, count: usize, make: impl Fn(usize) -> String) -> io::Result<PathBuf> {
        self.folder_of(name, "json", count, make)
    }

    fn folder_of(
        &self,
        name: &str,
        extension: &str,
        count: usize,
        make: impl Fn(usize) -> String,
    ) -> io::Result<PathBuf> {
        let folder = self.0.join(name);
        generate::tree(&folder, extension, count, make)?;
        Ok(folder)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What is left in the system's folder for temporary files is the system's to clean.
        fs::remove_dir_all(&self.0).ok();
    }
}
