//! The crate as its users see it: whole files in, profiles and batches out. `cases`,
//! `between_records` and `broken_records` are written by hand, `pollution` breaks files in all ways, `properties` are checked against a
//! slow reader that goes byte by byte and knows nothing of chunks.

mod another_reader;
mod between_records;
mod bounded;
mod broken_records;
mod cases;
mod corpus;
mod facts;
mod naive;
mod naive_sift;
mod new_types;
mod pollution;
mod properties;
mod ragged_rows;
mod rules;

use arrow_array::cast::AsArray;
use arrow_array::{Array, Int64Array, RecordBatch};
use loader_csv::{
    Chunk, ColumnRule, CsvError, DecodeAs, Decoded, Decoder, Dialect, FileProfile, Header,
    Splitter, profile_chunk,
};

/// A file that has been split and profiled.
struct Read<'a> {
    file: &'a [u8],
    dialect: &'a Dialect,
    header: Header,
    chunks: Vec<Chunk>,
    profile: FileProfile,
}

/// Pushes `file` in pieces of `piece` bytes, checks the chunks, and profiles them.
fn read<'a>(
    file: &'a [u8],
    dialect: &'a Dialect,
    target: u64,
    piece: usize,
) -> Result<Read<'a>, CsvError> {
    let read = read_ruled(file, dialect, target, piece, &[])?;
    for column in &read.profile.columns {
        assert_eq!(column.values + column.nulls + column.quoted_empty, read.profile.records);
    }
    Ok(read)
}

/// As [`read`], with rules for columns, by their places.
fn read_ruled<'a>(
    file: &'a [u8],
    dialect: &'a Dialect,
    target: u64,
    piece: usize,
    rules: &[Option<ColumnRule>],
) -> Result<Read<'a>, CsvError> {
    let mut splitter = Splitter::new(dialect, target);
    let mut chunks = Vec::new();
    for bytes in file.chunks(piece) {
        chunks.extend(splitter.push(bytes)?);
    }
    chunks.extend(splitter.finish()?);
    let header = splitter.header().expect("a file that was split has a header");
    let header = header.with_rules(rules.to_vec());
    for (ordinal, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.ordinal, ordinal as u64);
        assert!(chunk.len > 0);
        let lines_before = naive::line_ends(&file[..chunk.offset as usize]);
        assert_eq!(chunk.first_line, lines_before + 1, "lines before {chunk:?}");
    }
    assert!(
        chunks.windows(2).all(|pair| pair[0].offset + pair[0].len == pair[1].offset),
        "gaps in {chunks:?}"
    );
    assert!(chunks.last().is_none_or(|last| last.offset + last.len == file.len() as u64));
    let profiles =
        chunks.iter().map(|chunk| profile_chunk(bytes_of(file, chunk), chunk, &header, dialect));
    let profile = FileProfile::merge(&header, profiles)?;
    assert_eq!(profile.first_records.len(), chunks.len());
    Ok(Read { file, dialect, header, chunks, profile })
}

fn bytes_of<'a>(file: &'a [u8], chunk: &Chunk) -> &'a [u8] {
    &file[chunk.offset as usize..(chunk.offset + chunk.len) as usize]
}

impl Read<'_> {
    fn inferred(&self) -> Vec<DecodeAs> {
        self.profile
            .columns
            .iter()
            .map(|column| DecodeAs::of_new(&column.new_type(false)))
            .collect()
    }

    fn batches(
        &self,
        as_types: &[DecodeAs],
        batch_rows: usize,
    ) -> Result<Vec<(RecordBatch, Int64Array)>, CsvError> {
        let batches = self.decoded(as_types, batch_rows)?.into_iter();
        Ok(batches.map(|decoded| (decoded.batch, decoded.rows)).collect())
    }

    fn decoded(&self, as_types: &[DecodeAs], batch_rows: usize) -> Result<Vec<Decoded>, CsvError> {
        let mut decoder = Decoder::new(self.dialect, &self.header, as_types, batch_rows);
        let mut batches = Vec::new();
        for (chunk, first) in self.chunks.iter().zip(&self.profile.first_records) {
            for batch in decoder.decode_chunk(bytes_of(self.file, chunk), chunk, *first) {
                batches.push(batch?);
            }
        }
        Ok(batches)
    }

    /// All rows, with every value as text and the record number in front; NULL is `None`.
    fn rows(
        &self,
        as_types: &[DecodeAs],
        batch_rows: usize,
    ) -> Result<Vec<Vec<Option<String>>>, CsvError> {
        let mut rows = Vec::new();
        for (batch, numbers) in self.batches(as_types, batch_rows)? {
            assert!(batch.num_rows() <= batch_rows && batch.num_rows() == numbers.len());
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter().map(|column| text(column.as_ref(), row));
                rows.push(
                    std::iter::once(Some(numbers.value(row).to_string())).chain(values).collect(),
                );
            }
        }
        Ok(rows)
    }
}

fn text(array: &dyn Array, row: usize) -> Option<String> {
    use arrow_array::types::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
    use arrow_schema::DataType;
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Date32 => {
            loader_values::format_date(array.as_primitive::<Date32Type>().value(row))
        }
        DataType::Timestamp(..) => loader_values::format_timestamp(
            array.as_primitive::<TimestampMicrosecondType>().value(row),
        ),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        other => panic!("decoded {other}"),
    })
}
