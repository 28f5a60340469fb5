//! The house rules, as commands: what must hold before a change is taken.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, run};
use crate::{circles, contract, plugins};

/// Rust files longer than this must say in their header why.
const LONG_FILE_LINES: usize = 400;

/// Every check, the quick ones first.
pub(crate) fn all() -> Result<(), Failure> {
    step("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("house rules", house_rules)?;
    step("circles of files", circles::check)?;
    step("plugin contract", contract::check)?;
    step("docs/security.md names tests that are there", security_tests)?;
    step("dependencies", dependencies)?;
    step("one TLS stack", one_tls_stack)?;
    step("plugins build", plugins::build_plugins)?;
    step("plugins are reproducible", plugins::check_reproducible)?;
    step("lints", || {
        run(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]))
    })
}

fn step(name: &str, check: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    eprintln!("== {name}");
    check()
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

/// Is each test that `docs/security.md` names a function of ours?
fn security_tests() -> Result<(), Failure> {
    let page = std::fs::read_to_string(root().join("docs/security.md"))
        .or_else(|error| failure(format!("docs/security.md cannot be read: {error}")))?;
    let read = |file: &String| std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let sources: String = rust_files()?.iter().map(read).collect();
    let is_there = |name: &str| {
        sources.contains(&format!("    fn {name}()")) || sources.contains(&format!("\nfn {name}()"))
    };
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

/// Who may depend on whom, proved by cargo.
fn dependencies() -> Result<(), Failure> {
    for (package, forbidden) in [
        ("loader-sdk", &["tokio", "wasmtime", "aws-config", "aws-sdk-s3", "arrow"][..]),
        ("loader-csv", &["tokio", "wasmtime", "aws-config"][..]),
        ("loader-ipc", &["tokio", "wasmtime", "aws-config"][..]),
        ("loader-attach", &["hyper", "s3s", "arrow-array", "tokio-postgres", "sqlparser"]),
        ("loader", &["loader-local", "s3s", "tokio-postgres", "sqlparser"]),
        ("loader-build", &["tokio", "wasmtime", "aws-config"][..]),
        ("loader-sandbox", &["aws-config", "aws-sdk-s3", "aws-sdk-redshiftdata"][..]),
        ("loader-harness", &["aws-config", "aws-sdk-s3", "aws-sdk-redshiftdata"][..]),
    ] {
        let tree = tree(package)?;
        if let Some(name) = forbidden.iter().find(|name| has_crate(&tree, name)) {
            return failure(format!("{package} must not depend on {name}; see ARCHITECTURE.md"));
        }
    }
    Ok(())
}

fn one_tls_stack() -> Result<(), Failure> {
    let tree = tree("loader")?;
    let stacks = ["aws-lc-rs", "openssl", "native-tls"];
    match stacks.iter().find(|name| has_crate(&tree, name)) {
        None => Ok(()),
        Some(name) => failure(format!("{name} came in: there is one TLS stack, rustls with ring")),
    }
}

/// What a package depends on, a crate a line.
fn tree(package: &str) -> Result<String, Failure> {
    output(&mut cargo(&["tree", "--package", package, "--edges", "normal", "--prefix", "none"]))
}

fn has_crate(tree: &str, name: &str) -> bool {
    tree.lines().any(|line| line.starts_with(&format!("{name} v")))
}
