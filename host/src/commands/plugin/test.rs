//! `loader plugin test`: a plugin's golden cases, each with the properties that every plugin must have.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use loader_harness::{CaseReport, Expected, Harness, HarnessError, LogLine, case_folders};

use super::{Verdict, check_pins, runtime, settings};
use crate::cli::plugin::TestArgs;
use crate::commands::print;
use crate::error::{Context, Error, Kind, Result};
use crate::plugins;

/// Log lines of a failed case that are shown.
const LOG_LINES_SHOWN: usize = 10;

pub(super) fn run(args: &TestArgs) -> Result<Verdict> {
    let path = &args.file;
    let bytes = std::fs::read(path).context(Kind::Config, format!("{} cannot be read", path.display()))?;
    let settings = settings(&args.sandbox)?;
    check_pins(&settings, path, &bytes)?;
    let plugin = runtime(&settings)?.load(path, bytes).map_err(plugins::failure)?;
    let dir = match &args.cases {
        Some(dir) => dir.clone(),
        None => cases_of(path)?,
    };
    let folders = folders(&dir)?;
    print(&format!(
        "{} {} (sha256 {}), {} of {}\n",
        plugin.name(),
        plugin.version(),
        plugin.sha256().get(..8).unwrap_or_default(),
        counted(folders.len(), "case"),
        dir.display()
    ));
    let expected = if args.update { Expected::Write } else { Expected::Compare };
    let width = folders.iter().map(|folder| name(folder).chars().count()).max().unwrap_or(0);
    let harness = Harness::of(plugin);
    let mut failed = 0;
    for folder in &folders {
        let report = harness.test_case(folder, expected).map_err(failure)?;
        failed += usize::from(!report.failures.is_empty());
        print(&line(&name(folder), width, &report));
    }
    print(&match failed {
        0 => format!("ok: {} passed\n", counted(folders.len(), "case")),
        _ => format!("FAILED: {failed} of {}\n", counted(folders.len(), "case")),
    });
    Ok(if failed == 0 { Verdict::Good } else { Verdict::Bad })
}

fn line(name: &str, width: usize, report: &CaseReport) -> String {
    let mark = if report.failures.is_empty() { "ok" } else { "FAILED" };
    let mut out =
        format!("  {mark:<6} {name:<width$}  {}, {} rejected\n", counted(report.rows, "row"), report.rejected);
    let mut below = |text: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "         {text}");
    };
    for written in &report.written {
        below(&format!("written: {}", written.display()));
    }
    for failure in &report.failures {
        below(failure);
    }
    if !report.failures.is_empty() {
        for LogLine { text, .. } in report.log.iter().take(LOG_LINES_SHOWN) {
            below(&format!("the plugin said: {text}"));
        }
    }
    out
}

fn folders(dir: &Path) -> Result<Vec<PathBuf>> {
    if dir.join("input.csv").is_file() {
        return Ok(vec![dir.to_path_buf()]);
    }
    let folders = case_folders(dir).map_err(failure)?;
    if folders.is_empty() {
        let fact = format!("no case in {}: a case is a folder with an input.csv", dir.display());
        return Err(Error::new(Kind::Config, fact));
    }
    Ok(folders)
}

/// Where the crate of a built plugin has its cases: beside the file, in a folder of its name, or above `target/`.
fn cases_of(file: &Path) -> Result<PathBuf> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut candidates = vec![folder.join(&*stem).join("tests"), folder.join(stem.replace('_', "-")).join("tests")];
    candidates.push(folder.join("tests"));
    let target = file.ancestors().find(|above| above.file_name().is_some_and(|name| name == "target"));
    candidates.extend(target.and_then(Path::parent).map(|root| root.join("tests")));
    candidates.dedup();
    if let Some(found) = candidates.iter().find(|dir| dir.is_dir()) {
        return Ok(found.clone());
    }
    let looked: Vec<String> = candidates.iter().map(|dir| dir.display().to_string()).collect();
    let fact = format!(
        "there are no cases for {}: looked for {}; name the folder with --cases",
        file.display(),
        looked.join(", ")
    );
    Err(Error::new(Kind::Config, fact))
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// The author's own files, or the sandbox; what a plugin does wrong in a case is no error but a finding.
fn failure(error: HarnessError) -> Error {
    match error {
        HarnessError::Plugin(error) => plugins::failure(error),
        other => Error::new(Kind::Config, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_found_where_plugins_are_built() {
        let root = tempfile::tempdir().expect("a folder");
        let make = |dir: &str| std::fs::create_dir_all(root.path().join(dir)).expect("a folder");
        let found = |file: &str| {
            let found = cases_of(&root.path().join(file)).map_err(|error| error.to_string());
            found.map(|dir| dir.strip_prefix(root.path()).expect("below").display().to_string())
        };
        let refusal = found("plugins/mask_pii.wasm").expect_err("nothing is there");
        assert!(refusal.contains("plugins/mask-pii/tests") && refusal.contains("--cases"), "{refusal}");
        make("plugins/mask-pii/tests");
        assert_eq!(found("plugins/mask_pii.wasm").as_deref(), Ok("plugins/mask-pii/tests"));
        make("mine/tests");
        assert_eq!(found("mine/target/wasm32-unknown-unknown/release/mine.wasm").as_deref(), Ok("mine/tests"));
    }
}
