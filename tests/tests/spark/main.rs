//! Loads on a real cluster of Apache Spark. Every case of `tests/cases` comes to the same there as on
//! one machine, however its file is split.
//!
//! Without Java or PySpark nothing is tested, which a line says; in CI that is a failure.

mod dataframes;
mod faults;
mod files;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use loader_tests::cases::{self, Case, difference};
use loader_tests::spark;

/// Into how many tasks the files of the cases are split.
const SPLITS: [u64; 3] = [1, 2, 7];
/// The variable with which each case is split in every way. Without it every third case is, in one of
/// them: all take twelve minutes.
const ALL: &str = "LOADER_TEST_ALL_SPLITS";
const SAMPLE: usize = 3;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if spark::pythons().is_empty() {
        let is_ci = std::env::var_os("CI").is_some();
        eprintln!("no Spark is tested: LOADER_TEST_SPARK names no Python that has PySpark");
        if is_ci {
            return ExitCode::FAILURE;
        }
        arguments.filter = Some("nothing".to_owned());
    }
    let are_all = std::env::var_os(ALL).is_some();
    let trials = SPLITS.iter().enumerate().flat_map(|(turn, splits)| {
        let cases = Case::all().into_iter().enumerate();
        let turn_of = |place: usize| (place / SAMPLE) % SPLITS.len();
        let is_sampled = move |place| place % SAMPLE == 0 && turn_of(place) == turn;
        let cases = cases.filter(move |(place, _)| are_all || is_sampled(*place));
        cases.map(move |(_, case)| {
            let name = format!("splits-{splits}::{}", case.name());
            Trial::test(name, move || same_as_on_one_machine(&case, *splits))
        })
    });
    let trials =
        trials.chain(faults::trials()).chain(files::trials()).chain(dataframes::trials()).collect();
    let ended = libtest_mimic::run(&arguments, trials);
    spark::end();
    ended.exit_code()
}

/// What a case comes to on the cluster, without the remedies, which other tests try.
fn same_as_on_one_machine(case: &Case, splits: u64) -> Result<(), Failed> {
    let on_cluster = |case: &Case, input: &str, command: &mut Command| {
        let size = case.content(input).unwrap_or_default().len() as u64;
        let split_bytes = size.div_ceil(splits).max(1).to_string();
        command.env("LOADER_ENGINE", "spark").env("LOADER_SPLIT_BYTES", split_bytes);
        spark::driver().run(command)
    };
    let suffix = format!("-splits-{splits}");
    let found = cases::found(case, &suffix, on_cluster).text;
    // Messages name the place, which each test has for itself.
    let found = found.replace(&suffix, "").replace(&suffix.replace('-', "_"), "");
    let expected = std::fs::read_to_string(case.path("expected.txt")).unwrap_or_default();
    let expected = expected.split("\nremedy ").next().unwrap_or_default();
    match found.trim() == expected.trim() {
        true => Ok(()),
        false => Err(difference(expected, &found).into()),
    }
}
