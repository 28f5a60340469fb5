//! A column of one batch, as its cells read it: as typed values, or written as text.

use std::cell::OnceCell;
use std::fmt::{Debug, Display};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use loader_values as values;

/// A column of one batch.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(super) name: Arc<str>,
    pub(crate) array: ArrayRef,
    /// Whether the array has a single value, which stands for every row.
    pub(super) is_constant: bool,
    /// The values as text, when the column has another type. They are written once for the batch,
    /// when the first cell is read as text.
    texts: OnceCell<StringArray>,
}

impl Reader {
    pub(crate) fn new(name: Arc<str>, array: ArrayRef, is_constant: bool) -> Reader {
        Reader { name, array, is_constant, texts: OnceCell::new() }
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn len(&self) -> usize {
        self.array.len()
    }

    pub(super) fn texts(&self) -> &StringArray {
        match self.array.as_string_opt::<i32>() {
            Some(texts) => texts,
            None => self.texts.get_or_init(|| texts(&self.array)),
        }
    }
}

/// All values as text, such as `true`, `2024-12-31` and `12.50`.
// Other types have no text. Cells of them are never read, because `Kind::of` makes them
// `Kind::Other` and `ColumnList::source` refuses that kind.
fn texts(array: &ArrayRef) -> StringArray {
    match array.data_type() {
        DataType::Boolean => {
            let word = |value| if value { "true" } else { "false" };
            array.as_boolean().iter().map(|value| value.map(word)).collect()
        }
        DataType::Int8 => integers::<Int8Type>(array),
        DataType::Int16 => integers::<Int16Type>(array),
        DataType::Int32 => integers::<Int32Type>(array),
        DataType::Int64 => integers::<Int64Type>(array),
        DataType::Float32 => floats::<Float32Type>(array),
        DataType::Float64 => floats::<Float64Type>(array),
        DataType::Date32 => written::<Date32Type>(array, values::format_date),
        DataType::Timestamp(_, _) => {
            written::<TimestampMicrosecondType>(array, values::format_timestamp)
        }
        DataType::Decimal128(_, scale) => decimals(array, scale.unsigned_abs()),
        _ => StringArray::new_null(array.len()),
    }
}

fn integers<T: ArrowPrimitiveType<Native: Display>>(array: &ArrayRef) -> StringArray {
    written::<T>(array, |value| value.to_string())
}

/// The shortest digits that read back as the same float, without a fraction of zero. For example,
/// 5.0 becomes `5`.
// By `Debug`, which writes 1e16 with an exponent; `Display` would write all its zeros.
fn floats<T: ArrowPrimitiveType<Native: Debug>>(array: &ArrayRef) -> StringArray {
    written::<T>(array, |value| {
        let text = format!("{value:?}");
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    })
}

fn decimals(array: &ArrayRef, scale: u8) -> StringArray {
    written::<Decimal128Type>(array, |value| {
        let mut text = String::new();
        values::write_decimal(value, scale, &mut text);
        text
    })
}

fn written<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    text: impl Fn(T::Native) -> String,
) -> StringArray {
    array.as_primitive::<T>().iter().map(|value| value.map(&text)).collect()
}
