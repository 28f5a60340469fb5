//! Cuts a file into chunks that name their broken records. It reads every record, one after the
//! other, so it is slower than the splitter, which looks at quotes alone.

use crate::MAX_ROW_BYTES;
use crate::broken::found::Found;
use crate::broken::lone_field::{is_before_lone_field, is_lone_field};
use crate::broken::resync::{End, Window};
use crate::broken_record::{BrokenRecord, EndsBecause};
use crate::chunk::Chunk;
use crate::dialect::{Dialect, Rules};
use crate::error::{CsvError, CsvErrorKind};
use crate::header::Header;
use crate::held::Held;
use crate::lines::{LineCounter, count_lines, line_length};
use crate::row_error::RowError;
use crate::rows::{Block, Rows};

/// The bytes that [`Sifter::push`] should get beside those of a chunk, unless the file ends before:
/// room for a last row of the greatest length, and for the place where a broken one ends.
pub const SIFT_BESIDE_BYTES: usize = 3 * MAX_ROW_BYTES as usize;

/// The bytes that may be read to find the ends of broken records: so many for each byte of the
/// file, and so many beside. Together they keep the work linear. (A quote that is never closed is
/// read to the end of the window, 12 MiB and a chunk: a few dozen of them take all that is beside.)
const WORK_PER_BYTE: u64 = 16;
const WORK_BESIDE: u64 = 512 * 1024 * 1024;

/// The most broken records of a file. Their places are kept in memory.
const MOST_BROKEN: u64 = 1_000_000;

/// A place in a file between two records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiftFrom {
    pub(crate) offset: u64,
    /// The physical line that begins there, counted from 1.
    pub(crate) line: u64,
    /// The chunks in front of it.
    pub(crate) chunks: u64,
}

impl SiftFrom {
    /// The place where the records of a file begin.
    pub fn beginning(header: &Header) -> SiftFrom {
        SiftFrom { offset: header.records_offset, line: header.records_line, chunks: 0 }
    }

    /// The place behind a chunk without broken records. `bytes` are the chunk's.
    pub fn behind(chunk: &Chunk, bytes: &[u8]) -> SiftFrom {
        SiftFrom {
            offset: chunk.offset + chunk.len,
            line: chunk.first_line + count_lines(bytes),
            chunks: chunk.ordinal + 1,
        }
    }
}

/// Cuts the rest of a file, from a place on where a record begins.
pub struct Sifter {
    rules: Rules,
    header: Header,
    target: usize,
    offset: u64,
    lines: LineCounter,
    ordinal: u64,
    held: Held,
    /// The bytes that may still be read to find ends of broken records.
    work: u64,
    /// The broken records so far.
    broken: u64,
    /// The window begins within a record that is too long, whose chunk has ended.
    in_long_record: bool,
}

impl Sifter {
    /// Starts at a place between two records. A chunk ends with the first block of rows that makes
    /// it `target_chunk_bytes` long or longer.
    pub fn new(
        dialect: &Dialect,
        header: &Header,
        start: &SiftFrom,
        target_chunk_bytes: usize,
    ) -> Sifter {
        Sifter {
            rules: dialect.rules(),
            header: header.clone(),
            target: target_chunk_bytes.max(1),
            offset: start.offset,
            lines: LineCounter::begin_at(start.line),
            ordinal: start.chunks,
            held: Held::default(),
            work: WORK_BESIDE,
            broken: 0,
            in_long_record: false,
        }
    }

    /// The place in the file that the next window must begin at.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes the bytes from [`Sifter::offset`] on: those of a chunk and [`SIFT_BESIDE_BYTES`], or
    /// all that are left. Returns the chunks that are complete now; an empty window gives the last
    /// ones.
    ///
    /// Errors: a quote that is never closed, where no records fit again within reach; more broken
    /// records than can be kept.
    pub fn push(&mut self, window: &[u8], is_last: bool) -> Result<Vec<Chunk>, CsvError> {
        let mut chunks = Vec::new();
        if window.is_empty() {
            chunks.extend(self.held.finish());
            return Ok(chunks);
        }
        self.held.look(window, self.rules.comment, &mut chunks);
        if self.in_long_record {
            self.pass_long_record(window, is_last);
            return Ok(chunks);
        }
        let (end, broken) = self.sift(window, is_last)?;
        self.broken += broken.len() as u64;
        self.held.push(Chunk {
            offset: self.offset,
            len: end as u64,
            first_line: self.lines.count() + 1,
            ordinal: self.ordinal,
            ends_file: false,
            sifted: Some(broken.into()),
        });
        self.held.look(&window[end..], self.rules.comment, &mut chunks);
        self.ordinal += 1;
        self.pass(&window[..end]);
        Ok(chunks)
    }

    /// Moves on in a record that is too long, to its line end if that is in the window.
    fn pass_long_record(&mut self, window: &[u8], is_last: bool) {
        let line = line_length(window, is_last);
        self.in_long_record = line.is_none();
        // A CR at the window's end may be half of a line end, so it stays for the next window.
        let before_cr = window.len() - usize::from(window.ends_with(b"\r"));
        self.pass(&window[..line.unwrap_or(before_cr)]);
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.lines.feed(bytes);
        self.offset += bytes.len() as u64;
        self.work += WORK_PER_BYTE * bytes.len() as u64;
    }

    /// Reads records until the chunk is long enough. Returns its end, and its broken records.
    // A chunk does not end beside a lone field, since the row there belongs to it, perhaps; but it
    // must end while the window has room for another row.
    fn sift(
        &mut self,
        bytes: &[u8],
        is_last: bool,
    ) -> Result<(usize, Vec<BrokenRecord>), CsvError> {
        let window = Window { bytes, rules: self.rules, header: &self.header.clone(), is_last };
        let whole = Chunk { ends_file: is_last, ..Chunk::default() };
        let mut rows = Rows::new(bytes, self.rules, window.header, &whole);
        let (mut block, mut found) = (Block::default(), Found::new(bytes, self.rules));
        while self.goes_on(&window, &found, rows.row_start()) {
            let filled = rows.fill(&mut block);
            found.rows(&block);
            match filled {
                Ok(true) => (),
                Ok(false) => break,
                Err(error) => {
                    let start = rows.row_start();
                    let (end, because) = self.end(&window, start, &error)?;
                    let is_lone = is_lone_field(&window, start);
                    let record = BrokenRecord::new(&window, &rows, end, error, because);
                    found.broken(record, is_lone);
                    rows.pass_record(end);
                }
            }
            self.check_count(found.broken.len(), bytes, &rows)?;
        }
        Ok((behind_crlf(bytes, rows.row_start()).min(bytes.len()), found.broken))
    }

    /// Whether the chunk has a next record, which begins at `at`.
    fn goes_on(&self, window: &Window<'_>, found: &Found<'_>, at: usize) -> bool {
        let is_beside = || {
            found.ends_with_lone_field()
                || is_before_lone_field(window, behind_crlf(window.bytes, at))
        };
        let most = self.target + MAX_ROW_BYTES as usize;
        at < window.bytes.len() && (at < self.target || (at < most && is_beside()))
    }

    /// Where a broken record ends.
    fn end(
        &mut self,
        window: &Window<'_>,
        start: usize,
        error: &RowError,
    ) -> Result<(usize, EndsBecause), CsvError> {
        match window.end(start, &mut self.work) {
            End::At(end, because) => Ok((end, because)),
            End::BeyondWindow => {
                self.in_long_record = true;
                let before_cr = window.bytes.len() - usize::from(window.bytes.ends_with(b"\r"));
                Ok((before_cr, EndsBecause::OwnEnd))
            }
            End::Lost => Err(self.locate(window.bytes, error.clone())),
            End::TooMuchWork => {
                let kind = CsvErrorKind::TooMuchWork;
                Err(self.locate(window.bytes, RowError { kind, ..error.clone() }))
            }
        }
    }

    fn check_count(&self, more: usize, bytes: &[u8], rows: &Rows<'_>) -> Result<(), CsvError> {
        if self.broken + more as u64 <= MOST_BROKEN {
            return Ok(());
        }
        let kind = CsvErrorKind::TooManyBroken { limit: MOST_BROKEN };
        let byte = rows.row_start().min(bytes.len());
        Err(self.locate(bytes, RowError { kind, row: None, byte, column: None }))
    }

    fn locate(&self, bytes: &[u8], error: RowError) -> CsvError {
        let error = RowError { row: None, ..error };
        error.locate(bytes, self.offset, self.lines.count() + 1, &self.header.names)
    }
}

/// Moves from between a CR and its LF behind both.
fn behind_crlf(bytes: &[u8], at: usize) -> usize {
    let is_within = at > 0 && bytes.get(at) == Some(&b'\n') && bytes.get(at - 1) == Some(&b'\r');
    at + usize::from(is_within)
}
