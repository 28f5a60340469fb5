//! Splitters that begin elsewhere than at the beginning of a file.

use super::{Position, Splitter};
use crate::dialect::Dialect;
use crate::header::Header;
use crate::lines::LineCounter;

impl Splitter {
    /// Makes a splitter for a file that is records alone, whose columns are known.
    pub fn of_records(dialect: &Dialect, header: &Header, grid_bytes: u64) -> Splitter {
        let (header, suspect) = (Some(header.clone()), Position { line: 1, ..Position::default() });
        let splitter = Splitter::new(dialect, grid_bytes);
        Splitter { preamble: None, header, suspect, ..splitter }
    }

    /// Makes a splitter that stands where the first record begins. `header`: the file's.
    pub fn at_records(dialect: &Dialect, header: &Header, grid_bytes: u64) -> Splitter {
        let mut splitter = Splitter::of_records(dialect, header, grid_bytes);
        (splitter.offset, splitter.lines_counted_to) =
            (header.records_offset, header.records_offset);
        splitter.start_chunk(header.records_offset);
        splitter.lines = LineCounter::begin_at(header.records_line);
        splitter.chunk_line = header.records_line;
        splitter.suspect =
            Position { line: splitter.chunk_line, byte: splitter.offset, ..Position::default() };
        splitter
    }

    /// The place of the next bytes in the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many line ends stand before the next bytes, without that of a CR just before them.
    pub(crate) fn lines_before(&self) -> u64 {
        self.lines.without_cr()
    }
}
