//! One column of a row group in the making.
//!
//! In: the arrays of its batches. Out: its pages.

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{ArrowNativeType, DataType, Decimal128Type};
use loader_model::choices::ParquetCompression;
use loader_model::error::{Context, Error, Kind, Result};
use parquet::basic::{Encoding, Type};
use parquet::schema::types::ColumnDescPtr;

use super::coder::Coder;
use super::dictionaries;
use super::dictionary::{Texts, Words};
use super::failed::FAILED;
use super::pages::{DictionaryPage, EncodedColumn, Levels, Pages};

/// A page is closed once its values have so many bytes, or it has so many rows.
const PAGE_BYTES: usize = 1024 * 1024;
const PAGE_ROWS: usize = 128 * 1024;

/// Encodes a column.
pub(super) struct ColumnEncoder {
    pages: Pages,
    levels: Levels,
    values: Values,
}

/// The values of the page in the making, by the form that they have in Parquet.
enum Values {
    Bits(BooleanBufferBuilder),
    /// Whole numbers, days and floats of 32 bits, and decimals of up to nine digits.
    Four(Coder<Words<u32>>),
    /// Whole numbers, moments and floats of 64 bits, and decimals of up to 18 digits.
    Eight(Coder<Words<u64>>),
    /// Longer decimals.
    Decimals(Coder<Words<u128>>),
    Texts(Coder<Texts>),
}

impl ColumnEncoder {
    /// Starts a column that begins with `first`, which is still to be pushed.
    pub(super) fn new(
        column: ColumnDescPtr,
        first: &ArrayRef,
        compression: ParquetCompression,
    ) -> Result<ColumnEncoder> {
        let has_dictionary = dictionaries::is_worthwhile(first);
        let values = match column.physical_type() {
            Type::BOOLEAN => Values::Bits(BooleanBufferBuilder::new(0)),
            Type::INT32 | Type::FLOAT => Values::Four(Coder::new(has_dictionary, 4)),
            Type::INT64 | Type::DOUBLE => Values::Eight(Coder::new(has_dictionary, 8)),
            Type::FIXED_LEN_BYTE_ARRAY => {
                let width = usize::try_from(column.type_length()).unwrap_or(0);
                Values::Decimals(Coder::new(has_dictionary, width))
            }
            Type::BYTE_ARRAY => Values::Texts(Coder::new(has_dictionary, 0)),
            Type::INT96 => return Err(unknown(first)),
        };
        let (pages, levels) = (Pages::new(column, compression)?, Levels::default());
        Ok(ColumnEncoder { pages, levels, values })
    }

    /// Roughly the bytes that the column has by now.
    pub(super) fn bytes(&self) -> usize {
        self.pages.bytes() + self.values.bytes_of_page() + self.values.bytes_of_dictionary()
    }

    /// Appends rows.
    pub(super) fn push(&mut self, column: &ArrayRef) -> Result<()> {
        self.levels.push(column.len(), column.nulls());
        self.values.push(column)?;
        let is_full = self.levels.rows() >= PAGE_ROWS || self.values.bytes_of_page() >= PAGE_BYTES;
        if is_full || self.values.has_outgrown_dictionary() {
            self.values.write(&mut self.levels, &mut self.pages)?;
        }
        Ok(())
    }

    /// Completes the column.
    pub(super) fn finish(mut self) -> Result<EncodedColumn> {
        if self.levels.rows() > 0 {
            self.values.write(&mut self.levels, &mut self.pages)?;
        }
        self.pages.finish(self.values.dictionary())
    }
}

/// The same code for each kind of coder.
macro_rules! of_coder {
    ($values:expr, $bits:pat => $of_bits:expr, $coder:pat => $of_coder:expr) => {
        match $values {
            Values::Bits($bits) => $of_bits,
            Values::Four($coder) => $of_coder,
            Values::Eight($coder) => $of_coder,
            Values::Decimals($coder) => $of_coder,
            Values::Texts($coder) => $of_coder,
        }
    };
}

impl Values {
    fn push(&mut self, column: &ArrayRef) -> Result<()> {
        let nulls = column.nulls();
        match self {
            Values::Bits(bits) => push_bits(bits, column)?,
            Values::Four(coder) => coder.push(words_of_four(column)?.iter(), nulls),
            Values::Eight(coder) => coder.push(words_of_eight(column)?.iter(), nulls),
            Values::Decimals(coder) => {
                coder.push(words::<i128>(column)?.iter().map(to_word), nulls)
            }
            Values::Texts(coder) => {
                let (ends, bytes) = texts(column)?;
                let text = |ends: &[i32]| &bytes[ends[0] as usize..ends[1] as usize];
                coder.push(ends.windows(2).map(text), nulls);
            }
        }
        Ok(())
    }

    fn bytes_of_page(&self) -> usize {
        of_coder!(self, bits => bits.len() / 8, coder => coder.bytes_of_page())
    }

    fn bytes_of_dictionary(&self) -> usize {
        of_coder!(self, _ => 0, coder => coder.bytes_of_dictionary())
    }

    fn has_outgrown_dictionary(&self) -> bool {
        of_coder!(self, _ => false, coder => coder.has_outgrown_dictionary())
    }

    /// Writes the page, and begins the next one.
    fn write(&mut self, levels: &mut Levels, pages: &mut Pages) -> Result<()> {
        of_coder!(
            self,
            bits => {
                let bits = bits.finish();
                let bits = bits.inner().as_slice();
                pages.write(levels, Encoding::PLAIN, |page| page.extend_from_slice(bits))
            },
            coder => coder.write(levels, pages)
        )
    }

    fn dictionary(self) -> Option<DictionaryPage> {
        of_coder!(self, _ => None, coder => coder.finish())
    }
}

fn push_bits(bits: &mut BooleanBufferBuilder, column: &ArrayRef) -> Result<()> {
    let booleans = column.as_boolean_opt().ok_or_else(|| unknown(column))?;
    match booleans.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => bits.append_buffer(booleans.values()),
        Some(_) => booleans.iter().flatten().for_each(|value| bits.append(value)),
    }
    Ok(())
}

// Parquet has no numbers of 8 and 16 bits.
fn words_of_four(column: &ArrayRef) -> Result<ScalarBuffer<u32>> {
    match column.data_type() {
        DataType::Int8 | DataType::Int16 => {
            let wider = cast(column, &DataType::Int32).context(Kind::Internal, FAILED)?;
            words(&wider)
        }
        DataType::Decimal128(..) => narrowed(column, |value| value as u32),
        _ => words(column),
    }
}

fn words_of_eight(column: &ArrayRef) -> Result<ScalarBuffer<u64>> {
    match column.data_type() {
        DataType::Decimal128(..) => narrowed(column, |value| value as u64),
        _ => words(column),
    }
}

/// The lowest bits of decimals, which are all that these have.
fn narrowed<W: ArrowNativeType>(
    column: &ArrayRef,
    narrow: impl Fn(i128) -> W,
) -> Result<ScalarBuffer<W>> {
    let decimals = column.as_primitive_opt::<Decimal128Type>().ok_or_else(|| unknown(column))?;
    Ok(decimals.values().iter().map(|value| narrow(*value)).collect::<Vec<W>>().into())
}

fn to_word(value: &i128) -> u128 {
    *value as u128
}

/// The values of a column of numbers as they lie in memory.
fn words<W: ArrowNativeType>(column: &ArrayRef) -> Result<ScalarBuffer<W>> {
    let data = column.to_data();
    let is_as_wide = column.data_type().primitive_width() == Some(size_of::<W>());
    let buffer = data.buffers().first().filter(|_| is_as_wide).ok_or_else(|| unknown(column))?;
    Ok(ScalarBuffer::new(buffer.clone(), data.offset(), data.len()))
}

/// Where each text ends, from the beginning of the first on, and the texts' bytes.
fn texts(column: &ArrayRef) -> Result<(&[i32], &[u8])> {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Ok((texts.value_offsets(), texts.value_data()));
    }
    let bytes = column.as_binary_opt::<i32>().ok_or_else(|| unknown(column))?;
    Ok((bytes.value_offsets(), bytes.value_data()))
}

fn unknown(column: &ArrayRef) -> Error {
    let fact = format!("a Parquet file takes no column of the type {}", column.data_type());
    Error::new(Kind::Internal, fact)
}
