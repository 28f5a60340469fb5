//! Parquet that COPY can read: version 1 pages, microseconds. In: batches. Out: one file, written
//! row by row, or (`groups`) put together of row groups that were encoded on several threads.
//!
//! Which types COPY reads is said where a part's schema is made (`staged`).
//! Source:
//! <https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html>

mod dictionaries;
pub(super) mod groups;

use std::fs::File;

use arrow::array::RecordBatch;
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Kind, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;

/// The most rows of a row group, or a batch more. The writer keeps a group in memory, compressed,
/// until it is complete.
const ROW_GROUP_ROWS: usize = 512 * 1024;
const FAILED: &str = "a Parquet file cannot be written; is the disk full?";

/// A Parquet file being written.
pub(crate) struct ParquetFile(ArrowWriter<File>);

impl ParquetFile {
    /// Starts a file for rows like these, which are still to be written.
    pub(crate) fn start(
        file: File,
        first: &RecordBatch,
        compression: ParquetCompression,
    ) -> Result<ParquetFile> {
        ArrowWriter::try_new(file, first.schema(), Some(properties(first, compression)))
            .context(Kind::Internal, FAILED)
            .map(ParquetFile)
    }

    /// Appends rows.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).context(Kind::Internal, FAILED)
    }

    /// The bytes that are written, and those of the row group that is still in memory.
    // Both are needed: nothing of a group is written before it is complete, so `bytes_written`
    // alone would jump past the size of a part.
    pub(crate) fn size_bytes(&self) -> u64 {
        (self.0.bytes_written() + self.0.in_progress_size()) as u64
    }

    /// Completes the file.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.close().map(drop).context(Kind::Internal, FAILED)
    }
}

/// How rows are written that begin with these.
fn properties(first: &RecordBatch, compression: ParquetCompression) -> WriterProperties {
    let properties = common(compression);
    let columns = first.schema_ref().fields().iter().zip(first.columns());
    let without = columns.filter(|(_, column)| !dictionaries::is_worthwhile(column));
    without
        .fold(properties, |properties, (field, _)| {
            let path = ColumnPath::new(vec![field.name().clone()]);
            properties.set_column_dictionary_enabled(path, false)
        })
        .build()
}

/// How all rows are written.
// COPY reads whole files, so statistics would only cost.
fn common(compression: ParquetCompression) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(codec(compression))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(format!("loader {}", env!("CARGO_PKG_VERSION")))
}

fn codec(compression: ParquetCompression) -> Compression {
    match compression {
        ParquetCompression::Snappy => Compression::SNAPPY,
        ParquetCompression::Zstd => Compression::ZSTD(ZstdLevel::default()),
        ParquetCompression::Gzip => Compression::GZIP(GzipLevel::default()),
    }
}
