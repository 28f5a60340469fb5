//! The usual row: delimiters of one character, up to a line end.

use crate::scan::Scanner;

/// Where a row ends.
pub(super) struct RowEnd {
    /// The number of its last field.
    pub(super) last_field: usize,
    /// The place after that field.
    pub(super) fields_end: usize,
    /// The place of the line end: further on, where empty fields too many are dropped.
    pub(super) line_end: usize,
}

/// What is found of a row that may be plain.
pub(super) enum Plain {
    /// All of it. A row at the end of the bytes may have no line end.
    Row(RowEnd),
    /// So many fields, and where the next one begins.
    Until { fields: usize, start: usize },
}

/// Where a row stands.
pub(super) struct At {
    pub(super) start: usize,
    /// The place that entries count from.
    pub(super) base: usize,
    pub(super) delimiter: u8,
}

/// Writes the places after the fields of a row to `ends`, up to the first thing in it that is
/// neither a delimiter nor the line end, or that is a delimiter too many.
// Its loop has all that it needs in registers. The scanner is left before what it could not take.
#[inline(always)]
pub(super) fn fields(
    bytes: &[u8],
    scanner: &mut Scanner<'_>,
    At { start, base, delimiter }: At,
    ends: &mut [u32],
) -> Plain {
    let (mut column, mut start) = (0, start);
    let mut hits = scanner.hits();
    loop {
        let at = scanner.next_of(&mut hits);
        let byte = at.and_then(|at| bytes.get(at).copied());
        let at = at.unwrap_or(bytes.len());
        if byte == Some(delimiter)
            && let Some(end) = ends.get_mut(column)
        {
            *end = (at - base) as u32;
            (column, start) = (column + 1, at + 1);
        } else if matches!(byte, None | Some(b'\n' | b'\r')) {
            scanner.go_on_with(hits);
            return Plain::Row(RowEnd { last_field: column, fields_end: at, line_end: at });
        } else {
            scanner.go_on_with(hits.with(at));
            return Plain::Until { fields: column, start };
        }
    }
}
