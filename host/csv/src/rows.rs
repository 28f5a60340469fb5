//! From a run of whole records to the places of their fields, a block of rows at a time.
//!
//! This module finds fields and does not read them: the blocks are then read column by column,
//! which keeps both loops small. It drops comments, and counts the byte order marks, repeated
//! headers and blank lines that it drops too (in files of one column a blank line is a row). It
//! finds ragged rows and misplaced quotes.

mod block;
mod plain;

use std::sync::Arc;

use crate::MAX_ROW_BYTES;
use crate::broken_record::BrokenRecord;
use crate::chunk::Chunk;
use crate::dialect::{BYTE_ORDER_MARK, FieldForm, Rules};
use crate::error::CsvErrorKind;
use crate::header::Header;
use crate::lines::{find_record, is_line_end, line_length};
use crate::oddities::{ChunkOddities, Oddity};
use crate::ragged::ragged;
use crate::read_record::{bare_quote, close_quote, needles, read_record};
use crate::row_error::RowError;
use crate::scan::Scanner;
use block::{BLOCK_BYTES, entry_before};
use plain::{At, Plain, RowEnd};

pub(crate) use block::Block;

/// Walks the records of a chunk.
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    rules: Rules,
    scanner: Scanner<'a>,
    columns: usize,
    row_start: usize,
    /// The number of records so far, broken ones among them.
    row: u64,
    ends_file: bool,
    /// A record is known to begin here; all blank lines before it have one behind them.
    record_at: usize,
    /// Records that are written like one of these are left out.
    headers: Arc<[Box<[u8]>]>,
    /// The broken records that are still ahead, and where the first of them begins.
    broken: &'a [BrokenRecord],
    broken_at: usize,
    oddities: ChunkOddities,
}

impl<'a> Rows<'a> {
    /// `bytes` are the chunk's.
    pub(crate) fn new(
        bytes: &'a [u8],
        rules: Rules,
        header: &Header,
        chunk: &'a Chunk,
    ) -> Rows<'a> {
        let broken = chunk.sifted.as_deref().unwrap_or_default();
        Rows {
            bytes,
            rules,
            scanner: Scanner::new(bytes, needles(&rules)),
            columns: header.names.len().max(1),
            row_start: 0,
            row: 0,
            ends_file: chunk.ends_file,
            record_at: 0,
            headers: Arc::clone(&header.repeated),
            broken,
            broken_at: broken.first().map_or(usize::MAX, |broken| broken.start),
            oddities: ChunkOddities::default(),
        }
    }

    /// Finds the next rows; `false` when there are none left.
    // `true` does not promise a row: a block of comments has none, and the chunk goes on behind it.
    pub(crate) fn fill(&mut self, block: &mut Block) -> Result<bool, RowError> {
        self.fill_at_most(usize::MAX, block)
    }

    /// As [`Self::fill`], at most so many rows. After an error the block has the rows before it.
    // The rows of a block have consecutive numbers, so a block ends before a broken record.
    pub(crate) fn fill_at_most(
        &mut self,
        rows: usize,
        block: &mut Block,
    ) -> Result<bool, RowError> {
        let gap = self.rules.delimiter_length();
        let max_rows = block.clear(self.columns, gap).min(rows);
        (block.base, block.first_row) = (self.row_start, self.row);
        while block.rows < max_rows && self.row_start - block.base < BLOCK_BYTES {
            // One byte tells that nearly every row begins with no mark. A broken record begins
            // behind its mark, and may have another one, which is text.
            if self.bytes.get(self.row_start) == Some(&BYTE_ORDER_MARK[0])
                && self.row_start != self.broken_at
            {
                self.skip_mark();
            }
            if self.row_start == self.broken_at {
                if block.rows > 0 {
                    break;
                }
                self.pass_broken();
                (block.base, block.first_row) = (self.row_start, self.row);
                continue;
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

    /// Moves past the broken record at the row's start. It has a number too.
    #[cold]
    fn pass_broken(&mut self) {
        let Some((broken, rest)) = self.broken.split_first() else { return };
        self.broken = rest;
        self.broken_at = rest.first().map_or(usize::MAX, |broken| broken.start);
        self.pass_record(broken.end);
    }

    /// Moves to `end`, past the record at the row's start.
    pub(crate) fn pass_record(&mut self, end: usize) {
        self.row_start = end;
        self.row += 1;
        self.scanner.restart(end);
    }

    /// The place where the next row begins, or the one with a mistake.
    pub(crate) fn row_start(&self) -> usize {
        self.row_start
    }

    /// The number of records so far, broken ones among them.
    pub(crate) fn records(&self) -> u64 {
        self.row
    }

    /// What was odd so far.
    pub(crate) fn oddities(&self) -> ChunkOddities {
        self.oddities
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
        entries[0] = entry_before(row_start, base, self.rules.delimiter_length());
        let end = self.find_fields(base, entries, quoted)?;
        if end.line_end == row_start {
            let line = self.blank_line();
            if !matches!(line, Line::Row) {
                return Ok(line);
            }
        } else {
            self.check_size(end.last_field + 1, end.line_end - row_start)?;
            if self.is_header(row_start, end.line_end) {
                return Ok(self.leave_out_header(end.line_end));
            }
        }
        // One entry but in short rows that are filled up.
        entries[end.last_field + 1..].fill((end.fields_end - base) as u32);
        self.row_start = end.line_end + 1;
        self.row += 1;
        Ok(Line::Row)
    }

    // The length differs for most records, so most bytes are not compared.
    #[inline(always)]
    fn is_header(&self, start: usize, end: usize) -> bool {
        let is_it =
            |header: &[u8]| header.len() == end - start && self.bytes[start..end] == *header;
        self.headers.iter().any(|header| is_it(header))
    }

    /// Moves past a record that is written as the header is.
    #[cold]
    fn leave_out_header(&mut self, row_end: usize) -> Line {
        self.oddities.add(Oddity::RepeatedHeader, self.row_start);
        self.row_start = row_end + 1;
        Line::Skipped
    }

    /// Moves past a byte order mark at the row's start.
    #[cold]
    fn skip_mark(&mut self) {
        let rest = self.bytes.get(self.row_start..).unwrap_or_default();
        let length = self.rules.mark_length(rest);
        if length > 0 {
            self.oddities.add(Oddity::Mark, self.row_start);
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
            self.oddities.add(Oddity::BlankLine, at);
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

    /// Writes the places after all fields of the row but the last.
    // `entries` has room for `columns` fields. So a delimiter too many must end the row before its
    // place is written; a delimiter too few shows in `check_size`.
    #[inline(always)]
    fn find_fields(
        &mut self,
        base: usize,
        entries: &mut [u32],
        quoted: &mut bool,
    ) -> Result<RowEnd, RowError> {
        let mut column = 0;
        let mut field_start = self.row_start;
        if self.rules.delimiter_length() == 1 {
            let ends = entries.get_mut(1..self.columns).unwrap_or_default();
            let at = At { start: field_start, base, delimiter: self.rules.delimiter };
            match plain::fields(self.bytes, &mut self.scanner, at, ends) {
                Plain::Row(end) => return Ok(end),
                Plain::Until { fields, start } => (column, field_start) = (fields, start),
            }
        }
        while let Some(at) = self.scanner.next() {
            let byte = self.bytes[at];
            if byte == self.rules.delimiter {
                if at < field_start || !self.rules.is_delimiter(self.bytes, at) {
                    continue;
                }
                column += 1;
                if column >= self.columns {
                    return self.drop_surplus(at);
                }
                entries[column] = (at - base) as u32;
                field_start = at + self.rules.delimiter_length();
            } else if byte == b'\n' || byte == b'\r' {
                return Ok(RowEnd { last_field: column, fields_end: at, line_end: at });
            } else if Some(byte) == self.rules.quote {
                if self.rules.opens_field(&self.bytes[field_start..at]) {
                    *quoted = true;
                    let row = Some(self.row);
                    close_quote(self.bytes, &mut self.scanner, &self.rules, at).map_err(
                        |(kind, byte)| RowError { kind, row, byte, column: Some(column) },
                    )?;
                } else {
                    self.bare_quote(field_start, at, column)?;
                }
            } else if self.rules.is_bare_escape(byte) {
                *quoted = true;
                self.scanner.skip_to(at + 2);
            }
        }
        let end = self.bytes.len();
        Ok(RowEnd { last_field: column, fields_end: end, line_end: end })
    }

    /// Takes a quote within a field that does not begin with one.
    #[cold]
    fn bare_quote(&mut self, field_start: usize, at: usize, column: usize) -> Result<(), RowError> {
        if self.rules.takes_bare_quotes {
            self.oddities.add(Oddity::BareQuote, self.row_start);
            return Ok(());
        }
        let kind = bare_quote(&self.bytes[field_start..at]);
        Err(RowError { kind, row: Some(self.row), byte: at, column: Some(column) })
    }

    /// Takes the first delimiter too many: the end of a row, when nothing but such delimiters
    /// follow and the dialect allows them.
    #[cold]
    fn drop_surplus(&mut self, at: usize) -> Result<RowEnd, RowError> {
        let mut line_end = at;
        while self.bytes.get(line_end) == Some(&self.rules.delimiter)
            && self.rules.is_delimiter(self.bytes, line_end)
        {
            line_end += self.rules.delimiter_length();
        }
        if !self.rules.drops_surplus || !self.bytes.get(line_end).is_none_or(|b| is_line_end(*b)) {
            return Err(self.ragged());
        }
        self.scanner.restart(line_end);
        self.scanner.next();
        self.oddities.add(Oddity::TrailingDelimiter, self.row_start);
        Ok(RowEnd { last_field: self.columns - 1, fields_end: at, line_end })
    }

    #[inline(always)]
    fn check_size(&mut self, fields: usize, bytes: usize) -> Result<(), RowError> {
        if fields != self.columns {
            self.short_row()?;
        }
        if bytes as u64 > MAX_ROW_BYTES {
            let kind = CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote: false };
            return Err(self.error(kind));
        }
        Ok(())
    }

    /// Takes a row with too few fields.
    #[cold]
    fn short_row(&mut self) -> Result<(), RowError> {
        if !self.rules.fills_short_rows {
            return Err(self.ragged());
        }
        if self.rules.field_form == FieldForm::Csv {
            self.oddities.add(Oddity::ShortRow, self.row_start);
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

enum Line {
    Row,
    /// A line that is no row.
    Skipped,
    End,
}
