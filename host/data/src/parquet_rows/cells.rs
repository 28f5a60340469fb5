//! The values of a column as JSON.
//!
//! In: an array of Arrow. Out: each value as a row has it: numbers and booleans bare, texts and
//! moments as strings, nested values as JSON, NULL as nothing.

use std::collections::HashSet;
use std::fmt::Display;
use std::io::Write;

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DecimalType, Field, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use loader_model::error::{Error, Kind, Result};

/// The values of a column of a batch.
pub(super) struct Cells<'a> {
    field: &'a Field,
    array: &'a dyn Array,
    /// Of moments.
    formatter: Option<ArrayFormatter<'a>>,
}

const MOMENTS: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"));

/// The name of the type of UUIDs among Arrow's extensions.
const UUID: &str = "arrow.uuid";

/// Why a value cannot be written; the row is then none.
type Pushed = std::result::Result<(), String>;

impl<'a> Cells<'a> {
    /// Errors: `Data` for a type that cannot be written.
    pub(super) fn new(field: &'a Field, array: &'a dyn Array) -> Result<Cells<'a>> {
        let formatter = is_moment(array.data_type())
            .then(|| ArrayFormatter::try_new(array, &MOMENTS))
            .transpose()
            .map_err(|error| Error::new(Kind::Data, format!("`{}`: {error}", field.name())))?;
        Ok(Cells { field, array, formatter })
    }

    /// Appends the value of a row. Errors: why it cannot be written.
    pub(super) fn push(&self, row: usize, out: &mut Vec<u8>) -> Pushed {
        if is_null(self.array, row) {
            return Ok(());
        }
        let pushed = match &self.formatter {
            Some(formatter) => push_moment(formatter, row, out),
            None => push_value(self.field, self.array, row, Place::Column, out),
        };
        pushed.map_err(|fact| format!("the value of `{}` {fact}", self.field.name()))
    }
}

/// An array of NULLs has no nulls of its own.
fn is_null(array: &dyn Array, row: usize) -> bool {
    *array.data_type() == DataType::Null || array.is_null(row)
}

fn is_moment(data_type: &DataType) -> bool {
    data_type.is_temporal()
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Column,
    /// Within another value, where it must be JSON.
    Nested,
}

/// Appends a value that is not NULL.
fn push_value(
    field: &Field,
    array: &dyn Array,
    row: usize,
    place: Place,
    out: &mut Vec<u8>,
) -> Pushed {
    match array.data_type() {
        DataType::Boolean => push(out, array.as_boolean().value(row)),
        DataType::Int8 => push(out, primitive::<Int8Type>(array, row)),
        DataType::Int16 => push(out, primitive::<Int16Type>(array, row)),
        DataType::Int32 => push(out, primitive::<Int32Type>(array, row)),
        DataType::Int64 => push(out, primitive::<Int64Type>(array, row)),
        DataType::UInt8 => push(out, primitive::<UInt8Type>(array, row)),
        DataType::UInt16 => push(out, primitive::<UInt16Type>(array, row)),
        DataType::UInt32 => push(out, primitive::<UInt32Type>(array, row)),
        DataType::UInt64 => push(out, primitive::<UInt64Type>(array, row)),
        DataType::Float16 => push_float(out, primitive::<Float16Type>(array, row).to_f32(), place),
        DataType::Float32 => push_float(out, primitive::<Float32Type>(array, row), place),
        DataType::Float64 => push_float(out, primitive::<Float64Type>(array, row), place),
        DataType::Decimal32(_, _) => push_decimal::<Decimal32Type>(array, row, out),
        DataType::Decimal64(_, _) => push_decimal::<Decimal64Type>(array, row, out),
        DataType::Decimal128(_, _) => push_decimal::<Decimal128Type>(array, row, out),
        DataType::Decimal256(_, _) => push_decimal::<Decimal256Type>(array, row, out),
        DataType::Utf8View => push_text(out, array.as_string_view().value(row)),
        DataType::BinaryView => push_bytes(out, array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => push_fixed(field, array, row, out),
        DataType::Struct(_) => push_struct(array.as_struct(), row, out),
        DataType::List(values) => {
            push_list(values, array.as_list::<i32>().value(row).as_ref(), out)
        }
        DataType::LargeList(values) => {
            push_list(values, array.as_list::<i64>().value(row).as_ref(), out)
        }
        DataType::Map(_, _) => push_map(&array.as_map().value(row), out),
        other if is_moment(other) => {
            let formatter = ArrayFormatter::try_new(array, &MOMENTS);
            push_moment(&formatter.map_err(|error| error.to_string())?, row, out)
        }
        other => Err(format!("has the type {other}, which is not read")),
    }
}

fn primitive<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
    array.as_primitive::<T>().value(row)
}

fn push_decimal<T: DecimalType>(array: &dyn Array, row: usize, out: &mut Vec<u8>) -> Pushed {
    push(out, array.as_primitive::<T>().value_as_string(row))
}

fn push(out: &mut Vec<u8>, value: impl Display) -> Pushed {
    write!(out, "{value}").map_err(|error| error.to_string())
}

/// Appends the shortest text that gives the number back.
fn push_float<T: Into<f64> + std::fmt::Debug + Copy>(
    out: &mut Vec<u8>,
    value: T,
    place: Place,
) -> Pushed {
    if !value.into().is_finite() && place == Place::Nested {
        return Err(format!("has {value:?} within a nested value, for which JSON has no number"));
    }
    write!(out, "{value:?}").map_err(|error| error.to_string())
}

fn push_text(out: &mut Vec<u8>, text: &str) -> Pushed {
    if text.contains('\0') {
        return Err("holds a NUL, which Redshift cannot store".to_owned());
    }
    serde_json::to_writer(out, text).map_err(|error| error.to_string())
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Pushed {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| "is binary and not text in UTF-8; write it as text, such as hexadecimal")?;
    push_text(out, text)
}

/// Appends bytes of one length: a UUID, or text.
fn push_fixed(field: &Field, array: &dyn Array, row: usize, out: &mut Vec<u8>) -> Pushed {
    let bytes = array.as_fixed_size_binary().value(row);
    if field.extension_type_name() != Some(UUID) {
        return push_bytes(out, bytes);
    }
    let uuid = uuid::Uuid::from_slice(bytes).map_err(|_| "is no UUID")?;
    push_text(out, &uuid.to_string())
}

fn push_moment(formatter: &ArrayFormatter<'_>, row: usize, out: &mut Vec<u8>) -> Pushed {
    let text = formatter.value(row).try_to_string().map_err(|error| error.to_string())?;
    push_text(out, &text)
}

/// Appends a value within another one.
fn push_nested(field: &Field, array: &dyn Array, row: usize, out: &mut Vec<u8>) -> Pushed {
    match is_null(array, row) {
        true => push(out, "null"),
        false => push_value(field, array, row, Place::Nested, out),
    }
}

fn push_list(field: &Field, values: &dyn Array, out: &mut Vec<u8>) -> Pushed {
    out.push(b'[');
    for row in 0..values.len() {
        if row > 0 {
            out.push(b',');
        }
        push_nested(field, values, row, out)?;
    }
    out.push(b']');
    Ok(())
}

fn push_struct(values: &StructArray, row: usize, out: &mut Vec<u8>) -> Pushed {
    out.push(b'{');
    for (place, (field, column)) in values.fields().iter().zip(values.columns()).enumerate() {
        if place > 0 {
            out.push(b',');
        }
        push_text(out, field.name())?;
        out.push(b':');
        push_nested(field, column.as_ref(), row, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Appends a map as an object. Keys that are no texts become such.
fn push_map(entries: &StructArray, out: &mut Vec<u8>) -> Pushed {
    let [key_field, value_field] = &entries.fields()[..] else {
        return Err("is a map without keys and values".to_owned());
    };
    let (keys, values) = (entries.column(0), entries.column(1));
    let mut seen = HashSet::new();
    out.push(b'{');
    for row in 0..entries.len() {
        if row > 0 {
            out.push(b',');
        }
        let mut key = Vec::new();
        push_value(key_field, keys.as_ref(), row, Place::Nested, &mut key)?;
        if key.first() != Some(&b'"') {
            let bare = String::from_utf8_lossy(&std::mem::take(&mut key)).into_owned();
            push_text(&mut key, &bare)?;
        }
        out.extend_from_slice(&key);
        if !seen.insert(key) {
            return Err("is a map that has a key twice".to_owned());
        }
        out.push(b':');
        push_nested(value_field, values.as_ref(), row, out)?;
    }
    out.push(b'}');
    Ok(())
}
