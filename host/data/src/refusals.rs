//! The refused rows of one batch.
//!
//! In: rows, each with a reason. Out: the batch without them, and a reject for each.

use std::collections::BTreeMap;

use arrow::array::{BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use loader_model::error::{Context, Kind, Result};
use loader_sandbox::Reject;

/// The name in the `plugin` field of rejects that the host makes itself.
pub(crate) const HOST: &str = "loader";

/// Refused rows, by their places in the batch.
// A `BTreeMap`, so that the rejects of a batch come out in the order of its rows, although they are
// added column by column.
#[derive(Default)]
pub(crate) struct Refusals(BTreeMap<usize, Reason>);

/// Why a row is refused.
struct Reason {
    code: &'static str,
    message: String,
    column: String,
}

impl Refusals {
    /// Refuses a row for a value in `column`. A row keeps its first reason: for example, a value
    /// that does not fit is NULL after the cast, and is not reported again as a NULL.
    pub(crate) fn add(
        &mut self,
        row: usize,
        column: &str,
        code: &'static str,
        message: impl FnOnce() -> String,
    ) {
        self.0.entry(row).or_insert_with(|| Reason {
            code,
            message: message(),
            column: column.to_owned(),
        });
    }

    /// Which rows are kept; `None` when all are.
    pub(crate) fn kept(&self, rows: usize) -> Option<BooleanArray> {
        let is_kept = |row: usize| Some(!self.0.contains_key(&row));
        (!self.0.is_empty()).then(|| (0..rows).map(is_kept).collect())
    }

    /// The batch without the refused rows, and a reject for each of them. `rows`: the number of
    /// each row in the file.
    pub(crate) fn take_out(
        self,
        batch: RecordBatch,
        rows: &Int64Array,
    ) -> Result<(RecordBatch, Vec<Reject>)> {
        let Some(keep) = self.kept(batch.num_rows()) else { return Ok((batch, Vec::new())) };
        let kept = filter_record_batch(&batch, &keep)
            .context(Kind::Internal, "rejected rows cannot be taken out")?;
        let rejects = self.0.into_iter().map(|(row, reason)| Reject {
            row: rows.value(row).unsigned_abs(),
            plugin: HOST.into(),
            code: reason.code.into(),
            message: reason.message.into(),
            column: Some(reason.column.into()),
        });
        Ok((kept, rejects.collect()))
    }
}
