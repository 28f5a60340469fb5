//! The house rules, as commands: what must hold before a change is taken.

use std::path::Path;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, run};
use crate::{contract, plugins};

/// Rust files longer than this must say in their header why.
const LONG_FILE_LINES: usize = 400;

/// Every check, the quick ones first.
pub(crate) fn all() -> Result<(), Failure> {
    step("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("house rules", house_rules)?;
    step("plugin contract", contract::check)?;
    step("docs/security.md names tests that are there", security_tests)?;
    step("dependencies", dependencies)?;
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

/// Files open with what they are for; contracts are what was published.
fn house_rules() -> Result<(), Failure> {
    let listed =
        output(std::process::Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()))?;
    let mut broken = Vec::new();
    for file in listed.lines().map(Path::new) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let is_code = !file.components().any(|part| part.as_os_str() == "cases");
        if is_code && !text.starts_with("//!") {
            broken.push(format!("{} does not open with //! and what it is for", file.display()));
        }
        if text.lines().count() > LONG_FILE_LINES && !text.contains("//! Long because") {
            broken.push(format!(
                "{} has more than {LONG_FILE_LINES} lines and no `//! Long because …`",
                file.display()
            ));
        }
    }
    if broken.is_empty() { Ok(()) } else { failure(broken.join("\n")) }
}

/// The last column of each table of `docs/security.md` has names of tests: is each of them a
/// function of ours?
fn security_tests() -> Result<(), Failure> {
    let page = std::fs::read_to_string(root().join("docs/security.md"))
        .or_else(|error| failure(format!("docs/security.md cannot be read: {error}")))?;
    let listed =
        output(std::process::Command::new("git").args(["ls-files", "*.rs"]).current_dir(root()))?;
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let sources: String = listed.lines().map(read).collect();
    let mut missing = Vec::new();
    let mut found = 0;
    for line in page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |")) {
        let last = line.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        for name in last.split('`').skip(1).step_by(2) {
            found += 1;
            if !sources.contains(&format!("    fn {name}()"))
                && !sources.contains(&format!("\nfn {name}()"))
            {
                missing.push(name);
            }
        }
    }
    match (found, missing.as_slice()) {
        (0, _) => failure("docs/security.md names no tests"),
        (_, []) => Ok(()),
        (_, missing) => failure(format!(
            "docs/security.md names tests that are not there: {}",
            missing.join(", ")
        )),
    }
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
        let tree = output(&mut cargo(&[
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
        ]))?;
        for name in forbidden {
            if tree.lines().any(|line| line.starts_with(&format!("{name} v"))) {
                return failure(format!(
                    "{package} must not depend on {name}; see ARCHITECTURE.md"
                ));
            }
        }
    }
    let stacks = output(&mut cargo(&[
        "tree",
        "--package",
        "loader",
        "--edges",
        "normal",
        "--prefix",
        "none",
    ]))?;
    for name in ["aws-lc-rs", "openssl", "native-tls"] {
        if stacks.lines().any(|line| line.starts_with(&format!("{name} v"))) {
            return failure(format!("{name} came in: there is one TLS stack, rustls with ring"));
        }
    }
    Ok(())
}
