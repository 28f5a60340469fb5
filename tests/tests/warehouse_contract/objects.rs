//! Objects in S3 that a case needs: text, compressed text, or a small Parquet file.

use std::io::Write;

use serde::Deserialize;

use crate::case::Values;
use crate::parquet_files;

/// An object as a case writes it.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Object {
    Text(String),
    Gzip {
        gzip: String,
    },
    Parquet(Parquet),
    Layout {
        /// Columns as Parquet's own schema language writes them. The file has one row of NULLs, for
        /// cases about types that Arrow does not write, such as a decimal in 13 bytes.
        layout: Vec<String>,
    },
}

/// A Parquet file with rows.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parquet {
    /// `name type` of every column.
    #[serde(rename = "parquet")]
    pub(crate) columns: Vec<String>,
    /// The rows as lines with `|` between values.
    pub(crate) rows: Vec<String>,
    /// The file is a part as the loader writes it, with this compression, and so has the number of
    /// the row as its last column.
    pub(crate) part: Option<String>,
    /// The version of the data pages; 1 where it is not said.
    pub(crate) pages: Option<u8>,
}

impl Object {
    pub(crate) fn bytes(&self, values: &Values) -> Vec<u8> {
        match self {
            Object::Text(text) => values.fill(text).into_bytes(),
            Object::Gzip { gzip } => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(values.fill(gzip).as_bytes()).expect("memory takes everything");
                encoder.finish().expect("memory takes everything")
            }
            Object::Parquet(file) => parquet_files::with_rows(file, values),
            Object::Layout { layout } => parquet_files::with_nulls(layout),
        }
    }
}
