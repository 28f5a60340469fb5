//! Cuts a file into chunks that begin at records, while it streams by: cheap, sequential, and
//! quote-aware.
//!
//! The splitter looks only at quotes, and at the line ends near a cut. Whether the records make
//! sense is found later, chunk by chunk. The splitter keeps no bytes: the caller keeps them until
//! their chunks are done.

mod begin;
mod pass;
mod range;

use memchr::{memchr, memchr2, memrchr2};

use crate::MAX_ROW_BYTES;
use crate::before::Before;
use crate::chunk::Chunk;
use crate::dialect::{Dialect, Rules};
use crate::error::{CsvError, CsvErrorKind, Position};
use crate::header::Header;
use crate::held::Held;
use crate::lines::{LineCounter, is_line_end};
use crate::preamble::{Body, Preamble};
use crate::scan::{Needles, Scanner};
use pass::{NOWHERE, Pass, State};

pub use range::CutRange;
pub(crate) use range::{Candidate, Condition, Follower};

/// Finds the chunks of one file. Their ends depend on the file and the grid, and not on the pieces
/// in which the file is pushed, or in which ranges of it are cut elsewhere ([`CutRange`]).
pub struct Splitter {
    rules: Rules,
    grid_bytes: u64,
    /// The place from which on the end of a record ends the chunk: the next line of the grid.
    due: u64,
    preamble: Option<Preamble>,
    header: Option<Header>,
    state: State,
    before: Before,
    /// A chunk is due and the last piece ended with CR. The chunk ends there, or after the LF that
    /// may come first in the next piece.
    cut_after_cr: bool,
    /// The place in the file of the next piece's first byte.
    offset: u64,
    lines: LineCounter,
    lines_counted_to: u64,
    chunk_start: u64,
    chunk_line: u64,
    ordinal: u64,
    held: Held,
    /// Roughly the place where the last record or the open quoted field began. The error about a
    /// row that is too long points there.
    suspect: Position,
}

impl Splitter {
    /// Makes a splitter whose chunks end with the first record that ends at a multiple of
    /// `grid_bytes` or behind it.
    ///
    /// The grid is kept within 1 byte and 1 GiB.
    pub fn new(dialect: &Dialect, grid_bytes: u64) -> Splitter {
        let grid_bytes = grid_bytes.clamp(1, 1 << 30);
        Splitter {
            rules: dialect.rules(),
            grid_bytes,
            due: grid_bytes,
            preamble: Some(Preamble::new(dialect)),
            header: None,
            state: State::Open,
            before: Before::new(),
            cut_after_cr: false,
            offset: 0,
            lines: LineCounter::default(),
            lines_counted_to: 0,
            chunk_start: 0,
            chunk_line: 1,
            ordinal: 0,
            held: Held::default(),
            suspect: Position::default(),
        }
    }

    /// The columns; `None` until the header, or without one the first record, is complete.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Takes the file's next bytes and returns the chunks that are complete now.
    ///
    /// Errors: a bad header; a row over [`MAX_ROW_BYTES`]. Positions have no record, since the
    /// splitter does not count records.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Chunk>, CsvError> {
        let mut chunks = Vec::new();
        match &mut self.preamble {
            None => self.body(bytes, &mut chunks)?,
            Some(preamble) => {
                if let Some(body) = preamble.push(bytes, false)? {
                    self.begin(body, &mut chunks)?;
                }
            }
        }
        Ok(chunks)
    }

    /// Ends the file and returns the last chunks: none when no bytes follow the header.
    ///
    /// Errors: as for [`Splitter::push`], and `Empty` when there is no header.
    pub fn finish(&mut self) -> Result<Vec<Chunk>, CsvError> {
        let mut chunks = Vec::new();
        if let Some(preamble) = &mut self.preamble
            && let Some(body) = preamble.push(&[], true)?
        {
            self.begin(body, &mut chunks)?;
        }
        self.cut_after_cr = false;
        if self.offset > self.chunk_start {
            self.cut(&[], 0, &mut chunks)?;
        }
        chunks.extend(self.held.finish());
        Ok(chunks)
    }

    fn begin(&mut self, body: Body, chunks: &mut Vec<Chunk>) -> Result<(), CsvError> {
        self.preamble = None;
        self.header = Some(body.header);
        self.offset = body.offset;
        self.lines_counted_to = body.offset;
        self.start_chunk(body.offset);
        self.chunk_line = body.lines.count() + 1;
        self.lines = body.lines;
        self.suspect = Position { line: self.chunk_line, byte: self.offset, ..Position::default() };
        self.body(&body.bytes, chunks)
    }

    fn body(&mut self, bytes: &[u8], chunks: &mut Vec<Chunk>) -> Result<(), CsvError> {
        let Some(first) = bytes.first() else {
            return Ok(());
        };
        self.held.look(bytes, self.rules.comment, chunks);
        // The LF of a CRLF stays with its CR. The LF comes by again in `scan` below, but cannot cut
        // a second time: the new chunk is still empty, and the grid has at least one byte.
        if std::mem::take(&mut self.cut_after_cr) {
            self.cut(bytes, usize::from(*first == b'\n'), chunks)?;
        }
        let pass = self.scan(bytes, chunks)?;
        self.remember(&pass);
        self.count_lines(bytes, bytes.len());
        self.offset += bytes.len() as u64;
        self.before.feed(bytes, pass.plain);
        self.check_length(self.offset)
    }

    /// Follows the quotes and escapes through `bytes`, which are not empty, and makes the cuts that
    /// are due.
    fn scan<'a>(&mut self, bytes: &'a [u8], chunks: &mut Vec<Chunk>) -> Result<Pass<'a>, CsvError> {
        let plain = self.resume(bytes);
        let mut pass = Pass { bytes, plain, open_from: usize::from(plain == 0), opened_at: None };
        let mut scanner = Scanner::new(self.worth_scanning(bytes), self.needles());
        let may_hide_line_ends = self.rules.quote.or(self.rules.escape).is_some();
        while may_hide_line_ends && let Some(at) = scanner.next() {
            match self.state {
                _ if at == pass.plain => (),
                State::Quoted => self.within_quotes(&mut pass, at),
                State::Open | State::Comment if is_line_end(bytes[at]) => {
                    self.begin_line(&bytes[at + 1..]);
                }
                State::Open if self.rules.is_bare_escape(bytes[at]) => {
                    self.escape(&mut pass, at, chunks)?;
                }
                State::Open => self.begin_field(&mut pass, at, chunks)?,
                State::Comment | State::QuotedQuote | State::Escaped => (),
            }
        }
        if matches!(self.state, State::Open | State::Comment) {
            self.cut_between(bytes, pass.open_from, bytes.len(), chunks)?;
        }
        Ok(pass)
    }

    /// Goes on where the last piece ended, now that the next bytes are known. Returns 0, the place
    /// of the first one, when that is plain; otherwise [`NOWHERE`].
    // For example, after the piece `1,"a"` the quote at its end may close the field or be the first
    // of two. If the next piece is `,2`, the quote closes the field; if it is `"b"`, the field goes
    // on and its text is `a"b`.
    fn resume(&mut self, bytes: &[u8]) -> usize {
        let mut plain = NOWHERE;
        match self.state {
            State::QuotedQuote if bytes.first().copied() != self.rules.quote => {
                self.state = State::Open
            }
            State::Escaped if self.rules.quote.is_none() => (self.state, plain) = (State::Open, 0),
            State::QuotedQuote | State::Escaped => (self.state, plain) = (State::Quoted, 0),
            State::Open | State::Comment | State::Quoted => (),
        }
        let begins_line = is_line_end(self.before.last());
        let begins = |at| at == 0 && begins_line || self.before.is_mark(bytes, at, &self.rules);
        let is_comment = |at| bytes.get(at).copied() == self.rules.comment && begins(at);
        // At most three bytes of a mark are in this piece, when its line began in the one before.
        if self.state == State::Open && self.rules.comment.is_some() && (0..4).any(is_comment) {
            self.state = State::Comment;
        }
        plain
    }

    /// The bytes that `scan` must look through: all of them, or none when nothing among them can
    /// change the state. This spares most files the scan.
    fn worth_scanning<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let has_quotes = self.rules.quote.is_some_and(|quote| memchr(quote, bytes).is_some());
        let has_escapes = self.rules.escape.is_some_and(|escape| memchr(escape, bytes).is_some());
        let is_plain = !has_quotes && !has_escapes && self.rules.comment.is_none();
        if is_plain { &[] } else { bytes }
    }

    #[inline(always)]
    fn within_quotes(&mut self, pass: &mut Pass<'_>, at: usize) {
        let byte = pass.bytes[at];
        if Some(byte) == self.rules.escape {
            pass.plain = at + 1;
            if at + 1 == pass.bytes.len() {
                self.state = State::Escaped;
            }
        } else if Some(byte) == self.rules.quote {
            match pass.bytes.get(at + 1) {
                None => self.state = State::QuotedQuote,
                Some(next) if *next == byte => pass.plain = at + 1,
                Some(_) => (self.state, pass.open_from) = (State::Open, at + 1),
            }
        }
    }

    /// Takes the bytes after a line end outside of quotes: they may begin a comment. When the first
    /// of them have not come yet, `resume` looks again.
    #[inline(always)]
    fn begin_line(&mut self, line: &[u8]) {
        let first = line.get(self.rules.mark_length(line));
        let is_comment = first.is_some_and(|first| Some(*first) == self.rules.comment);
        self.state = if is_comment { State::Comment } else { State::Open };
    }

    /// A quote at the start of a field begins a quoted field.
    #[inline(always)]
    fn begin_field(
        &mut self,
        pass: &mut Pass<'_>,
        at: usize,
        chunks: &mut Vec<Chunk>,
    ) -> Result<(), CsvError> {
        if Some(pass.bytes[at]) != self.rules.quote {
            return Ok(());
        }
        // Any other quote is text, as in `5" pipe`. The stretch before the quote is cut now, since
        // line ends from here on are part of the field.
        let before = if at == 0 { self.before.last() } else { pass.bytes[at - 1] };
        let begins_field = is_line_end(before) || before == self.rules.delimiter;
        if begins_field || self.before.is_mark(pass.bytes, at, &self.rules) {
            self.cut_between(pass.bytes, pass.open_from, at, chunks)?;
            (self.state, pass.opened_at) = (State::Quoted, Some(at));
        }
        Ok(())
    }

    /// Takes an escape outside of quotes. The stretch before it is cut now, since a line end behind
    /// the escape is part of the field.
    fn escape(
        &mut self,
        pass: &mut Pass<'_>,
        at: usize,
        chunks: &mut Vec<Chunk>,
    ) -> Result<(), CsvError> {
        self.cut_between(pass.bytes, pass.open_from, at, chunks)?;
        (pass.plain, pass.open_from) = (at + 1, at + 2);
        if at + 1 == pass.bytes.len() {
            self.state = State::Escaped;
        }
        Ok(())
    }

    // Line ends matter here only because comments begin after them; `cut_between` finds those for
    // the cuts by itself. Needles that are not needed repeat the quote.
    fn needles(&self) -> Needles {
        let quote = self.rules.quote.or(self.rules.escape).unwrap_or(self.rules.delimiter);
        let escape = self.rules.escape.unwrap_or(quote);
        match self.rules.comment {
            Some(_) => [quote, escape, b'\n', b'\r', quote],
            None => [quote, escape, quote, quote, quote],
        }
    }

    /// Makes the cuts that are due in a stretch outside of quotes, where every line end ends a
    /// record.
    // The search starts where a line end would end the chunk, so most stretches are not searched at
    // all. For example, with a grid of 100 bytes a line end at 98 is skipped and one at 99 cuts.
    #[inline(always)]
    fn cut_between(
        &mut self,
        bytes: &[u8],
        from: usize,
        to: usize,
        chunks: &mut Vec<Chunk>,
    ) -> Result<(), CsvError> {
        let mut from = from;
        loop {
            let due = self.due.saturating_sub(self.offset + 1);
            from = from.max(usize::try_from(due).unwrap_or(usize::MAX));
            let Some(at) = bytes.get(from..to).and_then(|stretch| memchr2(b'\n', b'\r', stretch))
            else {
                return Ok(());
            };
            let at = from + at;
            let end = match (bytes[at], bytes.get(at + 1)) {
                (b'\r', Some(b'\n')) => at + 2,
                (b'\r', None) => {
                    self.cut_after_cr = true;
                    return Ok(());
                }
                _ => at + 1,
            };
            self.cut(bytes, end, chunks)?;
            from = end;
        }
    }

    /// Ends the chunk before `bytes[at]`.
    fn cut(&mut self, bytes: &[u8], at: usize, chunks: &mut Vec<Chunk>) -> Result<(), CsvError> {
        let end = self.offset + at as u64;
        self.check_length(end)?;
        self.count_lines(bytes, at);
        self.end_chunk(end, self.lines.count());
        self.held.look(&bytes[at..], self.rules.comment, chunks);
        Ok(())
    }

    /// Ends the chunk at a place behind so many lines.
    fn end_chunk(&mut self, end: u64, lines: u64) {
        self.held.push(Chunk {
            offset: self.chunk_start,
            len: end - self.chunk_start,
            first_line: self.chunk_line,
            ordinal: self.ordinal,
            ..Chunk::default()
        });
        self.start_chunk(end);
        self.chunk_line = lines + 1;
        self.ordinal += 1;
    }

    fn start_chunk(&mut self, at: u64) {
        self.chunk_start = at;
        self.due = (at / self.grid_bytes + 1) * self.grid_bytes;
    }

    fn count_lines(&mut self, bytes: &[u8], to: usize) {
        // This cannot underflow: after every piece its lines are counted up to its end, which is
        // the next `offset`.
        let from = (self.lines_counted_to - self.offset) as usize;
        if let Some(uncounted) = bytes.get(from..to) {
            self.lines.feed(uncounted);
            self.lines_counted_to = self.offset + to as u64;
        }
    }

    /// Remembers where the last record or the open quoted field began.
    fn remember(&mut self, pass: &Pass<'_>) {
        let start = match self.state {
            State::Open | State::Comment => {
                let stretch = &pass.bytes[pass.open_from..];
                memrchr2(b'\n', b'\r', stretch).map(|at| pass.open_from + at + 1)
            }
            State::Quoted | State::QuotedQuote | State::Escaped => pass.opened_at,
        };
        // The last cut is never after `start`, so no line behind `start` has been counted yet and
        // the line number is right.
        if let Some(start) = start {
            self.count_lines(pass.bytes, start);
            self.suspect = Position {
                line: self.lines.count() + 1,
                byte: self.offset + start as u64,
                ..Position::default()
            };
        }
    }

    /// Refuses a chunk that went on for more than a row's length after it was due: its last row is
    /// too long. For example, with a grid of 1 MiB, only such a row makes a chunk exceed 5 MiB.
    fn check_length(&self, end: u64) -> Result<(), CsvError> {
        if end - self.chunk_start <= self.grid_bytes + MAX_ROW_BYTES {
            return Ok(());
        }
        let is_open = matches!(self.state, State::Open | State::Comment);
        let open_quote = self.rules.quote.is_some() && !is_open;
        let kind = CsvErrorKind::TooLong { limit: MAX_ROW_BYTES, open_quote };
        Err(CsvError { kind, position: self.suspect.clone() })
    }
}
