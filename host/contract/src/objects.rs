//! Objects in S3 that a case needs: text, compressed text, or a small Parquet file.

use std::io::Write;

use loader_model::error::{Context, Kind, Result};
use serde::Deserialize;

use crate::parquet_files::{self, Parquet};
use crate::values::Values;

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

impl Object {
    /// What the object holds. Errors: `Internal` for a description that makes no file.
    pub(crate) fn bytes(&self, values: &Values) -> Result<Vec<u8>> {
        match self {
            Object::Text(text) => Ok(values.fill(text).into_bytes()),
            Object::Gzip { gzip } => {
                gzipped(&values.fill(gzip)).context(Kind::Internal, "no gzip can be made")
            }
            Object::Parquet(file) => parquet_files::with_rows(file, values),
            Object::Layout { layout } => parquet_files::with_nulls(layout)
                .context(Kind::Internal, "no Parquet file of this layout can be made"),
        }
    }
}

fn gzipped(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}
