//! Builds the plugins of this project to `plugins/<name>.wasm`, keeps the default one as a part of
//! the program, and shows that their bytes depend on nothing but the sources. Nothing here needs
//! the network once a toolchain is there and the crates are fetched.

use std::path::{Path, PathBuf};
use std::process::Command;

use loader_build::{BuildError, Built, PluginCrate, Toolchain, Workspace};

use crate::failure::{Failure, failure};
use crate::run::{output, root, target};

/// The plugin that is part of the program.
const DEFAULT: &str = "default";
/// Where the program's sources have it.
const BUILT_IN: &str = "host/loader/src/built_in/default.wasm";
/// Which compiler made that file.
const MADE_BY: &str = "host/loader/src/built_in/compiler.txt";

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

/// Builds the default plugin and makes it a part of the program's sources.
pub(crate) fn bless(toolchain: &Toolchain) -> Result<(), Failure> {
    build_plugins(toolchain, &[DEFAULT.to_owned()])?;
    let built = default_plugin(toolchain)?;
    let changed = built.write(&root().join(BUILT_IN))?;
    let compiler = format!("{}\n", toolchain.compiler());
    std::fs::write(root().join(MADE_BY), compiler)
        .or_else(|error| failure(format!("{MADE_BY} cannot be written: {error}")))?;
    println!("{BUILT_IN}{}", if changed { ": commit it" } else { " (unchanged)" });
    Ok(())
}

/// Holds the plugin in the program's sources to what its own sources give. Only the compiler that
/// made it can tell: another one makes other bytes of the same sources.
pub(crate) fn check_built_in(toolchain: &Toolchain) -> Result<(), Failure> {
    let read = |file: &str| {
        std::fs::read(root().join(file))
            .or_else(|error| failure(format!("{file} cannot be read: {error}")))
    };
    let made_by = String::from_utf8_lossy(&read(MADE_BY)?).trim().to_owned();
    if default_plugin(toolchain)?.bytes == read(BUILT_IN)? {
        println!("{BUILT_IN} is what plugins/{DEFAULT} gives");
        return Ok(());
    }
    match toolchain.compiler() {
        here if here == made_by => failure(format!(
            "{BUILT_IN} is not what plugins/{DEFAULT} gives; run `cargo xtask plugins --bless`, and \
             commit it"
        )),
        here => {
            println!("{BUILT_IN} is not compared: {made_by} has made it, and this is {here}");
            Ok(())
        }
    }
}

fn default_plugin(toolchain: &Toolchain) -> Result<Built, Failure> {
    let built = build(&root(), &[DEFAULT.to_owned()], &target_dir(), toolchain)?;
    let only = built.into_iter().next();
    only.map_or_else(|| failure(format!("plugins/{DEFAULT} gave no plugin")), Ok)
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
