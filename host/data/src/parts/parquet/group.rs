//! A row group in the making. In: batches. Out: its columns, encoded and compressed, for a file
//! that another thread may write.

use arrow::array::RecordBatch;
use loader_model::choices::ParquetCompression;
use loader_model::error::Result;
use parquet::schema::types::SchemaDescriptor;

use super::column::ColumnEncoder;
use super::pages::EncodedColumn;

/// The most rows of a row group, or a batch more. A group stays in memory until it is complete.
const ROW_GROUP_ROWS: usize = 512 * 1024;

/// A row group that takes rows.
pub(in crate::parts) struct Group {
    columns: Vec<ColumnEncoder>,
    rows: usize,
}

/// A row group that is complete.
pub(in crate::parts) struct EncodedGroup(pub(super) Vec<EncodedColumn>);

impl Group {
    /// Starts a group for rows like these, which are still to be written. `columns`: the file's.
    // How a group is encoded follows from its own rows alone, and not from which thread came first.
    pub(in crate::parts) fn start(
        columns: &SchemaDescriptor,
        first: &RecordBatch,
        compression: ParquetCompression,
    ) -> Result<Group> {
        let columns = columns.columns().iter().zip(first.columns());
        let columns =
            columns.map(|(column, first)| ColumnEncoder::new(column.clone(), first, compression));
        Ok(Group { columns: columns.collect::<Result<_>>()?, rows: 0 })
    }

    /// Whether the group has as many rows as a group should have.
    pub(in crate::parts) fn is_full(&self) -> bool {
        self.rows >= ROW_GROUP_ROWS
    }

    /// Roughly the bytes that the group has by now.
    pub(in crate::parts) fn bytes(&self) -> usize {
        self.columns.iter().map(ColumnEncoder::bytes).sum()
    }

    /// Appends rows. Columns behind those of the file are left out.
    // The types are flat: one encoder for each column.
    pub(in crate::parts) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        let mut columns = self.columns.iter_mut().zip(batch.columns());
        columns.try_for_each(|(encoder, column)| encoder.push(column))
    }

    /// Completes the group.
    pub(in crate::parts) fn finish(self) -> Result<EncodedGroup> {
        let columns = self.columns.into_iter().map(ColumnEncoder::finish);
        Ok(EncodedGroup(columns.collect::<Result<_>>()?))
    }
}
