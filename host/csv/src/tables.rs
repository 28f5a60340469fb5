//! Several tables in one file, told by the numbers of their fields and by their headers.
//!
//! In: the bytes of a file from a row on that has not as many fields as the header. Out: the lines in
//! which tables begin.

use crate::dialect::Dialect;
use crate::lines::{count_lines, is_line_end, line_length};
use crate::read_record::read_record;

/// So many rows in a row with the same number of fields are a table.
const ROWS_OF_A_TABLE: usize = 3;
/// The most tables that are told.
const MOST_TABLES: usize = 5;

/// Rows in a row that have the same number of fields.
#[derive(Clone, Copy)]
struct Run {
    fields: usize,
    rows: usize,
    /// The line that it begins in, counted from the first of the bytes.
    line: u64,
    /// The first of them reads as a header.
    has_header: bool,
}

impl Run {
    fn is_table(&self) -> bool {
        self.fields > 1 && self.rows >= ROWS_OF_A_TABLE && self.has_header
    }

    /// Whether it is a line above a table, and no part of a row that a line end cuts.
    fn is_title(&self) -> bool {
        self.fields == 1 && self.rows == 1
    }
}

/// The lines in which tables begin, counted from 0 for the line of the first byte; at most five.
/// Empty where the first row is not the beginning of a table, or of its title. `columns`: the fields
/// of the table before.
pub fn tables(bytes: &[u8], dialect: &Dialect, columns: usize) -> Vec<u64> {
    let runs = runs(bytes, dialect);
    let begins = |place: usize, run: &Run| match place.checked_sub(1).map(|before| &runs[before]) {
        Some(title) if title.is_title() => title.line,
        _ => run.line,
    };
    let tables = runs.iter().enumerate().filter(|(_, run)| run.is_table());
    let mut tables = tables.map(|(place, run)| (begins(place, run), run.fields)).peekable();
    let is_first = |(line, fields): &(u64, usize)| *line == 0 && *fields != columns;
    match tables.peek().is_some_and(is_first) {
        true => tables.take(MOST_TABLES).map(|(line, _)| line).collect(),
        false => Vec::new(),
    }
}

fn runs(bytes: &[u8], dialect: &Dialect) -> Vec<Run> {
    let rules = dialect.rules();
    let (mut runs, mut at, mut line): (Vec<Run>, usize, u64) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let first = rest.first().copied();
        let is_row = first.is_some_and(|first| !is_line_end(first)) && first != rules.comment;
        let length = match is_row {
            false => line_length(rest, true),
            true => match read_record(rest, &rules) {
                Ok(record) => {
                    let fields: Vec<&[u8]> = record.fields(rest).map(|(_, field)| field).collect();
                    add(&mut runs, &fields, line);
                    record.length
                }
                Err(_) => None,
            },
        };
        let Some(length) = length else { break };
        line += count_lines(&rest[..length]);
        at += length;
    }
    runs
}

fn add(runs: &mut Vec<Run>, row: &[&[u8]], line: u64) {
    match runs.last_mut().filter(|run| run.fields == row.len()) {
        Some(run) => run.rows += 1,
        None => {
            let has_header = reads_as_header(row);
            runs.push(Run { fields: row.len(), rows: 1, line, has_header });
        }
    }
}

/// Whether fields are names and no values: all are there, begin with a letter, and differ.
pub fn reads_as_header(fields: &[impl AsRef<[u8]>]) -> bool {
    let bare =
        |field: &[u8]| String::from_utf8_lossy(field).trim_matches(['"', '\'', ' ']).to_owned();
    let mut names: Vec<String> = fields.iter().map(|field| bare(field.as_ref())).collect();
    let are_names = names.iter().all(|name| name.starts_with(char::is_alphabetic));
    names.sort_unstable();
    names.dedup();
    are_names && names.len() == fields.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_told_by_their_fields() {
        let check = |text: &str, expected: &[u64]| {
            assert_eq!(tables(text.as_bytes(), &Dialect::default(), 3), expected, "{text}");
        };
        check("a,b\n1,2\n3,4\n", &[0]);
        check("a,b\n1,2\n\n3,4\n5,6,7\n", &[0]);
        check("Title\n\na,b\n1,2\n3,4\n\n\nOther\nc,d,e\n1,2,3\n4,5,6\n", &[0, 7]);
        check("a,b\n1,2,3\n4,5,6\n7,8,9\n", &[]);
        check("a\nb\nc\nd\n", &[]);
        check("a,\"b\n", &[]);
        check("Total\n", &[]);
        check("cut\n1,2,3\n1,2,3\n1,2,3\n", &[]);
        check("a,\"b\nc\"\n1,2\n3,4", &[0]);
        check("1,2\n3,4\n5,6\n", &[]);
        check("a,a\n3,4\n5,6\n", &[]);
    }
}
