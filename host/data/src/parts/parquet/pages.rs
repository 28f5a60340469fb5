//! The pages of a column, as they stand in a row group. In: the values of each page, encoded, and
//! which of its rows are NULL. Out: the column's bytes, and what the file's footer says of them.

use std::io::Write;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;
use bytes::Bytes;
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Kind, Result};
use parquet::basic::{Encoding, EncodingMask};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use super::codec::Codec;
use super::failed::FAILED;
use super::hybrid;

/// A column of a row group that is complete.
pub(super) struct EncodedColumn {
    pub(super) bytes: Bytes,
    pub(super) close: ColumnCloseResult,
}

/// The pages so far.
pub(super) struct Pages {
    column: ColumnDescPtr,
    codec: Codec,
    data: Vec<u8>,
    /// Of the data pages, with their headers, before compression.
    plain_bytes: usize,
    rows: usize,
}

/// The rows of a page, and which of them have a value.
#[derive(Default)]
pub(super) struct Levels {
    rows: usize,
    /// From the first NULL on.
    are_values: Option<BooleanBufferBuilder>,
}

impl Levels {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds the rows of an array.
    pub(super) fn push(&mut self, rows: usize, nulls: Option<&NullBuffer>) {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        if nulls.is_some() && self.are_values.is_none() {
            let mut so_far = BooleanBufferBuilder::new(self.rows + rows);
            so_far.append_n(self.rows, true);
            self.are_values = Some(so_far);
        }
        match (&mut self.are_values, nulls) {
            (Some(are_values), Some(nulls)) => are_values.append_buffer(nulls.inner()),
            (Some(are_values), None) => are_values.append_n(rows, true),
            (None, _) => {}
        }
        self.rows += rows;
    }

    /// Appends the levels behind their length, and forgets them.
    fn take(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; size_of::<u32>()]);
        match self.are_values.take() {
            None => hybrid::repeat(1, self.rows, 1, out),
            Some(mut are_values) => hybrid::push_bits(are_values.finish().inner().as_slice(), out),
        }
        let length = (out.len() - start - size_of::<u32>()) as u32;
        out[start..start + size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
    }
}

impl Pages {
    pub(super) fn new(column: ColumnDescPtr, compression: ParquetCompression) -> Result<Pages> {
        let codec = Codec::new(compression)?;
        Ok(Pages { column, codec, data: Vec::new(), plain_bytes: 0, rows: 0 })
    }

    /// The bytes so far.
    pub(super) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Writes a data page of the rows of `levels`, which are forgotten. `push_values` appends their
    /// values.
    pub(super) fn write(
        &mut self,
        levels: &mut Levels,
        encoding: Encoding,
        push_values: impl FnOnce(&mut Vec<u8>),
    ) -> Result<()> {
        let mut page = Vec::new();
        if self.column.max_def_level() > 0 {
            levels.take(&mut page);
        }
        push_values(&mut page);
        let rows = std::mem::take(&mut levels.rows);
        self.rows += rows;
        let data_page = Page::DataPage {
            buf: self.codec.compress(&page)?.into(),
            num_values: rows as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        self.plain_bytes += append(data_page, page.len(), &mut self.data)?;
        Ok(())
    }

    /// Completes the column. `dictionary`: that of its data pages, if there is one.
    pub(super) fn finish(mut self, dictionary: Option<DictionaryPage>) -> Result<EncodedColumn> {
        let mut bytes = Vec::with_capacity(self.data.len());
        let has_dictionary = dictionary.is_some();
        if let Some(DictionaryPage { plain, values }) = dictionary {
            let page = Page::DictionaryPage {
                buf: self.codec.compress(&plain)?.into(),
                num_values: values as u32,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            self.plain_bytes += append(page, plain.len(), &mut bytes)?;
        }
        let data_from = bytes.len();
        bytes.append(&mut self.data);
        let encodings = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY];
        let encodings = &encodings[..if has_dictionary { 3 } else { 2 }];
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(self.codec.name())
            .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
            .set_total_compressed_size(bytes.len() as i64)
            .set_total_uncompressed_size(self.plain_bytes as i64)
            .set_num_values(self.rows as i64)
            .set_data_page_offset(data_from as i64)
            .set_dictionary_page_offset(has_dictionary.then_some(0))
            .build()
            .context(Kind::Internal, FAILED)?;
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(EncodedColumn { bytes: bytes.into(), close })
    }
}

/// The dictionary of a column, as a page has it.
pub(super) struct DictionaryPage {
    pub(super) plain: Vec<u8>,
    pub(super) values: usize,
}

/// Appends a page with its header; returns how many bytes it would have without compression.
fn append(page: Page, plain_bytes: usize, to: &mut Vec<u8>) -> Result<usize> {
    let mut to = TrackedWrite::new(to);
    let written = SerializedPageWriter::new(&mut to)
        .write_page(CompressedPage::new(page, plain_bytes))
        .and_then(|written| to.flush().map(|()| written).map_err(ParquetError::from));
    written.context(Kind::Internal, FAILED).map(|written| written.uncompressed_size)
}
