//! The second reading of a text: its lines become rows of JSON values.
//!
//! In: the copy of the text, and the names of its columns. Out: a line for each line, with the
//! value of each column as it stands, empty where the object has no such key. A blank line becomes
//! a comment, and a line that is no object a row that cannot be read, with the reason.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use loader_model::error::{Context, Kind, Result};

use super::line_reader::{Line, LineReader, is_blank};
use super::lines::Lines;
use super::object::members;
use crate::json_row;
use crate::made_text::Maker;

const CANNOT_READ: &str = "the temporary copy of the file cannot be read";
/// The bytes of rows that are made at once, if one row has no more.
const ROWS_BYTES: usize = 256 * 1024;

/// Makes rows of the copy of a text.
pub(super) struct RowMaker {
    lines: LineReader<FromStart>,
    keys: Keys,
    /// The values of a row, as places in its line.
    values: Vec<Option<Range<usize>>>,
    places: Arc<Lines>,
    /// The bytes of the text that were read, and those of the rows that were made.
    read: u64,
    made: u64,
}

impl RowMaker {
    pub(super) fn new(text: Arc<File>, names: Vec<String>, places: Arc<Lines>) -> RowMaker {
        RowMaker {
            lines: LineReader::new(FromStart { file: text, offset: 0 }),
            values: vec![None; names.len()],
            keys: Keys::of(names),
            places,
            read: 0,
            made: 0,
        }
    }
}

impl Maker for RowMaker {
    fn make(&mut self, rows: &mut Vec<u8>) -> Result<()> {
        while rows.len() < ROWS_BYTES {
            self.places.begin_line(self.made + rows.len() as u64, self.read);
            let line = self.lines.next().context(Kind::Internal, CANNOT_READ)?;
            let Some((line, length)) = line else { break };
            self.read += length;
            push_row(rows, line, &mut self.keys, &mut self.values);
        }
        self.made += rows.len() as u64;
        Ok(())
    }
}

fn push_row(
    rows: &mut Vec<u8>,
    line: Line<'_>,
    keys: &mut Keys,
    values: &mut [Option<Range<usize>>],
) {
    let text = match line {
        Line::Text(text) if is_blank(text) => return json_row::push_blank(rows),
        Line::Text(text) => text,
        Line::TooLong => &[],
    };
    values.fill(None);
    keys.begin();
    let read = members(line, |key, value| {
        // The first reading has found every key of a line that is an object.
        let Some(place) = keys.find(key).and_then(|column| values.get_mut(column)) else {
            return false;
        };
        let start = value.as_ptr() as usize - text.as_ptr() as usize;
        place.replace(start..start + value.len()).is_some()
    });
    match read {
        Ok(()) => json_row::push_values(rows, values.len(), |column, rows| {
            if let Some(value) = values[column].clone().and_then(|place| text.get(place)) {
                push_value(rows, value);
            }
        }),
        Err(reason) => json_row::push_unreadable(rows, &reason),
    }
}

/// Appends a value. A carriage return may stand between the parts of a nested one, and would end
/// the row.
fn push_value(rows: &mut Vec<u8>, value: &[u8]) {
    let from = rows.len();
    rows.extend_from_slice(value);
    if memchr::memchr(b'\r', value).is_some() {
        rows[from..].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b' ');
    }
}

/// The columns by their keys.
#[derive(Default)]
pub(super) struct Keys {
    names: Vec<String>,
    columns: HashMap<String, usize>,
    /// The column of the next key, if the object has its keys in the usual order.
    expected: usize,
}

impl Keys {
    fn of(names: Vec<String>) -> Keys {
        let columns = names.iter().cloned().zip(0..).collect();
        Keys { names, columns, expected: 0 }
    }

    /// Begins with the keys of another object.
    pub(super) fn begin(&mut self) {
        self.expected = 0;
    }

    /// The column of a key.
    pub(super) fn find(&mut self, key: &str) -> Option<usize> {
        let is_expected = self.names.get(self.expected).is_some_and(|name| name == key);
        let column = match is_expected {
            true => self.expected,
            false => *self.columns.get(key)?,
        };
        self.expected = column + 1;
        Some(column)
    }

    /// Adds a key that is not there yet; returns its column.
    pub(super) fn add(&mut self, key: String) -> usize {
        let column = self.names.len();
        self.names.push(key.clone());
        self.columns.insert(key, column);
        column
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// A file from its start, whatever others do with its cursor.
struct FromStart {
    file: Arc<File>,
    offset: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> String {
        let (mut rows, mut keys) = (Vec::new(), Keys::of(vec!["a".to_owned(), "b".to_owned()]));
        push_row(&mut rows, Line::Text(line.as_bytes()), &mut keys, &mut [None, None]);
        String::from_utf8_lossy(&rows).into_owned()
    }

    #[test]
    fn a_line_is_one_row() {
        assert_eq!(row("{\"b\": 1.50, \"a\": \"x\\n\"}"), "\"x\\n\"\u{1f}1.50\n");
        assert_eq!(row("{\"a\": {\r\"c\":\r1}}\r"), "{ \"c\": 1}\n");
        assert_eq!(row(" \t"), "\u{1e}\n");
        assert!(row("{\"a\": 1, \"a\": 2}").starts_with("\u{fffd}the key `a` stands twice"));
    }
}
