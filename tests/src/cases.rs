//! The cases of `tests/cases`: files as people really deliver them, and what becomes of each.
//!
//! A case is a folder: the input (none: no such object) or several that come one after the other
//! (`1-….csv`, `2-….csv`), `arguments` and `setup.sql` line by line (`2-….csv.arguments` for that
//! file alone), `loader.toml` with other plugins than the default one, `remedies.toml` with what the
//! messages advise, and `expected.txt`. Each file is planned before it is loaded, and the plan must
//! be what the load then does. (Only where the warehouse refuses the rows, the plan's own end stands
//! beside the load's: `planned exit 0`.)

mod case;
pub mod command_line;
mod outcome;

use std::fmt::Write;
use std::process::Command;

pub use case::{Case, Given, command, load, plan_and_load};
pub use outcome::{outcome, said, table};

use crate::{Ended, Report};

/// What the load of one file said.
pub struct Heard {
    pub input: String,
    pub is_refused: bool,
    pub said: Vec<String>,
}

/// A case that was run.
pub struct Found {
    /// As `expected.txt` has it.
    pub text: String,
    pub heard: Vec<Heard>,
}

/// Runs a case in a place whose name ends so. `load`: runs the command of a load.
pub fn found(
    case: &Case,
    suffix: &str,
    load: impl Fn(&Case, &str, &mut Command) -> Ended,
) -> Found {
    let place = case.place(suffix);
    let inputs = case.inputs();
    let is_single = inputs.len() == 1;
    let (mut found, mut heard) = (String::new(), Vec::new());
    for input in inputs {
        if !is_single {
            writeln!(found, "\nfile {input}").expect("a string takes everything");
        }
        if let Some(content) = case.content(&input) {
            place.put(&input, content);
        }
        let given = case.given(&input);
        let planned = case::load("plan", &place, &input, &given);
        let report = Report::of(load(case, &input, &mut command("run", &place, &input, &given)));
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
    Found { text: found, heard }
}

/// The lines that only one of two texts has.
pub fn difference(expected: &str, found: &str) -> String {
    let only = |sign: &str, one: &str, other: &str| -> String {
        one.lines()
            .filter(|line| !other.lines().any(|o| o == *line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    only("-", expected, found) + &only("+", found, expected)
}
