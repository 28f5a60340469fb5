//! How many rows name the columns.

use crate::cell::{Kind, kind, number};
use crate::findings::{Finding, HeaderRows, Sureness};
use crate::header_votes::{Column, votes};
use crate::reading::{Reading, Row};
use crate::shape::Table;

/// Rows that are compared with the first one.
const BODY_ROWS: usize = 300;
/// The most rows that a header has.
const MOST_ROWS: usize = 5;
/// The sum of votes from which on the first row is a header, or below which it is none.
const ENOUGH: f64 = 1.0;
/// The sum from which on that is sure.
const PLENTY: f64 = 2.5;

/// Finds the header of a table.
pub(crate) fn find(reading: &Reading<'_>, table: &Table) -> Finding<HeaderRows> {
    let Some(first) = table.rows.first() else {
        return Finding::new(HeaderRows(1), Sureness::Undecided, "there are no rows");
    };
    if table.rows.len() == 1 {
        return of_one_row(reading, first);
    }
    let columns = columns(reading, table);
    let (sum, reason) = votes(&columns, has_years(&columns));
    let sureness = if sum.abs() >= PLENTY { Sureness::Sure } else { Sureness::Likely };
    if sum >= ENOUGH {
        return match rows_of_names(reading, table) {
            1 => Finding::new(HeaderRows(1), sureness, reason),
            rows => {
                let because = format!("the first {rows} rows have texts where columns have others");
                Finding::new(HeaderRows(rows), Sureness::Likely, because)
            }
        };
    }
    if sum <= -ENOUGH {
        return Finding::new(HeaderRows(0), sureness, reason);
    }
    let because = "the first row looks as the others do; both fit";
    Finding::new(HeaderRows(1), Sureness::Undecided, because)
}

/// A single row: values are no names, and texts may be either.
fn of_one_row(reading: &Reading<'_>, row: &Row) -> Finding<HeaderRows> {
    let kinds = reading.cells(row).iter().map(|cell| kind(reading.raw(cell)));
    let values =
        kinds.filter(|kind| !matches!(kind, Kind::Text | Kind::Empty | Kind::Null)).count();
    match values {
        0 => Finding::new(
            HeaderRows(1),
            Sureness::Undecided,
            "there is one row, and it may be a header or a record",
        ),
        _ => Finding::new(
            HeaderRows(0),
            Sureness::Likely,
            "there is one row, and it has numbers or days",
        ),
    }
}

/// The columns of the rows that have as many fields as the table.
fn columns<'a>(reading: &Reading<'a>, table: &Table) -> Vec<Column<'a>> {
    let Some((first, body)) = table.rows.split_first() else { return Vec::new() };
    let mut columns: Vec<Column<'a>> =
        reading.cells(first).iter().map(|cell| Column::new(reading, cell)).collect();
    let fitting = body.iter().filter(|row| row.width() == table.width);
    for row in fitting.take(BODY_ROWS) {
        for (column, cell) in columns.iter_mut().zip(reading.cells(row)) {
            column.add(reading, cell);
        }
    }
    columns
}

/// Whether the numbers of the first row are a sequence, as years above columns are, and those below
/// are not.
fn has_years(columns: &[Column<'_>]) -> bool {
    let whole = |text: &str| {
        number(text).filter(|number| number.digits.1 == 0)?;
        text.trim().parse::<i64>().ok()
    };
    let in_sequence = |values: Vec<i64>| {
        values.len() >= 3 && {
            let steps: Vec<i64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
            steps[0] != 0 && steps.iter().all(|step| *step == steps[0])
        }
    };
    let of_first: Vec<i64> = columns.iter().filter_map(|column| whole(column.first)).collect();
    let of_second = columns.iter().filter_map(|column| whole(column.body.first()?.1)).collect();
    in_sequence(of_first) && !in_sequence(of_second)
}

/// How many rows at the beginning have no value in the columns that have values elsewhere.
fn rows_of_names(reading: &Reading<'_>, table: &Table) -> u64 {
    let valued = valued_columns(reading, table);
    if valued.is_empty() {
        return 1;
    }
    let is_of_names = |row: &Row| {
        let cells = reading.cells(row);
        let kinds = valued.iter().filter_map(|place| cells.get(*place));
        let kinds: Vec<Kind> = kinds.map(|cell| kind(reading.raw(cell))).collect();
        let texts = kinds.iter().filter(|kind| **kind == Kind::Text).count();
        kinds.iter().all(|kind| matches!(kind, Kind::Text | Kind::Empty))
            && texts * 2 >= kinds.len()
    };
    let rows = table.rows[1..].iter().take(MOST_ROWS - 1);
    let further = rows.take_while(|row| row.width() == table.width && is_of_names(row)).count();
    let is_some_left = table.rows.len() > further + 2;
    // One column that begins with a text may well be a column of texts and numbers.
    let is_plain = valued.len() > 1 || further == 0;
    if is_some_left && is_plain { 1 + further as u64 } else { 1 }
}

/// The columns that have numbers, days and the like in nearly all rows.
fn valued_columns(reading: &Reading<'_>, table: &Table) -> Vec<usize> {
    let mut counts = vec![(0_usize, 0_usize); table.width];
    let rows = table.rows.iter().skip(MOST_ROWS.min(table.rows.len() / 2));
    for row in rows.filter(|row| row.width() == table.width).take(BODY_ROWS) {
        for (cell, (values, texts)) in reading.cells(row).iter().zip(&mut counts) {
            match kind(reading.raw(cell)) {
                Kind::Text => *texts += 1,
                Kind::Empty | Kind::Null => {}
                _ => *values += 1,
            }
        }
    }
    let valued = |(values, texts): (usize, usize)| values > 0 && values >= texts * 9;
    counts.into_iter().enumerate().filter(|(_, counts)| valued(*counts)).map(|(i, _)| i).collect()
}
