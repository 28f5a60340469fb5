//! The row `sandbox`: what the sandbox costs, as `loader-bench` measures it (the crate `bench/`).
//!
//! In: the lines that it prints. Out: the figures in them. The lines are shown as they are, too.

use std::process::Command;

use super::record::{Figure, Record};
use super::row::Row;
use super::workbench::Workbench;
use crate::failure::{Failure, failure};
use crate::run::{cargo, output, root, run as run_command, target, watched};
use crate::{plugins, setup};

/// The figures that the table has. The first two are names of `loader-bench`.
pub(super) const SANDBOX: &str = "sandbox";
pub(super) const NATIVE: &str = "native";
pub(super) const OF_PLUGIN: &str = "plugin in the sandbox, against native code";
pub(super) const OF_PATH: &str = "the same, with the reading of the file";

/// Builds `loader-bench` and shows what it measures: `cargo xtask bench plugins`.
pub(super) fn print(runs: &[String]) -> Result<(), Failure> {
    plugins::build_plugins(&setup::toolchain()?, &[])?;
    run_command(built()?.arg(root().join("plugins")).args(runs))
}

/// The same of the layers of the data path: `cargo xtask bench layers`.
pub(super) fn print_layers(runs: &[String]) -> Result<(), Failure> {
    run_command(built()?.arg("layers").args(runs))
}

fn built() -> Result<Command, Failure> {
    // Beside the program, so that both are built of the same crates.
    let packages = ["--package", "loader", "--package", "loader-bench"];
    watched(cargo(&["build", "--release"]).args(packages))?;
    Ok(Command::new(target().join("release/loader-bench")))
}

pub(super) fn run(bench: &Workbench) -> Result<Record, Failure> {
    let mut command = bench.sandbox_bench();
    let said = output(command.arg(root().join("plugins")).arg(bench.runs.to_string()))?;
    eprintln!("{said}");
    let title = "the default plugin on `lineitem` at scale 0.1, one thread".to_owned();
    let mut record = bench.record(Row::Sandbox, title)?;
    record.figures = figures(&said);
    match record.figures.iter().any(|figure| figure.name == OF_PATH) {
        true => Ok(record),
        false => failure(format!("loader-bench printed no line of the sandbox:\n{said}")),
    }
}

/// The figures of all lines.
fn figures(said: &str) -> Vec<Figure> {
    said.lines()
        .flat_map(|line| of_way(line).or_else(|| of_time(line)).unwrap_or_default())
        .collect()
}

/// A way of calling the plugin: `sandbox  39.0 ms  65.0 ns/row  2.30, with the reading … 1.05`.
fn of_way(line: &str) -> Option<Vec<Figure>> {
    let (times, ratios) = line.split_once("ns/row")?;
    let nanoseconds = last_number(times)?;
    let name = name_before(times.split_once(" ms")?.0)?;
    let (plugin, path) = ratios.split_once(',')?;
    let mut figures = vec![figure(&name, nanoseconds, "ns/row")];
    if name == SANDBOX {
        figures.push(figure(OF_PLUGIN, last_number(plugin)?, "x"));
        figures.push(figure(OF_PATH, last_number(path)?, "x"));
    }
    Some(figures)
}

/// A time in milliseconds: `200 columns  10.8 ms  … bytes`, or `default  301 KiB  7.12 ms, …`.
fn of_time(line: &str) -> Option<Vec<Figure>> {
    let (before, _) = line.split_once(" ms")?;
    let (name, milliseconds) = (name_before(before)?, last_number(before)?);
    let name = match name.strip_suffix("KiB") {
        Some(plugin) => format!("second start of {}", name_before(plugin.trim())?),
        None => name,
    };
    Some(vec![figure(&name, milliseconds, "ms")])
}

/// What stands before the last word.
fn name_before(text: &str) -> Option<String> {
    let (name, _) = text.trim().rsplit_once(char::is_whitespace)?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn last_number(text: &str) -> Option<f64> {
    text.split_whitespace().next_back()?.parse().ok()
}

fn figure(name: &str, value: f64, unit: &str) -> Figure {
    Figure { name: name.to_owned(), value, unit: unit.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "
lineitem, scale 0.1: 600572 rows through the default plugin, processor time, medians of 5 runs
  native                16.8 ms   28.0 ns/row  1.00, with the reading of the file 1.00
  native, as bytes      21.0 ms   35.0 ns/row  1.25, with the reading of the file 1.01
  sandbox               39.0 ms   65.0 ns/row  2.30, with the reading of the file 1.05

200000 rows, 2 columns computed, processor time, medians of 5 runs
    2 columns    11.9 ms  6400000 bytes into the sandbox, 6400000 out of it
  200 columns    10.8 ms  6400000 bytes into the sandbox, 6400000 out of it

second start, medians of 5 runs
  default            301 KiB    7.12 ms, 6.90 ms of processor time (the first one: 412 ms)
";

    #[test]
    fn the_figures_are_found_in_what_it_prints() {
        let found: Vec<String> = figures(SAID)
            .into_iter()
            .map(|Figure { name, value, unit }| format!("{name}: {value} {unit}"))
            .collect();
        let expected = [
            "native: 28 ns/row",
            "native, as bytes: 35 ns/row",
            "sandbox: 65 ns/row",
            "plugin in the sandbox, against native code: 2.3 x",
            "the same, with the reading of the file: 1.05 x",
            "2 columns: 11.9 ms",
            "200 columns: 10.8 ms",
            "second start of default: 7.12 ms",
        ];
        assert_eq!(found, expected);
    }
}
