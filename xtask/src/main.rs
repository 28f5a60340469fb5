//! One-command habits of the project. Each does its own set-up and can be run again.

mod bench;
mod check;
mod circles;
mod contract;
mod failure;
mod plugins;
mod run;
mod setup;
mod walls;

use std::process::ExitCode;

use failure::{Failure, failure};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [ARGS]  build everything and tell the story of a load (ARGS go to `loader demo`)
  test [ARGS]  run every test (ARGS go to `cargo test`)
  check        format, house rules, who depends on whom, reproducible plugins, lints
  plugins      build plugins/*.wasm
  bench        measure the data path: [--scale N] [--runs N] [--skip-duckdb]
  bench plugins [RUNS]
               measure the sandbox: against native code, over 200 columns, at the second start
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
        "plugins" => plugins::build_plugins(),
        "bench" => bench::run(rest),
        "setup" => setup::all().map(drop),
        other => failure(format!("no command `{other}`\n{USAGE}")),
    }
}

/// The same profile as the tests, so that a fresh machine builds the dependencies once.
fn demo(arguments: &[String]) -> Result<(), Failure> {
    setup::postgres()?;
    plugins::build_plugins()?;
    let packages = ["--package", "loader", "--package", "loader-local"];
    run::run(run::cargo(&["build", "--quiet"]).args(packages))?;
    let mut loader = std::process::Command::new(run::target().join("debug/loader"));
    run::run(loader.arg("demo").args(arguments).current_dir(run::root()))
}

fn test(arguments: &[String]) -> Result<(), Failure> {
    let python = setup::all()?;
    plugins::build_plugins()?;
    let mut cargo = run::cargo(&["test", "--workspace", "--quiet"]);
    cargo.env("LOADER_TEST_PYTHON", python).args(arguments);
    run::run(&mut cargo)
}
