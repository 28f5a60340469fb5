//! Finds single records again after they were decoded: reports of rejected rows quote them.

use crate::chunk::Chunk;
use crate::dialect::Dialect;
use crate::lines::count_lines;
use crate::preamble::Header;
use crate::rows::{Block, Rows};

/// A record as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordText<'a> {
    /// The physical line that the record begins in, counted from 1.
    pub line: u64,
    /// Without its line end; quotes and escapes are still there.
    pub bytes: &'a [u8],
}

/// Finds the records with these numbers in a chunk, in one pass over it. Numbers count from 0
/// within the chunk and must ascend.
///
/// Fewer records come back when the chunk has fewer, or has a
/// mistake before them.
// `found.len()` is also the index of the number that is looked for next, which is why the numbers
// must ascend: for example, with 5, 2 record 2 is never found.
pub fn find_records<'a>(
    bytes: &'a [u8],
    chunk: &Chunk,
    header: &Header,
    dialect: &Dialect,
    numbers: &[u64],
) -> Vec<RecordText<'a>> {
    let mut rows = Rows::new(bytes, dialect.rules(), header, chunk);
    let (mut block, mut found) = (Block::default(), Vec::new());
    let (mut line, mut counted_to) = (chunk.first_line, 0);
    while found.len() < numbers.len() && matches!(rows.fill(&mut block), Ok(true)) {
        for (row, (start, end)) in block.records().enumerate() {
            if numbers.get(found.len()) != Some(&(block.first_row + row as u64)) {
                continue;
            }
            let (Some(before), Some(text)) = (bytes.get(counted_to..start), bytes.get(start..end))
            else {
                return found;
            };
            line += count_lines(before);
            counted_to = start;
            found.push(RecordText { line, bytes: text });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_with_their_lines() {
        let bytes = b"1,\"a\nb\"\n\n2,c\r\n3,\"\"\n";
        let chunk = Chunk {
            offset: 4,
            len: bytes.len() as u64,
            first_line: 2,
            ordinal: 0,
            ends_file: true,
        };
        let names = vec!["a".to_owned(), "b".to_owned()];
        let (header, dialect) = (Header { names, ..Header::default() }, Dialect::default());
        let find = |numbers: &[u64]| find_records(bytes, &chunk, &header, &dialect, numbers);
        let first = RecordText { line: 2, bytes: b"1,\"a\nb\"" };
        let last = RecordText { line: 6, bytes: b"3,\"\"" };
        assert_eq!(find(&[1]), [RecordText { line: 5, bytes: b"2,c" }]);
        assert_eq!(find(&[0, 2]), [first, last.clone()]);
        assert_eq!(find(&[2, 3]), [last]);
        assert_eq!(find(&[]), []);
    }
}
