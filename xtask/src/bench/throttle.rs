//! The row `throttle`: an S3 that is as slow for one request as the real one, and one that is not.
//! A loader that reads with several requests at once should hardly notice.

use super::record::{Record, Series};
use super::row::Row;
use super::shapes::{Shape, Source};
use super::stand_in::{Pace, StandIn};
use super::workbench::Workbench;
use crate::failure::{Failure, failure};

/// The names of the two series.
pub(super) const FAST: &str = "unthrottled";
pub(super) const SLOW: &str = "throttled";

/// What S3 gives one request, roughly. AWS counts with 85 to 90 MB/s for each; this is less.
/// Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/dev/optimizing-performance-design-patterns.html>
const PACE: Pace = Pace { bytes_per_second: 60_000_000, first_byte_ms: 50 };

/// Stages `lineitem` from both, in turns.
pub(super) fn run(bench: &Workbench) -> Result<Record, Failure> {
    let source = Shape::lineitem(bench.scale).source()?;
    let stand_in = StandIn::start(bench, "throttle")?;
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    stand_in.land(&source.path, &name)?;
    let mut record = bench.record(Row::Throttle, source.title.clone())?;
    is_slowed_down(&stand_in, &source, &name, &mut record)?;
    let mut all = [FAST, SLOW].map(|name| Series { name: name.to_owned(), runs: Vec::new() });
    for number in 1..=bench.runs {
        for (series, pace) in all.iter_mut().zip([None, Some(PACE)]) {
            stand_in.slow_down(pace)?;
            let run = stand_in.stage(bench, &source)?;
            eprintln!("run {number}: {} {:.2} s", series.name, run.wall_seconds);
            series.runs.push(run);
        }
    }
    record.series = all.into();
    Ok(record)
}

/// Errors: S3 is as fast as before, so that the row would compare nothing.
fn is_slowed_down(
    stand_in: &StandIn,
    source: &Source,
    name: &str,
    record: &mut Record,
) -> Result<(), Failure> {
    let bytes = source.size_bytes.min(30_000_000);
    let least = bytes as f64 / PACE.bytes_per_second as f64 + PACE.first_byte_ms as f64 / 1e3;
    stand_in.slow_down(Some(PACE))?;
    match stand_in.seconds_of_answer(name, bytes) {
        Ok(seconds) if seconds < 0.9 * least => failure(format!(
            "S3 gave {bytes} bytes in {seconds:.2} s, not in {least:.2} s; this stand-in knows no \
             throttle, so build a newer one"
        )),
        Ok(_) => Ok(()),
        Err(error) => {
            record.notes.push(format!("that S3 was slow was not checked by curl: {error}"));
            Ok(())
        }
    }
}
