//! Finds single records again after they were decoded: reports of rejected rows quote them.

use crate::chunk::Chunk;
use crate::dialect::Dialect;
use crate::header::Header;
use crate::lines::count_lines;
use crate::rows::{Block, Rows};

/// A record as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordText<'a> {
    /// The record's number, counted from 0 within the chunk.
    pub number: u64,
    /// The physical line that the record begins in, counted from 1.
    pub line: u64,
    /// Where it begins in the file.
    pub byte: u64,
    /// Without its line end; quotes and escapes are still there.
    pub bytes: &'a [u8],
}

/// Finds the records with these numbers in a chunk, in one pass over it. Numbers count from 0
/// within the chunk and must ascend.
///
/// Fewer records come back when the chunk has fewer, or has a mistake before them.
pub fn find_records<'a>(
    bytes: &'a [u8],
    chunk: &Chunk,
    header: &Header,
    dialect: &Dialect,
    numbers: &[u64],
) -> Vec<RecordText<'a>> {
    let broken = chunk.sifted.as_deref().unwrap_or_default();
    let is_broken = |number: &u64| broken.binary_search_by_key(number, |broken| broken.row).is_ok();
    let broken = broken.iter().filter(|broken| numbers.binary_search(&broken.row).is_ok());
    let mut places: Vec<_> =
        broken.map(|broken| (broken.row, broken.start, broken.text_end(bytes))).collect();
    let whole: Vec<u64> = numbers.iter().filter(|number| !is_broken(number)).copied().collect();
    let mut rows = Rows::new(bytes, dialect.rules(), header, chunk);
    find_rows(&mut rows, &whole, &mut places);
    places.sort_unstable();
    let (mut line, mut counted_to) = (chunk.first_line, 0);
    let texts = places.into_iter().filter_map(|(number, start, end)| {
        line += count_lines(bytes.get(counted_to..start)?);
        counted_to = start;
        let byte = chunk.offset + start as u64;
        Some(RecordText { number, line, byte, bytes: bytes.get(start..end)? })
    });
    texts.collect()
}

/// Adds number, start and end of the rows with these numbers, which ascend.
fn find_rows(rows: &mut Rows<'_>, numbers: &[u64], places: &mut Vec<(u64, usize, usize)>) {
    let (mut block, mut rest) = (Block::default(), numbers.iter().peekable());
    while rest.peek().is_some() && matches!(rows.fill(&mut block), Ok(true)) {
        for (row, (start, end)) in block.records().enumerate() {
            let number = block.first_row + row as u64;
            if rest.next_if(|wanted| **wanted == number).is_some() {
                places.push((number, start, end));
            }
        }
    }
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
            ends_file: true,
            ..Chunk::default()
        };
        let names = vec!["a".to_owned(), "b".to_owned()];
        let (header, dialect) = (Header { names, ..Header::default() }, Dialect::default());
        let find = |numbers: &[u64]| find_records(bytes, &chunk, &header, &dialect, numbers);
        let first = RecordText { number: 0, line: 2, byte: 4, bytes: b"1,\"a\nb\"" };
        let last = RecordText { number: 2, line: 6, byte: 18, bytes: b"3,\"\"" };
        assert_eq!(find(&[1]), [RecordText { number: 1, line: 5, byte: 13, bytes: b"2,c" }]);
        assert_eq!(find(&[0, 2]), [first, last.clone()]);
        assert_eq!(find(&[2, 3]), [last]);
        assert_eq!(find(&[]), []);
    }
}
