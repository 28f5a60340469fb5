//! The house rules, as commands: what must hold before a change is taken.

use std::path::Path;
use std::process::Command;

use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, run, watched};
use crate::{circles, contract, plugins, setup, walls};

/// Rust files longer than this must say in their header why.
const LONG_FILE_LINES: usize = 400;

/// Pages with tables whose last column names tests.
const PAGES_WITH_TESTS: [&str; 2] = ["docs/security.md", PROMISES];
const PROMISES: &str = "docs/promises.md";

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
    step("pages name tests that are there", tests_on_pages)?;
    step("each section of SEMANTICS.md has its tests named", promised_sections)?;
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

/// Is each test there that a page names?
fn tests_on_pages() -> Result<(), Failure> {
    let tests = Tests::read()?;
    PAGES_WITH_TESTS.iter().try_for_each(|page| tests_on(page, &tests))
}

fn tests_on(page: &str, tests: &Tests) -> Result<(), Failure> {
    let text = text_of(page)?;
    let named: Vec<&str> = tests_named(&text).collect();
    let missing: Vec<&str> = named.iter().copied().filter(|name| !tests.have(name)).collect();
    match (named.as_slice(), missing.as_slice()) {
        ([], _) => failure(format!("{page} names no tests")),
        (_, []) => Ok(()),
        (_, missing) => {
            failure(format!("{page} names tests that are not there: {}", missing.join(", ")))
        }
    }
}

/// The names of tests on the page: what stands in backquotes in the last column of each table.
fn tests_named(page: &str) -> impl Iterator<Item = &str> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let last = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    last.flat_map(|cell| cell.split('`').skip(1).step_by(2))
}

/// Where tests are looked for by their names.
struct Tests {
    /// All Rust files, one behind the other.
    functions: String,
    /// The outcomes of the hostile plugin, a line for each of its words.
    misdeeds: String,
    /// The Rust files that name kinds of loads and the ways in which their requests fail.
    faults: String,
}

impl Tests {
    fn read() -> Result<Tests, Failure> {
        let read = |file: &String| std::fs::read_to_string(root().join(file)).unwrap_or_default();
        let functions = rust_files()?.iter().map(read).collect();
        let misdeeds = text_of("tests/misdeeds.txt")?;
        let (loads, ways) = ("tests/tests/faults/scenario.rs", "tests/tests/faults/fault.rs");
        let faults = text_of(loads)? + &text_of(ways)?;
        Ok(Tests { functions, misdeeds, faults })
    }

    /// `cases/gzip` is a folder, and `merge::lost-answer` a load with its fault. Another name is
    /// that of a function, of a folder of `tests/cases`, or of a misdeed.
    fn have(&self, name: &str) -> bool {
        let is_case = |name: &str| root().join("tests/cases").join(name).is_dir();
        if let Some(case) = name.strip_prefix("cases/") {
            return is_case(case);
        }
        if let Some((load, fault)) = name.split_once("::") {
            return [load, fault].iter().all(|word| self.faults.contains(&format!("\"{word}\"")));
        }
        let has_outcome = |line: &str| line.split(' ').next() == Some(name);
        self.functions.contains(&format!("fn {name}("))
            || is_case(name)
            || self.misdeeds.lines().any(has_outcome)
    }
}

/// Is each section of SEMANTICS.md linked from the page that names the tests of its promises? So a
/// new section is not forgotten there.
fn promised_sections() -> Result<(), Failure> {
    let (semantics, promises) = (text_of("SEMANTICS.md")?, text_of(PROMISES)?);
    let missing = sections_without_link(&semantics, &promises);
    match missing.as_slice() {
        [] => Ok(()),
        missing => failure(format!(
            "{PROMISES} has no link to these sections of SEMANTICS.md: {}; name the tests of their \
             promises there",
            missing.join(", ")
        )),
    }
}

/// The sections to which the page has no link, each as the link's target.
fn sections_without_link(semantics: &str, page: &str) -> Vec<String> {
    let headings = semantics.lines().filter_map(|line| line.strip_prefix("## "));
    let targets = headings.map(|heading| format!("../SEMANTICS.md#{}", anchor(heading)));
    targets.filter(|target| !page.contains(&format!("({target})"))).collect()
}

/// The anchor that GitHub gives to a heading: in lower case, without punctuation, `-` for a blank.
fn anchor(heading: &str) -> String {
    let is_kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heading.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-")
}

fn text_of(file: &str) -> Result<String, Failure> {
    std::fs::read_to_string(root().join(file))
        .or_else(|error| failure(format!("{file} cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_named_in_the_last_column() {
        let page = "`no_row`\n\n| promise | shown by |\n|---|---|\n| `--x` | `one`, `cases/two` |\n\
                    - `a_list`\n";
        assert_eq!(tests_named(page).collect::<Vec<_>>(), ["one", "cases/two"]);
    }

    #[test]
    fn a_section_without_a_link_is_found() {
        let semantics = "# Title\n\n## Files, and exactly once\n\n### Part\n\n## CSV\n";
        let page = "## [Files](../SEMANTICS.md#files-and-exactly-once)\n";
        assert_eq!(sections_without_link(semantics, page), ["../SEMANTICS.md#csv"]);
    }
}
