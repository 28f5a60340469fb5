//! Parquet that COPY can read: version 1 pages, microseconds. In: batches. Out: one file, whose row
//! groups are encoded by any thread.
//!
//! Rows are encoded here and not by the crate `parquet`, which puts what is encoded together to a
//! file: its dictionaries take three times as long, and its decimals an allocation each.
//!
//! Which types COPY reads is said where a part's schema is made (`staged`).
//! Sources:
//! <https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html>,
//! <https://parquet.apache.org/docs/file-format/>.

mod codec;
mod coder;
mod column;
mod dictionaries;
mod dictionary;
mod failed;
mod group;
mod hybrid;
mod pages;
#[cfg(test)]
mod tests;

use std::fs::File;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Kind, Result};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescriptor;

use crate::temporary::not_written;
use failed::FAILED;
pub(super) use group::{EncodedGroup, Group};

const WHAT: &str = "a Parquet file";

/// The columns of a file of this schema, as Parquet has them.
pub(super) fn columns(schema: &Schema) -> Result<SchemaDescriptor> {
    ArrowSchemaConverter::new().convert(schema).context(Kind::Internal, FAILED)
}

/// A file of row groups, in the order in which they are appended.
pub(super) struct GroupedFile(SerializedFileWriter<File>);

impl GroupedFile {
    /// Starts a file of this schema.
    // The writer of batches is taken for the Arrow schema alone, which it adds to the file. COPY
    // reads whole files, so statistics would only cost.
    pub(super) fn start(file: File, schema: &SchemaRef) -> Result<GroupedFile> {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_created_by(format!("loader {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties));
        let writer = writer.and_then(ArrowWriter::into_serialized_writer);
        let (writer, _) = writer.map_err(|error| not_written(WHAT, error))?;
        Ok(GroupedFile(writer))
    }

    /// Appends a group.
    pub(super) fn append(&mut self, group: EncodedGroup) -> Result<()> {
        self.take(group).map_err(|error| not_written(WHAT, error))
    }

    fn take(
        &mut self,
        EncodedGroup(columns): EncodedGroup,
    ) -> std::result::Result<(), ParquetError> {
        let mut group = self.0.next_row_group()?;
        for column in columns {
            group.append_column(&column.bytes, column.close)?;
        }
        group.close().map(drop)
    }

    fn bytes_written(&self) -> usize {
        self.0.bytes_written()
    }

    /// Completes the file.
    pub(super) fn finish(self) -> Result<()> {
        self.0.close().map(drop).map_err(|error| not_written(WHAT, error))
    }
}

/// A file that one thread writes.
pub(super) struct ParquetFile {
    file: GroupedFile,
    columns: SchemaDescriptor,
    compression: ParquetCompression,
    group: Option<Group>,
}

impl ParquetFile {
    /// Starts a file of this schema.
    pub(super) fn start(
        file: File,
        schema: &SchemaRef,
        compression: ParquetCompression,
    ) -> Result<ParquetFile> {
        let (file, columns) = (GroupedFile::start(file, schema)?, columns(schema)?);
        Ok(ParquetFile { file, columns, compression, group: None })
    }

    /// Appends rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.group.as_ref().is_some_and(Group::is_full) {
            self.end_group()?;
        }
        let group = match &mut self.group {
            Some(group) => group,
            none => none.insert(Group::start(&self.columns, batch, self.compression)?),
        };
        group.write(batch)
    }

    fn end_group(&mut self) -> Result<()> {
        let group = self.group.take();
        group.map_or(Ok(()), |group| self.file.append(group.finish()?))
    }

    /// The bytes that are written, and those of the row group that is still in memory.
    pub(super) fn size_bytes(&self) -> u64 {
        (self.file.bytes_written() + self.group.as_ref().map_or(0, Group::bytes)) as u64
    }

    /// Completes the file.
    pub(super) fn finish(mut self) -> Result<()> {
        self.end_group()?;
        self.file.finish()
    }
}
