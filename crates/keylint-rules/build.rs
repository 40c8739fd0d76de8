//! Embeds the rule and service files: whatever lies in `rules/` is a rule, so that adding one touches one file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../rules");
    let mut code = String::new();
    embed(&mut code, "RULES", &root)?;
    embed(&mut code, "SERVICES", &root.join("services"))?;
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), code)
}

fn embed(code: &mut String, name: &str, folder: &Path) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| {
            path.as_ref().is_ok_and(|path| path.extension().is_some_and(|e| e == "yaml")) || path.is_err()
        })
        .collect::<io::Result<_>>()?;
    // By name: `logs` before `logs-export`, which the end of the file's name would turn around.
    files.sort_by_key(|path| path.file_stem().map(ToOwned::to_owned));
    let _ = writeln!(code, "pub(crate) const {name}: &[(&str, &str)] = &[");
    for file in files {
        println!("cargo::rerun-if-changed={}", file.display());
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = file.canonicalize()?;
        let _ = writeln!(code, "    ({stem:?}, include_str!({:?})),", path.to_string_lossy());
    }
    let _ = writeln!(code, "];");
    Ok(())
}
