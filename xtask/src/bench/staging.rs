//! Measures the data path, from S3 object to staged parts, on TPC-H `lineitem`, and DuckDB beside
//! it.
//!
//! Both read the same CSV file and write Parquet with Snappy, decimals as DECIMAL(38,18), in
//! turns; medians count. Speed: wall-clock seconds of the steps infer, plan and stage. Memory: the
//! loader's own peak. Every run is shown.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tpchgen::csv::LineItemCsv;
use tpchgen::generators::LineItemGenerator;

use crate::failure::{Failure, failure};
use crate::plugins;
use crate::run::{cargo, output, root, target, watched};
use crate::setup;

/// What `loader stage` is told, but for the plugin.
const STAGE_OPTIONS: [[&str; 2]; 7] = [
    ["--src-bucket", "bench"],
    ["--source-file-name", "lineitem.csv"],
    ["--target-table", "lineitem"],
    ["--workgroup-name", "bench"],
    ["--database", "dev"],
    ["--iam-role", "default"],
    ["--report", "json"],
];

const DUCKDB: &str = "\
import sys, time, duckdb
source, target, threads = sys.argv[1:4]
duckdb.execute(f'SET threads = {threads}')
duckdb.execute('SET enable_progress_bar = false')
start = time.perf_counter()
duckdb.execute(f\"\"\"COPY (SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity,
  CAST(l_extendedprice AS DECIMAL(38,18)) AS l_extendedprice,
  CAST(l_discount AS DECIMAL(38,18)) AS l_discount, CAST(l_tax AS DECIMAL(38,18)) AS l_tax,
  l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate,
  l_shipinstruct, l_shipmode, l_comment,
  CAST(now() AS TIMESTAMP) AS run_date, 'lineitem.csv' AS file_name
  FROM read_csv('{source}', all_varchar = false)
) TO '{target}' (FORMAT parquet, COMPRESSION snappy)\"\"\")
print(time.perf_counter() - start)
";

struct Options {
    scale: f64,
    runs: usize,
    duckdb: bool,
}

/// What one run of the loader took.
struct Measured {
    seconds: f64,
    steps: String,
    rows: u64,
    peak_bytes: u64,
    sandbox_seconds: f64,
}

/// All runs on one file.
struct Measurements {
    scale: f64,
    size_bytes: u64,
    cores: usize,
    loader: Vec<Measured>,
    duckdb_seconds: Vec<f64>,
}

/// Runs the benchmark and prints a table.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = options(arguments)?;
    setup::postgres()?;
    plugins::build_plugins(&setup::toolchain()?, &["default".to_owned()])?;
    let packages = ["--package", "loader", "--package", "loader-local"];
    watched(cargo(&["build", "--release"]).args(packages))?;
    let source = lineitem(options.scale)?;
    measure(&options, &source)?.print();
    Ok(())
}

/// Stages the file with the loader and with DuckDB, in turns.
fn measure(options: &Options, source: &Path) -> Result<Measurements, Failure> {
    let python = if options.duckdb { Some(setup::python(&["duckdb"])?) } else { None };
    let stand_in = StandIn::start(source)?;
    let mut measurements = Measurements {
        scale: options.scale,
        size_bytes: std::fs::metadata(source).map_or(0, |file| file.len()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        loader: Vec::new(),
        duckdb_seconds: Vec::new(),
    };
    for number in 1..=options.runs {
        let measured = stand_in.stage()?;
        println!("run {number}: loader {:.2} s ({})", measured.seconds, measured.steps);
        measurements.loader.push(measured);
        if let Some(python) = &python {
            let seconds = duckdb(python, source, measurements.cores)?;
            println!("run {number}: duckdb {seconds:.2} s");
            measurements.duckdb_seconds.push(seconds);
        }
    }
    Ok(measurements)
}

fn options(arguments: &[String]) -> Result<Options, Failure> {
    let mut options = Options { scale: 1.0, runs: 3, duckdb: true };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--skip-duckdb" => options.duckdb = false,
            "--scale" => options.scale = positive(argument, rest.next())?,
            "--runs" => options.runs = positive(argument, rest.next())? as usize,
            other => return failure(format!("bench knows no `{other}`")),
        }
    }
    Ok(options)
}

fn positive(option: &str, value: Option<&String>) -> Result<f64, Failure> {
    let number = value.and_then(|value| value.parse().ok()).filter(|number| *number > 0.0);
    number.map_or_else(|| failure(format!("{option} wants a number")), Ok)
}

/// The generated file, made once for each scale.
fn lineitem(scale: f64) -> Result<PathBuf, Failure> {
    let dir = target().join("bench");
    let path = dir.join(format!("lineitem-{scale}.csv"));
    if path.exists() {
        return Ok(path);
    }
    eprintln!("generating {}", path.display());
    let written = std::fs::create_dir_all(&dir).and_then(|()| write_lineitem(scale, &path));
    written.or_else(|error| failure(format!("{} cannot be written: {error}", path.display())))?;
    Ok(path)
}

/// Under another name until it is complete, so that a file that is there is whole.
fn write_lineitem(scale: f64, path: &Path) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&unfinished)?);
    writeln!(file, "{}", LineItemCsv::header())?;
    for item in LineItemGenerator::new(scale, 1, 1).iter() {
        writeln!(file, "{}", LineItemCsv::new(item))?;
    }
    file.flush()?;
    std::fs::rename(&unfinished, path)
}

/// S3 and the Data API in a process of their own, so that the loader's memory is its own.
struct StandIn {
    server: Child,
    dir: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl StandIn {
    fn start(source: &Path) -> Result<StandIn, Failure> {
        let dir = tempfile::tempdir_in(target())
            .or_else(|error| problem("no temporary folder", error))?;
        make_bucket(dir.path(), source)?;
        let mut command = Command::new(loader());
        command.arg("local").arg("--dir").arg(dir.path()).stdout(Stdio::piped());
        let mut server =
            command.spawn().or_else(|error| problem("the stand-in does not start", error))?;
        let Some(stdout) = server.stdout.take() else {
            return failure("no output of the stand-in");
        };
        Ok(StandIn { server, dir, variables: exported_variables(BufReader::new(stdout)) })
    }

    fn stage(&self) -> Result<Measured, Failure> {
        let ran = self.stage_command().output();
        let ran = ran.or_else(|error| failure(format!("loader does not start: {error}")))?;
        let log = String::from_utf8_lossy(&ran.stderr).into_owned();
        if !ran.status.success() {
            return failure(format!("loader stage failed:\n{log}"));
        }
        let _ = std::fs::remove_dir_all(self.dir.path().join("bench/data/staging"));
        measured(&String::from_utf8_lossy(&ran.stdout), &log)
    }

    fn stage_command(&self) -> Command {
        let mut command = Command::new(loader());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.arg("stage").args(STAGE_OPTIONS.as_flattened());
        command.arg("--plugins").arg(root().join("plugins/default.wasm")).stderr(Stdio::piped());
        command
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // SIGTERM lets it stop its PostgreSQL.
        let _ = Command::new("kill").arg(self.server.id().to_string()).status();
        let _ = self.server.wait();
    }
}

/// The folder that the stand-in shows as the bucket `bench`, with the source object in it.
fn make_bucket(dir: &Path, source: &Path) -> Result<(), Failure> {
    let incoming = dir.join("bench/data/in");
    std::fs::create_dir_all(&incoming).or_else(|error| problem("no bucket", error))?;
    let object = incoming.join("lineitem.csv");
    std::fs::hard_link(source, &object).or_else(|error| problem("no object", error))
}

/// The block of `export NAME=VALUE` lines that the stand-in prints when it is ready.
fn exported_variables(lines: impl BufRead) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for line in lines.lines().map_while(Result::ok) {
        match line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
            Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
            None if variables.is_empty() => {}
            None => break,
        }
    }
    variables
}

fn problem<T>(what: &str, error: std::io::Error) -> Result<T, Failure> {
    failure(format!("{what}: {error}"))
}

fn measured(report: &str, log: &str) -> Result<Measured, Failure> {
    let report: Value = serde_json::from_str(report)
        .or_else(|error| failure(format!("the report is no JSON: {error}")))?;
    let steps: Vec<(&str, f64)> = measured_steps(&report).collect();
    let shown = steps.iter().map(|(name, seconds)| format!("{name} {seconds:.2}"));
    let events: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let field = |name: &str| events.iter().filter_map(|event| event[name].as_u64()).sum::<u64>();
    Ok(Measured {
        seconds: steps.iter().map(|(_, seconds)| seconds).sum(),
        steps: shown.collect::<Vec<_>>().join(", "),
        rows: report["rows"]["read"].as_u64().unwrap_or(0),
        peak_bytes: field("peak_bytes"),
        sandbox_seconds: field("sandbox_ms") as f64 / 1000.0,
    })
}

/// The steps of the data path, from the S3 object to staged parts, with their seconds.
fn measured_steps(report: &Value) -> impl Iterator<Item = (&str, f64)> {
    let steps = report["steps"].as_array().into_iter().flatten();
    let steps = steps.map(|step| {
        let name = step["name"].as_str().unwrap_or_default();
        (name, step["seconds"].as_f64().unwrap_or(0.0))
    });
    steps.filter(|(name, _)| ["infer", "plan", "stage"].contains(name))
}

fn duckdb(python: &Path, source: &Path, cores: usize) -> Result<f64, Failure> {
    let parquet = source.with_extension("duckdb.parquet");
    let mut command = Command::new(python);
    command.args(["-c", DUCKDB]).arg(source).arg(&parquet).arg(cores.to_string());
    let seconds = output(&mut command)?;
    let _ = std::fs::remove_file(&parquet);
    seconds.trim().parse().or_else(|_| failure(format!("DuckDB said `{seconds}`")))
}

impl Measurements {
    fn print(&self) {
        let (rows, runs) = (self.loader.first().map_or(0, |run| run.rows), self.loader.len());
        let (megabytes, cores) = (self.size_bytes as f64 / 1e6, self.cores);
        println!(
            "\nlineitem, scale {}: {megabytes:.0} MB, {rows} rows, {cores} cores, {runs} runs, \
             medians",
            self.scale
        );
        let seconds = median(self.loader.iter().map(|run| run.seconds).collect());
        let (rate, row_rate) = (megabytes / seconds, rows as f64 / seconds);
        println!("  loader   {seconds:.2} s   {rate:.0} MB/s   {row_rate:.0} rows/s");
        self.print_costs(seconds);
        if !self.duckdb_seconds.is_empty() {
            let duckdb = median(self.duckdb_seconds.clone());
            let times = seconds / duckdb;
            println!("  duckdb   {duckdb:.2} s   loader takes {times:.2} times as long");
        }
    }

    /// The loader's memory, and the sandbox's part of the seconds that the loader takes.
    fn print_costs(&self, seconds: f64) {
        let peak = self.loader.iter().map(|run| run.peak_bytes).max().unwrap_or(0);
        println!("  memory   {:.0} MB at most", peak as f64 / 1e6);
        let sandbox = median(self.loader.iter().map(|run| run.sandbox_seconds).collect());
        println!(
            "  sandbox  {:.0} % of the processors' time of these steps",
            100.0 * sandbox / (seconds * self.cores as f64)
        );
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn loader() -> PathBuf {
    target().join("release/loader")
}
