//! A mistake in a chunk's record, before its place in the file is known.

use crate::error::{CsvError, CsvErrorKind, Position};
use crate::lines::count_lines;

/// A mistake in a record. Its places count from the start of the chunk.
#[derive(Clone, Debug)]
pub(crate) struct RowError {
    pub(crate) kind: CsvErrorKind,
    /// 0-based number of the record within the chunk; `None` for a header.
    pub(crate) row: Option<u64>,
    pub(crate) byte: usize,
    pub(crate) column: Option<usize>,
}

impl RowError {
    /// Makes an error of the file. `bytes` begin at `offset` and in `first_line` of the file. The
    /// record still counts from the start of `bytes`.
    pub(crate) fn locate(
        self,
        bytes: &[u8],
        offset: u64,
        first_line: u64,
        names: &[String],
    ) -> CsvError {
        let before = bytes.get(..self.byte).unwrap_or(bytes);
        let position = Position {
            record: self.row.map_or(0, |row| row + 1),
            line: first_line + count_lines(before),
            byte: offset + self.byte as u64,
            column: self.column.and_then(|column| names.get(column).cloned()),
        };
        CsvError { kind: self.kind, position }
    }
}
