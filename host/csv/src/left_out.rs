//! Counts what stands between the records of a file and is no row.

use crate::chunk::Chunk;
use crate::lines::count_lines;

/// What was left out of a file between its records, and was meant as something, perhaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Blank lines in a file of two columns or more, but for those at its end.
    pub blank_lines: Tally,
    /// Records that are written as the header is.
    pub headers: Tally,
    /// Byte order marks in front of records.
    pub marks: Tally,
}

/// How many there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    /// The physical line of the first, counted from 1; 0 when there are none.
    pub first_line: u64,
}

impl LeftOut {
    /// Adds what was left out behind it.
    pub(crate) fn append(&mut self, next: &LeftOut) {
        self.blank_lines.append(next.blank_lines);
        self.headers.append(next.headers);
        self.marks.append(next.marks);
    }
}

impl Tally {
    fn append(&mut self, next: Tally) {
        if self.count == 0 {
            self.first_line = next.first_line;
        }
        self.count += next.count;
    }
}

/// What was left out of a chunk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChunkLeftOut {
    pub(crate) blank_lines: ChunkTally,
    pub(crate) headers: ChunkTally,
    pub(crate) marks: ChunkTally,
}

impl ChunkLeftOut {
    /// The same with the lines of the file. `bytes` are the chunk's.
    pub(crate) fn place(&self, bytes: &[u8], chunk: &Chunk) -> LeftOut {
        LeftOut {
            blank_lines: self.blank_lines.place(bytes, chunk),
            headers: self.headers.place(bytes, chunk),
            marks: self.marks.place(bytes, chunk),
        }
    }
}

/// A tally whose first place is a byte of the chunk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChunkTally {
    count: u64,
    first: usize,
}

impl ChunkTally {
    /// Counts one more, at this place. Places ascend.
    pub(crate) fn add(&mut self, at: usize) {
        if self.count == 0 {
            self.first = at;
        }
        self.count += 1;
    }

    fn place(&self, bytes: &[u8], chunk: &Chunk) -> Tally {
        if self.count == 0 {
            return Tally::default();
        }
        let before = bytes.get(..self.first).unwrap_or(bytes);
        Tally { count: self.count, first_line: chunk.first_line + count_lines(before) }
    }
}
