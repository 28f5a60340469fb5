//! Where a broken record ends, so that the next one can be read.
//!
//! A record whose quotes are in order ends where they say. Where a quote is not closed, or text
//! follows a closing one, the lines behind it are tried in turn: the record ends before the first
//! line from which records fit again.

use crate::MAX_ROW_BYTES;
use crate::broken_record::EndsBecause;
use crate::chunk::Chunk;
use crate::dialect::Rules;
use crate::error::CsvErrorKind;
use crate::header::Header;
use crate::lines::line_length;
use crate::read_record::read_record;
use crate::row_error::RowError;
use crate::rows::{Block, Rows};

/// So many records behind a line must fit. One alone may fit by accident: for example, a line of a
/// text with two commas, in a file of three columns.
const FITTING_RECORDS: usize = 3;
/// The bytes in which these records must end.
const TRIED_BYTES: usize = 256 * 1024;
/// The bytes that may be read to find the end of one record.
const WORK_BYTES: u64 = 32 * 1024 * 1024;
/// What looking at a line costs beside its bytes: the scanner looks ahead.
const COST_OF_A_LOOK: usize = 1024;

/// The bytes of the file in which a record is broken.
pub(super) struct Window<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) rules: Rules,
    pub(super) header: &'a Header,
    /// The window reaches the end of the file.
    pub(super) is_last: bool,
}

/// The end of a broken record.
pub(super) enum End {
    At(usize, EndsBecause),
    /// The record is too long for the window: it goes on to the next line end behind it.
    BeyondWindow,
    /// Nowhere in reach do records fit again.
    Lost,
    /// So much was read to find it that nothing can be said.
    TooMuchWork,
}

impl Window<'_> {
    /// Where the broken record ends that begins at `start`. Takes the bytes that it reads off
    /// `work`.
    pub(super) fn end(&self, start: usize, work: &mut u64) -> End {
        let rest = &self.bytes[start..];
        let Some(line) = line_length(rest, self.is_last) else { return End::BeyondWindow };
        let lenient = Rules { takes_bare_quotes: true, ..self.rules };
        let read = read_record(rest, &lenient);
        // What was read in vain is read once more from the next line on.
        let in_vain = match &read {
            Ok(_) => 0,
            Err(open) if open.kind == CsvErrorKind::UnclosedQuote => rest.len(),
            Err(clash) => clash.byte,
        };
        *work = work.saturating_sub(in_vain as u64);
        match read {
            Ok(record) => match record.length {
                Some(length) => End::At(start + length, EndsBecause::OwnEnd),
                None if self.is_last => End::At(self.bytes.len(), EndsBecause::OwnEnd),
                None => End::BeyondWindow,
            },
            Err(RowError { kind: CsvErrorKind::UnclosedQuote, .. }) => {
                self.resync(start, start + line, None, work)
            }
            Err(clash) => self.resync(start, start + line, Some(start + clash.byte), work),
        }
    }

    /// Tries the lines behind the record's first, which ends at `line_end`, in turn. `clash`: the
    /// place of a text behind a closing quote; `None`: a quote is never closed.
    fn resync(&self, start: usize, line_end: usize, clash: Option<usize>, work: &mut u64) -> End {
        let bound = self.bytes.len().min(start + MAX_ROW_BYTES as usize);
        let given = WORK_BYTES.min(*work);
        if given == 0 {
            return End::TooMuchWork;
        }
        let (mut left, mut at, mut earliest) = (given, line_end, line_end);
        let mut found = None;
        while at <= bound && left > 0 && found.is_none() {
            // That nothing is left fits any line, so it counts for an open quote alone.
            if clash.is_some() && at == self.bytes.len() {
                break;
            }
            let (fits, cost) = self.fits(at);
            found = fits.map(|because| End::At(at, because));
            left = left.saturating_sub(cost as u64);
            if clash.is_some_and(|clash| clash >= at) {
                earliest = at;
            }
            let Some(line) = line_length(&self.bytes[at..], self.is_last) else { break };
            at += line;
        }
        *work -= given - left;
        if clash.is_some() && found.is_none() && left == 0 {
            return End::TooMuchWork;
        }
        let nothing = clash.map(|_| End::At(earliest, EndsBecause::Nothing));
        found.or(nothing).unwrap_or(End::Lost)
    }

    /// The bytes of the record at `start` that were read to find that it does not fit.
    fn bytes_read_of(&self, bytes: &[u8], start: usize, error: &RowError) -> usize {
        let rest = &bytes[start..];
        if error.kind == CsvErrorKind::UnclosedQuote {
            return rest.len();
        }
        // A record with too many fields is told by its start, and was read to its end.
        let is_ragged = matches!(error.kind, CsvErrorKind::RaggedRow { .. });
        match is_ragged.then(|| read_record(rest, &self.rules)) {
            None => error.byte.saturating_sub(start),
            Some(read) => read.ok().and_then(|record| record.length).unwrap_or(rest.len()),
        }
    }

    /// Whether records fit from `at` on, where a line begins; and the bytes that the look took.
    fn fits(&self, at: usize) -> (Option<EndsBecause>, usize) {
        let end = self.bytes.len().min(at + TRIED_BYTES);
        let ends_file = self.is_last && end == self.bytes.len();
        let chunk = Chunk { ends_file, ..Chunk::default() };
        let bytes = &self.bytes[..end];
        let mut rows = Rows::new(&bytes[at..], self.rules, self.header, &chunk);
        let (mut block, mut count) = (Block::default(), 0);
        loop {
            let filled = rows.fill_at_most(FITTING_RECORDS - count, &mut block);
            let cost = COST_OF_A_LOOK + rows.row_start();
            count += block.rows;
            match filled {
                Ok(true) if count < FITTING_RECORDS => (),
                Ok(true) if at + rows.row_start() < end || ends_file => {
                    return (Some(EndsBecause::RecordsFit(count)), cost);
                }
                Ok(false) if ends_file => return (Some(EndsBecause::RestFits), cost),
                Ok(_) => return (None, cost),
                Err(error) => {
                    return (
                        None,
                        cost + self.bytes_read_of(&bytes[at..], rows.row_start(), &error),
                    );
                }
            }
        }
    }
}
