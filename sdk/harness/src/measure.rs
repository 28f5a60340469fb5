//! What rows cost: one session of a plugin over many rows, measured.

use std::time::{Duration, Instant};

use arrow_array::{Int64Array, RecordBatch, UInt64Array};
use arrow_select::take::take_record_batch;
use loader_sandbox::{PluginCounters, PluginError};

use crate::error::HarnessError;
use crate::harness::Harness;
use crate::output::Cost;
use crate::trial::{Trial, cost, finish};

/// What rows cost in one session, on one thread.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Rows that went in.
    pub rows: u64,
    /// Time to make an instance and to open its session.
    pub opening: Duration,
    /// Time for all rows: in the sandbox, to encode and decode, and to put the columns together.
    pub processing: Duration,
    /// Instructions of a session without rows; `None` unless instructions are counted.
    pub opening_fuel: Option<u64>,
    /// What the session cost.
    pub cost: Cost,
}

impl Measured {
    /// How many rows the plugin takes in a second, once its session is open.
    pub fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.processing.as_secs_f64()
    }

    /// Instructions for one row, without those for opening; `None` unless instructions are counted
    /// (see [`Harness::open_metered`]). A plugin that has nothing to compute runs none.
    ///
    /// For example, a session that takes 1,000,000 instructions without rows and 3,000,000 with
    /// 1,000 rows gives 2,000.
    pub fn fuel_per_row(&self) -> Option<f64> {
        let fuel = self.cost.fuel?.saturating_sub(self.opening_fuel.unwrap_or(0));
        Some(fuel as f64 / self.rows as f64)
    }
}

impl Harness {
    /// Runs the plugin on the rows of a CSV text, again and again until there were `rows` of them.
    /// A text with more rows is run once.
    ///
    /// Errors: those of [`Harness::run_csv`]; the text has no rows.
    ///
    /// ```no_run
    /// let plugin = loader_harness::Harness::open_metered("plugins/default.wasm")?;
    /// let measured = plugin.measure_csv("id,price\n1,0.5\n", 16_384)?;
    /// assert!(measured.fuel_per_row().is_some_and(|fuel| fuel < 1000.0));
    /// # Ok::<(), loader_harness::HarnessError>(())
    /// ```
    pub fn measure_csv(
        &self,
        text: impl AsRef<[u8]>,
        rows: usize,
    ) -> Result<Measured, HarnessError> {
        let trial = self.trial(text.as_ref(), self.own_dialect())?;
        let batch_rows = self.own_batch_rows();
        let input = at_least(&trial.input.batch, batch_rows)?;
        // A session without rows: what it costs is what `fuel_per_row` takes off.
        let (_, _, idle) = session(&trial, &input, batch_rows, 0)?;
        let rows = rows.max(trial.rows());
        let (opening, processing, counted) = session(&trial, &input, batch_rows, rows)?;
        Ok(Measured {
            rows: rows as u64,
            opening,
            processing,
            opening_fuel: idle.fuel,
            cost: cost(&counted),
        })
    }
}

/// At least so many rows: those of `batch`, repeated if they are fewer. Otherwise an input of 3
/// rows would be processed 3 rows at a time, and the calls would be measured in place of the rows.
fn at_least(batch: &RecordBatch, rows: usize) -> Result<RecordBatch, HarnessError> {
    match batch.num_rows() {
        0 => Err(HarnessError::Input("there are no rows to measure".to_owned())),
        n if n >= rows => Ok(batch.clone()),
        n => {
            let indices = UInt64Array::from_iter_values((0..rows).map(|row| (row % n) as u64));
            take_record_batch(batch, &indices)
                .map_err(|error| HarnessError::Input(error.to_string()))
        }
    }
}

/// Time to open, time for the rows, and what was counted.
// `first` goes around in `input`. A batch does not reach across the end, so the last batch of each
// round may be short.
fn session(
    trial: &Trial,
    input: &RecordBatch,
    batch_rows: usize,
    rows: usize,
) -> Result<(Duration, Duration, PluginCounters), PluginError> {
    let start = Instant::now();
    let mut session = trial.open()?;
    let opening = start.elapsed();
    let start = Instant::now();
    let (mut done, mut first) = (0, 0);
    while done < rows {
        let n = batch_rows.min(input.num_rows() - first).min(rows - done);
        let numbers = Int64Array::from_iter_values((done as i64 + 1..).take(n));
        session.process(&input.slice(first, n), &numbers)?;
        (done, first) = (done + n, (first + n) % input.num_rows());
    }
    let processing = start.elapsed();
    Ok((opening, processing, finish(session)?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::ArrayRef;

    use super::*;

    #[test]
    fn a_short_input_is_repeated_and_a_long_one_left_as_it_is() {
        let column = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
        let batch = |values: Vec<i64>| RecordBatch::try_from_iter([("n", column(values))]).unwrap();
        assert_eq!(at_least(&batch(vec![1, 2]), 5).unwrap(), batch(vec![1, 2, 1, 2, 1]));
        assert_eq!(at_least(&batch(vec![1, 2, 3]), 2).unwrap(), batch(vec![1, 2, 3]));
        assert_eq!(
            at_least(&batch(Vec::new()), 2).unwrap_err().to_string(),
            "the input: there are no rows to measure"
        );
    }
}
