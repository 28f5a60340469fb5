//! A record that cannot be read: where it is, what is wrong with it, and why it ends where it does.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::CsvErrorKind;

/// A record that cannot be read. Its places count from the start of its chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenRecord {
    pub(crate) start: usize,
    /// Behind its line end.
    pub(crate) end: usize,
    /// The number of records in front of it in the chunk.
    pub(crate) row: u64,
    /// The place of the mistake. Quotes that were read wrongly may have led behind the end.
    pub(crate) byte: usize,
    /// The line ends between the start and the mistake.
    pub(crate) lines_before: u64,
    pub(crate) column: Option<usize>,
    pub(crate) kind: CsvErrorKind,
    pub(crate) because: EndsBecause,
}

/// Why a broken record ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndsBecause {
    /// Its quotes are in order.
    OwnEnd,
    /// So many records behind it fit, and none did before.
    RecordsFit(usize),
    /// All that is left of the file behind it fits, and nothing did before.
    RestFits,
    /// Nowhere do records fit. It ends before the line in which text follows a closing quote, or
    /// behind it, where that is its first line.
    Nothing,
}

impl fmt::Display for EndsBecause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EndsBecause::OwnEnd => formatter.write_str("its quotes are in order"),
            EndsBecause::RecordsFit(count) => {
                write!(formatter, "the next {count} records fit from there on")
            }
            EndsBecause::RestFits => formatter.write_str("the rest of the file fits from there on"),
            EndsBecause::Nothing => formatter.write_str(
                "no three records in a row fit behind it, so it ends as early as its quotes allow",
            ),
        }
    }
}

impl BrokenRecord {
    /// What is wrong with the record.
    pub fn kind(&self) -> &CsvErrorKind {
        &self.kind
    }

    /// Where the record's text ends, before its line end. `bytes` are the chunk's.
    pub(crate) fn text_end(&self, bytes: &[u8]) -> usize {
        let text = bytes.get(self.start..self.end).unwrap_or_default();
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.start + text.strip_suffix(b"\r").unwrap_or(text).len()
    }
}
