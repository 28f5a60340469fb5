//! The compression of a page. In: its bytes. Out: fewer, as a rule.

use std::io::Write;

use flate2::write::GzEncoder;
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Kind, Result};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};

use super::failed::FAILED;

/// Compresses the pages of a column.
pub(super) enum Codec {
    Snappy(Box<snap::raw::Encoder>),
    Zstd(zstd::bulk::Compressor<'static>),
    Gzip,
}

impl Codec {
    pub(super) fn new(compression: ParquetCompression) -> Result<Codec> {
        Ok(match compression {
            ParquetCompression::Snappy => Codec::Snappy(Box::new(snap::raw::Encoder::new())),
            ParquetCompression::Zstd => {
                let compressor = zstd::bulk::Compressor::new(zstd_level().compression_level());
                Codec::Zstd(compressor.context(Kind::Internal, FAILED)?)
            }
            ParquetCompression::Gzip => Codec::Gzip,
        })
    }

    /// As the file names it.
    pub(super) fn name(&self) -> Compression {
        match self {
            Codec::Snappy(_) => Compression::SNAPPY,
            Codec::Zstd(_) => Compression::ZSTD(zstd_level()),
            Codec::Gzip => Compression::GZIP(GzipLevel::default()),
        }
    }

    pub(super) fn compress(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        match self {
            Codec::Snappy(encoder) => encoder.compress_vec(bytes).context(Kind::Internal, FAILED),
            Codec::Zstd(compressor) => compressor.compress(bytes).context(Kind::Internal, FAILED),
            Codec::Gzip => {
                let level = flate2::Compression::new(GzipLevel::default().compression_level());
                let mut encoder = GzEncoder::new(Vec::new(), level);
                let written = encoder.write_all(bytes);
                written.and_then(|()| encoder.finish()).context(Kind::Internal, FAILED)
            }
        }
    }
}

fn zstd_level() -> ZstdLevel {
    ZstdLevel::default()
}
