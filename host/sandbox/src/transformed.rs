//! A batch on its way through the chain: the rows that are left, and the rows that plugins have
//! rejected so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::ArrowError;
use arrow_select::filter;

/// A row that must not be loaded, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The record in the source, 1 for the first after the header.
    pub row: u64,
    /// The name of the plugin that rejected the row, or that asked for the cast that failed.
    pub plugin: Arc<str>,
    /// A word for programs, such as `out-of-range`; `cast-failed` when it was a cast of the host.
    pub code: Arc<str>,
    /// A text for people, without control characters and cut after `message_bytes`. All rows that
    /// are rejected for the same reason share it, since a plugin may reject every row at length.
    pub message: Arc<str>,
    /// The column at fault, as the plugin names it.
    pub column: Option<Arc<str>>,
}

/// A batch and its rejected rows.
#[derive(Clone, Debug)]
pub struct Transformed {
    /// The rows that are left, in their order. After the last plugin they have the chain's output
    /// schema.
    pub batch: RecordBatch,
    /// `source.row` of each row that is left.
    pub rows: Int64Array,
    /// The rejected rows, by plugin and then in their order.
    pub rejects: Vec<Reject>,
}

/// The rows of a batch that one plugin rejects, by their index in the batch.
pub(crate) type RejectedRows = BTreeMap<u32, Reason>;

/// The reason why a row is rejected; the parts are those of [`Reject`].
#[derive(Clone)]
pub(crate) struct Reason {
    pub(crate) code: Arc<str>,
    pub(crate) message: Arc<str>,
    pub(crate) column: Option<Arc<str>>,
}

impl Transformed {
    /// Takes the rows that `plugin` rejects out of all columns, and adds them to the rejects.
    // An index in `rejected` is one into the batch before filtering, so the row number comes from
    // `self.rows`, never from the filtered `rows`.
    pub(crate) fn without(
        self,
        rejected: RejectedRows,
        plugin: &str,
    ) -> Result<Transformed, ArrowError> {
        if rejected.is_empty() {
            return Ok(self);
        }
        let kept = kept(self.rows.len(), &rejected);
        let batch = filter::filter_record_batch(&self.batch, &kept)?;
        let rows = Int64Array::from(filter::filter(&self.rows, &kept)?.to_data());
        let plugin: Arc<str> = plugin.into();
        let mut rejects = self.rejects;
        rejects.extend(rejected.into_iter().map(|(index, reason)| Reject {
            row: u64::try_from(self.rows.value(index as usize)).unwrap_or_default(),
            plugin: Arc::clone(&plugin),
            code: reason.code,
            message: reason.message,
            column: reason.column,
        }));
        Ok(Transformed { batch, rows, rejects })
    }
}

fn kept(n_rows: usize, rejected: &RejectedRows) -> BooleanArray {
    let mut kept = BooleanBufferBuilder::new(n_rows);
    kept.append_n(n_rows, true);
    for row in rejected.keys() {
        kept.set_bit(*row as usize, false);
    }
    BooleanArray::new(kept.finish(), None)
}
