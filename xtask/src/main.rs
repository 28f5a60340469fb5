//! One-command habits of the project. Each does its own set-up and can be run again.

mod bench;
mod check;
mod circles;
mod contract;
mod count;
mod failure;
mod plugins;
mod run;
mod setup;
mod simulate;
mod soak;
mod walls;

use std::process::ExitCode;

use failure::{Failure, failure};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [ARGS]  tell the story of a load (ARGS go to `loader demo`); builds what it shows
  test [ARGS]  run every test (ARGS go to `cargo test`)
  check        format, house rules, who depends on whom, reproducible plugins, lints
  plugins [NAMES]
               build plugins/*.wasm, or those that are named
  plugins --bless
               build the default plugin and put it into the program's sources, to be committed
  bench [FLAGS]
               measure the program, beside others and by itself (docs/performance.md)
  bench plugins [RUNS]
               measure the sandbox: against native code, over 200 columns, at the second start
  bench layers [RUNS]
               measure each layer of the data path by itself
  bench count [--update]
               count the instructions of each layer, as `test` does; or keep them
  soak [--minutes N] [--seed N]
               load, disturb and kill at random, and look whether all is as it was delivered
  soak --requests
               let every request of every kind of load fail in every way
  simulate [FLAGS]
               a day of `loader watch` at a size that no machine of ours has (docs/scale.md)
  setup        install what demo and test need, and nothing else";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match dispatch(command, rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Result<(), Failure> {
    match command {
        "demo" => demo(rest),
        "test" => test(rest),
        "check" => check::all(),
        "plugins" if rest == ["--bless"] => plugins::bless(&setup::toolchain()?),
        "plugins" => plugins::build_plugins(&setup::toolchain()?, rest),
        "bench" => bench::run(rest),
        "soak" => soak::run(rest),
        "simulate" => simulate::run(rest),
        "setup" => setup::for_tests().map(drop),
        other => failure(format!("no command `{other}`\n{USAGE}")),
    }
}

/// Builds what the demo shows and nothing else, in the profile of the tests, so that a fresh
/// machine builds the dependencies once.
fn demo(arguments: &[String]) -> Result<(), Failure> {
    setup::postgres()?;
    run::build_programs()?;
    let mut loader = std::process::Command::new(run::target().join("debug/loader"));
    run::run(loader.arg("demo").args(arguments).current_dir(run::root()))
}

/// Builds all plugins and all tests, runs them, and counts the instructions of the data path.
/// `arguments` go to both calls of cargo; what follows `--` concerns only the run.
fn test(arguments: &[String]) -> Result<(), Failure> {
    let setup::ForTests { toolchain, python, cargo_lambda, rotel, sparks } = setup::for_tests()?;
    eprintln!("== plugins");
    plugins::build_plugins(&toolchain, &[])?;
    // `--test cases` alone would leave the programs as they were.
    run::build_programs()?;
    eprintln!("== tests");
    let cargo = ["test", "--workspace"];
    let of_cargo = arguments.iter().take_while(|argument| *argument != "--");
    run::watched(run::cargo(&cargo).arg("--no-run").args(of_cargo))?;
    let mut cargo = run::cargo(&cargo);
    cargo.env("LOADER_TEST_PYTHON", python).env("LOADER_TEST_CARGO_LAMBDA", cargo_lambda);
    cargo.env("LOADER_TEST_ROTEL", rotel);
    cargo.env("LOADER_TEST_SPARK", std::env::join_paths(sparks).unwrap_or_default());
    run::run(cargo.args(arguments))?;
    // With arguments, the developer wants those tests and no others.
    if arguments.is_empty() { count::test() } else { Ok(()) }
}
