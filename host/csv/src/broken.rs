//! Records that cannot be read, found one by one so that all others can.
//!
//! In: a file, from a place on where a record begins. Out: chunks that name their broken records.
//! `resync` says where a broken record ends, `lone_field` which rows beside it cannot be trusted,
//! `found` collects them, `sift` cuts the file.

mod found;
mod lone_field;
mod resync;
mod sift;

use crate::chunk::Chunk;
use crate::error::{CsvError, CsvErrorKind};
use crate::header::Header;
use crate::lines::count_lines;
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::text::bad_byte;

pub use resync::EndsBecause;
pub use sift::{SIFT_BESIDE_BYTES, SiftFrom, Sifter};

/// A record that cannot be read. Its places count from the start of its chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRecord {
    pub(crate) start: usize,
    /// Behind its line end.
    pub(crate) end: usize,
    /// The number of records in front of it in the chunk.
    pub(crate) row: u64,
    /// The place of the mistake.
    byte: usize,
    column: Option<usize>,
    kind: CsvErrorKind,
    because: EndsBecause,
}

/// A broken record in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The physical line that the record begins in, counted from 1.
    pub line: u64,
    /// The mistake, at its place in the file: the record may have several lines.
    pub error: CsvError,
    /// Why the record ends where it does.
    pub because: EndsBecause,
}

impl BrokenRecord {
    /// The record at the start of the next row. Bytes that no field may hold count before all else.
    fn new(
        bytes: &[u8],
        rows: &Rows<'_>,
        end: usize,
        error: RowError,
        because: EndsBecause,
    ) -> BrokenRecord {
        let start = rows.row_start();
        let (byte, column, kind) = match bad_byte(bytes, start..end) {
            Some((at, kind)) => (at, None, kind),
            None => (error.byte, error.column, error.kind),
        };
        BrokenRecord { start, end, row: rows.records(), byte, column, kind, because }
    }

    /// Where the record's text ends, before its line end. `bytes` are the chunk's.
    pub(crate) fn text_end(&self, bytes: &[u8]) -> usize {
        let text = bytes.get(self.start..self.end).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.start + text.strip_suffix(b"\r").unwrap_or(text).len()
    }

    /// The mistake of the record. `bytes` are the chunk's, whose first record has the number
    /// `first_record`, counted from 1.
    pub fn describe(
        &self,
        bytes: &[u8],
        chunk: &Chunk,
        header: &Header,
        first_record: u64,
    ) -> Broken {
        let error = RowError {
            kind: self.kind.clone(),
            row: Some(self.row),
            byte: self.byte,
            column: self.column,
        };
        let error = error.locate(bytes, chunk.offset, chunk.first_line, &header.names);
        let error = error.after_records(first_record.saturating_sub(1));
        let before = bytes.get(..self.start).unwrap_or(bytes);
        Broken { line: chunk.first_line + count_lines(before), error, because: self.because }
    }
}
