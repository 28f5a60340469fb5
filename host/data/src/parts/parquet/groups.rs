//! A Parquet file whose row groups are encoded on several threads.
//!
//! In: groups, each encoded whole by one thread. Out: one file with the groups in the order in which
//! they were appended.

use std::fs::File;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Kind, Result};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use super::{FAILED, properties};

/// A file of row groups.
pub(crate) struct GroupedFile {
    writer: SerializedFileWriter<File>,
    factory: ArrowRowGroupWriterFactory,
}

/// A row group that is being encoded.
pub(crate) struct Group {
    schema: SchemaRef,
    columns: Vec<ArrowColumnWriter>,
}

/// A row group that is encoded and compressed, column by column.
pub(crate) struct EncodedGroup(Vec<ArrowColumnChunk>);

impl GroupedFile {
    /// Starts a file for rows like these.
    pub(crate) fn start(
        file: File,
        first: &RecordBatch,
        compression: ParquetCompression,
    ) -> Result<GroupedFile> {
        let properties = properties(first, compression);
        let writer = ArrowWriter::try_new(file, first.schema(), Some(properties));
        let writer = writer.and_then(ArrowWriter::into_serialized_writer);
        let (writer, factory) = writer.context(Kind::Internal, FAILED)?;
        Ok(GroupedFile { writer, factory })
    }

    /// A new group, which any thread may fill. `schema`: the file's.
    pub(crate) fn group(&self, schema: &SchemaRef) -> Result<Group> {
        // Only encryption would ask which group it is.
        let columns = self.factory.create_column_writers(0).context(Kind::Internal, FAILED)?;
        Ok(Group { schema: SchemaRef::clone(schema), columns })
    }

    /// Appends a group.
    pub(crate) fn append(&mut self, group: EncodedGroup) -> Result<()> {
        self.take(group).context(Kind::Internal, FAILED)
    }

    fn take(
        &mut self,
        EncodedGroup(columns): EncodedGroup,
    ) -> std::result::Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in columns {
            column.append_to_row_group(&mut group)?;
        }
        group.close().map(drop)
    }

    /// Completes the file.
    pub(crate) fn finish(self) -> Result<()> {
        self.writer.close().map(drop).context(Kind::Internal, FAILED)
    }
}

impl Group {
    /// Appends rows. Columns behind those of the schema are left out.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
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
