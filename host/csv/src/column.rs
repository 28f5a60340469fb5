//! One column of a batch in the making: buffers that grow field by field and become an Arrow array.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{
    BooleanBuffer, BooleanBufferBuilder, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer,
};
use loader_values::{
    parse_bool_literal, parse_date, parse_date_loosely, parse_i64, parse_timestamp,
    parse_timestamp_loosely, parse_whole_loosely,
};

use crate::decode_as::DecodeAs;
use crate::read_field::{Field, ReadField};

pub(crate) struct ColumnBuilder {
    decode_as: DecodeAs,
    values: Values,
    nulls: NullBufferBuilder,
}

// NULL takes a place in every buffer (0, false or no bytes), so that row N of the values is row N
// of the nulls. `ends` are Arrow's offsets: one more than there are rows, and the first is 0. (For
// example, the texts `ab`, NULL and `c` have the ends 0, 2, 2, 3.)
enum Values {
    Boolean(BooleanBufferBuilder),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Date(Vec<i32>),
    Timestamp(Vec<i64>),
    Text { ends: Vec<i32>, bytes: Vec<u8> },
    Skip,
}

impl ColumnBuilder {
    pub(crate) fn new(decode_as: DecodeAs) -> ColumnBuilder {
        let values = match decode_as {
            DecodeAs::Boolean => Values::Boolean(BooleanBufferBuilder::new(0)),
            DecodeAs::Int32 => Values::Int32(Vec::new()),
            DecodeAs::Int64 => Values::Int64(Vec::new()),
            DecodeAs::Date32 => Values::Date(Vec::new()),
            DecodeAs::TimestampMicros => Values::Timestamp(Vec::new()),
            DecodeAs::Decimal { .. } | DecodeAs::Double | DecodeAs::Text | DecodeAs::Json => {
                Values::Text { ends: vec![0], bytes: Vec::new() }
            }
            DecodeAs::Skip => Values::Skip,
        };
        ColumnBuilder { decode_as, values, nulls: NullBufferBuilder::new(0) }
    }

    pub(crate) fn decode_as(&self) -> DecodeAs {
        self.decode_as
    }

    /// Drops the rows that an earlier chunk left behind. After an error the columns differ in
    /// length: for example, `order_id` has all 512 rows of a block, and `amount` only the 3 rows
    /// before a value that does not read as a number.
    pub(crate) fn clear(&mut self) {
        *self = ColumnBuilder::new(self.decode_as);
    }

    /// Appends fields, which are given by their places in `bytes`.
    ///
    /// Errors: the row number (from 0) and the place of the first field that does not read as the
    /// column's type. The column is then of no more use until [`ColumnBuilder::clear`].
    pub(crate) fn extend(
        &mut self,
        bytes: &[u8],
        fields: impl Iterator<Item = (usize, usize)>,
        reader: impl ReadField,
        scratch: &mut Vec<u8>,
    ) -> Result<(), (usize, usize)> {
        let nulls = &mut self.nulls;
        let mut source = Source { bytes, reader, scratch, nulls };
        match &mut self.values {
            Values::Int32(values) => {
                source.parse_all(fields, values, |text| whole(text)?.try_into().ok())
            }
            Values::Int64(values) => source.parse_all(fields, values, whole),
            Values::Date(values) => source.parse_all(fields, values, day),
            Values::Timestamp(values) => source.parse_all(fields, values, moment),
            Values::Boolean(values) => source.each(fields, |text| {
                values.append(match text {
                    None => false,
                    Some(text) => parse_bool_literal(text)?,
                });
                Some(())
            }),
            Values::Text { ends, bytes } => {
                source.text(fields, ends, bytes, self.decode_as.keeps_empty());
                Ok(())
            }
            Values::Skip => Ok(()),
        }
    }

    /// Makes an array of the fields that were appended; `None` when the column is skipped.
    ///
    /// Errors: the text of Arrow's error, for instance about bytes that are not UTF-8.
    pub(crate) fn finish(&mut self) -> Result<Option<ArrayRef>, String> {
        let nulls = self.nulls.finish();
        let array: ArrayRef = match &mut self.values {
            Values::Boolean(values) => boolean(values.finish(), nulls)?,
            Values::Int32(values) => primitive::<Int32Type>(values, nulls)?,
            Values::Int64(values) => primitive::<Int64Type>(values, nulls)?,
            Values::Date(values) => primitive::<Date32Type>(values, nulls)?,
            Values::Timestamp(values) => primitive::<TimestampMicrosecondType>(values, nulls)?,
            Values::Text { ends, bytes } => text(ends, bytes, nulls)?,
            Values::Skip => return Ok(None),
        };
        Ok(Some(array))
    }
}

// The strict forms come first, since nearly all values have them. The profile says whether a column
// of the file may be read so; a new column never has other forms.
#[inline]
fn whole(text: &[u8]) -> Option<i64> {
    parse_i64(text).or_else(|| parse_whole_loosely(text))
}

#[inline]
fn day(text: &[u8]) -> Option<i32> {
    parse_date(text).or_else(|| parse_date_loosely(text))
}

#[inline]
fn moment(text: &[u8]) -> Option<i64> {
    parse_timestamp(text).or_else(|| parse_timestamp_loosely(text).map(|moment| moment.micros))
}

// `BooleanArray` has no `try_new`, and its `new` panics when the lengths differ.
fn boolean(values: BooleanBuffer, nulls: Option<NullBuffer>) -> Result<ArrayRef, String> {
    if nulls.as_ref().is_some_and(|nulls| nulls.len() != values.len()) {
        return Err("values and nulls differ in number".to_owned());
    }
    Ok(Arc::new(BooleanArray::new(values, nulls)))
}

fn text(
    ends: &mut Vec<i32>,
    bytes: &mut Vec<u8>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let ends = std::mem::replace(ends, next_buffer(ends.len(), Some(0)));
    let bytes = std::mem::replace(bytes, next_buffer(bytes.len(), None));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    let array = StringArray::try_new(offsets, bytes.into(), nulls);
    Ok(Arc::new(array.map_err(|error| error.to_string())?))
}

fn primitive<T: ArrowPrimitiveType>(
    values: &mut Vec<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, String> {
    let values = std::mem::replace(values, next_buffer(values.len(), None));
    let array = PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)
        .map_err(|error| error.to_string())?;
    Ok(Arc::new(array))
}

/// Makes a buffer for the next batch. Batches of one file are about equally big, so it gets the
/// last one's length and a sixteenth more, and seldom has to grow.
fn next_buffer<T>(length: usize, first: Option<T>) -> Vec<T> {
    let mut buffer = Vec::with_capacity(length + length / 16);
    buffer.extend(first);
    buffer
}

struct Source<'a, R> {
    bytes: &'a [u8],
    reader: R,
    scratch: &'a mut Vec<u8>,
    nulls: &'a mut NullBufferBuilder,
}

impl<R: ReadField> Source<'_, R> {
    #[inline(always)]
    fn parse_all<T: Default>(
        &mut self,
        fields: impl Iterator<Item = (usize, usize)>,
        values: &mut Vec<T>,
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<(), (usize, usize)> {
        self.each(fields, |text| {
            values.push(match text {
                None => T::default(),
                Some(text) => parse(text)?,
            });
            Some(())
        })
    }

    /// Calls `take` with each field's text, or with `None` for NULL. `take` returns `None` when the
    /// text does not read as the column's type.
    // The null bit is written before `take` may fail, so a failed column has one bit too many.
    // `ColumnBuilder::clear` mends that; nothing else may use the column until then.
    #[inline(always)]
    fn each(
        &mut self,
        fields: impl Iterator<Item = (usize, usize)>,
        mut take: impl FnMut(Option<&[u8]>) -> Option<()>,
    ) -> Result<(), (usize, usize)> {
        for (row, (start, end)) in fields.enumerate() {
            let taken = match self.reader.read(&self.bytes[start..end], self.scratch) {
                Field::Null | Field::QuotedEmpty => {
                    self.nulls.append_null();
                    take(None)
                }
                Field::Text(text) => {
                    self.nulls.append_non_null();
                    take(Some(text))
                }
            };
            taken.ok_or((row, start))?;
        }
        Ok(())
    }

    // `keep_empty` is set for text columns only. Decimals and doubles travel as text too, but `""`
    // is NULL for them.
    fn text(
        &mut self,
        fields: impl Iterator<Item = (usize, usize)>,
        ends: &mut Vec<i32>,
        bytes: &mut Vec<u8>,
        keep_empty: bool,
    ) {
        for (start, end) in fields {
            match self.reader.read(&self.bytes[start..end], self.scratch) {
                Field::QuotedEmpty if keep_empty => self.nulls.append_non_null(),
                Field::Null | Field::QuotedEmpty => self.nulls.append_null(),
                Field::Text(text) => {
                    self.nulls.append_non_null();
                    bytes.extend_from_slice(text);
                }
            }
            // The cast cannot overflow: `BATCH_BYTES` ends a batch at 32 MiB and a block of rows.
            ends.push(bytes.len() as i32);
        }
    }
}
