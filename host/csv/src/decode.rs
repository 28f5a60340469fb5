//! From a chunk to Arrow batches: the fields of a block, column by column, straight into the
//! columns' buffers.

use crate::column::ColumnBuilder;
use crate::dialect::Dialect;
use crate::error::{CsvError, CsvErrorKind};
use crate::field::FieldReader;
use crate::preamble::Header;
use crate::profile::LogicalType;
use crate::rows::{Block, RowError, Rows, check_text};
use crate::split::Chunk;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::collections::HashMap;
use std::sync::Arc;

/// The key of the field metadata that says what the text in a column is: `decimal` or `double`.
pub const LOGICAL_KEY: &str = "loader.logical";

/// A batch ends early when it comes from so many bytes of the file, which bounds memory and Arrow's
/// 32-bit offsets.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

/// What a column is decoded as. NULL is what the dialect says it is, and `""` too but for `Text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeAs {
    /// `Boolean`, from Redshift's literals.
    Boolean,
    Int32,
    Int64,
    /// `Utf8`, the number as it stands in the file; the field says [`LOGICAL_KEY`] = `decimal`. Not
    /// looked at.
    Decimal,
    /// The same with `double`.
    Double,
    Date32,
    /// `Timestamp(Microsecond)` without a zone, in UTC.
    TimestampMicros,
    /// `Utf8`, whatever it is.
    Text,
    /// Not in the batch.
    Skip,
}

impl DecodeAs {
    /// How a column of a type is decoded when nothing else is asked for.
    pub fn from_logical(logical: LogicalType) -> DecodeAs {
        match logical {
            LogicalType::Boolean => DecodeAs::Boolean,
            LogicalType::Int16 | LogicalType::Int32 => DecodeAs::Int32,
            LogicalType::Int64 => DecodeAs::Int64,
            LogicalType::Decimal => DecodeAs::Decimal,
            LogicalType::Double => DecodeAs::Double,
            LogicalType::Date => DecodeAs::Date32,
            LogicalType::Timestamp => DecodeAs::TimestampMicros,
            LogicalType::Text => DecodeAs::Text,
        }
    }

    /// The type that its values must have; `None` when they are not looked at.
    pub(crate) fn logical(self) -> Option<LogicalType> {
        match self {
            DecodeAs::Boolean => Some(LogicalType::Boolean),
            DecodeAs::Int32 => Some(LogicalType::Int32),
            DecodeAs::Int64 => Some(LogicalType::Int64),
            DecodeAs::Date32 => Some(LogicalType::Date),
            DecodeAs::TimestampMicros => Some(LogicalType::Timestamp),
            DecodeAs::Decimal | DecodeAs::Double | DecodeAs::Text | DecodeAs::Skip => None,
        }
    }

    fn field(self, name: &str) -> Option<Field> {
        let text = |logical: &str| {
            let metadata = HashMap::from([(LOGICAL_KEY.to_string(), logical.to_string())]);
            Some(Field::new(name, DataType::Utf8, true).with_metadata(metadata))
        };
        let data_type = match self {
            DecodeAs::Boolean => DataType::Boolean,
            DecodeAs::Int32 => DataType::Int32,
            DecodeAs::Int64 => DataType::Int64,
            DecodeAs::Decimal => return text("decimal"),
            DecodeAs::Double => return text("double"),
            DecodeAs::Date32 => DataType::Date32,
            DecodeAs::TimestampMicros => DataType::Timestamp(TimeUnit::Microsecond, None),
            DecodeAs::Text => DataType::Utf8,
            DecodeAs::Skip => return None,
        };
        Some(Field::new(name, data_type, true))
    }
}

/// The schema that a [`Decoder`] gives its batches: a nullable field per column that is not
/// skipped.
pub fn arrow_schema(header: &Header, as_types: &[DecodeAs]) -> SchemaRef {
    let fields =
        header.names.iter().zip(as_types).filter_map(|(name, decode_as)| decode_as.field(name));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// Decodes chunks of one file, one after the other; each worker has its own.
pub struct Decoder {
    dialect: Dialect,
    header: Header,
    schema: SchemaRef,
    reader: FieldReader,
    columns: Vec<ColumnBuilder>,
    batch_rows: usize,
    block: Block,
    scratch: Vec<u8>,
}

impl Decoder {
    /// Rows per batch unless there is a reason for another number: enough for the columns' overhead
    /// not to matter, few enough for the batch to stay in the processor's cache.
    pub const BATCH_ROWS: usize = 16 * 1024;

    /// `as_types` has an entry per column of the header; columns past its end are skipped.
    pub fn new(
        dialect: &Dialect,
        header: &Header,
        as_types: &[DecodeAs],
        batch_rows: usize,
    ) -> Decoder {
        Decoder {
            dialect: dialect.clone(),
            header: header.clone(),
            schema: arrow_schema(header, as_types),
            reader: FieldReader::new(dialect),
            columns: as_types
                .iter()
                .take(header.names.len())
                .map(|decode_as| ColumnBuilder::new(*decode_as))
                .collect(),
            batch_rows: batch_rows.max(1),
            block: Block::default(),
            scratch: Vec::new(),
        }
    }

    /// The schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes a chunk, whose first record has the number `first_record` (counted from 1 over the
    /// whole file).
    ///
    /// Each batch comes with the numbers of its records. After an error there are no more.
    pub fn decode_chunk<'a>(
        &'a mut self,
        bytes: &'a [u8],
        chunk: &'a Chunk,
        first_record: u64,
    ) -> Batches<'a> {
        self.columns.iter_mut().for_each(ColumnBuilder::clear);
        let rows = Rows::new(bytes, self.dialect.rules(), self.header.names.len());
        self.block.rows = 0;
        Batches { decoder: self, bytes, chunk, first_record, rows, block_row: 0, done: false }
    }
}

/// The batches of one chunk.
pub struct Batches<'a> {
    decoder: &'a mut Decoder,
    bytes: &'a [u8],
    chunk: &'a Chunk,
    first_record: u64,
    rows: Rows<'a>,
    /// The next row of the decoder's block.
    block_row: usize,
    done: bool,
}

impl Iterator for Batches<'_> {
    type Item = Result<(RecordBatch, Int64Array), CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let batch = self.next_batch().map_err(|error| self.locate(error)).transpose();
        self.done = !matches!(batch, Some(Ok(_)));
        batch
    }
}

impl Batches<'_> {
    fn next_batch(&mut self) -> Result<Option<(RecordBatch, Int64Array)>, RowError> {
        let mut count = 0;
        let mut first_row = 0;
        let mut source_bytes = 0;
        while count < self.decoder.batch_rows && source_bytes < BATCH_BYTES {
            if self.block_row == self.decoder.block.rows {
                self.block_row = 0;
                if !self.rows.fill(&mut self.decoder.block)? {
                    break;
                }
                continue;
            }
            if count == 0 {
                first_row = self.decoder.block.first_row + self.block_row as u64;
            }
            let take =
                (self.decoder.block.rows - self.block_row).min(self.decoder.batch_rows - count);
            source_bytes += self.decode_rows(take)?;
            self.block_row += take;
            count += take;
        }
        if count == 0 { Ok(None) } else { self.finish(first_row, count).map(Some) }
    }

    /// Decodes the next rows of the block; returns the bytes that they take in the file, about.
    fn decode_rows(&mut self, count: usize) -> Result<usize, RowError> {
        let Decoder { block, reader, columns, scratch, .. } = &mut *self.decoder;
        let bytes = &self.bytes[block.base..];
        let rows = self.block_row..self.block_row + count;
        for (index, column) in columns.iter_mut().enumerate() {
            let ranges = block.column(index).skip(rows.start).take(count);
            if let Err((row, start)) = column.extend(bytes, ranges, reader, scratch) {
                let kind = match column.decode_as().logical() {
                    Some(expected) => CsvErrorKind::NotOfType { expected },
                    None => {
                        CsvErrorKind::Batch("a text column was read as another type".to_string())
                    }
                };
                let row = block.first_row + (rows.start + row) as u64;
                return Err(RowError {
                    kind,
                    row: Some(row),
                    byte: block.base + start,
                    column: Some(index),
                });
            }
        }
        Ok(block.bytes_of(rows))
    }

    fn finish(
        &mut self,
        first_row: u64,
        count: usize,
    ) -> Result<(RecordBatch, Int64Array), RowError> {
        let error = |message: String| RowError {
            kind: CsvErrorKind::Batch(message),
            row: Some(first_row),
            byte: 0,
            column: None,
        };
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.decoder.columns.len());
        for column in &mut self.decoder.columns {
            match column.finish() {
                Ok(array) => arrays.extend(array),
                Err(message) => {
                    // Text that is not UTF-8 shows here; then its place is worth looking for.
                    check_text(
                        self.bytes,
                        &self.decoder.dialect.rules(),
                        self.decoder.header.names.len(),
                    )?;
                    return Err(error(message));
                }
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch =
            RecordBatch::try_new_with_options(self.decoder.schema.clone(), arrays, &options)
                .map_err(|refused| error(refused.to_string()))?;
        let first = (self.first_record + first_row) as i64;
        Ok((batch, Int64Array::from_iter_values(first..first + count as i64)))
    }

    fn locate(&self, error: RowError) -> CsvError {
        let error = error.locate(
            self.bytes,
            self.chunk.offset,
            self.chunk.first_line,
            &self.decoder.header.names,
        );
        error.after_records(self.first_record.saturating_sub(1))
    }
}
