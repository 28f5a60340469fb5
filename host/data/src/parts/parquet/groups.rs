//! A Parquet file whose row groups are encoded on several threads.
//!
//! In: groups, each encoded whole by one thread. Out: one file with the groups in the order in
//! which they were appended.

use std::fs::File;
use std::io::sink;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Kind, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::{FAILED, ROW_GROUP_ROWS, common, properties};

/// A file of row groups.
pub(crate) struct GroupedFile(SerializedFileWriter<File>);

/// A row group that is being encoded.
pub(crate) struct Group {
    schema: SchemaRef,
    columns: Vec<ArrowColumnWriter>,
    rows: usize,
}

/// A row group that is encoded and compressed, column by column.
pub(crate) struct EncodedGroup(Vec<ArrowColumnChunk>);

impl GroupedFile {
    /// Starts a file of this schema.
    pub(crate) fn start(file: File, schema: &SchemaRef) -> Result<GroupedFile> {
        let properties = common(ParquetCompression::default()).build();
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties));
        let writer = writer.and_then(ArrowWriter::into_serialized_writer);
        let (writer, _) = writer.context(Kind::Internal, FAILED)?;
        Ok(GroupedFile(writer))
    }

    /// Appends a group.
    pub(crate) fn append(&mut self, group: EncodedGroup) -> Result<()> {
        self.take(group).context(Kind::Internal, FAILED)
    }

    fn take(
        &mut self,
        EncodedGroup(columns): EncodedGroup,
    ) -> std::result::Result<(), ParquetError> {
        let mut group = self.0.next_row_group()?;
        for column in columns {
            column.append_to_row_group(&mut group)?;
        }
        group.close().map(drop)
    }

    /// Completes the file.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.close().map(drop).context(Kind::Internal, FAILED)
    }
}

impl Group {
    /// A new group for rows like these, which any thread may fill. `schema`: the file's.
    // How a group is encoded follows from its own rows alone, and not from which thread came first.
    // The writer that knows how has nowhere to write to: the group is appended to the file later.
    pub(crate) fn start(
        schema: &SchemaRef,
        first: &RecordBatch,
        compression: ParquetCompression,
    ) -> Result<Group> {
        let properties = properties(first, compression);
        let writer = ArrowWriter::try_new(sink(), SchemaRef::clone(schema), Some(properties));
        let writer = writer.and_then(ArrowWriter::into_serialized_writer);
        // Only encryption would ask which group it is.
        let columns = writer.and_then(|(_, factory)| factory.create_column_writers(0));
        let columns = columns.context(Kind::Internal, FAILED)?;
        Ok(Group { schema: SchemaRef::clone(schema), columns, rows: 0 })
    }

    /// Whether the group has as many rows as a group should have.
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= ROW_GROUP_ROWS
    }

    /// Appends rows. Columns behind those of the schema are left out.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows();
        self.encode(batch).context(Kind::Internal, FAILED)
    }

    // The types are flat: one writer for each column.
    fn encode(&mut self, batch: &RecordBatch) -> std::result::Result<(), ParquetError> {
        let columns = self.schema.fields().iter().zip(batch.columns());
        for ((field, column), writer) in columns.zip(&mut self.columns) {
            for leaf in compute_leaves(field, column)? {
                writer.write(&leaf)?;
            }
        }
        Ok(())
    }

    /// Completes the group.
    pub(crate) fn finish(self) -> Result<EncodedGroup> {
        let columns = self.columns.into_iter().map(ArrowColumnWriter::close);
        let columns = columns.collect::<std::result::Result<_, _>>();
        columns.context(Kind::Internal, FAILED).map(EncodedGroup)
    }
}
