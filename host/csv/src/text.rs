//! Finds the bytes that no field may hold: bytes that are not UTF-8, and NUL.
//!
//! The whole chunk is searched at once, which is quick. Its records are read only when such a byte
//! is found.

use std::ops::Range;

use crate::dialect::{FieldForm, JSON_DELIMITER, Rules};
use crate::error::CsvErrorKind;
use crate::lines::{find_record, is_line_end, line_length};
use crate::ragged::{fits, ragged};
use crate::read_record::read_record;
use crate::row_error::RowError;

/// What is known of the records that are checked.
pub(crate) struct Records<'a> {
    pub(crate) columns: usize,
    /// Records that are written like one of these are left out.
    pub(crate) headers: &'a [Box<[u8]>],
    /// No record follows them in the file.
    pub(crate) ends_file: bool,
}

/// Checks a run of whole records. When a bad byte is found, the records up to it are read one by
/// one, so that an earlier mistake is still reported first.
pub(crate) fn check_text(
    bytes: &[u8],
    rules: &Rules,
    records: &Records<'_>,
) -> Result<(), RowError> {
    match bad_byte(bytes, 0..bytes.len(), rules.field_form) {
        None => Ok(()),
        Some((at, kind)) => {
            let (row, column) = place_of(at, bytes, rules, records)?;
            let is_of_row = matches!(kind, CsvErrorKind::Unreadable(_));
            Err(RowError { kind, row: Some(row), byte: at, column: column.filter(|_| !is_of_row) })
        }
    }
}

/// Begins, in place of its first field, a row that could not be made. The reason follows.
pub const UNREADABLE: u8 = 0xFF;

/// The place of the first byte in `range` that no field may hold, and what is wrong with it.
pub(crate) fn bad_byte(
    bytes: &[u8],
    range: Range<usize>,
    field_form: FieldForm,
) -> Option<(usize, CsvErrorKind)> {
    let from = range.start;
    let bytes = bytes.get(range).unwrap_or_default();
    let invalid = std::str::from_utf8(bytes).err().map(|error| {
        let at = error.valid_up_to();
        let kind = match field_form {
            FieldForm::Csv => CsvErrorKind::InvalidUtf8,
            FieldForm::Json => CsvErrorKind::Unreadable(reason(&bytes[at..])),
        };
        (from + at, kind)
    });
    let nul = memchr::memchr(0, bytes).map(|at| (from + at, CsvErrorKind::NulByte));
    invalid.into_iter().chain(nul).min_by_key(|(at, _)| *at)
}

/// Why a row could not be made. `row` begins with [`UNREADABLE`].
fn reason(row: &[u8]) -> String {
    let is_end = |byte: &u8| is_line_end(*byte) || *byte == JSON_DELIMITER;
    let end = row.iter().position(is_end).unwrap_or(row.len());
    String::from_utf8_lossy(row.get(1..end).unwrap_or_default()).into_owned()
}

/// The numbers (from 0) of the record and the field that hold the byte at `at`; a comment has no
/// field.
///
/// Errors: a mistake in a record before that byte, such as a ragged row.
// Records before the byte are checked for their number of fields, but the record that holds the
// byte is not: when it is ragged too, the error is about the byte.
#[cold]
fn place_of(
    at: usize,
    bytes: &[u8],
    rules: &Rules,
    records: &Records<'_>,
) -> Result<(u64, Option<usize>), RowError> {
    let Records { columns, headers, ends_file } = *records;
    let (mut row, mut start) = (0, 0);
    loop {
        start += rules.mark_length(&bytes[start..]);
        let rest = &bytes[start..];
        if let Some(length) = skipped_line(rest, rules) {
            let is_row = columns == 1 && is_line_end(rest.first().copied().unwrap_or(0));
            (start, row) = (start + length, row + u64::from(is_row));
            if at < start || start >= bytes.len() {
                return Ok((row, None));
            }
            continue;
        }
        let record = read_record(rest, rules).map_err(|error| RowError {
            row: Some(row),
            byte: start + error.byte,
            ..error
        })?;
        let length = record.length.unwrap_or(rest.len());
        if at < start + length {
            let column = record.ends.iter().take_while(|end| start + **end < at).count();
            return Ok((row, Some(column)));
        }
        if !fits(rest, &record, columns, rules) {
            let more = find_record(&rest[length..], rules.comment, &mut false).is_some();
            let kind = ragged(rest, &record, columns, rules, ends_file && !more);
            return Err(RowError { kind, row: Some(row), byte: start, column: None });
        }
        let is_row =
            record.ends.last().is_none_or(|end| headers.iter().all(|h| rest[..*end] != **h));
        (start, row) = (start + length, row + u64::from(is_row));
    }
}

/// The length of the blank line or comment at the start of `bytes`, if there is one.
fn skipped_line(bytes: &[u8], rules: &Rules) -> Option<usize> {
    let is_blank = matches!(bytes.first(), None | Some(b'\n' | b'\r'));
    let is_skipped = is_blank || bytes.first() == rules.comment.as_ref();
    is_skipped.then(|| line_length(bytes, true).unwrap_or(bytes.len()))
}
