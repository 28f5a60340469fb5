//! The rows of a Parquet file, batch by batch, as rows of the buffer.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use super::faults::scan_error;
use crate::copy::binary::RowBuffer;
use crate::copy::source::SourceFile;
use crate::copy::target::{LoadedColumn, LoadedType};

/// Writes the rows of a batch.
pub(crate) fn write_batch(
    batch: &RecordBatch,
    columns: &[LoadedColumn],
    file: &SourceFile,
    out: &mut RowBuffer,
) -> Result<(), String> {
    let readers = readers(batch, columns.len()).ok_or_else(|| {
        scan_error(&format!("File '{}' changed its schema while it was read", file.url))
    })?;
    for row in 0..batch.num_rows() {
        out.start_row();
        for (reader, column) in readers.iter().zip(columns) {
            match reader {
                // Nulls are told apart first: an array holds some value at a null's place too.
                Some(reader) if !reader.array.is_null(row) => {
                    reader.values.write(row, column, file, out)?;
                }
                _ => write_null(column, out)?,
            }
        }
    }
    Ok(())
}

/// A reader for each column of the table. `None` when no column of a table takes an array's type.
fn readers(batch: &RecordBatch, columns: usize) -> Option<Vec<Option<ColumnReader<'_>>>> {
    // `Some(None)` is a column that the file lacks and FILLRECORD fills with nulls.
    let reader = |index: usize| match batch.columns().get(index) {
        Some(array) => ColumnReader::new(array.as_ref()).map(Some),
        None => Some(None),
    };
    (0..columns).map(reader).collect()
}

// Unlike in text files, a null in a NOT NULL column does not become the column's default.
fn write_null(column: &LoadedColumn, out: &mut RowBuffer) -> Result<(), String> {
    if column.not_null {
        return Err(format!("ERROR: Cannot insert a NULL value into column {}", column.name));
    }
    out.null();
    Ok(())
}

struct ColumnReader<'a> {
    array: &'a dyn Array,
    values: Values<'a>,
}

impl<'a> ColumnReader<'a> {
    /// `None` when no column of a table takes the array's type.
    fn new(array: &'a dyn Array) -> Option<ColumnReader<'a>> {
        Some(ColumnReader { array, values: Values::new(array)? })
    }
}

/// A column of a batch, downcast to its type.
// The downcast happens once for a batch. In the loop over rows it would be paid for each value.
enum Values<'a> {
    Int8(&'a arrow_array::PrimitiveArray<Int8Type>),
    Int16(&'a arrow_array::PrimitiveArray<Int16Type>),
    Int32(&'a arrow_array::PrimitiveArray<Int32Type>),
    Int64(&'a arrow_array::PrimitiveArray<Int64Type>),
    Float32(&'a arrow_array::PrimitiveArray<Float32Type>),
    Float64(&'a arrow_array::PrimitiveArray<Float64Type>),
    Boolean(&'a arrow_array::BooleanArray),
    Decimal(&'a arrow_array::PrimitiveArray<Decimal128Type>, u8),
    Text(&'a arrow_array::StringArray),
    Bytes(&'a arrow_array::BinaryArray),
    Date(&'a arrow_array::PrimitiveArray<Date32Type>),
    Millis(&'a arrow_array::PrimitiveArray<TimestampMillisecondType>),
    Micros(&'a arrow_array::PrimitiveArray<TimestampMicrosecondType>),
    Nanos(&'a arrow_array::PrimitiveArray<TimestampNanosecondType>),
}

impl<'a> Values<'a> {
    fn new(array: &'a dyn Array) -> Option<Values<'a>> {
        Some(match array.data_type() {
            DataType::Int8 => Values::Int8(array.as_primitive()),
            DataType::Int16 => Values::Int16(array.as_primitive()),
            DataType::Int32 => Values::Int32(array.as_primitive()),
            DataType::Int64 => Values::Int64(array.as_primitive()),
            DataType::Float32 => Values::Float32(array.as_primitive()),
            DataType::Float64 => Values::Float64(array.as_primitive()),
            DataType::Boolean => Values::Boolean(array.as_boolean()),
            DataType::Decimal128(_, scale) => {
                Values::Decimal(array.as_primitive(), u8::try_from(*scale).ok()?)
            }
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Binary => Values::Bytes(array.as_binary()),
            DataType::Date32 => Values::Date(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Values::Millis(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Values::Micros(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Values::Nanos(array.as_primitive()),
            _ => return None,
        })
    }

    /// Writes the value in a row, which must not be null.
    fn write(
        &self,
        row: usize,
        column: &LoadedColumn,
        file: &SourceFile,
        out: &mut RowBuffer,
    ) -> Result<(), String> {
        match self {
            Values::Int8(array) => out.int2(i16::from(array.value(row))),
            Values::Int16(array) => out.int2(array.value(row)),
            Values::Int32(array) => out.int4(array.value(row)),
            Values::Int64(array) => out.int8(array.value(row)),
            Values::Float32(array) => out.float4(array.value(row)),
            Values::Float64(array) => out.float8(array.value(row)),
            Values::Boolean(array) => out.boolean(array.value(row)),
            Values::Decimal(array, scale) => out.numeric(array.value(row), *scale),
            Values::Text(array) => write_text(array.value(row), column, file, out)?,
            Values::Bytes(array) => out.bytes(array.value(row)),
            Values::Date(array) => out.date(array.value(row)),
            Values::Millis(array) => out.timestamp(array.value(row) * 1000),
            Values::Micros(array) => out.timestamp(array.value(row)),
            // Rounds down before 1970 too: -1 ns is in microsecond -1, where `/` would give 0.
            Values::Nanos(array) => out.timestamp(array.value(row).div_euclid(1000)),
        }
        Ok(())
    }
}

fn write_text(
    text: &str,
    column: &LoadedColumn,
    file: &SourceFile,
    out: &mut RowBuffer,
) -> Result<(), String> {
    let (LoadedType::Varchar(bytes) | LoadedType::Char(bytes)) = column.kind else {
        out.bytes(text.as_bytes());
        return Ok(());
    };
    if text.len() > bytes {
        return Err(scan_error(&format!(
            "The length of the data column {} is longer than the length defined in the table. \
             Table: {bytes}, Data: {}, File name: {}",
            column.name,
            text.len(),
            file.url
        )));
    }
    if text.as_bytes().contains(&0) {
        return Err(scan_error(&format!(
            "Column {}: invalid null byte (0x00) in a string, File name: {}",
            column.name, file.url
        )));
    }
    out.bytes(text.as_bytes());
    Ok(())
}
