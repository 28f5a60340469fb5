//! A batch on its way through the chain: the rows that are left, and the rows that plugins have
//! rejected so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, BooleanArray, Int64Array, RecordBatch};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::ArrowError;
use arrow_select::filter;

/// A row that must not be loaded, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The record in the source, 1 for the first after the header.
    pub row: u64,
    /// Name of the plugin that rejected it, or that asked for the cast that failed.
    pub plugin: Arc<str>,
    /// A word for programs, such as `out-of-range`; `cast-failed` when it was a cast of the host.
    pub code: Arc<str>,
    /// For people; without control characters, at most `message_bytes`. Shared by all rows that are
    /// rejected for it: a plugin may reject every row at length.
    pub message: Arc<str>,
    /// The column at fault, as the plugin names it.
    pub column: Option<Arc<str>>,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Transformed {
    /// The chain's output schema; the rows that are left, in their order.
    pub batch: RecordBatch,
    /// `source.row` of each row that is left.
    pub rows: Int64Array,
    /// The other rows, by plugin and then in their order.
    pub rejects: Vec<Reject>,
}

/// Rows of a batch that one plugin rejects, by their index in it.
pub(crate) type RejectedRows = BTreeMap<u32, Reason>;

/// Why a row is rejected; the parts are those of [`Reject`].
#[derive(Clone)]
pub(crate) struct Reason {
    pub(crate) code: Arc<str>,
    pub(crate) message: Arc<str>,
    pub(crate) column: Option<Arc<str>>,
}

impl Transformed {
    /// Takes the rows that `plugin` rejects out of all columns, and adds them to the rejects.
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
