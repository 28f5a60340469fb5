//! A COPY statement, read and checked: the table, the objects, and how fields are read.
//! `options.rs` makes it.

use crate::sql::cursor::Name;

/// The format of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    /// Fields between delimiters, nothing quoted.
    Delimited,
    Csv,
    Parquet,
}

/// How text files are compressed. The statement says it; COPY never guesses, not even from a name
/// like `orders.csv.gz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Bzip2,
    Zstd,
}

/// TIMEFORMAT and DATEFORMAT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    Default,
    Auto,
    EpochSeconds,
    EpochMilliseconds,
    Pattern(String),
}

/// A COPY that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyStatement {
    pub(crate) table: Name,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) bucket: String,
    /// A key prefix, or the manifest's whole key.
    pub(crate) key: String,
    pub(crate) is_manifest: bool,
    /// The Region of the buckets; `None` is the warehouse's.
    pub(crate) region: Option<String>,
    pub(crate) format: FileFormat,
    pub(crate) compression: Compression,
    pub(crate) explicit_ids: bool,
    pub(crate) no_load: bool,
    pub(crate) fill_record: bool,
    /// The load fails when it has found this many errors.
    pub(crate) max_errors: usize,
    pub(crate) text: TextOptions,
}

impl CopyStatement {
    /// The statement without options.
    pub(super) fn new(
        table: Name,
        columns: Option<Vec<String>>,
        (bucket, key): (String, String),
    ) -> CopyStatement {
        CopyStatement {
            table,
            columns,
            bucket,
            key,
            is_manifest: false,
            region: None,
            format: FileFormat::Delimited,
            compression: Compression::None,
            explicit_ids: false,
            no_load: false,
            fill_record: false,
            max_errors: 1,
            text: TextOptions::default(),
        }
    }
}

/// How fields are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextOptions {
    pub(crate) delimiter: u8,
    /// `None`: nothing is quoted.
    pub(crate) quote: Option<u8>,
    pub(crate) null_as: Vec<u8>,
    pub(crate) ignore_header: u64,
    pub(crate) date_format: Moment,
    pub(crate) time_format: Moment,
    pub(crate) empty_as_null: bool,
    pub(crate) blanks_as_null: bool,
    pub(crate) trim_blanks: bool,
    pub(crate) truncate_columns: bool,
    pub(crate) round_decimals: bool,
    pub(crate) accept_any_date: bool,
    /// The byte that replaces each byte that is not UTF-8; `None` refuses the field.
    pub(crate) accept_invalid: Option<u8>,
    pub(crate) ignore_blank_lines: bool,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions {
            delimiter: b'|',
            quote: None,
            null_as: b"\\N".to_vec(),
            ignore_header: 0,
            date_format: Moment::Default,
            time_format: Moment::Default,
            empty_as_null: false,
            blanks_as_null: false,
            trim_blanks: false,
            truncate_columns: false,
            round_decimals: false,
            accept_any_date: false,
            accept_invalid: None,
            ignore_blank_lines: false,
        }
    }
}
