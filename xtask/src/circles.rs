//! A house rule: files of a crate seldom import each other in a loop, and a loop stays small.
//!
//! In goes the source of every library and program of the workspace, out comes a failure that lists
//! each circle with the names that tie it. A circle is a set of files in which each file reaches
//! each other along imports (`a.rs` takes `X` from `b.rs`, `b.rs` takes `Y` from `a.rs`). Only
//! paths that begin in the crate count: cargo refuses crates that depend on each other.

mod arrows;
mod modules;
mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root};
use arrows::Arrows;
use modules::Modules;

/// The most circles that the workspace may have.
const MAX_CIRCLES: usize = 4;

/// The most files that a circle may have.
const MAX_FILES: usize = 4;

/// Holds the workspace against the rule.
pub(crate) fn check() -> Result<(), Failure> {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).ok();
    let mut arrows = Arrows::new();
    for crate_root in crate_roots()? {
        arrows.extend(arrows::between_files(&Modules::read(&crate_root, &read)?));
    }
    judge(&circles(&arrows), &arrows)
}

/// The files in which the libraries, programs and build scripts of the workspace begin, relative to
/// its root.
fn crate_roots() -> Result<Vec<String>, Failure> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)
        .or_else(|error| failure(format!("cargo metadata is no JSON: {error}")))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    match targets.filter_map(product_file).collect::<Vec<_>>() {
        files if files.is_empty() => failure("cargo metadata names no file of this workspace"),
        files => Ok(files),
    }
}

/// The file in which a target begins; `None` for tests, benchmarks and examples.
fn product_file(target: &Value) -> Option<String> {
    if ["test", "bench", "example"].contains(&target["kind"][0].as_str()?) {
        return None;
    }
    let file = Path::new(target["src_path"].as_str()?).strip_prefix(root()).ok()?;
    Some(file.to_str()?.to_owned())
}

/// The sets of files that reach each other.
fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<&str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to) in arrows.keys() {
        next.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|file| (*file, reach(file, &next))).collect();
    let leads_back =
        |other: &str, file: &str| reached.get(other).is_some_and(|reached| reached.contains(file));
    let circles = reached.keys().map(|file| {
        let others = reached[file].iter().copied();
        others.filter(|other| leads_back(other, file)).collect::<BTreeSet<&str>>()
    });
    circles.filter(|circle| circle.len() > 1).collect()
}

/// The files that can be reached from a file in one step or more.
fn reach<'a>(from: &'a str, next: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        let new = next.get(file).into_iter().flatten().filter(|file| reached.insert(**file));
        waiting.extend(new.copied());
    }
    reached
}

fn judge(circles: &BTreeSet<BTreeSet<&str>>, arrows: &Arrows) -> Result<(), Failure> {
    let largest = circles.iter().map(BTreeSet::len).max().unwrap_or(0);
    if circles.len() <= MAX_CIRCLES && largest <= MAX_FILES {
        return Ok(());
    }
    let listed = circles.iter().map(|circle| {
        let arrows = arrows_within(circle, arrows).collect::<Vec<_>>().join("\n  ");
        format!("circle of {} files:\n  {arrows}", circle.len())
    });
    failure(format!(
        "{} circles of files, the largest of {largest} files; at most {MAX_CIRCLES} of at most \
         {MAX_FILES} files may be. Move what two files need of each other into a third\n{}",
        circles.len(),
        listed.collect::<Vec<_>>().join("\n")
    ))
}

/// Each arrow of a circle as `file -> file: names`.
fn arrows_within(circle: &BTreeSet<&str>, arrows: &Arrows) -> impl Iterator<Item = String> {
    let is_within = |from: &str, to: &str| circle.contains(from) && circle.contains(to);
    let within = arrows.iter().filter(move |((from, to), _)| is_within(from, to));
    within.map(|((from, to), names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{from} -> {to}: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests;
