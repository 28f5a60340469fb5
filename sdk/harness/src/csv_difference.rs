//! The first difference of two CSV texts, in words: a case's file, and what the plugin gave.
//!
//! Cells are compared, not bytes. For example, `"1"` and `1` are the same cell, and `\r\n` and `\n`
//! the same line end. But `""` is the empty text and an empty field is NULL, so these two differ.

use loader_csv::{Dialect, RepeatedHeader};

use crate::csv_text::{CsvText, Row};
use crate::difference::quoted;

struct Parsed {
    names: Vec<String>,
    rows: Vec<Row>,
}

impl Parsed {
    fn of(text: &str) -> Result<Parsed, String> {
        let dialect = Dialect { repeated_header: RepeatedHeader::Keep, ..Dialect::default() };
        let file = CsvText::read(text.as_bytes(), &dialect).map_err(|error| error.to_string())?;
        let rows = file.texts().map_err(|error| error.to_string())?;
        Ok(Parsed { names: file.header.names, rows })
    }
}

/// Says where `actual` first differs from `expected`, the text of `file`. `places` has a text for
/// each actual row that says where the row comes from, such as ` (row 3 of the input)`.
pub(crate) fn first(file: &str, expected: &str, actual: &str, places: &[String]) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual) = match (Parsed::of(expected), Parsed::of(actual)) {
        (Ok(expected), Ok(actual)) => (expected, actual),
        (Err(error), _) => return Some(format!("{file} is no CSV: {error}")),
        (_, Err(error)) => {
            return Some(format!("the plugin's output cannot be compared with {file}: {error}"));
        }
    };
    if expected.names != actual.names {
        let (wanted, given) = (expected.names.join(", "), actual.names.join(", "));
        return Some(format!("{file} has the columns {wanted}, the plugin gives {given}"));
    }
    (0..expected.rows.len().max(actual.rows.len())).find_map(|index| {
        let place = places.get(index).map_or("", String::as_str);
        row(index, &expected, &actual, &format!("{file}: row {}{place}", index + 1))
    })
}

/// The difference of the rows at `index`, which `named` names.
fn row(index: usize, expected: &Parsed, actual: &Parsed, named: &str) -> Option<String> {
    match (expected.rows.get(index), actual.rows.get(index)) {
        (Some(wanted), Some(given)) => cell(wanted, given, &expected.names, named),
        (Some(wanted), None) => {
            let (cells, n_rows) = (cells(wanted), actual.rows.len());
            Some(format!("{named} is missing: {cells}; the plugin gives {n_rows} rows"))
        }
        (None, Some(given)) => {
            let (cells, n_rows) = (cells(given), expected.rows.len());
            Some(format!("{named} is not expected: {cells}; expected are {n_rows} rows"))
        }
        (None, None) => None,
    }
}

fn cell(wanted: &Row, given: &Row, names: &[String], row: &str) -> Option<String> {
    // `zip` stops at the shorter row, but both rows have a cell for each name: `Parsed::of` refuses
    // ragged rows, and the names are equal.
    let column = wanted.iter().zip(given).position(|(wanted, given)| wanted != given)?;
    let cell = |row: &Row| quoted(row.get(column).and_then(Option::as_deref));
    let (name, is, was) = (&names[column], cell(given), cell(wanted));
    Some(format!("{row}, column `{name}` is {is}, expected was {was}"))
}

fn cells(row: &Row) -> String {
    row.iter().map(|cell| quoted(cell.as_deref())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_cell_is_named() {
        let say = |expected: &str, actual: &str| {
            first("expected.csv", expected, actual, &[" (row 3 of the input)".to_owned()])
                .unwrap_or_default()
        };
        assert_eq!(say("a,b\n1,\n", "a,b\n1,\n"), "");
        assert_eq!(say("a,\"b\"\r\n\"1\",", "a,b\n1,\n"), "");
        assert_eq!(
            say("a,b\n1,\"\"\n", "a,b\n1,\n"),
            "expected.csv: row 1 (row 3 of the input), column `b` is NULL, expected was \"\""
        );
        assert_eq!(
            say("a,b\n", "a,c\n"),
            "expected.csv has the columns a, b, the plugin gives a, c"
        );
        assert_eq!(
            say("a,b\n1,x\n2,y\n", "a,b\n1,x\n"),
            "expected.csv: row 2 is missing: 2, \"y\"; the plugin gives 1 rows"
        );
        assert_eq!(
            say("a,b\n", "a,b\n1,x\n"),
            "expected.csv: row 1 (row 3 of the input) is not expected: 1, \"x\"; expected are 0 \
             rows"
        );
        assert_eq!(
            say("a,b\n1\n", "a,b\n"),
            "expected.csv is no CSV: record 1, line 2, byte 4: the row has 1 field, but the \
             header has 2; it is the last row: take it out if it is a footer, such as a line of \
             totals, or else fill it up with delimiters"
        );
    }
}
