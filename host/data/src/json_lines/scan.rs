//! The first reading of a text: it is copied, and its columns are learnt.
//!
//! In: the text, and a file for the copy. Out: a column for each key of any object, in the order in
//! which they come first.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};

use loader_csv::MAX_COLUMNS;
use loader_model::error::{Error, Kind as ErrorKind};
use loader_model::stop::StopFlag;

use super::kinds::{Kind, Kinds};
use super::line_reader::{Line, LineReader, is_blank};
use super::object::members;
use super::rows::Keys;
use crate::decompress::read_failure;
use crate::file_column::FileColumn;
use crate::temporary;

/// Reads a text to its end. Errors: see [`super::JsonLines::read`].
// Lines that are no objects say nothing here. They are rejected when they are read again.
pub(super) fn run(
    text: impl Read,
    copy: &File,
    stop: &StopFlag,
) -> loader_model::error::Result<Vec<FileColumn>> {
    let mut lines = LineReader::new(Copying { text, copy, stop });
    let mut columns = Learnt::default();
    let (mut number, mut first_reason) = (0, None);
    while let Some((line, _)) = lines.next().map_err(read_failure)? {
        number += 1;
        if matches!(line, Line::Text(text) if is_blank(text)) {
            continue;
        }
        if let Err(reason) = columns.add(line, number) {
            first_reason.get_or_insert_with(|| format!("line {number}: {reason}"));
        }
        if columns.kinds.len() > MAX_COLUMNS {
            return Err(too_many_keys(number));
        }
    }
    match columns.kinds.is_empty() {
        true => Err(no_keys(first_reason)),
        false => Ok(columns.into_columns()),
    }
}

/// The columns so far.
#[derive(Default)]
struct Learnt {
    keys: Keys,
    /// One for each key.
    kinds: Vec<Kinds>,
    /// The last line that had the key, one for each key.
    lines: Vec<u64>,
    /// The members of a line, until it is known to be an object.
    members: Vec<Member>,
    /// Its keys that are new.
    new: HashSet<String>,
}

/// A key, and the kind of its value.
struct Member {
    /// The column of the key, or the key where it is new.
    column: Result<usize, String>,
    kind: Option<Kind>,
}

impl Learnt {
    /// Takes a line. Errors: why it is no object. Then it says nothing of the columns.
    fn add(&mut self, line: Line<'_>, number: u64) -> Result<(), String> {
        let Learnt { keys, kinds, lines, members: found, new } = self;
        keys.begin();
        found.clear();
        new.clear();
        members(line, |key, value| {
            let column = keys.find(key);
            let is_twice = match column {
                Some(column) => std::mem::replace(&mut lines[column], number) == number,
                None => !new.insert(key.to_owned()),
            };
            let column = column.ok_or_else(|| key.to_owned());
            found.push(Member { column, kind: Kind::of(value) });
            is_twice
        })?;
        for Member { column, kind } in found.drain(..) {
            let column = column.unwrap_or_else(|key| keys.add(key));
            if column == kinds.len() {
                kinds.push(Kinds::default());
                lines.push(number);
            }
            kinds[column].add(kind, number);
        }
        Ok(())
    }

    fn into_columns(self) -> Vec<FileColumn> {
        let columns = self.keys.into_names().into_iter().zip(&self.kinds);
        columns.map(|(name, kinds)| kinds.column(name)).collect()
    }
}

fn too_many_keys(line: u64) -> Error {
    let fact = format!(
        "line {line}: the objects of the file have more than {MAX_COLUMNS} keys by now, which is \
         what a load takes; write what belongs together as one nested value"
    );
    Error::new(ErrorKind::Data, fact)
}

fn no_keys(reason: Option<String>) -> Error {
    let fact = reason.unwrap_or_else(|| {
        "no object in the file has a key, so nothing tells its columns; write a JSON object in each \
         line"
        .to_owned()
    });
    Error::new(ErrorKind::Data, fact)
}

/// A text that is copied while it is read, and can be stopped.
struct Copying<'f, R> {
    text: R,
    copy: &'f File,
    stop: &'f StopFlag,
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stop.check().map_err(io::Error::other)?;
        let read = self.text.read(buffer)?;
        temporary::write(self.copy, &buffer[..read]).map_err(io::Error::other)?;
        Ok(read)
    }
}
