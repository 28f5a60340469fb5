//! The cases of `tests/cases` on this machine. Every folder is a test of its own: `cargo test --test
//! cases gzip` runs those with "gzip" in their name. `BLESS=1` writes the expectations anew; a person
//! reads the difference.

mod remedies;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::cases::{self, Case, difference};
use loader_tests::run;

fn main() -> ExitCode {
    let cases = Case::all().into_iter();
    let trials = cases.map(|case| Trial::test(case.name(), move || check(&case)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn check(case: &Case) -> Result<(), Failed> {
    let found = cases::found(case, "", |_, _, command| run(command));
    let found = found.text + &remedies::applied(case, &found.heard);
    let found = found.trim_start();
    let path = case.path("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        return Ok(std::fs::write(&path, found)?);
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found == expected { Ok(()) } else { Err(difference(&expected, found).into()) }
}
