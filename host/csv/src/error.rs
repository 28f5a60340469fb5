//! The mistakes that a CSV file can have, and their positions.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::logical::LogicalType;
use crate::ragged::Ragged;

/// A place in the file. Bytes and lines are those of the decompressed file, as it was pushed into
/// the splitter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The data record, counted from 1; 0 for the header, and in errors of the splitter, which does
    /// not count records.
    pub record: u64,
    /// The physical line, counted from 1, in which the field (or the record) begins; 0 where the
    /// file has rows and no lines.
    pub line: u64,
    /// The offset of the field, or of the record when the error is about the whole record.
    pub byte: u64,
    /// The header's name for the field; `None` for the record as a whole.
    pub column: Option<String>,
}

impl Position {
    /// The line alone: `line 7`; `row 6` where the file has no lines.
    pub fn line_or_row(&self) -> String {
        match self.line {
            0 => format!("row {}", self.record),
            line => format!("line {line}"),
        }
    }

    /// Line and byte: `line 7, byte 120`; `row 6` where the file has no lines.
    pub fn place(&self) -> String {
        match self.line {
            0 => self.line_or_row(),
            _ => format!("{}, byte {}", self.line_or_row(), self.byte),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.record > 0 && self.line > 0 {
            write!(formatter, "record {}, ", self.record)?;
        }
        formatter.write_str(&self.place())?;
        match &self.column {
            Some(column) => write!(formatter, ", column {column:?}"),
            None => Ok(()),
        }
    }
}

/// The first mistake in a file, and its position. For example, `record 2, line 3, byte 41: the row
/// has 4 fields, but the header has 3; …`. The caller knows the file's name and adds it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{position}: {kind}")]
pub struct CsvError {
    pub kind: CsvErrorKind,
    pub position: Position,
}

/// The kind of mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum CsvErrorKind {
    /// No header, or no record at all where the dialect has no header.
    #[error(
        "the file is empty: it has not even a header; write at least the line that names the \
         columns"
    )]
    Empty,
    #[error(
        "the row has {found} field{}, but the header has {expected}; {ragged}",
        if *found == 1 { "" } else { "s" }
    )]
    RaggedRow { expected: usize, found: usize, ragged: Ragged },
    #[error(
        "the quoted field that begins here is never closed; close it, and double the quotes inside \
         of it"
    )]
    UnclosedQuote,
    #[error("text follows the closing quote; double the quotes that belong to the field")]
    TextAfterQuote,
    #[error(
        "a blank follows the closing quote; take away the blanks between quotes and delimiters, \
         and double the quotes that belong to the field"
    )]
    BlankAfterQuote,
    #[error(
        "a blank stands before the quote, which then opens no field: take away the blanks between \
         delimiters and quotes"
    )]
    BlankBeforeQuote,
    #[error(
        "a quote stands within a field that does not begin with one: put in the delimiter that is \
         missing before it, or quote the field and double the quotes inside of it"
    )]
    BareQuote,
    /// Only where rows may be rejected; otherwise the lone field refuses the file.
    #[error(
        "the line beside it has a field alone, which may be a part of this row that a line end cuts \
         off: quote fields that hold a line end"
    )]
    BesideLoneField,
    /// The caller knows what the bytes were before they became UTF-8, and says so.
    #[error("these bytes are not UTF-8")]
    InvalidUtf8,
    /// A row of a file that is no CSV could not be made, for this reason.
    #[error("{0}")]
    Unreadable(String),
    #[error("the field holds a NUL byte, which Redshift cannot store; remove it")]
    NulByte,
    /// Over [`MAX_ROW_BYTES`](crate::MAX_ROW_BYTES).
    #[error("the row is longer than {limit} bytes, which is the most that Redshift \
             takes{}", if *open_quote { "; a quote that is never closed looks like this \
                                         too" } else { "; check the line ends" })]
    TooLong { limit: u64, open_quote: bool },
    /// Records that cannot be read, where they may be set aside.
    #[error(
        "more than {limit} records before this place cannot be read; is this the file's dialect?"
    )]
    TooManyBroken { limit: u64 },
    /// The end of a broken record was not found with the work that a file of this size may take.
    #[error(
        "too many quotes of the file are broken to find where the record ends that begins here; is \
         this the file's dialect? correct the quotes, or read them as text with --quote none"
    )]
    TooMuchWork,
    /// Over [`MAX_COLUMNS`](crate::MAX_COLUMNS).
    #[error("the file has {found} columns, and a load takes {limit}; split the file")]
    TooWide { found: usize, limit: usize },
    /// In a file without header; such lines are kept, since with one column they are rows.
    #[error(
        "more than {limit} bytes of blank lines stand in front of the first row; take them away, \
         or pass them with --skip-rows"
    )]
    NoRecord { limit: usize },
    /// The caller asked to decode a column as a type that the column's profile does not accept.
    #[error("the value does not read as {expected}; load the column as text, or correct the value")]
    NotOfType { expected: LogicalType },
    /// Arrow refused the decoded columns.
    #[error("the rows cannot be made into a batch: {0}")]
    Batch(String),
}

impl CsvErrorKind {
    /// A short name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CsvErrorKind::Empty => "empty",
            CsvErrorKind::RaggedRow { expected, found, .. } if found < expected => "too-few-fields",
            CsvErrorKind::RaggedRow { .. } => "too-many-fields",
            CsvErrorKind::UnclosedQuote => "open-quote",
            CsvErrorKind::TextAfterQuote | CsvErrorKind::BlankAfterQuote => "text-after-quote",
            CsvErrorKind::BlankBeforeQuote | CsvErrorKind::BareQuote => "quote-in-field",
            CsvErrorKind::BesideLoneField => "beside-lone-field",
            CsvErrorKind::InvalidUtf8 => "encoding",
            CsvErrorKind::Unreadable(_) => "unreadable",
            CsvErrorKind::NulByte => "nul",
            CsvErrorKind::TooLong { .. } => "too-long",
            CsvErrorKind::TooManyBroken { .. } | CsvErrorKind::TooMuchWork => "too-many-broken",
            CsvErrorKind::TooWide { .. } => "too-wide",
            CsvErrorKind::NoRecord { .. } => "no-record",
            CsvErrorKind::NotOfType { .. } | CsvErrorKind::Batch(_) => "internal",
        }
    }
}

impl CsvError {
    /// Counts the record from the start of the file, when `records` data records stand in front of
    /// the chunk. For example, record 3 of a chunk behind 100 records becomes record 103.
    pub fn after_records(mut self, records: u64) -> CsvError {
        if self.position.record > 0 {
            self.position.record += records;
        }
        self
    }
}
