//! The command line of `cargo xtask bench`: which rows, how often, and where the figures go.

use std::path::PathBuf;

use super::row::Row;
use crate::failure::{Failure, failure};
use crate::run::{root, target};

pub(super) const HELP: &str = "\
usage: cargo xtask bench [FLAGS]
       cargo xtask bench plugins [RUNS]    the sandbox alone, in its own words
       cargo xtask bench layers [RUNS]     each layer of the data path by itself
       cargo xtask bench count [--update]  their instructions, against those that are kept

  --only ROW,…   these rows: stage, transform, wide, quoted, long-texts, decimals, timestamps,
                 growth, throttle, small, sandbox [default: all but growth]
  --all          all rows; growth generates 7.8 GB, and removes them
  --runs N       runs of each program, in turns [default: 5]
  --scale X      files of this size, in multiples of the usual one [default: 1]; for a try
  --no-build     measure the programs and plugins that are there
  --keep         replace the figures in docs/performance.{md,json,svg}
  --out DIR      write performance.{md,json,svg} there [default: bench/ in the target folder]
  --redraw       measure nothing; write table and chart anew from the figures that are kept";

/// What the command line asks for.
pub(super) enum Asked {
    Help,
    Measure(Options),
}

/// What is measured, and how.
pub(super) struct Options {
    pub(super) rows: Vec<Row>,
    pub(super) runs: usize,
    /// The size of the generated files, in multiples of the usual one.
    pub(super) scale: f64,
    pub(super) programs: Programs,
    pub(super) destination: Destination,
    /// The user did not choose the rows, so the one that needs much disk is not among them.
    pub(super) leaves_out_growth: bool,
}

/// Which programs are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Programs {
    /// Those that the sources give.
    Built,
    /// Those that are there.
    AsTheyAre,
}

/// Where the figures are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// The page of the documentation, and the files beside it.
    Docs(PathBuf),
    Folder(PathBuf),
}

/// Reads the command line. Errors: an unknown word or row; no number where one is due.
pub(super) fn read(arguments: &[String]) -> Result<Asked, Failure> {
    let mut chosen = None;
    let mut options = Options {
        rows: Row::ALL.into_iter().filter(|row| *row != Row::Growth).collect(),
        runs: 5,
        scale: 1.0,
        programs: Programs::Built,
        destination: Destination::Folder(target().join("bench")),
        leaves_out_growth: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--help" | "-h" => return Ok(Asked::Help),
            "--only" => chosen = Some(rows(rest.next())?),
            "--all" => chosen = Some(Row::ALL.to_vec()),
            "--redraw" => chosen = Some(Vec::new()),
            "--runs" => options.runs = positive(argument, rest.next())?.ceil() as usize,
            "--scale" => options.scale = positive(argument, rest.next())?,
            "--no-build" => options.programs = Programs::AsTheyAre,
            "--keep" => options.destination = Destination::Docs(root().join("docs")),
            "--out" => options.destination = Destination::Folder(folder(rest.next())?),
            other => return failure(format!("bench knows no `{other}`\n{HELP}")),
        }
    }
    if options.scale != 1.0 && matches!(options.destination, Destination::Docs(_)) {
        return failure("--keep keeps figures of files of the usual size; leave out --scale");
    }
    options.leaves_out_growth = chosen.is_none();
    options.rows = chosen.unwrap_or(options.rows);
    Ok(Asked::Measure(options))
}

fn rows(names: Option<&String>) -> Result<Vec<Row>, Failure> {
    let names: Vec<&str> = names.map(|names| names.split(',').collect()).unwrap_or_default();
    if let Some(unknown) = names.iter().find(|name| Row::named(name).is_none()) {
        let known: Vec<&str> = Row::ALL.iter().map(|row| row.name()).collect();
        return failure(format!("no row is called `{unknown}`; there are {}", known.join(", ")));
    }
    match names.is_empty() {
        true => failure("--only wants the names of rows, such as stage,small"),
        false => Ok(Row::ALL.into_iter().filter(|row| names.contains(&row.name())).collect()),
    }
}

fn positive(option: &str, value: Option<&String>) -> Result<f64, Failure> {
    let number = value.and_then(|value| value.parse().ok()).filter(|number| *number > 0.0);
    number.map_or_else(|| failure(format!("{option} wants a number above 0")), Ok)
}

fn folder(value: Option<&String>) -> Result<PathBuf, Failure> {
    value.map_or_else(|| failure("--out wants a folder"), |folder| Ok(PathBuf::from(folder)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, Failure> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match read(&words)? {
            Asked::Measure(options) => Ok(options),
            Asked::Help => failure("help"),
        }
    }

    #[test]
    fn growth_is_measured_only_when_it_is_asked_for() {
        let names = |line: &str| -> Vec<&str> {
            options(line).unwrap().rows.iter().map(|row| row.name()).collect()
        };
        assert!(!names("").contains(&"growth") && options("").unwrap().leaves_out_growth);
        assert_eq!(names("--all").len(), Row::ALL.len());
        assert_eq!(names("--only small,stage"), ["stage", "small"]);
        assert!(!options("--only growth").unwrap().leaves_out_growth);
        assert!(names("--redraw").is_empty());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in ["--only staging", "--only", "--runs 0", "--runs many", "--keep --scale 0.1"] {
            assert!(options(line).is_err(), "{line}");
        }
        assert!(options("--keep --no-build --runs 3").is_ok());
    }
}
