//! How a row of a file that is no CSV is written for the CSV reader: see
//! [`Dialect::of_json_fields`](loader_csv::Dialect::of_json_fields).

use loader_csv::{JSON_COMMENT, JSON_DELIMITER, MAX_ROW_BYTES, UNREADABLE};

/// The most bytes of a reason. Reasons are kept in memory, for each row that cannot be read.
const MAX_REASON_BYTES: usize = 240;

/// Why a row over the limit cannot be read.
pub(crate) fn too_long() -> String {
    format!("the row is longer than {MAX_ROW_BYTES} bytes, which is the most that Redshift takes")
}

/// Appends the values of a row, each by `push`. A value without any bytes is NULL, and so is all
/// that is missing at the end of a row.
// A blank line in a file of one column may be no row, so the NULL of a row without values is
// written out.
pub(crate) fn push_values(
    rows: &mut Vec<u8>,
    columns: usize,
    mut push: impl FnMut(usize, &mut Vec<u8>),
) {
    let (start, mut end) = (rows.len(), rows.len());
    for column in 0..columns {
        if column > 0 {
            rows.push(JSON_DELIMITER);
        }
        let before = rows.len();
        push(column, rows);
        if rows.len() > before {
            end = rows.len();
        }
    }
    rows.truncate(end);
    if end == start {
        rows.extend_from_slice(b"null");
    }
    rows.push(b'\n');
}

/// Marks the row that begins at `start` as unreadable, for this reason. The values of the row stay.
pub(crate) fn make_unreadable(rows: &mut Vec<u8>, start: usize, reason: &str) {
    let mut end = reason.len().min(MAX_REASON_BYTES);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let more = if end < reason.len() { "…" } else { "" };
    let text = reason[..end].bytes().chain(more.bytes());
    let text = text.map(|byte| if byte.is_ascii_control() { b' ' } else { byte });
    let mark: Vec<u8> = [UNREADABLE].into_iter().chain(text).chain([JSON_DELIMITER]).collect();
    rows.splice(start..start, mark);
}

/// Appends a row without values that cannot be read, for this reason.
pub(crate) fn push_unreadable(rows: &mut Vec<u8>, reason: &str) {
    let start = rows.len();
    rows.push(b'\n');
    make_unreadable(rows, start, reason);
}

/// Appends a line that is no row.
pub(crate) fn push_blank(rows: &mut Vec<u8>) {
    rows.extend_from_slice(&[JSON_COMMENT, b'\n']);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_short_as_they_can_be() {
        let row = |values: &[&str]| {
            let mut rows = Vec::new();
            let push = |column: usize, rows: &mut Vec<u8>| rows.extend(values[column].bytes());
            push_values(&mut rows, values.len(), push);
            String::from_utf8(rows).expect("text")
        };
        assert_eq!(row(&["1", "", "2", "", ""]), "1\u{1f}\u{1f}2\n");
        assert_eq!(row(&["", "1"]), "\u{1f}1\n");
        assert_eq!(row(&["", ""]), "null\n");
        assert_eq!(row(&[""]), "null\n");
    }

    #[test]
    fn reasons_are_bounded() {
        let mut rows = b"1\x1f2\n".to_vec();
        make_unreadable(&mut rows, 0, "it is\nnone");
        assert_eq!(rows, b"\xffit is none\x1f1\x1f2\n");
        let mut rows = Vec::new();
        push_unreadable(&mut rows, &"é".repeat(1000));
        assert_eq!(rows.len(), 1 + MAX_REASON_BYTES + "…".len() + 2);
    }
}
