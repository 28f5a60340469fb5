//! The row `small`: a whole load of a small file into a table that is there and need not change.

use std::fmt::Write as _;

use super::record::{Record, Series};
use super::row::Row;
use super::stand_in::StandIn;
use super::workbench::Workbench;
use crate::failure::{Failure, failure};

const ROWS: u64 = 1_000;
/// A load takes milliseconds, so there are more of them: so many for each run of the other rows.
const LOADS_OF_A_RUN: usize = 4;

/// Loads files of new rows, one after another; the first one makes the table, and does not count.
pub(super) fn run(bench: &Workbench) -> Result<Record, Failure> {
    let stand_in = StandIn::start(bench, "small")?;
    let mut record = bench.record(Row::Small, "a load of 1,000 new rows, 5 columns".to_owned())?;
    let mut loads = Series { name: "loader".to_owned(), runs: Vec::new() };
    for number in 0..=bench.runs * LOADS_OF_A_RUN {
        let name = format!("small-{number}.csv");
        let path = bench.path(&name);
        let written = std::fs::write(&path, text(number as u64 * ROWS));
        written.or_else(|error| failure(format!("{name} cannot be written: {error}")))?;
        stand_in.land(&path, &name)?;
        let run = stand_in.load(bench, &name, ROWS)?;
        if number > 0 {
            let requests = run.s3_requests.map_or("?".to_owned(), |requests| requests.to_string());
            let milliseconds = run.wall_seconds * 1e3;
            eprintln!("run {number}: {milliseconds:.0} ms, {requests} requests to S3");
            loads.runs.push(run);
        }
    }
    record.series.push(loads);
    Ok(record)
}

/// Orders from this number on.
fn text(first: u64) -> String {
    let mut text = "id,customer,amount,ordered_on,note\n".to_owned();
    for id in first..first + ROWS {
        let (cents, day) = (id * 37 % 100_000, 1 + id % 28);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{id},customer {},{}.{:02},2026-01-{day:02},order number {id}",
            id % 97,
            cents / 100,
            cents % 100
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_new_rows_of_one_shape() {
        let (first, second) = (text(0), text(ROWS));
        assert_eq!(first.lines().count() as u64, ROWS + 1);
        assert_eq!(first.lines().next(), second.lines().next());
        assert_eq!(
            second.lines().nth(1),
            Some("1000,customer 30,370.00,2026-01-21,order number 1000")
        );
    }
}
