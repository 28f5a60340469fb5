//! The row `growth`: ten times the file. It should take ten times the time, and no more memory.

use std::path::Path;
use std::process::Command;

use super::record::{Record, Series};
use super::row::Row;
use super::shapes::{Shape, Source};
use super::stand_in::StandIn;
use super::workbench::Workbench;
use crate::failure::{Failure, failure};
use crate::run::{output, target};

/// The names of the two series.
pub(super) const ONCE: &str = "once";
pub(super) const TENFOLD: &str = "tenfold";

/// The bytes of `lineitem` at scale 1, and what the large file needs in multiples of its own size:
/// it is there once, once more while it is read, and its parts are staged.
const LINEITEM_BYTES: f64 = 7.7e8;
const ROOM: f64 = 2.7;

/// A generated file that is removed again.
struct Large(Shape);

/// Stages `lineitem` and ten times as much of it, in turns.
pub(super) fn run(bench: &Workbench) -> Result<Record, Failure> {
    let tenfold = bench.scale * 10.0;
    has_room(&target(), LINEITEM_BYTES * tenfold * ROOM)?;
    has_room(&std::env::temp_dir(), LINEITEM_BYTES * tenfold * 1.1)?;
    let large = Large(Shape::lineitem(tenfold));
    let sources = [Shape::lineitem(bench.scale).source()?, large.0.source()?];
    let stand_in = StandIn::start(bench, "growth")?;
    for source in &sources {
        let name = source.path.file_name().unwrap_or_default().to_string_lossy();
        stand_in.land(&source.path, &name)?;
    }
    let title = format!("{}, and {}", sources[0].title, sources[1].title);
    let mut record = bench.record(Row::Growth, title)?;
    record.series = series(bench, &stand_in, &sources)?;
    Ok(record)
}

fn series(
    bench: &Workbench,
    stand_in: &StandIn,
    sources: &[Source; 2],
) -> Result<Vec<Series>, Failure> {
    let mut all = [ONCE, TENFOLD].map(|name| Series { name: name.to_owned(), runs: Vec::new() });
    for number in 1..=bench.runs {
        for (series, source) in all.iter_mut().zip(sources) {
            let run = stand_in.stage(bench, source)?;
            let (name, memory) = (&series.name, run.peak_bytes >> 20);
            eprintln!("run {number}: {name} {:.2} s, {memory} MiB", run.wall_seconds);
            series.runs.push(run);
        }
    }
    Ok(all.into())
}

impl Drop for Large {
    fn drop(&mut self) {
        let (file, rows) = self.0.paths();
        let _ = std::fs::remove_file(file);
        let _ = std::fs::remove_file(rows);
    }
}

/// Errors: the disk of the folder has less room than so many bytes.
fn has_room(folder: &Path, bytes: f64) -> Result<(), Failure> {
    let said = output(Command::new("df").arg("-Pk").arg(folder))?;
    match free_bytes(&said) {
        Some(free) if free < bytes => failure(format!(
            "growth wants {:.0} GB of room in {}, and {:.0} GB are free; make room, or name \
             another folder in CARGO_TARGET_DIR or TMPDIR",
            bytes / 1e9,
            folder.display(),
            free / 1e9
        )),
        Some(_) => Ok(()),
        None => failure(format!("df said: {said}")),
    }
}

/// What `df -Pk` says to be available.
fn free_bytes(said: &str) -> Option<f64> {
    let kib: f64 = said.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_room_is_the_fourth_column() {
        let said =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/x 9 5 4 60% /\n";
        assert_eq!(free_bytes(said), Some(4096.0));
        assert_eq!(free_bytes("nothing"), None);
    }
}
