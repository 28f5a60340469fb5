//! Builds the plugins of this project to `plugins/<name>.wasm`, and shows that their bytes depend
//! on nothing but the sources. Nothing here needs the network once a toolchain is there and the
//! crates are fetched.

use std::path::{Path, PathBuf};
use std::process::Command;

use loader_build::{BuildError, Built, PluginCrate, Toolchain, Workspace};

use crate::failure::{Failure, failure};
use crate::run::{output, root, target};

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Failure {
        Failure(error.to_string())
    }
}

/// Builds plugins and writes the components that changed. Quick when nothing did: cargo decides.
/// `names`: only these; all when it is empty.
pub(crate) fn build_plugins(toolchain: &Toolchain, names: &[String]) -> Result<(), Failure> {
    for built in build(&root(), names, &target_dir(), toolchain)? {
        let changed = built.write(&root().join("plugins").join(format!("{}.wasm", built.name)))?;
        println!(
            "plugins/{}.wasm {} {} KiB sha256 {}{}",
            built.name,
            built.version,
            built.bytes.len().div_ceil(1024),
            &built.sha256()[..12],
            if changed { "" } else { " (unchanged)" }
        );
    }
    Ok(())
}

/// Builds every plugin a second time, from nothing, in a copy of the sources elsewhere, and
/// compares: a pinned digest means the same in every checkout.
pub(crate) fn check_reproducible(toolchain: &Toolchain) -> Result<(), Failure> {
    let elsewhere =
        tempfile::tempdir().or_else(|error| failure(format!("no temporary folder: {error}")))?;
    copy_sources(elsewhere.path())?;
    let first = build(&root(), &[], &target_dir(), toolchain)?;
    let second = build(elsewhere.path(), &[], &elsewhere.path().join("target"), toolchain)?;
    first.iter().zip(&second).try_for_each(|(first, second)| same_bytes(first, second))
}

fn same_bytes(first: &Built, second: &Built) -> Result<(), Failure> {
    let (name, first, second) = (&first.name, first.sha256(), second.sha256());
    if first != second {
        return failure(format!(
            "plugins/{name}.wasm is not reproducible: sha256 {first}, then {second}, from the \
             same sources; look for paths (--remap-path-prefix) and random seeds \
             (CONST_RANDOM_SEED) in the build"
        ));
    }
    println!("plugins/{name}.wasm is reproducible, sha256 {first}");
    Ok(())
}

fn build(
    checkout: &Path,
    names: &[String],
    target_dir: &Path,
    toolchain: &Toolchain,
) -> Result<Vec<Built>, Failure> {
    let workspace = Workspace::read(checkout)?.locked();
    let is_known = |name: &&String| workspace.plugins.iter().any(|plugin| plugin.name == **name);
    if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
        let known: Vec<&str> = workspace.plugins.iter().map(|plugin| &*plugin.name).collect();
        return failure(format!("no plugin is called `{unknown}`; there are {}", known.join(", ")));
    }
    let is_wanted = |plugin: &&PluginCrate| names.is_empty() || names.contains(&plugin.name);
    let wanted: Vec<PluginCrate> = workspace.plugins.iter().filter(is_wanted).cloned().collect();
    Ok(workspace.build(&wanted, toolchain, Some(target_dir))?)
}

/// Apart from the host's own, so that neither waits for the other.
fn target_dir() -> PathBuf {
    let guests = target().join("guests");
    std::path::absolute(&guests).unwrap_or(guests)
}

/// The files that git knows or would take, as they are now.
fn copy_sources(to: &Path) -> Result<(), Failure> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    for file in output(&mut git)?.lines() {
        let (from, to) = (root().join(file), to.join(file));
        // A file that was removed and not yet committed is still listed.
        if !from.is_file() {
            continue;
        }
        let copied = std::fs::create_dir_all(to.parent().unwrap_or(&to))
            .and_then(|()| std::fs::copy(&from, &to));
        copied.or_else(|error| failure(format!("copying {file}: {error}")))?;
    }
    Ok(())
}
