//! JSON Lines: a JSON object in each line becomes a row, and each key of any object a column.
//!
//! In: the text of the file. Out: its columns, and its rows as JSON values, a line for each line of
//! the file. Only the last line tells all keys, so the text is read twice: `scan` copies it and
//! learns the columns, `rows` makes rows of the copy. `line_reader` finds the lines, `object` reads
//! one, `lines` knows where each row stands in the file.
//!
//! Source: <https://jsonlines.org>

mod kinds;
mod line_reader;
mod lines;
mod object;
mod rows;
mod scan;

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use loader_model::error::Result;
use loader_model::stop::StopFlag;

use crate::file_column::FileColumn;
use crate::made_text::MadeText;
pub(crate) use lines::Lines;
use rows::RowMaker;

/// A file of JSON Lines that was read once.
pub(crate) struct JsonLines {
    text: Arc<File>,
    columns: Vec<FileColumn>,
}

impl JsonLines {
    /// Reads a text to its end, and copies it.
    ///
    /// Errors: `Data` for a file without keys, or with more than a table has columns; `Interrupted`;
    /// those of reading.
    pub(crate) fn read(text: impl Read, copy: File, stop: &StopFlag) -> Result<JsonLines> {
        let columns = scan::run(text, &copy, stop)?;
        Ok(JsonLines { text: Arc::new(copy), columns })
    }

    pub(crate) fn columns(&self) -> &[FileColumn] {
        &self.columns
    }

    /// The copy of the text.
    pub(crate) fn text(&self) -> Arc<File> {
        Arc::clone(&self.text)
    }

    /// The rows. Where they stand goes into `places`.
    pub(crate) fn rows(self, places: Arc<Lines>) -> impl Read + Send {
        let names = self.columns.into_iter().map(|column| column.name);
        MadeText::new(RowMaker::new(self.text, names.collect(), places))
    }
}
