//! Finds single records again, long after they were read: for reports of rejected rows.

use crate::dialect::Dialect;
use crate::lines::count_lines;
use crate::rows::{Block, Rows};
use crate::split::Chunk;

/// A record as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordText<'a> {
    /// The physical line it begins in, counted from 1.
    pub line: u64,
    /// Without its line end. Not unquoted.
    pub bytes: &'a [u8],
}

/// The record number `nth` (counted from 0) of a chunk. `columns` is the width of the header; `None` when the chunk
/// has fewer records or is no CSV.
pub fn find_record<'a>(bytes: &'a [u8], chunk: &Chunk, columns: usize, dialect: &Dialect, nth: u64) -> Option<RecordText<'a>> {
    let mut rows = Rows::new(bytes, dialect.rules(), columns.max(1));
    let mut block = Block::default();
    while rows.fill(&mut block).ok()? {
        let within = nth.checked_sub(block.first_row).and_then(|row| usize::try_from(row).ok());
        if let Some(row) = within.filter(|row| *row < block.rows) {
            let start = block.base + block.column(0).nth(row)?.0;
            let end = block.base + block.column(columns.max(1) - 1).nth(row)?.1;
            let line = chunk.first_line + count_lines(bytes.get(..start)?);
            return Some(RecordText { line, bytes: bytes.get(start..end)? });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_with_their_lines() {
        let bytes = b"1,\"a\nb\"\n\n2,c\r\n3,\"\"\n";
        let chunk = Chunk { offset: 4, len: bytes.len() as u64, first_line: 2, ordinal: 0 };
        let find = |nth| find_record(bytes, &chunk, 2, &Dialect::default(), nth);
        assert_eq!(find(0), Some(RecordText { line: 2, bytes: b"1,\"a\nb\"" }));
        assert_eq!(find(1), Some(RecordText { line: 5, bytes: b"2,c" }));
        assert_eq!(find(2), Some(RecordText { line: 6, bytes: b"3,\"\"" }));
        assert_eq!(find(3), None);
    }
}
