//! What a file has in it: its rows as text that the CSV reader takes, and where they come from.
//!
//! In: the decompressed bytes. Out: for a CSV file the text itself, in UTF-8. A file of JSON Lines
//! or Parquet becomes rows of JSON values, a line for each row, behind a header that is known
//! before: see [`Dialect::of_json_fields`](loader_csv::Dialect::of_json_fields).

mod detect;
#[cfg(test)]
mod properties;
mod source;

use std::fs::File;
use std::io::{Cursor, Read};
use std::sync::Arc;

use loader_csv::Header;
use loader_model::choices::FileFormat;
use loader_model::column_type::ColumnType;
use loader_model::error::Result;
use loader_model::stop::StopFlag;

use crate::decompress;
use crate::encoding::{self, Decoded, Encoding};
use crate::file_column::FileColumn;
use crate::json_lines::{JsonLines, Lines};
use crate::parquet_rows::ParquetRows;
use crate::sample::beginning;
use crate::temporary;

pub(crate) use source::Source;

/// A file's rows as text, as they come, and what is known of their source.
pub struct Content {
    pub(crate) text: Box<dyn Read + Send>,
    pub(crate) source: Source,
    /// The temporary file that the rows are copied into: that of the source.
    pub(crate) copy: Arc<File>,
    /// The columns. `None`: the text has a header, or none at all, as CSV has it.
    pub(crate) columns: Option<Columns>,
}

/// Whether a file that begins like this is not compressed.
pub fn is_not_compressed(head: &[u8]) -> bool {
    decompress::is_text(head)
}

/// Whether the rows of a file that is not compressed, and begins like this, are what is stored: text
/// in UTF-8. `named`: the encoding that the user names.
pub fn is_stored_as_read(head: &[u8], named: Option<Encoding>, format: FileFormat) -> bool {
    let is_csv = matches!(other_format(head, named, format), Ok(None));
    is_csv && encoding::is_utf_8(head, named)
}

/// The columns of a file that is no CSV.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) header: Header,
    /// The types in Redshift, where the file has types; otherwise those of its values.
    pub(crate) types: Vec<Option<ColumnType>>,
    /// Where values of a column are of different kinds, in words.
    pub(crate) mixed: Vec<Option<String>>,
}

impl Content {
    /// The rows of a file that is not compressed. `named`: the encoding that the user names.
    ///
    /// Blocks: it reads the first bytes, and all of a file that is no CSV. Errors: `Data` for bytes
    /// that are in another encoding than the named one, as far as the first of them show it, and for
    /// a file that is not in `format` or has no columns; those of reading.
    pub fn of(
        stored: Box<dyn Read + Send>,
        named: Option<Encoding>,
        format: FileFormat,
        stop: &StopFlag,
    ) -> Result<Content> {
        let (head, stored) = beginning(stored, detect::BYTES)?;
        if detect::is_parquet(&head, format)? {
            return Content::of_parquet(stored, stop);
        }
        let Decoded { text, encoding, places } = encoding::decoded(Box::new(stored), named)?;
        let (head, text) = beginning(text, detect::BYTES)?;
        let is_json = detect::is_json_lines(&head, format)?;
        let copy = Arc::new(temporary::file()?);
        let source = Source::of_text(encoding, Arc::clone(&copy) as _, places);
        match is_json {
            true => Content::of_json_lines(text, source, copy, stop),
            false => Ok(Content { text: Box::new(text), source, copy, columns: None }),
        }
    }

    fn of_json_lines(
        text: impl Read,
        source: Source,
        copy: Arc<File>,
        stop: &StopFlag,
    ) -> Result<Content> {
        let lines = JsonLines::read(text, temporary::file()?, stop)?;
        let columns = Columns::of(lines.columns());
        let places = Arc::new(Lines::new(lines.text()));
        let source = source.with_lines(Arc::clone(&places));
        let text = Box::new(lines.rows(places));
        Ok(Content { text, source, copy, columns: Some(columns) })
    }

    fn of_parquet(stored: impl Read, stop: &StopFlag) -> Result<Content> {
        let rows = ParquetRows::read(stored, temporary::file()?, stop)?;
        let columns = Columns::of(rows.columns());
        let copy = Arc::new(temporary::file()?);
        let names = columns.header.names.clone();
        let source = Source::of_rows(Arc::clone(&copy) as _, names);
        let text = Box::new(rows.into_text());
        Ok(Content { text, source, copy, columns: Some(columns) })
    }
}

/// The format of a file that begins like this, as it is stored, unless it is CSV. `named`: the
/// encoding that the user names. Errors: as of [`Content::of`].
pub fn other_format(
    head: &[u8],
    named: Option<Encoding>,
    format: FileFormat,
) -> Result<Option<FileFormat>> {
    if detect::is_parquet(head, format)? {
        return Ok(Some(FileFormat::Parquet));
    }
    let Decoded { text, .. } = encoding::decoded(Box::new(Cursor::new(head.to_vec())), named)?;
    let (text, _) = beginning(text, detect::BYTES)?;
    Ok(detect::is_json_lines(&text, format)?.then_some(FileFormat::Json))
}

/// The name of a format in a sentence.
pub fn title(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Auto | FileFormat::Csv => "CSV",
        FileFormat::Json => "JSON Lines",
        FileFormat::Parquet => "Parquet",
    }
}

impl Columns {
    fn of(columns: &[FileColumn]) -> Columns {
        let names = columns.iter().map(|column| column.name.clone());
        let meant = columns.iter().map(|column| column.meant);
        Columns {
            header: Header::of_columns(names.collect(), meant.collect()),
            types: columns.iter().map(|column| column.column_type.clone()).collect(),
            mixed: columns.iter().map(|column| column.mixed.clone()).collect(),
        }
    }
}
