//! Counts what is odd about the rows of a file and no mistake, so that a person hears of it.

use serde::{Deserialize, Serialize};

use crate::chunk::Chunk;
use crate::lines::count_lines;

/// What is odd, and read as the dialect says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A blank line in a file of two columns or more, but for those at its end; it is skipped.
    BlankLine,
    /// A record that is written as the header is; it is left out.
    RepeatedHeader,
    /// A byte order mark in front of a record; it is dropped.
    Mark,
    /// A field with a quote that does not open it; the quote is text.
    BareQuote,
    /// A row with too few fields; the others are NULL.
    ShortRow,
    /// A row with empty fields too many; they are dropped.
    TrailingDelimiter,
}

impl Oddity {
    /// All of them, in the order of their numbers.
    pub const ALL: [Oddity; 6] = [
        Oddity::BlankLine,
        Oddity::RepeatedHeader,
        Oddity::Mark,
        Oddity::BareQuote,
        Oddity::ShortRow,
        Oddity::TrailingDelimiter,
    ];
}

/// The first lines of a kind that are named.
const NAMED_LINES: usize = 5;

/// How many there are of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub count: u64,
    /// The physical lines of the first ones, counted from 1.
    lines: [u64; NAMED_LINES],
}

impl Tally {
    /// The physical lines of the first ones, at most five, counted from 1.
    pub fn lines(&self) -> &[u64] {
        &self.lines[..NAMED_LINES.min(usize::try_from(self.count).unwrap_or(NAMED_LINES))]
    }

    fn append(&mut self, next: &Tally) {
        let named = self.lines().len();
        for (line, next) in self.lines[named..].iter_mut().zip(next.lines()) {
            *line = *next;
        }
        self.count += next.count;
    }
}

/// What is odd about a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Oddities([Tally; Oddity::ALL.len()]);

impl Oddities {
    /// Makes the lines those behind so many more.
    pub(crate) fn move_behind(&mut self, lines: u64) {
        for tally in &mut self.0 {
            let named = tally.lines().len();
            tally.lines[..named].iter_mut().for_each(|line| *line += lines);
        }
    }

    /// How many there are of a kind, and where.
    pub fn of(&self, oddity: Oddity) -> &Tally {
        &self.0[oddity as usize]
    }

    /// Adds what is odd behind it.
    pub(crate) fn append(&mut self, next: &Oddities) {
        for (tally, next) in self.0.iter_mut().zip(&next.0) {
            tally.append(next);
        }
    }
}

/// What is odd about a chunk: as [`Oddities`], with places in the chunk instead of lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChunkOddities([ChunkTally; Oddity::ALL.len()]);

impl ChunkOddities {
    /// Counts one more at this place. The places of a kind ascend; two at the same place are one.
    pub(crate) fn add(&mut self, oddity: Oddity, at: usize) {
        self.0[oddity as usize].add(at);
    }

    /// The same with the lines of the file. `bytes` are the chunk's.
    pub(crate) fn place(&self, bytes: &[u8], chunk: &Chunk) -> Oddities {
        Oddities(self.0.map(|tally| tally.place(bytes, chunk)))
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct ChunkTally {
    count: u64,
    places: [usize; NAMED_LINES],
    last: usize,
}

impl ChunkTally {
    fn add(&mut self, at: usize) {
        if self.count > 0 && self.last == at {
            return;
        }
        if let Some(place) = usize::try_from(self.count).ok().and_then(|n| self.places.get_mut(n)) {
            *place = at;
        }
        (self.count, self.last) = (self.count + 1, at);
    }

    fn place(&self, bytes: &[u8], chunk: &Chunk) -> Tally {
        let named = NAMED_LINES.min(usize::try_from(self.count).unwrap_or(NAMED_LINES));
        let (mut lines, mut line, mut counted_to) = ([0; NAMED_LINES], chunk.first_line, 0);
        for (of, place) in lines.iter_mut().zip(&self.places[..named]) {
            line += count_lines(bytes.get(counted_to..*place).unwrap_or_default());
            (*of, counted_to) = (line, *place);
        }
        Tally { count: self.count, lines }
    }
}
