//! From a run of whole records to the places of their fields, a block of rows at a time.
//!
//! This module finds fields and does not read them: the blocks are then read column by column,
//! which keeps both loops small. It drops comments and blank lines, and finds ragged rows and
//! misplaced quotes.

use crate::MAX_ROW_BYTES;
use crate::dialect::Rules;
use crate::error::{CsvError, CsvErrorKind, Position};
use crate::lines::{count_lines, line_length};
use crate::scan::{Needles, Scanner};

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
    /// At least one field is quoted.
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

/// A mistake in a record. Its places count from the start of the chunk.
#[derive(Debug)]
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

/// Walks the records of a chunk.
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    rules: Rules,
    scanner: Scanner<'a>,
    columns: usize,
    row_start: usize,
    /// The number of records so far.
    row: u64,
}

// The scanner takes five characters. Without a quote or an escape, another one stands twice.
fn needles(rules: &Rules) -> Needles {
    let quote = rules.quote.unwrap_or(rules.delimiter);
    [rules.delimiter, b'\n', b'\r', quote, rules.escape.unwrap_or(quote)]
}

impl<'a> Rows<'a> {
    /// `columns` is at least one.
    pub(crate) fn new(bytes: &'a [u8], rules: Rules, columns: usize) -> Rows<'a> {
        Rows {
            bytes,
            rules,
            scanner: Scanner::new(bytes, needles(&rules)),
            columns,
            row_start: 0,
            row: 0,
        }
    }

    /// Finds the next rows; `false` when there are none left.
    // `true` does not promise a row: a block of comments has none, and the chunk goes on behind it.
    pub(crate) fn fill(&mut self, block: &mut Block) -> Result<bool, RowError> {
        let max_rows = block.clear(self.columns);
        (block.base, block.first_row) = (self.row_start, self.row);
        while block.rows < max_rows && self.row_start - block.base < BLOCK_BYTES {
            if self.rules.comment.is_some() && self.skip_comment() {
                continue;
            }
            let entries = &mut block.index[block.rows * block.stride..][..block.stride];
            match self.next_row(block.base, entries, &mut block.quoted)? {
                Line::Row => block.rows += 1,
                Line::Blank => (),
                Line::End => break,
            }
        }
        Ok(block.rows > 0 || self.row_start < self.bytes.len())
    }

    // CRLF needs no case of its own: the CR ends the row, and the LF after it is a blank line.
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
            self.row_start = row_end + 1;
            return Ok(Line::Blank);
        }
        self.check_size(column + 1, row_end - row_start)?;
        entries[column + 1] = (row_end - base) as u32;
        self.row_start = row_end + 1;
        self.row += 1;
        Ok(Line::Row)
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
        match read_record(&self.bytes[self.row_start..], &self.rules) {
            Ok(record) => self.error(CsvErrorKind::RaggedRow {
                expected: self.columns,
                found: record.ends.len(),
            }),
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
    Blank,
    End,
}

/// Takes hits up to the quote that closes the one at `open`. Errors come with their place.
// The scanner reports every quote and escape, even where the character before makes it plain text.
// `plain` is the place of such a character: for example, in `"a""b"` the quote at 2 makes the quote
// at 3 plain. A quote at the end of `bytes` closes its field. A header may still go on there; its
// caller sees that `Record::length` is `None` and waits for more bytes.
#[inline(always)]
fn close_quote(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    rules: &Rules,
    open: usize,
) -> Result<(), (CsvErrorKind, usize)> {
    let mut plain = usize::MAX;
    while let Some(at) = scanner.next() {
        if at == plain {
            continue;
        }
        let byte = bytes[at];
        if Some(byte) == rules.escape {
            plain = at + 1;
        } else if Some(byte) == rules.quote {
            match bytes.get(at + 1) {
                Some(next) if Some(*next) == rules.quote => plain = at + 1,
                None | Some(b'\n' | b'\r') => return Ok(()),
                Some(next) if *next == rules.delimiter => return Ok(()),
                Some(_) => return Err((CsvErrorKind::TextAfterQuote, at + 1)),
            }
        }
    }
    Err((CsvErrorKind::UnclosedQuote, open))
}

/// One record, read without knowing how many fields it should have: for headers and for error
/// messages.
pub(crate) struct Record {
    /// The place after each field.
    pub(crate) ends: Vec<usize>,
    /// The length with the line end; `None` when the bytes ran out before a line end.
    pub(crate) length: Option<usize>,
}

impl Record {
    pub(crate) fn fields<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = (usize, &'b [u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|end| end + 1));
        starts.zip(&self.ends).map(|(start, end)| (start, &bytes[start..*end]))
    }
}

/// Reads the record at the start of `bytes`, which must not be a blank line or a comment. The
/// error's row is `None`.
pub(crate) fn read_record(bytes: &[u8], rules: &Rules) -> Result<Record, RowError> {
    let mut scanner = Scanner::new(bytes, needles(rules));
    let mut ends = Vec::new();
    let mut field_start = 0;
    while let Some(at) = scanner.next() {
        let byte = bytes[at];
        if byte == rules.delimiter {
            ends.push(at);
            field_start = at + 1;
        } else if byte == b'\n' || byte == b'\r' {
            ends.push(at);
            return Ok(Record {
                ends,
                length: line_length(&bytes[at..], false).map(|length| at + length),
            });
        } else if at == field_start && Some(byte) == rules.quote {
            close_quote(bytes, &mut scanner, rules, at).map_err(|(kind, byte)| RowError {
                kind,
                row: None,
                byte,
                column: Some(ends.len()),
            })?;
        }
    }
    ends.push(bytes.len());
    Ok(Record { ends, length: None })
}
