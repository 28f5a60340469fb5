//! `loader plugin bench`: what a plugin's rows cost, against what they cost before.
//!
//! Instructions and memory come from one batch of a load, run with counted instructions: they are
//! the same on every machine and every day, so the baseline holds them. Rows per second, bytes and
//! the time to open come from a run at full speed, and are only shown.

mod baseline;

use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, Table};
use loader_data::failures::plugin_failure;
use loader_harness::{Harness, HarnessError, Measured};
use loader_model::error::{Error, Kind, Result};
use loader_sandbox::Metering;

use self::baseline::{Baseline, Figures};
use super::cases::{self, name};
use super::given::{GivenPlugin, read};
use super::verdict::Verdict;
use crate::cli::plugin::BenchArgs;
use crate::commands::{print, table};

/// Rows whose instructions are counted, at least: a whole batch of a load.
const COUNTED_ROWS: usize = 16 * 1024;
/// Timed runs of a case, of which the median is shown: a run that the machine slowed down does not
/// change it.
const TIMED_RUNS: usize = 3;

// Every case runs on two instances of the plugin. Counting instructions makes a plugin up to three
// times slower, so the metered instance gives the figures for the baseline and the plain one gives
// the times.
pub(super) fn run(args: &BenchArgs) -> Result<Verdict> {
    let given = GivenPlugin::read(&args.file, &args.sandbox)?;
    given.check_pins()?;
    let plain = Harness::of(given.load(Metering::Off)?);
    let metered = Harness::of(given.load(Metering::Fuel)?);
    let (dir, inputs) = inputs(args, &given.path)?;
    print(&cases::headline(plain.plugin(), inputs.len(), &dir));
    let mut table = empty_table();
    let mut measured = Vec::new();
    for input in &inputs {
        let fuel = input.measure(&metered, COUNTED_ROWS)?;
        table.add_row(row(&input.name, &input.timed(&plain, args.rows)?, &fuel));
        measured.push((input.name.clone(), Figures::of(&fuel)));
    }
    print(&format!("{table}\n"));
    match &args.input {
        Some(_) => Ok(Verdict::Good),
        None => judge(args, &dir, plain.plugin().sha256(), &measured),
    }
}

/// Rows, and the case that configures the plugin for them.
struct Input {
    name: String,
    /// The case; `None` for a file of `--input` with no case named: the plugin gets no config.
    folder: Option<PathBuf>,
    csv: Vec<u8>,
}

impl Input {
    fn measure(&self, harness: &Harness, rows: usize) -> Result<Measured> {
        let measured = match &self.folder {
            Some(folder) => {
                harness.for_case(folder).and_then(|harness| harness.measure_csv(&self.csv, rows))
            }
            None => harness.measure_csv(&self.csv, rows),
        };
        measured.map_err(|error| match error {
            HarnessError::Plugin(error) => plugin_failure(error),
            other => Error::new(Kind::Config, format!("case {}: {other}", self.name)),
        })
    }

    fn timed(&self, harness: &Harness, rows: usize) -> Result<Measured> {
        let runs: Result<Vec<Measured>> =
            (0..TIMED_RUNS).map(|_| self.measure(harness, rows)).collect();
        let mut runs = runs?;
        runs.sort_by_key(|run| run.processing);
        Ok(runs.swap_remove(TIMED_RUNS / 2))
    }
}

/// The inputs to measure, and the folder or file that they come from.
fn inputs(args: &BenchArgs, plugin: &Path) -> Result<(PathBuf, Vec<Input>)> {
    if let (Some(file), []) = (&args.input, args.names.as_slice()) {
        let input = Input { name: name(file), folder: None, csv: read(file)? };
        return Ok((file.clone(), vec![input]));
    }
    let (dir, folders) = cases::find(plugin, args.cases.as_ref())?;
    let inputs = wanted(&args.names, &dir, folders)?.into_iter().map(|folder| {
        let csv = read(args.input.as_ref().unwrap_or(&folder.join("input.csv")))?;
        Ok(Input { name: name(&folder), folder: Some(folder), csv })
    });
    let inputs = inputs.collect::<Result<_>>()?;
    Ok((dir, inputs))
}

/// The cases of these names, or all cases when no name is given. Errors: `Config` for a name
/// without a case.
fn wanted(names: &[String], dir: &Path, folders: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    let known: Vec<String> = folders.iter().map(|folder| name(folder)).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        let fact =
            format!("no case {unknown} in {}; there are {}", dir.display(), known.join(", "));
        return Err(Error::new(Kind::Config, fact));
    }
    let is_wanted = |folder: &PathBuf| names.is_empty() || names.contains(&name(folder));
    Ok(folders.into_iter().filter(is_wanted).collect())
}

/// Compares the figures with the baseline, or with `--update` makes them the baseline.
fn judge(
    args: &BenchArgs,
    dir: &Path,
    sha256: &str,
    measured: &[(String, Figures)],
) -> Result<Verdict> {
    let path = args.baseline.clone().unwrap_or_else(|| beside(dir));
    let known = Baseline::read(&path)?;
    if args.update {
        let baseline = known.unwrap_or_default().with(sha256, measured, args.names.is_empty());
        let outcome = if baseline.write(&path)? { "written" } else { "unchanged" };
        print(&format!("{outcome}: {}\n", path.display()));
        return Ok(Verdict::Good);
    }
    let Some(known) = known else { return without_baseline(args, &path) };
    let costlier = known.compare(measured, args.tolerance);
    print(&differences(&known, sha256, &costlier));
    print(&conclusion(costlier.len(), args.tolerance, &path));
    Ok(Verdict::of(costlier.is_empty()))
}

/// A line for each figure that costs more, and a line when the baseline was measured on another
/// build.
fn differences(known: &Baseline, sha256: &str, costlier: &[String]) -> String {
    let mut out: String = costlier.iter().map(|line| format!("  FAILED {line}\n")).collect();
    if known.sha256 != sha256 {
        let short = known.sha256.get(..8).unwrap_or(&known.sha256);
        out.push_str(&format!("the baseline is that of another build (sha256 {short})\n"));
    }
    out
}

/// Without a baseline there is nothing to compare, which is fine for a first run. Errors: `Config`
/// when the user named the missing file with `--baseline`.
fn without_baseline(args: &BenchArgs, path: &Path) -> Result<Verdict> {
    let path = path.display();
    if args.baseline.is_some() {
        return Err(Error::new(Kind::Config, format!("there is no baseline {path}")));
    }
    print(&format!("nothing to compare with: --update writes {path}\n"));
    Ok(Verdict::Good)
}

fn conclusion(costlier: usize, tolerance: u32, path: &Path) -> String {
    let path = path.display();
    match costlier {
        0 => format!("ok: nothing costs {tolerance} % more than in {path}\n"),
        _ => format!(
            "FAILED: it costs more than in {path}; make it cheaper, or take it with --update\n"
        ),
    }
}

/// The place of a crate's `bench.toml`: `mask-pii/tests` gives `mask-pii/bench.toml`, and so does
/// `mask-pii/tests/first`, a single case of it.
fn beside(dir: &Path) -> PathBuf {
    let tests = if dir.join("input.csv").is_file() { dir.parent() } else { Some(dir) };
    tests.and_then(Path::parent).unwrap_or(Path::new("")).join("bench.toml")
}

fn empty_table() -> Table {
    let mut table = table::table([
        "case",
        "fuel/row",
        "memory",
        "rows",
        "rows/s",
        "bytes in/row",
        "out/row",
        "to open",
    ]);
    table
        .column_iter_mut()
        .skip(1)
        .for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn row(name: &str, timed: &Measured, fuel: &Measured) -> [String; 8] {
    let each = |bytes: u64| format!("{:.1}", bytes as f64 / timed.rows as f64);
    let figures = Figures::of(fuel);
    [
        name.to_owned(),
        figures.fuel_per_row.to_string(),
        format!("{} KiB", figures.peak_memory_bytes / 1024),
        timed.rows.to_string(),
        format!("{:.0}", timed.rows_per_second()),
        each(timed.cost.bytes_in),
        each(timed.cost.bytes_out),
        format!("{:.2} ms", timed.opening.as_secs_f64() * 1e3),
    ]
}
