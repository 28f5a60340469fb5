//! What is measured by hand: the data path, and the sandbox. What is counted instead, and so the
//! same everywhere, is a test (`loader plugin bench` against `bench.toml`).

mod staging;

use crate::failure::Failure;
use crate::run::{cargo, root, run as run_command, target, watched};
use crate::{plugins, setup};

/// Runs the benchmark that the arguments name, and prints its table.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments.split_first() {
        Some((which, runs)) if which == "plugins" => sandbox(runs),
        _ => staging::run(arguments),
    }
}

/// Beside the program, so that both are built of the same crates.
fn sandbox(runs: &[String]) -> Result<(), Failure> {
    plugins::build_plugins(&setup::toolchain()?, &[])?;
    watched(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "loader",
        "--package",
        "loader-bench",
    ]))?;
    let mut bench = std::process::Command::new(target().join("release/loader-bench"));
    run_command(bench.arg(root().join("plugins")).args(runs))
}
