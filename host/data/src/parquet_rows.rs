//! Parquet: each row of the file becomes a row of JSON values, and its types are those of the
//! columns.
//!
//! In: the file. Out: its columns, and its rows as JSON values, a line for each row. A Parquet file
//! is read from its end, so it is copied first. `columns` knows what its types become, `cells`
//! write the values.
//!
//! Source: <https://parquet.apache.org/docs/file-format/>

mod cells;
mod columns;
mod object;
mod whole;

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use loader_csv::MAX_ROW_BYTES;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::stop::StopFlag;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use crate::decompress::read_failure;
use crate::file_column::FileColumn;
use crate::json_row;
use crate::made_text::{MadeText, Maker};
use crate::temporary;
use cells::Cells;

pub(crate) use object::as_object;

/// A Parquet file that was copied.
pub(crate) struct ParquetRows {
    columns: Vec<FileColumn>,
    batches: ParquetRecordBatchReader,
    /// The rows that the file says it has.
    rows: u64,
}

/// The rows of a batch: few enough for long texts, and enough to hide the overhead of a batch.
const BATCH_ROWS: usize = 1024;
const COPIED_BYTES: usize = 1024 * 1024;

impl ParquetRows {
    /// Reads a file to its end, and copies it.
    ///
    /// Errors: `Data` for a file that is broken, compressed with what is not read, or has types
    /// that no column of Redshift takes; `Interrupted`; those of reading.
    pub(crate) fn read(stored: impl Read, copy: File, stop: &StopFlag) -> Result<ParquetRows> {
        copy_to(&copy, stored, stop)?;
        guarded(|| ParquetRows::of(copy))?
    }

    fn of(file: File) -> Result<ParquetRows> {
        let load = |options| ArrowReaderMetadata::load(&file, options).map_err(broken);
        // The schema that Arrow adds has types that the rows need not be made of, such as
        // dictionaries.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = load(options.clone())?;
        whole::check(&file, metadata.metadata())?;
        check_compression(metadata.metadata())?;
        let columns = columns::of(&metadata)?;
        let metadata = load(options.with_schema(columns::read_as(&metadata)?))?;
        let rows = metadata.metadata().file_metadata().num_rows();
        let rows = u64::try_from(rows).context(Kind::Data, "the Parquet file has no rows")?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let batches = builder.with_batch_size(BATCH_ROWS).build().map_err(broken)?;
        Ok(ParquetRows { columns, batches, rows })
    }

    pub(crate) fn columns(&self) -> &[FileColumn] {
        &self.columns
    }

    /// The rows.
    pub(crate) fn into_text(self) -> impl Read + Send {
        MadeText::new(RowMaker { rows: self, made: 0, batch: None })
    }
}

fn copy_to(copy: &File, mut stored: impl Read, stop: &StopFlag) -> Result<()> {
    let mut buffer = vec![0; COPIED_BYTES];
    loop {
        stop.check()?;
        match stored.read(&mut buffer).map_err(read_failure)? {
            0 => return Ok(()),
            read => temporary::write(copy, &buffer[..read])?,
        }
    }
}

fn broken(error: ParquetError) -> Error {
    let fact = format!(
        "the Parquet file cannot be read: {error}; was it cut off or changed? deliver it again, or \
         write it as CSV"
    );
    Error::new(Kind::Data, fact)
}

/// Does work of the Parquet reader, which a file with mistakes may bring to a panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| broken(ParquetError::General("its parts contradict each other".to_owned())))
}

/// Refuses a file whose compression is not read, before it is half read.
fn check_compression(metadata: &ParquetMetaData) -> Result<()> {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    for chunk in chunks {
        let unread = match chunk.compression() {
            Compression::BROTLI(_) => Some("brotli"),
            Compression::LZO => Some("LZO"),
            _ => None,
        };
        if let Some(unread) = unread {
            let fact = format!(
                "the column `{}` of the Parquet file is compressed with {unread}, which is not \
                 read; write it with zstd, snappy, gzip or lz4",
                chunk.column_path().string(),
            );
            return Err(Error::new(Kind::Data, fact));
        }
    }
    Ok(())
}

/// The bytes of text that are made at once, if one row has no more.
const TEXT_BYTES: usize = 256 * 1024;

/// Makes text of the rows.
struct RowMaker {
    rows: ParquetRows,
    /// The rows so far.
    made: u64,
    /// The batch in the making, and the next of its rows.
    batch: Option<(RecordBatch, usize)>,
}

impl Maker for RowMaker {
    /// Makes the text of the next rows; none at the end of the file.
    fn make(&mut self, text: &mut Vec<u8>) -> Result<()> {
        while text.len() < TEXT_BYTES {
            let Some((batch, from)) = self.batch.take() else {
                match self.next_batch()? {
                    None => return Ok(()),
                    Some(batch) => self.batch = Some((batch, 0)),
                }
                continue;
            };
            let to = push_rows(text, &batch, from)?;
            self.made += (to - from) as u64;
            self.batch = (to < batch.num_rows()).then_some((batch, to));
        }
        Ok(())
    }
}

impl RowMaker {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        match guarded(|| self.rows.batches.next())? {
            Some(batch) => batch.map(Some).map_err(|error| broken(error.into())),
            None if self.made != self.rows.rows => Err(broken(ParquetError::General(format!(
                "it says that it has {} rows, and has {}",
                self.rows.rows, self.made
            )))),
            None => Ok(None),
        }
    }
}

/// Appends rows of a batch, from `from` on, until the text is long enough; returns the next row.
fn push_rows(text: &mut Vec<u8>, batch: &RecordBatch, from: usize) -> Result<usize> {
    let schema = batch.schema();
    let columns: Vec<Cells<'_>> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, array)| Cells::new(field, array.as_ref()))
        .collect::<Result<_>>()?;
    for row in from..batch.num_rows() {
        if text.len() >= TEXT_BYTES {
            return Ok(row);
        }
        push_row(text, &columns, row);
    }
    Ok(batch.num_rows())
}

/// Appends a row. A value that cannot be written is left out, and the row cannot be read.
fn push_row(text: &mut Vec<u8>, columns: &[Cells<'_>], row: usize) {
    let (start, mut reason) = (text.len(), None);
    json_row::push_values(text, columns.len(), |column, text| {
        let value = text.len();
        let pushed = match text.len() - start > MAX_ROW_BYTES as usize {
            true => Err(json_row::too_long()),
            false => columns[column].push(row, text),
        };
        if let Err(fact) = pushed {
            text.truncate(value);
            reason.get_or_insert(fact);
        }
    });
    if let Some(reason) = reason {
        json_row::make_unreadable(text, start, &reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = include_bytes!("../../../tests/cases/parquet/input.parquet");

    fn read(bytes: &[u8]) -> Result<String> {
        let copy = tempfile::tempfile().expect("a file");
        let mut text = Vec::new();
        let rows = ParquetRows::read(bytes, copy, &StopFlag::default())?;
        rows.into_text().read_to_end(&mut text).map_err(read_failure)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn a_file_with_mistakes_is_read_or_refused() {
        assert!(read(FILE).is_ok_and(|text| text.lines().count() == 3));
        for length in (0..FILE.len()).step_by(7) {
            let refused = read(&FILE[..length]).expect_err("it is cut off").to_string();
            assert!(
                refused.starts_with("the Parquet file cannot be read: "),
                "{length}: {refused}"
            );
        }
        for byte in 0..FILE.len() {
            let mut harmed = FILE.to_vec();
            harmed[byte] ^= 1 << (byte % 8);
            match read(&harmed) {
                Ok(_) => (),
                Err(refused) => assert_eq!(refused.kind(), Kind::Data, "{byte}: {refused}"),
            }
        }
    }
}
