//! The table in a file: what stands before it and behind it.

use crate::cell::{Kind, kind};
use crate::comment;
use crate::findings::{Finding, Sureness};
use crate::reading::{Reading, Row};

/// Rows with one filled field that may stand above a header, as titles in a spreadsheet do.
const MOST_TITLES: usize = 20;
/// Rows that a footer has at most; what is longer is another table.
const MOST_FOOTER_ROWS: usize = 20;

/// The rows of a table.
pub(crate) struct Table {
    /// Header and records; blank lines and comments are left out.
    pub(crate) rows: Vec<Row>,
    /// Lines before the first of them that have to be skipped.
    pub(crate) skip_rows: Finding<u64>,
    pub(crate) width: usize,
    pub(crate) remarks: Vec<String>,
}

/// Finds where the table begins. `width`: the fields that most rows have.
pub(crate) fn table(reading: &Reading<'_>, width: usize, comment: Option<char>) -> Table {
    let rows = rows_of(reading, comment);
    let (start, remark) = match width {
        0 | 1 => (0, None),
        _ => start(reading, &rows, width),
    };
    let skip_rows = match rows.get(start) {
        Some(row) if start > 0 => {
            let because = match start {
                1 => "one row before the table is no row of it".to_owned(),
                rows => format!("{rows} rows before the table are no rows of it"),
            };
            Finding::new(row.line as u64, Sureness::Likely, because)
        }
        _ => Finding::new(0, Sureness::Sure, "the table begins with the first row"),
    };
    let rows = rows.get(start..).unwrap_or_default().to_vec();
    Table { rows, skip_rows, width, remarks: remark.into_iter().collect() }
}

fn rows_of(reading: &Reading<'_>, comment: Option<char>) -> Vec<Row> {
    let is_comment = |row: &Row| comment.is_some_and(|c| comment::begins(reading, row, c));
    let rows = reading.rows.iter().filter(|row| !reading.is_blank(row) && !is_comment(row));
    rows.copied().collect()
}

/// The place of the table's first row, and what is strange about it.
fn start(reading: &Reading<'_>, rows: &[Row], width: usize) -> (usize, Option<String>) {
    let fits = |row: &Row| row.width() == width && !says_delimiter(reading, row);
    let mut first = rows.iter().position(fits).unwrap_or(0);
    // A line of text may have as many delimiters as the table by chance. Other text follows it then.
    while let Some(next) = rows.get(first + 1)
        && next.width() == 1
        && let Some(later) = rows[first + 1..].iter().position(fits)
        && first + 1 + later < MOST_TITLES
    {
        first += 1 + later;
    }
    if let Some(before) = first.checked_sub(1).and_then(|place| rows.get(place))
        && is_short_header(reading, rows, first, width)
    {
        let remark =
            format!("the first row has {} fields, and most others have {width}", before.width());
        return (first - 1, Some(remark));
    }
    while first < MOST_TITLES && is_title(reading, rows, first, width) {
        first += 1;
    }
    (first, None)
}

/// Whether the row before the first one that fits is a header that lacks a field, or has one too
/// many. R, for example, writes no name for the names of rows. Else it belongs to a preamble.
fn is_short_header(reading: &Reading<'_>, rows: &[Row], first: usize, width: usize) -> bool {
    let before = &rows[first - 1];
    let has_values = |row: &Row| {
        let kinds = reading.cells(row).iter().map(|cell| kind(reading.raw(cell)));
        kinds.filter(|kind| !matches!(kind, Kind::Text | Kind::Empty | Kind::Null)).count() > 0
    };
    let is_near = before.width().abs_diff(width) <= 1.max(width / 4);
    let body = rows[first + 1..].iter().find(|row| row.width() == width);
    let is_header_next = !has_values(&rows[first]) && body.is_some_and(has_values);
    before.width() >= 2
        && !says_delimiter(reading, before)
        && is_near
        && is_adjacent(rows, first)
        && !is_header_next
}

/// Whether a row is the line that tells Excel the delimiter.
fn says_delimiter(reading: &Reading<'_>, row: &Row) -> bool {
    let line = &reading.text[row.start..row.end];
    row.line == 0
        && line.len() < 8
        && line.trim_matches('"').to_ascii_lowercase().starts_with("sep=")
}

/// Whether no blank line stands before a row.
fn is_adjacent(rows: &[Row], place: usize) -> bool {
    let lines = place
        .checked_sub(1)
        .and_then(|before| Some(rows.get(place)?.line - rows.get(before)?.line));
    lines == Some(1)
}

/// Whether a row has the table's fields, but nearly all of them empty, and a fuller one follows.
fn is_title(reading: &Reading<'_>, rows: &[Row], place: usize, width: usize) -> bool {
    let filled = |row: &Row| {
        let cells = reading.cells(row).iter();
        cells.filter(|cell| !reading.raw(cell).trim().is_empty()).count()
    };
    let (Some(row), Some(next)) = (rows.get(place), rows.get(place + 1)) else { return false };
    let few = if width >= 3 { 1 } else { 0 };
    let later = rows[place + 1..].iter().take(MOST_TITLES).map(filled).max().unwrap_or(0);
    row.width() == width && filled(row) <= few && later > 1 && next.width() <= width
}

/// Finds what stands behind the table, in a reading that has the end of the file.
pub(crate) fn footer(
    reading: &Reading<'_>,
    width: usize,
    comment: Option<char>,
) -> (Finding<u64>, Option<String>) {
    let none = || Finding::new(0, Sureness::Sure, "the last row is one of the table's");
    let rows = rows_of(reading, comment);
    let last = match width {
        0 | 1 => None,
        _ => rows.iter().rposition(|row| row.width() == width && !is_note(reading, row, width)),
    };
    let Some(last) = last else { return (none(), None) };
    let behind = &rows[last + 1..];
    let Some(first) = behind.first() else { return (none(), None) };
    let is_apart = first.line > lines_behind(&rows, last);
    let is_narrow = |row: &Row| row.width() < width || is_note(reading, row, width);
    if behind.len() > MOST_FOOTER_ROWS || !behind.iter().all(is_narrow) {
        let remark = format!(
            "the {} rows from line {} on have another number of fields than the table",
            behind.len(),
            first.line + 1
        );
        return (none(), Some(remark));
    }
    let is_ended = reading.text.ends_with(['\n', '\r']);
    if behind.len() == 1 && !is_apart && !is_ended && first.width() > 1 {
        let remark = "the last row has too few fields; was the file cut off?".to_owned();
        return (none(), Some(remark));
    }
    let because = format!("the last {} rows are no rows of the table", behind.len());
    (Finding::new(behind.len() as u64, Sureness::Likely, because), None)
}

/// The first line that the row behind a row could be on.
fn lines_behind(rows: &[Row], place: usize) -> usize {
    rows.get(place).map_or(0, |row| row.line + 1)
}

/// Whether a row of many fields has a text in the first of them alone.
fn is_note(reading: &Reading<'_>, row: &Row, width: usize) -> bool {
    let cells = reading.cells(row);
    let is_text = |place: usize| kind(reading.raw(&cells[place])) == Kind::Text;
    width >= 3
        && row.width() == width
        && is_text(0)
        && cells[1..].iter().all(|cell| reading.raw(cell).trim().is_empty())
}
