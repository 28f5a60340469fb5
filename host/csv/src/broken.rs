//! Records that cannot be read, found one by one so that all others can.
//!
//! In: a file, from a place on where a record begins. Out: chunks that name their broken records.
//! `resync` says where a broken record ends, `lone_field` which rows beside it cannot be trusted,
//! `found` collects them, `sift` cuts the file.

mod found;
mod lone_field;
mod resync;
mod sift;

use crate::broken::resync::Window;
use crate::broken_record::{BrokenRecord, EndsBecause};
use crate::chunk::Chunk;
use crate::error::{CsvError, Position};
use crate::header::Header;
use crate::lines::{LineCounter, count_lines};
use crate::row_error::RowError;
use crate::rows::Rows;
use crate::text::bad_byte;

pub use sift::{SIFT_BESIDE_BYTES, SiftFrom, Sifter};

/// A broken record in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The physical line that the record begins in, counted from 1.
    pub line: u64,
    /// The mistake, at its place in the file: the record may have several lines.
    pub error: CsvError,
    /// Why the record ends where it does.
    pub because: EndsBecause,
}

impl BrokenRecord {
    /// The record at the start of the next row. Bytes that no field may hold count before all else.
    fn new(
        window: &Window<'_>,
        rows: &Rows<'_>,
        end: usize,
        error: RowError,
        because: EndsBecause,
    ) -> BrokenRecord {
        let start = rows.row_start();
        let (byte, column, kind) = match bad_byte(window.bytes, start..end, window.rules.field_form)
        {
            Some((at, kind)) => (at, None, kind),
            None => (error.byte, error.column, error.kind),
        };
        let lines_before = count_lines(window.bytes.get(start..byte).unwrap_or_default());
        BrokenRecord { start, end, row: rows.records(), byte, lines_before, column, kind, because }
    }
}

/// Describes the broken records of a chunk, in their order. `bytes` are the chunk's, whose first
/// record has the number `first_record`, counted from 1.
// The lines are counted on from record to record: a chunk may have a million of them.
pub fn describe_broken<'a>(
    bytes: &'a [u8],
    chunk: &'a Chunk,
    header: &'a Header,
    first_record: u64,
) -> impl Iterator<Item = Broken> + 'a {
    let (mut lines, mut counted_to) = (LineCounter::default(), 0);
    let broken = chunk.sifted.as_deref().unwrap_or_default().iter();
    broken.map(move |broken| {
        lines.feed(bytes.get(counted_to..broken.start).unwrap_or_default());
        counted_to = counted_to.max(broken.start);
        let position = Position {
            record: first_record + broken.row,
            line: chunk.first_line + lines.count() + broken.lines_before,
            byte: chunk.offset + broken.byte as u64,
            column: broken.column.and_then(|column| header.names.get(column).cloned()),
        };
        Broken {
            line: chunk.first_line + lines.count(),
            error: CsvError { kind: broken.kind.clone(), position },
            because: broken.because,
        }
    })
}
