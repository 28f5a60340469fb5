//! Parquet files as COPY is known to read them: columns by position, as many as the target has, in
//! the physical types that public sources show (`schema`), on pages of version 1. In: a file and
//! the target's columns. Out: rows in the buffer (`values`), or the engine's error; bad Parquet
//! leaves no row in STL_LOAD_ERRORS.
//!
//! What no source shows is refused here, also where Redshift may read it: a load that works on the
//! stand-in must not depend on it. Redshift's reader is of Impala's family, by the words of its
//! errors, and where a source has no words for a refusal they are Impala's. Zstandard is read all
//! the same, since it is the user's own choice.

mod faults;
mod schema;
mod values;

use std::fs::File;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader};
use parquet::basic::Encoding;
use parquet::column::page::PageReader;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::source::SourceFile;
use super::target::LoadedColumn;
use faults::{metadata_error, scan_error};
use schema::Builder;

pub(crate) use values::write_batch;

const BATCH_ROWS: usize = 8192;

/// Opens a file and checks its schema and how it is written.
// Types come from Parquet's own schema only. The Arrow schema that some writers add says more than
// Redshift reads: a text stored as LargeUtf8 would then count as another type.
pub(crate) fn open(
    file: &SourceFile,
    columns: &[LoadedColumn],
    fills: bool,
) -> Result<ParquetRecordBatchReader, String> {
    let unreadable = |error: &dyn std::fmt::Display| {
        scan_error(&format!("File '{}' is not readable as Parquet: {error}", file.url))
    };
    let handle = File::open(&file.path).map_err(|error| unreadable(&error))?;
    let pages = handle.try_clone().map_err(|error| unreadable(&error))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = Builder::try_new_with_options(handle, options);
    let builder = builder.map_err(|error| unreadable(&error))?;
    schema::check(&builder, columns, fills, file)?;
    check_encodings(&builder, file)?;
    check_pages(&builder, pages).map_err(|error| unreadable(&error))?;
    builder.with_batch_size(BATCH_ROWS).build().map_err(|error| unreadable(&error))
}

/// Refuses encodings that came with version 2 of the format, such as DELTA_BINARY_PACKED.
fn check_encodings(builder: &Builder, file: &SourceFile) -> Result<(), String> {
    for column in builder.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns) {
        if let Some(encoding) = column.encodings().find(|encoding| !is_known(*encoding)) {
            return Err(metadata_error(&format!(
                "File '{}' uses an unsupported encoding: {encoding} for column '{}'.",
                file.url,
                column.column_descr().name()
            )));
        }
    }
    Ok(())
}

#[expect(deprecated, reason = "older writers give the levels this encoding")]
fn is_known(encoding: Encoding) -> bool {
    matches!(
        encoding,
        Encoding::PLAIN
            | Encoding::RLE
            | Encoding::BIT_PACKED
            | Encoding::PLAIN_DICTIONARY
            | Encoding::RLE_DICTIONARY
    )
}

/// Refuses data pages of version 2.
fn check_pages(builder: &Builder, file: File) -> Result<(), String> {
    let file = Arc::new(file);
    for group in builder.metadata().row_groups() {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        for column in group.columns() {
            let pages = SerializedPageReader::new(Arc::clone(&file), column, rows, None);
            let is_new = pages.and_then(begins_with_page_of_version_2);
            if is_new.map_err(|error| error.to_string())? {
                let name = column.column_descr().name();
                return Err(format!("column '{name}' has data pages of version 2"));
            }
        }
    }
    Ok(())
}

/// Whether the first data page of a column says how many rows it has, as only version 2 does.
fn begins_with_page_of_version_2(
    mut pages: SerializedPageReader<File>,
) -> parquet::errors::Result<bool> {
    while let Some(page) = pages.peek_next_page()? {
        if !page.is_dict {
            return Ok(page.num_rows.is_some());
        }
        pages.skip_next_page()?;
    }
    Ok(false)
}
