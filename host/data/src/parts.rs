//! Parts: files of typed rows on this machine's disk, Parquet or CSV.
//!
//! In: batches. Out: one file of all workers (`ordered`), or a sequence of files of each worker
//! that are handed over one by one (`staged`). This module knows nothing of S3.

pub mod csv;
pub mod ordered;
mod parquet;
pub mod staged;

use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use loader_model::choices::{ParquetCompression, StagingFormat};
use loader_model::error::Result;

use crate::temporary;

/// One file being written by one worker.
enum Writer {
    Parquet(Box<parquet::ParquetFile>),
    Csv(csv::CsvFile),
}

/// The format of a file.
#[derive(Clone, Debug)]
pub enum Format {
    /// Timestamps in microseconds.
    Parquet(ParquetCompression),
    /// With a header line; see [`csv::Style`].
    Csv(csv::Style),
}

impl Format {
    /// The format of a run's parts; CSV parts are compressed with gzip.
    pub fn staged(staging: StagingFormat, compression: ParquetCompression, run_id: &str) -> Format {
        match staging {
            StagingFormat::Parquet => Format::Parquet(compression),
            StagingFormat::Csv => Format::Csv(csv::Style { gzip: true, null: csv_null(run_id) }),
        }
    }
}

/// The text that stands for NULL in the CSV parts of a run. It holds the run's id, so that no cell
/// can equal it: a fixed text such as `NULL` could be a cell's value.
pub fn csv_null(run_id: &str) -> String {
    format!("@null:{run_id}@")
}

impl Writer {
    /// Starts a file of this schema.
    fn create(path: &Path, schema: &SchemaRef, format: &Format) -> Result<Writer> {
        let file = temporary::create(path)?;
        Ok(match format {
            Format::Parquet(compression) => {
                Writer::Parquet(Box::new(parquet::ParquetFile::start(file, schema, *compression)?))
            }
            Format::Csv(style) => Writer::Csv(csv::CsvFile::start(file, schema, style.clone())?),
        })
    }

    /// Appends rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match self {
            Writer::Parquet(file) => file.write(batch),
            Writer::Csv(file) => file.write(batch),
        }
    }

    /// Roughly the bytes that the file has by now.
    fn size_bytes(&self) -> u64 {
        match self {
            Writer::Parquet(file) => file.size_bytes(),
            Writer::Csv(file) => file.size_bytes(),
        }
    }

    /// Completes the file.
    fn finish(self) -> Result<()> {
        match self {
            Writer::Parquet(file) => file.finish(),
            Writer::Csv(file) => file.finish(),
        }
    }
}
