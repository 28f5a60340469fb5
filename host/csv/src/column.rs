//! One column of a batch in the making: buffers that grow field by field and become an Arrow array.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{
    BooleanBuffer, BooleanBufferBuilder, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer,
};
use loader_values::{parse_bool_literal, parse_date, parse_i64, parse_timestamp};

use crate::decode_as::DecodeAs;
use crate::field::{Field, FieldReader};

pub(crate) struct ColumnBuilder {
    decode_as: DecodeAs,
    values: Values,
    nulls: NullBufferBuilder,
}

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
            DecodeAs::Decimal | DecodeAs::Double | DecodeAs::Text => {
                Values::Text { ends: vec![0], bytes: Vec::new() }
            }
            DecodeAs::Skip => Values::Skip,
        };
        ColumnBuilder { decode_as, values, nulls: NullBufferBuilder::new(0) }
    }

    pub(crate) fn decode_as(&self) -> DecodeAs {
        self.decode_as
    }

    /// Throws away what an earlier chunk may have left behind after an error.
    pub(crate) fn clear(&mut self) {
        *self = ColumnBuilder::new(self.decode_as);
    }

    /// Appends fields, given by their places in `bytes`. The error is the number and the place of
    /// the first field that does not read as the column's type.
    pub(crate) fn extend(
        &mut self,
        bytes: &[u8],
        fields: impl Iterator<Item = (usize, usize)>,
        reader: &FieldReader,
        scratch: &mut Vec<u8>,
    ) -> Result<(), (usize, usize)> {
        let nulls = &mut self.nulls;
        let mut source = Source { bytes, reader, scratch, nulls };
        match &mut self.values {
            Values::Int32(values) => {
                source.parse_all(fields, values, |text| parse_i64(text)?.try_into().ok())
            }
            Values::Int64(values) => source.parse_all(fields, values, parse_i64),
            Values::Date(values) => source.parse_all(fields, values, parse_date),
            Values::Timestamp(values) => source.parse_all(fields, values, parse_timestamp),
            Values::Boolean(values) => source.each(fields, |text| {
                values.append(match text {
                    None => false,
                    Some(text) => parse_bool_literal(text)?,
                });
                Some(())
            }),
            Values::Text { ends, bytes } => {
                source.text(fields, ends, bytes, self.decode_as == DecodeAs::Text);
                Ok(())
            }
            Values::Skip => Ok(()),
        }
    }

    /// The array of what was appended; `None` when the column is skipped. The error is Arrow's.
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

/// A buffer for the next batch, which will be about as big as the last.
fn next_buffer<T>(length: usize, first: Option<T>) -> Vec<T> {
    let mut buffer = Vec::with_capacity(length + length / 16);
    buffer.extend(first);
    buffer
}

struct Source<'a> {
    bytes: &'a [u8],
    reader: &'a FieldReader,
    scratch: &'a mut Vec<u8>,
    nulls: &'a mut NullBufferBuilder,
}

impl Source<'_> {
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

    /// Calls `take` with each field's text, or nothing for NULL.
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
            // A batch's bytes are bounded far below 2 GiB.
            ends.push(bytes.len() as i32);
        }
    }
}
