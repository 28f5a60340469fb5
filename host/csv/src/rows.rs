//! From a run of whole records to the places of their fields, a block of rows at a time.
//!
//! This module finds fields and does not read them: the blocks are then read column by column,
//! which keeps both loops small. It drops comments, and counts the byte order marks, repeated
//! headers and blank lines that it drops too (in files of one column a blank line is a row). It
//! finds ragged rows and misplaced quotes.

use std::sync::Arc;

use crate::MAX_ROW_BYTES;
use crate::chunk::Chunk;
use crate::dialect::{BYTE_ORDER_MARK, Rules};
use crate::error::CsvErrorKind;
use crate::left_out::ChunkLeftOut;
use crate::lines::{find_record, line_length};
use crate::preamble::Header;
use crate::ragged::ragged;
use crate::read_record::{close_quote, needles, read_record};
use crate::row_error::RowError;
use crate::scan::Scanner;

/// The most rows of a block, and the bytes after which a block takes no further row. Both keep a
/// block in the processor's cache. (The last row may go past the bytes: one row may have 4 MiB.)
const BLOCK_ROWS: usize = 512;
const BLOCK_BYTES: usize = 256 * 1024;
/// The most entries of a block's index. This bounds the rows of wide files: for example, a block of
/// 999 columns has at most 65 rows.
const BLOCK_FIELDS: usize = 64 * 1024;

/// The places of the fields of some rows. The index has `columns + 1` entries per row, relative to
/// `base`: the place before the row, then the place after each field. A field lies between two
/// entries, delimiter excluded. For example, the row `7,ab` at 10 has the entries 9, 11 and 14.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) base: usize,
    pub(crate) rows: usize,
    /// The 0-based number of the first row within the chunk.
    pub(crate) first_row: u64,
    /// At least one field is quoted or has an escape, and so is longer than its value.
    pub(crate) quoted: bool,
    stride: usize,
    index: Vec<u32>,
}

impl Block {
    /// Makes room for rows of so many columns; returns the most rows that the block takes.
    fn clear(&mut self, columns: usize) -> usize {
        let stride = columns + 1;
        let max_rows = (BLOCK_FIELDS / stride).clamp(1, BLOCK_ROWS);
        self.index.resize(max_rows * stride, 0);
        (self.stride, self.rows, self.quoted) = (stride, 0, false);
        max_rows
    }

    /// The fields of one column, as ranges relative to `base`, in row order.
    #[inline]
    pub(crate) fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let entries = &self.index[..self.rows * self.stride];
        entries
            .chunks_exact(self.stride.max(1))
            .map(move |row| (row[column].wrapping_add(1) as usize, row[column + 1] as usize))
    }

    /// The rows as they stand in the file, without their line ends: places in the chunk.
    pub(crate) fn records(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let last = self.stride.saturating_sub(2);
        let ends = self.column(0).zip(self.column(last));
        ends.map(|((start, _), (_, end))| (self.base + start, self.base + end))
    }

    /// Roughly the bytes that these rows take in the file: comments between them count too.
    pub(crate) fn bytes_of(&self, rows: std::ops::Range<usize>) -> usize {
        let place = |row: usize| {
            self.index.get(row * self.stride).map_or(0, |entry| entry.wrapping_add(1) as usize)
        };
        let last = (rows.end * self.stride).checked_sub(1).and_then(|at| self.index.get(at));
        last.map_or(0, |end| *end as usize).saturating_sub(place(rows.start))
    }
}

/// Walks the records of a chunk.
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    rules: Rules,
    scanner: Scanner<'a>,
    columns: usize,
    row_start: usize,
    /// The number of records so far.
    row: u64,
    ends_file: bool,
    /// A record is known to begin here; all blank lines before it have one behind them.
    record_at: usize,
    /// Records that are written like this are left out; empty: none are.
    header: Arc<[u8]>,
    left_out: ChunkLeftOut,
}

impl<'a> Rows<'a> {
    /// `bytes` are the chunk's.
    pub(crate) fn new(bytes: &'a [u8], rules: Rules, header: &Header, chunk: &Chunk) -> Rows<'a> {
        Rows {
            bytes,
            rules,
            scanner: Scanner::new(bytes, needles(&rules)),
            columns: header.names.len().max(1),
            row_start: 0,
            row: 0,
            ends_file: chunk.ends_file,
            record_at: 0,
            header: Arc::clone(&header.repeated),
            left_out: ChunkLeftOut::default(),
        }
    }

    /// Finds the next rows; `false` when there are none left.
    // `true` does not promise a row: a block of comments has none, and the chunk goes on behind it.
    pub(crate) fn fill(&mut self, block: &mut Block) -> Result<bool, RowError> {
        let max_rows = block.clear(self.columns);
        (block.base, block.first_row) = (self.row_start, self.row);
        while block.rows < max_rows && self.row_start - block.base < BLOCK_BYTES {
            // One byte tells that nearly every row begins with no mark.
            if self.bytes.get(self.row_start) == Some(&BYTE_ORDER_MARK[0]) {
                self.skip_mark();
            }
            if self.rules.comment.is_some() && self.skip_comment() {
                continue;
            }
            let entries = &mut block.index[block.rows * block.stride..][..block.stride];
            match self.next_row(block.base, entries, &mut block.quoted)? {
                Line::Row => block.rows += 1,
                Line::Skipped => (),
                Line::End => break,
            }
        }
        Ok(block.rows > 0 || self.row_start < self.bytes.len())
    }

    /// What was left out so far.
    pub(crate) fn left_out(&self) -> ChunkLeftOut {
        self.left_out
    }

    // Here a CRLF is two line ends: the CR ends the row, and `blank_line` drops the LF.
    #[inline(always)]
    fn next_row(
        &mut self,
        base: usize,
        entries: &mut [u32],
        quoted: &mut bool,
    ) -> Result<Line, RowError> {
        let row_start = self.row_start;
        if row_start >= self.bytes.len() {
            return Ok(Line::End);
        }
        entries[0] = entry_before(row_start, base);
        let (column, row_end) = self.find_fields(base, entries, quoted)?;
        if row_end == row_start {
            let line = self.blank_line();
            if !matches!(line, Line::Row) {
                return Ok(line);
            }
        } else {
            self.check_size(column + 1, row_end - row_start)?;
            if self.is_header(row_start, row_end) {
                return Ok(self.leave_out_header(row_end));
            }
        }
        entries[column + 1] = (row_end - base) as u32;
        self.row_start = row_end + 1;
        self.row += 1;
        Ok(Line::Row)
    }

    // Length or first byte differ for most records, so most bytes are not compared. (A header that
    // is empty equals no record, since a record without a character is a blank line.)
    #[inline(always)]
    fn is_header(&self, start: usize, end: usize) -> bool {
        end - start == self.header.len()
            && self.bytes[start] == self.header[0]
            && self.bytes[start..end] == *self.header
    }

    /// Moves past a record that is written as the header is.
    #[cold]
    fn leave_out_header(&mut self, row_end: usize) -> Line {
        self.left_out.headers.add(self.row_start);
        self.row_start = row_end + 1;
        Line::Skipped
    }

    /// Moves past a byte order mark at the row's start.
    #[cold]
    fn skip_mark(&mut self) {
        let rest = self.bytes.get(self.row_start..).unwrap_or_default();
        let length = self.rules.mark_length(rest);
        if length > 0 {
            self.left_out.marks.add(self.row_start);
            self.row_start += length;
        }
    }

    /// What a line end at the row's start means, and moves past it unless it is a row. In a file of
    /// one column it is a row with a NULL, but not at the end of the file.
    #[inline(never)]
    fn blank_line(&mut self) -> Line {
        let at = self.row_start;
        let is_crlf = self.bytes[at] == b'\n' && at > 0 && self.bytes[at - 1] == b'\r';
        if !is_crlf && !self.is_before_record() {
            self.row_start = self.bytes.len();
            return Line::End;
        }
        if !is_crlf && self.columns == 1 {
            return Line::Row;
        }
        if !is_crlf {
            self.left_out.blank_lines.add(at);
        }
        self.row_start = at + 1;
        Line::Skipped
    }

    /// Whether a record begins somewhere behind the blank line at the row's start. The answer for
    /// one line of a run of blank lines holds for all of them.
    fn is_before_record(&mut self) -> bool {
        if !self.ends_file || self.row_start < self.record_at {
            return true;
        }
        let found = find_record(&self.bytes[self.row_start..], self.rules.comment, &mut false);
        self.record_at = self.row_start + found.unwrap_or(0);
        found.is_some()
    }

    /// Writes the places after all fields of the row but the last; returns the number of the last
    /// field and the place after it.
    // `entries` has room for `columns` fields. So a delimiter too many must end the row before its
    // place is written; a delimiter too few shows in `check_size`.
    #[inline(always)]
    fn find_fields(
        &mut self,
        base: usize,
        entries: &mut [u32],
        quoted: &mut bool,
    ) -> Result<(usize, usize), RowError> {
        let mut column = 0;
        let mut field_start = self.row_start;
        while let Some(at) = self.scanner.next() {
            let byte = self.bytes[at];
            if byte == self.rules.delimiter {
                column += 1;
                if column >= self.columns {
                    return Err(self.ragged());
                }
                entries[column] = (at - base) as u32;
                field_start = at + 1;
            } else if byte == b'\n' || byte == b'\r' {
                return Ok((column, at));
            } else if at == field_start && Some(byte) == self.rules.quote {
                *quoted = true;
                let row = Some(self.row);
                close_quote(self.bytes, &mut self.scanner, &self.rules, at)
                    .map_err(|(kind, byte)| RowError { kind, row, byte, column: Some(column) })?;
            } else if self.rules.is_bare_escape(byte) {
                *quoted = true;
                self.scanner.skip_to(at + 2);
            }
        }
        Ok((column, self.bytes.len()))
    }

    #[inline(always)]
    fn check_size(&self, fields: usize, bytes: usize) -> Result<(), RowError> {
        if fields != self.columns {
            return Err(self.ragged());
        }
        if bytes as u64 > MAX_ROW_BYTES {
            let kind = CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote: false };
            return Err(self.error(kind));
        }
        Ok(())
    }

    /// Moves past a comment line, if there is one at the row's start.
    // The scanner has hits inside the comment (quotes, delimiters). `skip_to` drops them, or they
    // would be taken for those of the next row.
    fn skip_comment(&mut self) -> bool {
        let rest = self.bytes.get(self.row_start..).unwrap_or_default();
        if rest.is_empty() || rest.first() != self.rules.comment.as_ref() {
            return false;
        }
        self.row_start += line_length(rest, true).unwrap_or(rest.len());
        self.scanner.skip_to(self.row_start);
        true
    }

    // `find_fields` stops at the first delimiter too many, so the row is read again to count its
    // fields for the message. That second look may find a misplaced quote, which then is the error.
    #[cold]
    fn ragged(&self) -> RowError {
        let rest = &self.bytes[self.row_start..];
        match read_record(rest, &self.rules) {
            Ok(record) => {
                let behind = &rest[record.length.unwrap_or(rest.len())..];
                let more = find_record(behind, self.rules.comment, &mut false).is_some();
                let is_last = self.ends_file && !more;
                self.error(ragged(rest, &record, self.columns, &self.rules, is_last))
            }
            Err(error) => RowError {
                row: Some(self.row),
                byte: self.row_start + error.byte,
                column: None,
                kind: error.kind,
            },
        }
    }

    #[cold]
    fn error(&self, kind: CsvErrorKind) -> RowError {
        RowError { kind, row: Some(self.row), byte: self.row_start, column: None }
    }
}

/// The index's entry for the place before a row. For a row at `base` that is -1, which wraps to
/// `u32::MAX`; `Block::column` adds the 1 again and wraps back to 0.
///
/// The cast cannot lose bits in a row that is accepted: a block ends after 256 KiB, and longer rows
/// than 4 MiB are refused. A chunk without line ends fits as well, since the splitter bounds it.
#[inline(always)]
fn entry_before(row_start: usize, base: usize) -> u32 {
    ((row_start - base) as u32).wrapping_sub(1)
}

enum Line {
    Row,
    /// A line that is no row.
    Skipped,
    End,
}
