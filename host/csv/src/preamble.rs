//! The part of a file before its records: a byte order mark, lines to skip, comments, the header.

use crate::dialect::{BYTE_ORDER_MARK, Dialect, Rules};
use crate::error::{CsvError, CsvErrorKind, Position};
use crate::field::FieldReader;
use crate::header::{Header, numbered, spellings};
use crate::lines::{LineCounter, count_lines, is_line_end, line_length};
use crate::ragged::Ragged;
use crate::read_field::Field;
use crate::read_record::{Record, read_record};
use crate::row_error::RowError;
use crate::text::{Records, check_text};
use crate::{MAX_COLUMNS, MAX_ROW_BYTES};

/// Collects the start of a file until the header is complete.
pub(crate) struct Preamble {
    rules: Rules,
    reader: FieldReader,
    has_header: bool,
    /// The records of the header that are still to come, and what those so far say.
    header_rows: u64,
    header: Header,
    /// The number of columns, where the user says it and there is no header.
    known_columns: Option<usize>,
    lines_to_skip: u64,
    /// The line has no byte order mark at its start any more.
    mark_checked: bool,
    /// The bytes that were pushed and not yet used.
    head: Vec<u8>,
    /// How many bytes of `head` are of no use any more. They leave it once in each push: to move
    /// the rest of it at each line would take quadratic time.
    dropped: usize,
    /// Where the first record begins in `head`, or the rest of `line`.
    start: usize,
    /// The line before the first record whose end has not come yet.
    line: Option<Line>,
    /// The record is read again when it has so many bytes.
    next_try: usize,
    used: u64,
    lines: LineCounter,
}

/// What becomes of a line before the first record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Its bytes are thrown away as they come: it may have no end.
    Dropped,
    /// It stays in front of the records. Only a file without header has such lines.
    Kept,
}

/// The most bytes of blank lines, and of comments behind them, in front of the records of a file
/// without header. (They are kept, so they must be bounded.)
const MAX_KEPT_BYTES: usize = MAX_ROW_BYTES as usize;

/// So many bytes tell that a record is longer than a row may be, also behind a lone CR.
const TOO_LONG: usize = MAX_ROW_BYTES as usize + 2;

/// The rest of the pushed bytes, once the header is complete.
pub(crate) struct Body {
    pub(crate) header: Header,
    /// The first bytes of the records, which begin at `offset` after `lines` lines.
    pub(crate) bytes: Vec<u8>,
    pub(crate) offset: u64,
    pub(crate) lines: LineCounter,
}

impl Preamble {
    pub(crate) fn new(dialect: &Dialect) -> Preamble {
        Preamble {
            rules: dialect.rules(),
            reader: FieldReader::new(dialect),
            has_header: dialect.header,
            header_rows: dialect.header_rows.max(1),
            header: Header::default(),
            known_columns: dialect.columns.filter(|_| !dialect.header),
            lines_to_skip: dialect.skip_rows,
            mark_checked: false,
            head: Vec::new(),
            dropped: 0,
            start: 0,
            line: None,
            next_try: 0,
            used: 0,
            lines: LineCounter::default(),
        }
    }

    /// Takes the next bytes; `None` while the header is not complete. `is_last`: no more come.
    // Without a header line, the first record only tells the number of columns. Its bytes stay in
    // `head`, because they are data, and so do blank lines before it: with one column they are rows.
    pub(crate) fn push(&mut self, bytes: &[u8], is_last: bool) -> Result<Option<Body>, CsvError> {
        self.head.extend_from_slice(bytes);
        loop {
            let has_begun = self.skip(is_last);
            self.forget_dropped();
            if self.start > MAX_KEPT_BYTES {
                return Err(self.error_at(0, CsvErrorKind::NoRecord { limit: MAX_KEPT_BYTES }));
            }
            if let Some(columns) = self.known_columns
                && (has_begun || is_last)
            {
                return Ok(Some(self.body(numbered(columns))));
            }
            if !has_begun {
                return if is_last { Err(self.error(CsvErrorKind::Empty)) } else { Ok(None) };
            }
            let Some(record) = self.record(is_last)? else {
                return Ok(None);
            };
            let header = self.header(&record)?;
            if !self.has_header {
                return Ok(Some(self.body(header)));
            }
            self.join(header)?;
            self.drop_bytes(record.length.unwrap_or(self.head.len()));
            self.forget_dropped();
            if self.header_rows == 0 {
                let header = std::mem::take(&mut self.header);
                return Ok(Some(self.body(header)));
            }
        }
    }

    /// Adds a record of the header to those before it.
    fn join(&mut self, header: Header) -> Result<(), CsvError> {
        self.header_rows -= 1;
        self.next_try = 0;
        self.mark_checked = !self.rules.drops_marks;
        let (expected, found) = (self.header.names.len(), header.names.len());
        if expected == 0 {
            self.header = header;
            return Ok(());
        }
        if expected != found {
            let ragged = if found < expected { Ragged::Short } else { Ragged::Long };
            return Err(self.error(CsvErrorKind::RaggedRow { expected, found, ragged }));
        }
        self.header.join(&header);
        Ok(())
    }

    /// All that is left of the bytes, behind the header.
    fn body(&mut self, header: Header) -> Body {
        let (bytes, lines) = (std::mem::take(&mut self.head), std::mem::take(&mut self.lines));
        let (records_offset, records_line) = (self.used, lines.count() + 1);
        let header = Header { records_offset, records_line, ..header };
        Body { header, bytes, offset: self.used, lines }
    }

    /// Moves to the first record; `false` when it has not begun.
    // `lines_to_skip` comes first: skipped lines need not be CSV, so a comment or a blank line
    // among them counts. (For example, `skip_rows` 2 skips a title and the blank line below it.)
    fn skip(&mut self, is_last: bool) -> bool {
        loop {
            if let Some(line) = self.line
                && !self.end_line(line, is_last)
            {
                return false;
            }
            if !self.skip_mark(is_last) {
                return false;
            }
            let Some(first) = self.head.get(self.start).copied() else {
                return false;
            };
            let is_blank = is_line_end(first);
            let is_skipped =
                self.lines_to_skip > 0 || is_blank || Some(first) == self.rules.comment;
            if !is_skipped {
                return true;
            }
            // A comment is kept only behind what is kept, since a body has no gaps.
            let is_kept = self.keeps_lines() && (is_blank || self.start > self.dropped);
            self.line = Some(if is_kept { Line::Kept } else { Line::Dropped });
        }
    }

    /// Moves past the line; `false` when its end has not come yet.
    // A CR at the end of the bytes stays: the LF that may come next ends the same line.
    fn end_line(&mut self, line: Line, is_last: bool) -> bool {
        let rest = &self.head[self.start..];
        let end = line_length(rest, is_last);
        let without_end = || rest.len() - usize::from(rest.last() == Some(&b'\r'));
        let length = end.unwrap_or_else(without_end);
        match line {
            Line::Dropped => self.drop_bytes(length),
            Line::Kept => self.start += length,
        }
        if end.is_some() {
            self.line = None;
            self.lines_to_skip = self.lines_to_skip.saturating_sub(1);
            self.mark_checked = !self.rules.drops_marks;
        }
        end.is_some()
    }

    /// Moves past a byte order mark at the start of the line; `false` when the bytes so far do not
    /// tell whether there is one.
    // The file's own mark is no data, whatever becomes of later ones. The line behind it may have
    // one too: for example, where an empty file, with nothing in it but its mark, was put in front
    // of another.
    fn skip_mark(&mut self, is_last: bool) -> bool {
        while !self.mark_checked {
            let rest = &self.head[self.start..];
            let may_begin = rest.len() < BYTE_ORDER_MARK.len();
            if may_begin && BYTE_ORDER_MARK.starts_with(rest) && !is_last {
                return false;
            }
            let is_mark = rest.starts_with(BYTE_ORDER_MARK);
            let begins_file = self.used + self.start as u64 == 0;
            self.mark_checked = !(is_mark && begins_file && self.rules.drops_marks);
            match is_mark {
                false => (),
                true if begins_file || !self.keeps_lines() => {
                    self.drop_bytes(BYTE_ORDER_MARK.len());
                }
                true => self.start += BYTE_ORDER_MARK.len(),
            }
        }
        true
    }

    /// Whether what stands in front of the first record stays there.
    fn keeps_lines(&self) -> bool {
        !self.has_header && self.lines_to_skip == 0
    }

    /// Reads the first record; `None` while it is not complete.
    // An unclosed quote may only mean that the record goes on in the next piece. So it is an error
    // only in the last piece, or once the record is longer than a row may be. All other errors are
    // certain at once. A record that comes in small pieces is read again only when it has doubled.
    fn record(&mut self, is_last: bool) -> Result<Option<Record>, CsvError> {
        let rest = &self.head[self.start..];
        let is_too_long = rest.len() >= TOO_LONG;
        let rest = &rest[..rest.len().min(TOO_LONG)];
        if rest.len() < self.next_try && !is_last {
            return Ok(None);
        }
        self.next_try = (rest.len() * 2).min(TOO_LONG);
        match read_record(rest, &self.rules) {
            Ok(record) if record.length.is_some() || is_last && !is_too_long => Ok(Some(record)),
            Err(error) if error.kind != CsvErrorKind::UnclosedQuote || is_last && !is_too_long => {
                Err(self.locate(RowError { byte: self.start + error.byte, ..error }))
            }
            result if is_too_long => Err(self.error(CsvErrorKind::TooLong {
                limit: MAX_ROW_BYTES,
                open_quote: result.is_err(),
            })),
            _ => Ok(None),
        }
    }

    fn header(&self, record: &Record) -> Result<Header, CsvError> {
        let columns = self.columns(record);
        if columns > MAX_COLUMNS {
            return Err(self.error(CsvErrorKind::TooWide { found: columns, limit: MAX_COLUMNS }));
        }
        if !self.has_header {
            return Ok(numbered(columns));
        }
        let end = record.ends.last().copied().unwrap_or(0);
        let text = &self.head[..end];
        let records = Records { columns: record.ends.len(), headers: &[], ends_file: false };
        check_text(text, &self.rules, &records)
            .map_err(|error| self.locate(RowError { row: None, ..error }))?;
        let names = record.fields(&self.head).take(columns).map(|(_, raw)| self.name(raw));
        let names: Vec<String> = names.collect();
        let is_skipped = self.rules.drops_marks && columns > 1;
        let repeated = if is_skipped { spellings(text, &names, &self.rules) } else { Vec::new() };
        Ok(Header { names, repeated: repeated.into(), ..Header::default() })
    }

    /// The number of columns: empty names at the end are none where such fields are dropped.
    fn columns(&self, record: &Record) -> usize {
        let fields: Vec<_> = record.fields(&self.head[self.start..]).collect();
        let surplus = fields.iter().rev().take_while(|(_, raw)| raw.is_empty()).count();
        let dropped = if self.rules.drops_surplus { surplus } else { 0 };
        fields.len().saturating_sub(dropped).max(1)
    }

    fn name(&self, raw: &[u8]) -> String {
        match self.reader.read(raw, &mut Vec::new()) {
            Field::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Field::QuotedEmpty => String::new(),
            // In a header a null token is a plain name: a column may be called `NA`.
            Field::Null if self.rules.trims => String::from_utf8_lossy(raw).trim().to_owned(),
            Field::Null => String::from_utf8_lossy(raw).into_owned(),
        }
    }

    /// Moves past bytes that no one needs any more. Nothing in front of them is kept.
    fn drop_bytes(&mut self, count: usize) {
        self.start += count;
        self.dropped = self.start;
    }

    /// Takes the dropped bytes out of `head`.
    fn forget_dropped(&mut self) {
        self.lines.feed(&self.head[..self.dropped]);
        self.head.drain(..self.dropped);
        self.used += self.dropped as u64;
        self.start -= std::mem::take(&mut self.dropped);
    }

    fn locate(&self, error: RowError) -> CsvError {
        error.locate(&self.head, self.used, self.lines.count() + 1, &[])
    }

    fn error(&self, kind: CsvErrorKind) -> CsvError {
        self.error_at(self.start, kind)
    }

    fn error_at(&self, at: usize, kind: CsvErrorKind) -> CsvError {
        let position = Position {
            line: self.lines.count() + count_lines(&self.head[..at]) + 1,
            byte: self.used + at as u64,
            ..Position::default()
        };
        CsvError { kind, position }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: usize = 1024;

    /// The most bytes that are held after a piece of the file.
    fn held(dialect: &Dialect, file: &[u8]) -> usize {
        let mut preamble = Preamble::new(dialect);
        let mut held = 0;
        for piece in file.chunks(PIECE) {
            assert!(preamble.push(piece, false).is_ok_and(|body| body.is_none()));
            held = held.max(preamble.head.len());
        }
        held
    }

    #[test]
    fn lines_that_are_skipped_are_thrown_away_as_they_come() {
        let line = [b"#".as_slice(), &[b'x'; 100 * PIECE]].concat();
        let skips = Dialect { skip_rows: 1, ..Dialect::default() };
        let comments = Dialect { comment: Some(b'#'), ..Dialect::default() };
        for dialect in [skips, comments] {
            for dialect in [Dialect { header: false, ..dialect.clone() }, dialect] {
                assert!(held(&dialect, &line) <= PIECE, "{dialect:?}");
            }
        }
        let comments = Dialect { comment: Some(b'#'), ..Dialect::default() };
        assert!(held(&comments, &b"#\r\n\r".repeat(100 * PIECE)) <= PIECE + 1);
    }
}
