//! The part of a file before its records: a byte order mark, lines to skip, comments, the header.

use std::sync::Arc;

use crate::MAX_ROW_BYTES;
use crate::chunk::Chunk;
use crate::dialect::{BYTE_ORDER_MARK, Dialect, Rules};
use crate::error::{CsvError, CsvErrorKind, Position};
use crate::field::{Field, FieldReader};
use crate::lines::{LineCounter, count_lines, line_length};
use crate::read_record::{Record, read_record};
use crate::row_error::RowError;
use crate::rule::ColumnRule;
use crate::text::{Records, check_text};

/// The columns of a file, at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The names as in the file: a name may be empty, and two may be equal. Without a header line,
    /// `column_1` and so on.
    pub names: Vec<String>,
    /// The header as it stands in the file, when records that equal it are left out; otherwise
    /// empty. In a file of one column such a record may well be a value.
    pub(crate) repeated: Arc<[u8]>,
    /// How the columns are read of which the user has said something; columns past its end are read
    /// as all are.
    pub(crate) rules: Arc<[Option<ColumnRule>]>,
    /// Where the records begin: the place in the file, and its physical line.
    pub(crate) records_offset: u64,
    pub(crate) records_line: u64,
}

impl Header {
    /// The header of the same file, with other names for its columns.
    pub fn renamed(&self, names: Vec<String>) -> Header {
        Header { names, ..self.clone() }
    }

    /// The header of the same file, with a rule for each column of which the user has said
    /// something.
    pub fn with_rules(&self, rules: Vec<Option<ColumnRule>>) -> Header {
        Header { rules: rules.into(), ..self.clone() }
    }

    /// How a column is read; `None`: as all are.
    pub(crate) fn rule(&self, column: usize) -> Option<&ColumnRule> {
        self.rules.get(column)?.as_ref()
    }

    /// What is known of a chunk's records.
    pub(crate) fn records(&self, chunk: &Chunk) -> Records<'_> {
        let (columns, header) = (self.names.len(), &*self.repeated);
        Records { columns, header, ends_file: chunk.ends_file }
    }
}

/// The header of a file that has none.
fn numbered(columns: usize) -> Header {
    let names = (1..=columns).map(|number| format!("column_{number}")).collect();
    Header { names, ..Header::default() }
}

/// Collects the start of a file until the header is complete.
pub(crate) struct Preamble {
    rules: Rules,
    reader: FieldReader,
    has_header: bool,
    /// The number of columns, where the user says it and there is no header.
    known_columns: Option<usize>,
    lines_to_skip: u64,
    /// The line has no byte order mark at its start any more.
    mark_checked: bool,
    /// The bytes that were pushed and not yet used.
    head: Vec<u8>,
    /// Where the first record begins in `head`.
    start: usize,
    used: u64,
    lines: LineCounter,
}

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
            known_columns: dialect.columns.filter(|_| !dialect.header),
            lines_to_skip: dialect.skip_rows,
            mark_checked: false,
            head: Vec::new(),
            start: 0,
            used: 0,
            lines: LineCounter::default(),
        }
    }

    /// Takes the next bytes; `None` while the header is not complete. `is_last`: no more come.
    // Without a header line, the first record only tells the number of columns. Its bytes stay in
    // `head`, because they are data, and so do blank lines before it: with one column they are rows.
    pub(crate) fn push(&mut self, bytes: &[u8], is_last: bool) -> Result<Option<Body>, CsvError> {
        self.head.extend_from_slice(bytes);
        let has_record = self.skip(is_last);
        if let Some(columns) = self.known_columns
            && (has_record || is_last)
        {
            return Ok(Some(self.body(numbered(columns))));
        }
        if !has_record {
            return if is_last { Err(self.error(CsvErrorKind::Empty)) } else { Ok(None) };
        }
        let Some(record) = self.record(is_last)? else {
            return Ok(None);
        };
        let header = self.header(&record)?;
        if self.has_header {
            self.use_bytes(record.length.unwrap_or(self.head.len()));
        }
        Ok(Some(self.body(header)))
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
            if !self.skip_mark(is_last) {
                return false;
            }
            let rest = &self.head[self.start..];
            let first = rest.first().copied();
            let is_skipped = self.lines_to_skip > 0
                || matches!(first, Some(b'\n' | b'\r'))
                || (first.is_some() && first == self.rules.comment);
            if !is_skipped {
                return first.is_some();
            }
            let Some(length) = line_length(rest, is_last) else {
                return false;
            };
            self.pass(length);
            self.lines_to_skip = self.lines_to_skip.saturating_sub(1);
            self.mark_checked = !self.rules.drops_marks;
        }
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
            match (is_mark, begins_file) {
                (false, _) => (),
                (true, true) => self.use_bytes(BYTE_ORDER_MARK.len()),
                (true, false) => self.pass(BYTE_ORDER_MARK.len()),
            }
        }
        true
    }

    /// Moves past bytes before the first record. Without a header they are kept.
    fn pass(&mut self, count: usize) {
        if self.has_header || self.lines_to_skip > 0 {
            self.use_bytes(count);
        } else {
            self.start += count;
        }
    }

    /// Reads the first record; `None` while it is not complete.
    // An unclosed quote may only mean that the record goes on in the next piece. So it is an error
    // only in the last piece, or once the record is longer than a row may be. All other errors are
    // certain at once.
    fn record(&self, is_last: bool) -> Result<Option<Record>, CsvError> {
        let limit = MAX_ROW_BYTES as usize;
        let rest = &self.head[self.start..];
        match read_record(rest, &self.rules) {
            Ok(record) if record.length.is_some() || is_last => Ok(Some(record)),
            Err(error) if is_last || error.kind != CsvErrorKind::UnclosedQuote => {
                Err(self.locate(RowError { byte: self.start + error.byte, ..error }))
            }
            result if rest.len() > limit => Err(self.error(CsvErrorKind::TooLong {
                limit: MAX_ROW_BYTES,
                open_quote: result.is_err(),
            })),
            _ => Ok(None),
        }
    }

    fn header(&self, record: &Record) -> Result<Header, CsvError> {
        let columns = self.columns(record);
        if !self.has_header {
            return Ok(numbered(columns));
        }
        let end = record.ends.last().copied().unwrap_or(0);
        let text = &self.head[..end];
        let records = Records { columns: record.ends.len(), header: &[], ends_file: false };
        check_text(text, &self.rules, &records)
            .map_err(|error| self.locate(RowError { row: None, ..error }))?;
        let names = record.fields(&self.head).take(columns).map(|(_, raw)| self.name(raw));
        let is_skipped = self.rules.drops_marks && columns > 1;
        let repeated = if is_skipped { text } else { &[] };
        Ok(Header { names: names.collect(), repeated: repeated.into(), ..Header::default() })
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
            Field::Null => String::from_utf8_lossy(raw).into_owned(),
        }
    }

    fn use_bytes(&mut self, count: usize) {
        self.lines.feed(&self.head[..count]);
        self.head.drain(..count);
        self.used += count as u64;
    }

    fn locate(&self, error: RowError) -> CsvError {
        error.locate(&self.head, self.used, self.lines.count() + 1, &[])
    }

    fn error(&self, kind: CsvErrorKind) -> CsvError {
        let position = Position {
            line: self.lines.count() + count_lines(&self.head[..self.start]) + 1,
            byte: self.used + self.start as u64,
            ..Position::default()
        };
        CsvError { kind, position }
    }
}
