//! Measures the sandbox on this machine: against the same code outside of a sandbox, over many
//! columns, and at the second start. Measures the layers of the data path, too, each by itself.
//!
//! `cargo xtask bench plugins` and `cargo xtask bench layers` build and run this program, and
//! `cargo xtask test` runs its layers under callgrind, which counts their instructions.
//! Measurements that are compared run in turns in one process, on one thread, and the program
//! prints medians. It measures the thread's processor time, so that other programs on the machine
//! count little.

mod clock;
mod columns;
mod layers;
mod native;
mod outcome;
mod rows;
mod sandbox;
mod start;

use std::path::{Path, PathBuf};

use loader_sandbox::{CacheLocation, Limits, Plugin, Runtime};

use outcome::Result;

const USAGE: &str = "\
usage: loader-bench FOLDER-OF-PLUGINS [RUNS]
       loader-bench layers [RUNS]
       loader-bench count LAYER";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // This program calls itself so, since each start to be measured is a process of its own.
        [start::PROBE, file, cache] => start::probe(Path::new(file), Path::new(cache)),
        [layers::TEXT, scale] => layers::print_text(scale.parse()?),
        ["layers"] => layers::measure(7),
        ["layers", runs] => layers::measure(runs.parse()?),
        ["count", layer] => layers::count(layer),
        [folder] => all(Path::new(folder), 7),
        [folder, runs] => all(Path::new(folder), runs.parse()?),
        _ => Err(USAGE.into()),
    }
}

fn all(folder: &Path, runs: usize) -> Result<()> {
    let plugin = load(&folder.join("default.wasm"))?;
    sandbox::run(&plugin, runs)?;
    columns::run(&plugin, runs)?;
    start::run(&plugins(folder)?, runs)
}

fn load(path: &Path) -> Result<Plugin> {
    let runtime = Runtime::new(Limits::default(), CacheLocation::Default)?;
    Ok(runtime.load(path, std::fs::read(path)?)?)
}

/// The files of the built plugins in a folder, but for `hostile.wasm`, which misbehaves on demand.
fn plugins(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut plugins = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_plugin = path.extension().is_some_and(|extension| extension == "wasm");
        if is_plugin && path.file_stem().is_some_and(|stem| stem != "hostile") {
            plugins.push(path);
        }
    }
    plugins.sort();
    Ok(plugins)
}
