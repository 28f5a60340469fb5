//! Decodes a chunk to Arrow batches. The fields of a block of rows go into the columns' buffers,
//! column by column.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};

use crate::chunk::Chunk;
use crate::column::ColumnBuilder;
use crate::decode_as::DecodeAs;
use crate::dialect::Dialect;
use crate::error::{CsvError, CsvErrorKind};
use crate::field::FieldReader;
use crate::header::Header;
use crate::row_error::RowError;
use crate::rows::{Block, Rows};
use crate::rule::{Judge, RefusedField, RuleReader};
use crate::text::check_text;

/// A batch ends early when its rows take this many bytes of the file. This bounds memory and keeps
/// Arrow's 32-bit offsets from overflowing.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

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
    /// Reads the fields of columns that stay JSON.
    values: FieldReader,
    columns: Vec<ColumnBuilder>,
    /// One per column; `None`: the column is read as all are.
    rules: Vec<Option<RuleReader>>,
    /// The fields of the batch in the making that rules refuse.
    refused: Vec<RefusedField>,
    batch_rows: usize,
    block: Block,
    scratch: Vec<u8>,
}

impl Decoder {
    /// The usual number of rows in a batch. It is large enough for the overhead per column not to
    /// matter, and small enough for the batch to stay in the processor's cache.
    pub const BATCH_ROWS: usize = 16 * 1024;

    /// `as_types` has an entry per column of the header; columns past its end are skipped.
    pub fn new(
        dialect: &Dialect,
        header: &Header,
        as_types: &[DecodeAs],
        batch_rows: usize,
    ) -> Decoder {
        let is_json = |place: usize| as_types.get(place) == Some(&DecodeAs::Json);
        let reader = |place: usize| {
            let reader = RuleReader::new(header, place, dialect)?;
            Some(if is_json(place) { reader.of_values() } else { reader })
        };
        Decoder {
            dialect: dialect.clone(),
            header: header.clone(),
            schema: arrow_schema(header, as_types),
            reader: FieldReader::new(dialect),
            values: FieldReader::new(dialect).of_values(),
            columns: as_types
                .iter()
                .take(header.names.len())
                .map(|decode_as| ColumnBuilder::new(*decode_as))
                .collect(),
            rules: (0..header.names.len()).map(reader).collect(),
            refused: Vec::new(),
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
    /// Each batch comes with the numbers of its records. For example, the second batch of 16,384
    /// rows in a chunk that starts at record 1 has the numbers 16,385 to 32,768. After an error
    /// there are no more batches.
    pub fn decode_chunk<'a>(
        &'a mut self,
        bytes: &'a [u8],
        chunk: &'a Chunk,
        first_record: u64,
    ) -> Batches<'a> {
        self.columns.iter_mut().for_each(ColumnBuilder::clear);
        self.refused.clear();
        let rows = Rows::new(bytes, self.dialect.rules(), &self.header, chunk);
        // The block may still hold rows of another chunk, whose places mean nothing in `bytes`.
        self.block.rows = 0;
        Batches { decoder: self, bytes, chunk, first_record, rows, block_row: 0, done: false }
    }
}

/// A batch of rows.
#[derive(Clone, Debug)]
pub struct Decoded {
    pub batch: RecordBatch,
    /// The rows' numbers in the file.
    pub rows: Int64Array,
    /// Fields that the rules of their columns refuse. They are NULL in the batch.
    pub refused: Vec<RefusedField>,
}

/// The batches of one chunk.
pub struct Batches<'a> {
    decoder: &'a mut Decoder,
    bytes: &'a [u8],
    chunk: &'a Chunk,
    first_record: u64,
    rows: Rows<'a>,
    /// The row of the decoder's block that is decoded next. A batch may end in the middle of a
    /// block; the next batch then goes on from there.
    block_row: usize,
    done: bool,
}

/// The error of a batch that Arrow refused.
fn refused(message: String, first_row: u64) -> RowError {
    RowError { kind: CsvErrorKind::Batch(message), row: Some(first_row), byte: 0, column: None }
}

fn not_decoded(decode_as: DecodeAs) -> CsvErrorKind {
    match decode_as.logical() {
        Some(expected) => CsvErrorKind::NotOfType { expected },
        None => CsvErrorKind::Batch("a text column was read as another type".to_owned()),
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Decoded, CsvError>;

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
    // The rows of a block are consecutive: lines that are no rows have no number. Between two blocks
    // there may be broken records, which have.
    fn next_batch(&mut self) -> Result<Option<Decoded>, RowError> {
        let mut numbers = Vec::with_capacity(self.decoder.batch_rows);
        let mut source_bytes = 0;
        while numbers.len() < self.decoder.batch_rows
            && source_bytes < BATCH_BYTES
            && self.has_rows()?
        {
            let block = &self.decoder.block;
            let first = (self.first_record + block.first_row) as i64 + self.block_row as i64;
            let take = (block.rows - self.block_row).min(self.decoder.batch_rows - numbers.len());
            source_bytes += self.decode_rows(take, numbers.len())?;
            self.block_row += take;
            numbers.extend(first..first + take as i64);
        }
        if numbers.is_empty() { Ok(None) } else { self.finish(numbers.into()).map(Some) }
    }

    /// Goes on to the next block when the rows of this one are used up; `false` at the chunk's end.
    fn has_rows(&mut self) -> Result<bool, RowError> {
        // A loop, because a block can be without rows: for example, 300 KiB of comment lines.
        while self.block_row == self.decoder.block.rows {
            self.block_row = 0;
            if !self.rows.fill(&mut self.decoder.block)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Decodes the next rows of the block; returns roughly how many bytes of the file they take.
    /// `before`: the number of rows that the batch has already.
    // Errors come in the order of the columns, not of the rows. For example, a bad `order_id` in
    // row 400 of a block is reported before a bad `amount` in row 3.
    fn decode_rows(&mut self, count: usize, before: usize) -> Result<usize, RowError> {
        let Decoder { block, reader, values, columns, rules, refused, scratch, .. } =
            &mut *self.decoder;
        let bytes = &self.bytes[block.base..];
        let rows = self.block_row..self.block_row + count;
        for (index, column) in columns.iter_mut().enumerate() {
            let ranges = block.column(index).skip(rows.start).take(count);
            let extended = match &mut rules[index] {
                None if column.decode_as() == DecodeAs::Json => {
                    column.extend(bytes, ranges, &*values, scratch)
                }
                None => column.extend(bytes, ranges, &*reader, scratch),
                Some(rule) => {
                    let keeps_empty = column.decode_as().keeps_empty();
                    let mut judge = Judge::new(rule, keeps_empty, before);
                    let extended = column.extend(bytes, ranges, &mut judge, scratch);
                    refused.extend(judge.refused_in(index));
                    extended
                }
            };
            extended.map_err(|(row, start)| RowError {
                kind: not_decoded(column.decode_as()),
                row: Some(block.first_row + (rows.start + row) as u64),
                byte: block.base + start,
                column: Some(index),
            })?;
        }
        Ok(block.bytes_of(rows))
    }

    // Arrow finds text that is not UTF-8 while it makes the arrays, but does not say in which row.
    // `check_text` then finds the place, so its error comes before Arrow's.
    fn finish(&mut self, rows: Int64Array) -> Result<Decoded, RowError> {
        let first_row = rows.value(0).unsigned_abs() - self.first_record;
        let arrays = self.arrays().or_else(|message| {
            let Decoder { dialect, header, .. } = &*self.decoder;
            check_text(self.bytes, &dialect.rules(), &header.records(self.chunk))?;
            Err(refused(message, first_row))
        })?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let schema = self.decoder.schema.clone();
        let batch = RecordBatch::try_new_with_options(schema, arrays, &options)
            .map_err(|error| refused(error.to_string(), first_row))?;
        let refused = std::mem::take(&mut self.decoder.refused);
        Ok(Decoded { batch, rows, refused })
    }

    /// The arrays of the columns that are not skipped. The error is the text of Arrow's error.
    fn arrays(&mut self) -> Result<Vec<ArrayRef>, String> {
        let columns = self.decoder.columns.iter_mut();
        columns.filter_map(|column| column.finish().transpose()).collect()
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
