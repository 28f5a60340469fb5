//! Files as people really deliver them, and what becomes of each: `tests/cases/<name>/`. Every
//! folder is a test of its own: `cargo test --test cases gzip` runs those with "gzip" in their name.
//!
//! A case is a folder: the input (none: no such object) or several that come one after the other
//! (`1-….csv`, `2-….csv`), `arguments` and `setup.sql` line by line (`2-….csv.arguments` for that
//! file alone), `loader.toml` with other plugins than the default one, `remedies.toml`
//! (`remedies.rs` reads it) with what the messages advise, and `expected.txt`. Each file is planned
//! before it is loaded, and the plan must be what the load then does. (Only where the warehouse
//! refuses the rows, the plan's own end stands beside the load's: `planned exit 0`.) `BLESS=1`
//! writes the expectations anew; a person reads the difference.

mod case;
mod command_line;
mod outcome;
mod remedies;

use std::fmt::Write;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::root;

use case::{Case, plan_and_load};
use outcome::{outcome, said, table};
use remedies::Heard;

fn main() -> ExitCode {
    let folders = std::fs::read_dir(root().join("tests/cases")).expect("the cases").flatten();
    let mut cases: Vec<Case> = folders.map(|entry| Case::new(entry.path())).collect();
    cases.sort_by_key(Case::name);
    assert!(cases.len() > 30, "the cases are gone");
    let trials = cases.into_iter().map(|case| Trial::test(case.name(), move || check(&case)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn check(case: &Case) -> Result<(), Failed> {
    let found = run(case);
    let path = case.path("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        return Ok(std::fs::write(&path, &found)?);
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found == expected { Ok(()) } else { Err(difference(&expected, &found).into()) }
}

/// The lines that only one of them has.
fn difference(expected: &str, found: &str) -> String {
    let only = |sign: &str, one: &str, other: &str| -> String {
        one.lines()
            .filter(|line| !other.lines().any(|o| o == *line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    only("-", expected, found) + &only("+", found, expected)
}

fn run(case: &Case) -> String {
    let place = case.place("");
    let inputs = case.inputs();
    let is_single = inputs.len() == 1;
    let mut found = String::new();
    let mut heard = Vec::new();
    for input in inputs {
        if !is_single {
            writeln!(found, "\nfile {input}").expect("a string takes everything");
        }
        if let Some(content) = case.content(&input) {
            place.put(&input, content);
        }
        let (planned, report) = plan_and_load(&place, &input, &case.given(&input));
        found += &outcome(&case.name(), &planned, &report);
        if !is_single {
            found += &table(&place, "t");
        }
        let is_refused = report.ended.code != 0;
        heard.push(Heard { input, is_refused, said: said(&report) });
    }
    if is_single {
        for key in place.keys().iter().filter(|key| !key.starts_with("logs/")) {
            writeln!(found, "object {key}").expect("a string takes everything");
        }
        found += &table(&place, "t");
    }
    found += &remedies::applied(case, &heard);
    found.trim_start().to_owned()
}
