//! Where a plugin's cases are, and how they are named; for `test` and `bench`.

use std::path::{Path, PathBuf};

use loader_data::failures::plugin_failure;
use loader_harness::{HarnessError, case_folders};
use loader_model::error::{Error, Kind, Result};
use loader_sandbox::Plugin;

/// Finds the folder of a plugin's cases, and the cases. `given`: the folder of `--cases`, or one
/// case.
pub(super) fn find(plugin: &Path, given: Option<&PathBuf>) -> Result<(PathBuf, Vec<PathBuf>)> {
    let dir = match given {
        Some(dir) => dir.clone(),
        None => cases_of(plugin)?,
    };
    let folders = folders(&dir)?;
    Ok((dir, folders))
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

/// Finds the folder of cases that belongs to a built plugin. Errors: `Config`, with every place
/// that was looked at.
fn cases_of(file: &Path) -> Result<PathBuf> {
    let candidates = candidates(file);
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

/// Where the crate of a built plugin may have its cases: beside the file or in `examples/`, in a
/// folder of its name, or above `target/`. (For example, `plugins/mask_pii.wasm` has them in
/// `plugins/mask-pii/tests`, since a crate may have a hyphen where its component has an
/// underscore.)
fn candidates(file: &Path) -> Vec<PathBuf> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut candidates = vec![
        folder.join(&*stem).join("tests"),
        folder.join(stem.replace('_', "-")).join("tests"),
        folder.join("examples").join(&*stem).join("tests"),
        folder.join("tests"),
    ];
    let target =
        file.ancestors().find(|above| above.file_name().is_some_and(|name| name == "target"));
    candidates.extend(target.and_then(Path::parent).map(|root| root.join("tests")));
    // Equal places are neighbours: the first two are equal for a name without an underscore.
    candidates.dedup();
    candidates
}

/// The first line of output: the plugin, and how many of its cases are used.
pub(super) fn headline(plugin: &Plugin, cases: usize, dir: &Path) -> String {
    format!(
        "{} {} (sha256 {}), {} of {}\n",
        plugin.name(),
        plugin.version(),
        plugin.sha256().get(..8).unwrap_or_default(),
        counted(cases, "case"),
        dir.display()
    )
}

pub(super) fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

pub(super) fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// An error that keeps a case from being run: a file of the author's that is wrong, or a sandbox
/// that does not work. What the plugin does wrong in a case is a finding of the report instead.
pub(super) fn failure(error: HarnessError) -> Error {
    match error {
        HarnessError::Plugin(error) => plugin_failure(error),
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
        assert!(
            refusal.contains("plugins/mask-pii/tests") && refusal.contains("--cases"),
            "{refusal}"
        );
        make("plugins/mask-pii/tests");
        assert_eq!(found("plugins/mask_pii.wasm").as_deref(), Ok("plugins/mask-pii/tests"));
        make("plugins/examples/phone/tests");
        assert_eq!(found("plugins/phone.wasm").as_deref(), Ok("plugins/examples/phone/tests"));
        make("mine/tests");
        assert_eq!(
            found("mine/target/wasm32-unknown-unknown/release/mine.wasm").as_deref(),
            Ok("mine/tests")
        );
    }
}
