//! The house rules, as commands: what must hold before a change is taken.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, run, watched};
use crate::{circles, contract, plugins, setup, walls};

/// Rust files longer than this must say in their header why.
const LONG_FILE_LINES: usize = 400;

const LINTS: [&str; 6] = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
const DOCUMENTATION: [&str; 3] = ["doc", "--workspace", "--no-deps"];

/// Every check, the quick ones first.
pub(crate) fn all() -> Result<(), Failure> {
    step("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("spelling", spelling)?;
    step("licences, sources and bans of dependencies", dependencies)?;
    step("house rules", house_rules)?;
    step("circles of files", circles::check)?;
    step("plugin contract", contract::check)?;
    step("bindings of the plugin contract", contract::check_bindings)?;
    step("docs/security.md names tests that are there", security_tests)?;
    step("walls between crates", walls::check)?;
    let toolchain = setup::toolchain()?;
    step("plugins build", || plugins::build_plugins(&toolchain, &[]))?;
    step("plugins are reproducible", || plugins::check_reproducible(&toolchain))?;
    step("the plugin in the program", || plugins::check_built_in(&toolchain))?;
    step("lints", || watched(&mut cargo(&LINTS)))?;
    step("documentation", || watched(cargo(&DOCUMENTATION).env("RUSTDOCFLAGS", "-D warnings")))
}

fn step(name: &str, check: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    eprintln!("== {name}");
    check()
}

fn spelling() -> Result<(), Failure> {
    run(Command::new(setup::typos()?).current_dir(root()))
}

/// `deny.toml` without its advisories, which are asked for daily by a workflow: their answer
/// changes without a change of ours.
fn dependencies() -> Result<(), Failure> {
    let mut deny = Command::new(setup::cargo_deny()?);
    run(deny.args(["check", "bans", "licenses", "sources"]).current_dir(root()))
}

/// Files open with what they are for, and long files say why they are.
fn house_rules() -> Result<(), Failure> {
    let mut broken = Vec::new();
    for file in rust_files()? {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        let is_case = Path::new(&file).components().any(|part| part.as_os_str() == "cases");
        if !is_case && !text.starts_with("//!") {
            broken.push(format!("{file} does not open with //! and what it is for"));
        }
        if text.lines().count() > LONG_FILE_LINES && !text.contains("//! Long because") {
            broken.push(format!(
                "{file} has more than {LONG_FILE_LINES} lines and no `//! Long because …`"
            ));
        }
    }
    if broken.is_empty() { Ok(()) } else { failure(broken.join("\n")) }
}

/// The Rust files that git knows, relative to the root.
fn rust_files() -> Result<Vec<String>, Failure> {
    let mut git = Command::new("git");
    let listed = output(git.args(["ls-files", "*.rs"]).current_dir(root()))?;
    Ok(listed.lines().map(str::to_owned).collect())
}

/// Is each test that `docs/security.md` names a function of ours, or a folder of `tests/cases`?
fn security_tests() -> Result<(), Failure> {
    let page = std::fs::read_to_string(root().join("docs/security.md"))
        .or_else(|error| failure(format!("docs/security.md cannot be read: {error}")))?;
    let read = |file: &String| std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let sources: String = rust_files()?.iter().map(read).collect();
    let is_case = |name: &str| root().join("tests/cases").join(name).is_dir();
    let is_there = |name: &str| is_case(name) || sources.contains(&format!("fn {name}("));
    let named: Vec<&str> = tests_named(&page).collect();
    let missing: Vec<&str> = named.iter().copied().filter(|name| !is_there(name)).collect();
    match (named.as_slice(), missing.as_slice()) {
        ([], _) => failure("docs/security.md names no tests"),
        (_, []) => Ok(()),
        (_, missing) => failure(format!(
            "docs/security.md names tests that are not there: {}",
            missing.join(", ")
        )),
    }
}

/// The names of tests on the page: what stands in backquotes in the last column of each table.
fn tests_named(page: &str) -> impl Iterator<Item = &str> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let last = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2))
}
