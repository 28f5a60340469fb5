//! Capture keeps the first rows that each plugin of a chain gets.
//!
//! In: batches, from all workers in any order, while the chain runs. Out: a test case for each
//! plugin. Although batches come in any order, the kept rows are the first of the file: of all
//! batches that a plugin gets, the batches with the lowest row numbers stay.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::clean;
use loader_sandbox::{ChainPlan, Observer, PlannedPlugin};

use crate::job::CaptureSettings;

/// The rows of a run so far.
pub(crate) struct Capture {
    settings: CaptureSettings,
    chain: ChainPlan,
    /// One for each plugin, each with its own lock: workers only wait for each other when they are
    /// at the same plugin.
    kept: Arc<[Mutex<Kept>]>,
}

/// What one plugin got first.
#[derive(Default)]
struct Kept {
    /// Batches by the number of their first row.
    batches: BTreeMap<i64, RecordBatch>,
    rows: usize,
}

impl Capture {
    /// Keeps nothing yet.
    pub(crate) fn start(settings: &CaptureSettings, chain: &ChainPlan) -> Capture {
        let kept = chain.plugins().iter().map(|_| Mutex::default()).collect();
        Capture { settings: settings.clone(), chain: chain.clone(), kept }
    }

    /// The observer for the chain, which the sandbox calls with every batch before a plugin gets
    /// it.
    pub(crate) fn observer(&self) -> Observer {
        let (kept, wanted) = (Arc::clone(&self.kept), self.settings.rows);
        Arc::new(move |place, batch, rows| {
            // `rows` are the rows' numbers in the file. A batch of which every row was rejected by
            // an earlier plugin has no first number, and nothing to keep.
            if let (Some(kept), Some(first)) = (kept.get(place), rows.values().first()) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).add(*first, batch, wanted);
            }
        })
    }

    /// Writes a case for each plugin, named after the file. An error is only logged, since a load
    /// must not fail because of its captured cases.
    pub(crate) fn write(self, file_name: &str) {
        let stem = file_name.split('.').next().unwrap_or_default();
        let case_name = name_or(stem, "case");
        for (planned, kept) in self.chain.plugins().iter().zip(self.kept.iter()) {
            let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
            let written = write_case(&self.settings, planned, &kept, &case_name);
            log_case(planned.plugin.name(), written);
        }
        let remedy = "take personal data and secrets out before you share them";
        tracing::warn!(
            dir = %self.settings.dir.display(),
            remedy,
            "captured cases hold real rows and configs"
        );
    }
}

/// Where a case is, and how many rows it has.
type WrittenCase = (PathBuf, usize);

fn log_case(plugin: &str, written: Result<Option<WrittenCase>>) {
    match written {
        Ok(Some((case, rows))) => {
            tracing::info!(plugin, rows, case = %case.display(), "case captured");
        }
        Ok(None) => tracing::warn!(plugin, "no case captured: the plugin got no rows"),
        Err(error) => tracing::warn!(plugin, %error, "no case captured"),
    }
}

/// `None`: the plugin got no rows.
fn write_case(
    settings: &CaptureSettings,
    planned: &PlannedPlugin,
    kept: &Kept,
    case_name: &str,
) -> Result<Option<WrittenCase>> {
    let rows = kept.first_rows(&planned.input, settings.rows)?;
    if rows.num_rows() == 0 {
        return Ok(None);
    }
    let folder = settings.dir.join(name_or(planned.plugin.name(), "plugin"));
    let capture = loader_harness::CapturedCase { context: &planned.context, rows: &rows };
    let written = capture.write(&folder, case_name);
    let written = written.map_err(|error| Error::new(Kind::Config, error.to_string()))?;
    Ok(Some((written, rows.num_rows())))
}

/// A name for a folder from a text that a plugin's author or a producer wrote: `../Größe` becomes
/// `gr_e`. A text without a safe character becomes `otherwise`.
fn name_or(text: &str, otherwise: &str) -> String {
    let name = clean(text);
    if name.is_empty() { otherwise.to_owned() } else { name }
}

impl Kept {
    /// Takes a batch, and drops batches that cannot hold any of the `wanted` first rows.
    // The map is sorted by the batches' first rows, so its last entry is the batch that stands last
    // in the file. That batch goes as soon as the others hold `wanted` rows without it. (For
    // example, 5 rows are wanted, and rows 4-6 and 10-12 are kept. When rows 1-3 come, they and
    // rows 4-6 are enough, so rows 10-12 go.)
    fn add(&mut self, first: i64, batch: &RecordBatch, wanted: usize) {
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        self.rows += batch.num_rows();
        self.batches.insert(first, batch);
        while let Some(last) = self.batches.last_entry() {
            let without = self.rows - last.get().num_rows();
            if without < wanted {
                break;
            }
            last.remove();
            self.rows = without;
        }
    }

    /// The `wanted` first rows, or all rows if there are fewer.
    fn first_rows(&self, schema: &SchemaRef, wanted: usize) -> Result<RecordBatch> {
        let rows = concat_batches(schema, self.batches.values())
            .context(Kind::Internal, "captured batches cannot be put together")?;
        Ok(rows.slice(0, wanted.min(rows.num_rows())))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(ids: std::ops::RangeInclusive<i64>) -> RecordBatch {
        RecordBatch::try_from_iter([(
            "id",
            Arc::new(Int64Array::from_iter_values(ids)) as ArrayRef,
        )])
        .expect("a batch")
    }

    fn kept(wanted: usize, batches: &[std::ops::RangeInclusive<i64>]) -> (Vec<i64>, usize) {
        let mut kept = Kept::default();
        for ids in batches {
            kept.add(*ids.start(), &batch(ids.clone()), wanted);
        }
        let rows =
            concat_batches(&batch(1..=1).schema(), kept.batches.values()).expect("one schema");
        (
            rows.column(0)
                .as_primitive::<Int64Type>()
                .values()
                .iter()
                .copied()
                .take(wanted)
                .collect(),
            kept.batches.len(),
        )
    }

    #[test]
    fn the_first_rows_stay_in_whichever_order_batches_come() {
        let batches = [1..=3, 4..=4, 5..=9, 10..=12];
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]];
        for order in orders {
            let batches = order.map(|index: usize| batches[index].clone());
            assert_eq!(kept(5, &batches), ((1..=5).collect(), 3), "{order:?}");
            assert_eq!(kept(2, &batches), (vec![1, 2], 1), "{order:?}");
            assert_eq!(kept(99, &batches), ((1..=12).collect(), 4), "{order:?}");
        }
    }
}
