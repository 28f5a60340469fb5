//! `loader plugin bench`: what a plugin's rows cost, against what they cost before.
//!
//! Instructions and memory are taken from one batch of a load, run with counted instructions: they
//! are the same on every machine and every day. Rows per second, bytes and the time to open come
//! from a run at full speed, and are only shown.

mod baseline;

use std::path::{Path, PathBuf};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use loader_harness::{Harness, HarnessError, Measured};
use loader_sandbox::Metering;

use self::baseline::{Baseline, Figures};
use super::cases::{self, counted, name};
use super::{Verdict, build, check_pins, runtime, settings};
use crate::cli::plugin::BenchArgs;
use crate::commands::print;
use crate::settings::Settings;
use loader_data::failures::plugin_failure;
use loader_model::error::{Context, Error, Kind, Result};

/// Rows whose instructions are counted, at least: a whole batch of a load.
const COUNTED_ROWS: usize = 16 * 1024;
/// Timed runs of which the median is shown.
const TIMED_RUNS: usize = 3;

pub(super) fn run(args: &BenchArgs) -> Result<Verdict> {
    let path = &build::file(&args.file)?;
    let bytes = read(path)?;
    let settings = settings(&args.sandbox)?;
    check_pins(&settings, path, &bytes)?;
    let plain = harness(path, bytes.clone(), &settings, Metering::Off)?;
    let metered = harness(path, bytes, &settings, Metering::Fuel)?;
    let (dir, inputs) = inputs(args, path)?;
    let plugin = plain.plugin();
    print(&format!(
        "{} {} (sha256 {}), {} of {}\n",
        plugin.name(),
        plugin.version(),
        plugin.sha256().get(..8).unwrap_or_default(),
        counted(inputs.len(), "case"),
        dir.display()
    ));
    let mut table = table();
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

/// What is measured, and the folder that it is from.
fn inputs(args: &BenchArgs, plugin: &Path) -> Result<(PathBuf, Vec<Input>)> {
    if let (Some(file), []) = (&args.input, args.names.as_slice()) {
        let input = Input { name: name(file), folder: None, csv: read(file)? };
        return Ok((file.clone(), vec![input]));
    }
    let (dir, folders) = cases::find(plugin, args.cases.as_ref())?;
    let known: Vec<String> = folders.iter().map(|folder| name(folder)).collect();
    if let Some(unknown) = args.names.iter().find(|name| !known.contains(name)) {
        let fact =
            format!("no case {unknown} in {}; there are {}", dir.display(), known.join(", "));
        return Err(Error::new(Kind::Config, fact));
    }
    let wanted = folders
        .into_iter()
        .zip(known)
        .filter(|(_, name)| args.names.is_empty() || args.names.contains(name));
    let inputs = wanted.map(|(folder, name)| {
        let csv = read(args.input.as_ref().unwrap_or(&folder.join("input.csv")))?;
        Ok(Input { name, folder: Some(folder), csv })
    });
    Ok((dir.clone(), inputs.collect::<Result<_>>()?))
}

/// Holds the figures against the baseline, or makes them the baseline.
fn judge(
    args: &BenchArgs,
    dir: &Path,
    sha256: &str,
    measured: &[(String, Figures)],
) -> Result<Verdict> {
    let path = args.baseline.clone().unwrap_or_else(|| beside(dir));
    let known = Baseline::read(&path)?;
    if args.update {
        let is_new =
            known.unwrap_or_default().with(sha256, measured, args.names.is_empty()).write(&path)?;
        print(&format!("{}: {}\n", if is_new { "written" } else { "unchanged" }, path.display()));
        return Ok(Verdict::Good);
    }
    let Some(known) = known else {
        if args.baseline.is_some() {
            return Err(Error::new(
                Kind::Config,
                format!("there is no baseline {}", path.display()),
            ));
        }
        print(&format!("nothing to compare with: --update writes {}\n", path.display()));
        return Ok(Verdict::Good);
    };
    let costlier = known.compare(measured, args.tolerance);
    for line in &costlier {
        print(&format!("  FAILED {line}\n"));
    }
    if known.sha256 != sha256 {
        let short = known.sha256.get(..8).unwrap_or(&known.sha256);
        print(&format!("the baseline is that of another build (sha256 {short})\n"));
    }
    print(&match costlier.len() {
        0 => format!("ok: nothing costs {} % more than in {}\n", args.tolerance, path.display()),
        _ => format!(
            "FAILED: it costs more than in {}; make it cheaper, or take it with --update\n",
            path.display()
        ),
    });
    Ok(if costlier.is_empty() { Verdict::Good } else { Verdict::Bad })
}

/// `bench.toml` of the crate whose cases these are; `dir` may be one case.
fn beside(dir: &Path) -> PathBuf {
    let tests = if dir.join("input.csv").is_file() { dir.parent() } else { Some(dir) };
    tests.and_then(Path::parent).unwrap_or(Path::new("")).join("bench.toml")
}

fn harness(
    path: &Path,
    bytes: Vec<u8>,
    settings: &Settings,
    metering: Metering,
) -> Result<Harness> {
    Ok(Harness::of(runtime(settings, metering)?.load(path, bytes).map_err(plugin_failure)?))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).context(Kind::Config, format!("{} cannot be read", path.display()))
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
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
