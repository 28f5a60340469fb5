//! The rows in which DuckDB and Polars do the same work: `stage`, `transform`, and the five shapes.
//!
//! In: a file. Out: the runs of each program, in turns. A program of others that fails, or writes
//! another number of rows, is left out of the row, and a note says why.

use std::path::Path;

use serde_json::Value;

use super::measure::{Run, measure};
use super::peers::ReadyPeer;
use super::record::{Record, Series};
use super::row::Row;
use super::shapes::{Generated, Kind, Shape, Source};
use super::stand_in::StandIn;
use super::workbench::Workbench;
use crate::failure::{Failure, failure};

/// One of the other programs in a row.
struct Entrant<'a> {
    ready: &'a ReadyPeer,
    runs: Vec<Run>,
    /// Why it is out.
    dropped: Option<String>,
}

/// From the S3 object to staged parts. The others read the same file from the disk.
pub(super) fn stage(bench: &Workbench) -> Result<Record, Failure> {
    let source = Shape::lineitem(bench.scale).source()?;
    let stand_in = StandIn::start(bench, "stage")?;
    stand_in.land(&source.path, &file_name(&source.path))?;
    contest(bench, Row::Stage, &source, &|| stand_in.stage(bench, &source))
}

/// From a local file of CSV to one of Parquet.
pub(super) fn transform(bench: &Workbench) -> Result<Record, Failure> {
    transformed(bench, Row::Transform, Shape::lineitem(bench.scale))
}

/// The same with a file that is strange in one way.
pub(super) fn shape(bench: &Workbench, row: Row, generated: Generated) -> Result<Record, Failure> {
    transformed(bench, row, Shape { kind: Kind::Generated(generated), scale: bench.scale })
}

fn transformed(bench: &Workbench, row: Row, shape: Shape) -> Result<Record, Failure> {
    let source = shape.source()?;
    let written = bench.path("loader.parquet");
    contest(bench, row, &source, &|| {
        let _ = std::fs::remove_file(&written);
        let mut loader = bench.loader();
        loader.arg("transform").arg(&source.path).arg("-o").arg(&written);
        loader.args(["--config", "none", "--plugins"]).arg(bench.plugin());
        let ended = measure("loader transform", &mut loader)?;
        let _ = std::fs::remove_file(&written);
        match rows_written(&ended.stderr) {
            Some(rows) if rows == source.rows => Ok(ended.run),
            rows => failure(format!("loader wrote {rows:?} rows of {}", source.rows)),
        }
    })
}

/// The rows that the program says that it wrote, in the last line of its log that says so.
fn rows_written(log: &str) -> Option<u64> {
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter_map(|event| event["written"].as_u64()).next_back()
}

/// Measures ours and the others in turns, so that a machine that slows down slows all down alike.
fn contest(
    bench: &Workbench,
    row: Row,
    source: &Source,
    ours: &dyn Fn() -> Result<Run, Failure>,
) -> Result<Record, Failure> {
    let mut record = bench.record(row, source.title.clone())?;
    let mut own = Series { name: "loader".to_owned(), runs: Vec::new() };
    let entrant = |ready| Entrant { ready, runs: Vec::new(), dropped: None };
    let mut entrants: Vec<Entrant<'_>> = bench.peers.iter().map(entrant).collect();
    for number in 1..=bench.runs {
        let run = ours()?;
        say(number, "loader", &run);
        own.runs.push(run);
        for entrant in entrants.iter_mut().filter(|entrant| entrant.dropped.is_none()) {
            entrant.go(bench, number, source);
        }
    }
    record.series.push(own);
    for Entrant { ready, runs, dropped } in entrants {
        let name = ready.peer.name().to_owned();
        match dropped {
            None => record.series.push(Series { name, runs }),
            Some(because) => record.notes.push(format!("{}: {because}", ready.peer.title())),
        }
    }
    Ok(record)
}

impl Entrant<'_> {
    /// One run; in the first one the rows that it wrote are counted.
    fn go(&mut self, bench: &Workbench, number: usize, source: &Source) {
        let name = self.ready.peer.name();
        let written = bench.path(&format!("{name}.parquet"));
        match self.measured(bench, number, source, &written) {
            Ok(run) => {
                say(number, name, &run);
                self.runs.push(run);
            }
            Err(error) => {
                eprintln!("{name} is left out: {error}");
                self.dropped = Some(last_line(&error.to_string()));
            }
        }
        let _ = std::fs::remove_file(&written);
    }

    fn measured(
        &self,
        bench: &Workbench,
        number: usize,
        source: &Source,
        written: &Path,
    ) -> Result<Run, Failure> {
        let mut command = self.ready.command(&source.path, written, bench.machine.cores);
        let ended = measure(self.ready.peer.title(), &mut command)?;
        if number > 1 {
            return Ok(ended.run);
        }
        match self.ready.rows(written)? {
            rows if rows == source.rows => Ok(ended.run),
            rows => failure(format!("it writes {rows} rows of {}", source.rows)),
        }
    }
}

/// Where a program of Python says what went wrong.
fn last_line(text: &str) -> String {
    text.trim().lines().next_back().unwrap_or_default().to_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn say(number: usize, name: &str, run: &Run) {
    let memory = run.peak_bytes >> 20;
    eprintln!(
        "run {number}: {name} {:.2} s, processor {:.2} s, {memory} MiB",
        run.wall_seconds, run.cpu_seconds
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_of_the_last_line_that_has_some() {
        let log = "words\n{\"written\":1}\n{\"read\":3,\"written\":2}\n{\"msg\":\"end\"}\n";
        assert_eq!(rows_written(log), Some(2));
        assert_eq!(rows_written("words"), None);
    }
}
