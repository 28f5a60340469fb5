//! Where the rows of a file come from: what the user sees of them in messages and reject files.
//!
//! In: places in the rows as they are read. Out: places in the file.

use std::sync::Arc;

use loader_csv::Position;
use loader_model::choices::FileFormat;
use loader_model::error::Result;

use crate::encoding::{self, Encoding, Places, Utf8AllTheSame};
use crate::json_lines::Lines;
use crate::read_at::{ReadAt, not_read};

/// Where the rows of a file come from.
#[derive(Clone)]
pub(crate) struct Source {
    encoding: Encoding,
    /// The rows once more: a copy in a temporary file, or the file itself where it is stored.
    copy: Arc<dyn ReadAt>,
    /// `None`: the text is in the file's own encoding.
    places: Option<Arc<Places>>,
    rows: Rows,
}

/// What the rows are in the file.
#[derive(Clone)]
enum Rows {
    /// The text itself.
    Text,
    /// Lines of JSON.
    Lines(Arc<Lines>),
    /// Rows of columns with these names, which have no lines.
    Columns(Arc<[String]>),
}

impl Source {
    /// The rows are the text. `copy`: the file for it.
    pub(super) fn of_text(
        encoding: Encoding,
        copy: Arc<dyn ReadAt>,
        places: Option<Arc<Places>>,
    ) -> Source {
        Source { encoding, copy, places, rows: Rows::Text }
    }

    /// The rows are the file as it is stored, of which `copy` reads any stretch.
    pub(crate) fn in_place(self, copy: Arc<dyn ReadAt>) -> Source {
        Source { copy, ..self }
    }

    /// The rows of a file that was read elsewhere.
    pub(crate) fn of_elsewhere(encoding: Encoding, copy: Arc<dyn ReadAt>) -> Source {
        Source::of_text(encoding, copy, None)
    }

    /// The rows are made of lines of the text.
    pub(super) fn with_lines(self, lines: Arc<Lines>) -> Source {
        Source { rows: Rows::Lines(lines), ..self }
    }

    /// The rows are made of columns.
    pub(super) fn of_rows(copy: Arc<dyn ReadAt>, names: Vec<String>) -> Source {
        let rows = Rows::Columns(names.into());
        Source { encoding: Encoding::UTF_8, copy, places: None, rows }
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The file's format.
    pub(crate) fn format(&self) -> FileFormat {
        match self.rows {
            Rows::Text => FileFormat::Csv,
            Rows::Lines(_) => FileFormat::Json,
            Rows::Columns(_) => FileFormat::Parquet,
        }
    }

    /// The rows once more.
    pub(crate) fn copy(&self) -> &dyn ReadAt {
        &*self.copy
    }

    /// Makes places in the rows places in the file.
    pub(crate) fn locate<'a>(
        &self,
        positions: impl IntoIterator<Item = &'a mut Position>,
    ) -> Result<()> {
        let positions: Vec<&mut Position> = positions.into_iter().collect();
        let bytes = |positions: Vec<&'a mut Position>| {
            positions.into_iter().map(|position| &mut position.byte).collect::<Vec<_>>()
        };
        match (&self.rows, &self.places) {
            (Rows::Text, None) => Ok(()),
            (Rows::Text, Some(places)) => {
                places.locate(&*self.copy, bytes(positions)).map_err(not_read)
            }
            (Rows::Lines(lines), places) => {
                let mut bytes = bytes(positions);
                lines.locate(&*self.copy, &mut bytes).map_err(not_read)?;
                match places {
                    Some(places) => places.locate(lines.text(), bytes),
                    None => Ok(()),
                }
                .map_err(not_read)
            }
            (Rows::Columns(_), _) => {
                positions.into_iter().for_each(|position| (position.line, position.byte) = (0, 0));
                Ok(())
            }
        }
    }

    /// The line or row of a place in the rows, in words.
    pub(crate) fn line_or_row(&self, position: &Position) -> String {
        match self.rows {
            Rows::Text | Rows::Lines(_) => position.line_or_row(),
            Rows::Columns(_) => Position { line: 0, ..position.clone() }.line_or_row(),
        }
    }

    /// A row as it stands in the file. `row`: as it is read; `byte`: where it begins so.
    pub(crate) fn written(&self, row: &[u8], byte: u64) -> Vec<u8> {
        match &self.rows {
            Rows::Text => row.to_vec(),
            Rows::Lines(lines) => lines.line(&*self.copy, byte).unwrap_or_default(),
            Rows::Columns(names) => crate::parquet_rows::as_object(names, row),
        }
    }

    /// What a person should look at.
    pub(crate) fn notices(&self) -> Vec<String> {
        match self.utf_8_all_the_same() {
            Some(Utf8AllTheSame::Perhaps(notice)) => vec![notice],
            Some(Utf8AllTheSame::Surely(_)) | None => Vec::new(),
        }
    }

    /// Errors: `Data` for text that is UTF-8 although the settings name another encoding.
    pub(crate) fn check_encoding(&self) -> Result<()> {
        match self.utf_8_all_the_same() {
            Some(Utf8AllTheSame::Surely(error)) => Err(error),
            Some(Utf8AllTheSame::Perhaps(_)) | None => Ok(()),
        }
    }

    fn utf_8_all_the_same(&self) -> Option<Utf8AllTheSame> {
        encoding::utf_8_all_the_same(self.encoding, self.places.as_deref()?)
    }

    /// What is wrong with bytes that are not in the encoding.
    pub(crate) fn fact_of_bytes(&self) -> String {
        encoding::fact(self.encoding)
    }

    /// What the user can do about such bytes at this place in the text.
    pub(crate) fn advice(&self, byte: u64) -> &'static str {
        encoding::advice(self.encoding, &*self.copy, byte)
    }
}
