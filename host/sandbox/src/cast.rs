//! The strict cast: each value is cast exactly, or its row is reported as failed.
//!
//! No digit is lost unseen: a decimal is rounded half away from zero, and counted. (`1.005` becomes
//! `1.01` with two digits, and counts.) Text is read by `loader-values`, as everywhere else.

mod floats;

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, NullBuffer, NullBufferBuilder};
use arrow_schema::{DataType, TimeUnit};
use loader_values as values;

use floats::{exact_f64, nearest_f32, parse_f32};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A column after a cast.
#[derive(Debug)]
pub struct CastOutcome {
    /// As long as the input. Null where the input was null or the value failed.
    pub array: ArrayRef,
    /// The rows whose value the type cannot hold, ascending.
    pub failed: Vec<u32>,
    /// The number of values that lost digits past the scale.
    pub rounded: u64,
}

/// A pair of types that [`can_cast`] denies.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{from} is not cast to {to}")]
pub struct CastError {
    from: DataType,
    to: DataType,
}

/// Whether [`strict_cast`] takes this pair: equal types; integers to integers, decimals, double and
/// text; text to anything that can be written as text; decimals to decimals and text; date to
/// timestamp and text; real to double and back; booleans and timestamps to text.
pub fn can_cast(from: &DataType, to: &DataType) -> bool {
    let casts_to = |from: CastType| CastType::of(to).is_some_and(|to| from.casts_to(to));
    from == to || CastType::of(from).is_some_and(casts_to)
}

/// Casts each value, or reports its row as failed.
///
/// Text becomes the nearest double, and a double the nearest real. An integer must be exact as a double: 2^53 + 1 fails.
pub fn strict_cast(array: &ArrayRef, to: &DataType) -> Result<CastOutcome, CastError> {
    let from = array.data_type();
    if from == to {
        return Ok(CastOutcome { array: Arc::clone(array), failed: Vec::new(), rounded: 0 });
    }
    let refused = || CastError { from: from.clone(), to: to.clone() };
    match (CastType::of(from), CastType::of(to)) {
        (Some(from), Some(to)) if from.casts_to(to) => cast(array, from, to).ok_or_else(refused),
        _ => Err(refused()),
    }
}

/// The types that can be cast from or to: few, unlike Arrow's, so that a match can name them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CastType {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal { precision: u8, scale: u8 },
    Text,
    Date,
    Timestamp,
}

impl CastType {
    fn of(data_type: &DataType) -> Option<CastType> {
        Some(match data_type {
            DataType::Boolean => CastType::Boolean,
            DataType::Int8 => CastType::Int8,
            DataType::Int16 => CastType::Int16,
            DataType::Int32 => CastType::Int32,
            DataType::Int64 => CastType::Int64,
            DataType::Float32 => CastType::Float32,
            DataType::Float64 => CastType::Float64,
            DataType::Decimal128(precision, scale) => {
                CastType::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
            }
            DataType::Utf8 => CastType::Text,
            DataType::Date32 => CastType::Date,
            DataType::Timestamp(TimeUnit::Microsecond, None) => CastType::Timestamp,
            _ => return None,
        })
    }

    fn is_integer(self) -> bool {
        matches!(self, CastType::Int8 | CastType::Int16 | CastType::Int32 | CastType::Int64)
    }

    fn casts_to(self, to: CastType) -> bool {
        match self {
            CastType::Boolean | CastType::Timestamp => to == CastType::Text,
            CastType::Int8 | CastType::Int16 | CastType::Int32 | CastType::Int64 => {
                to.is_integer()
                    || matches!(to, CastType::Decimal { .. } | CastType::Float64 | CastType::Text)
            }
            CastType::Float32 => to == CastType::Float64,
            CastType::Float64 => to == CastType::Float32,
            CastType::Decimal { .. } => matches!(to, CastType::Decimal { .. } | CastType::Text),
            CastType::Text => true,
            CastType::Date => matches!(to, CastType::Timestamp | CastType::Text),
        }
    }
}

/// Casts by one function for each type of source. `None`: there is no such cast.
// A pair that only `casts_to` allowed would pass when a plan is checked, and fail at a batch.
fn cast(array: &ArrayRef, from: CastType, to: CastType) -> Option<CastOutcome> {
    match from {
        CastType::Text => Some(cast_text(array.as_string(), to)),
        CastType::Int8 => cast_integers::<Int8Type>(array.as_primitive(), to),
        CastType::Int16 => cast_integers::<Int16Type>(array.as_primitive(), to),
        CastType::Int32 => cast_integers::<Int32Type>(array.as_primitive(), to),
        CastType::Int64 => cast_integers::<Int64Type>(array.as_primitive(), to),
        CastType::Decimal { scale, .. } => cast_decimals(array.as_primitive(), scale, to),
        CastType::Float32 => {
            let source = array.as_primitive::<Float32Type>();
            Some(
                convert(source, |row| Some(f64::from(source.value(row))))
                    .primitive::<Float64Type>(),
            )
        }
        CastType::Float64 => {
            let source = array.as_primitive::<Float64Type>();
            Some(convert(source, |row| nearest_f32(source.value(row))).primitive::<Float32Type>())
        }
        CastType::Boolean => {
            let source = array.as_boolean();
            Some(to_text(source, |row, out| {
                out.push_str(if source.value(row) { "true" } else { "false" })
            }))
        }
        CastType::Timestamp => {
            let source = array.as_primitive::<TimestampMicrosecondType>();
            Some(to_text(source, |row, out| {
                out.push_str(&values::format_timestamp(source.value(row)))
            }))
        }
        CastType::Date => Some(cast_dates(array.as_primitive(), to)),
    }
}

fn cast_text(source: &StringArray, to: CastType) -> CastOutcome {
    let text = |row: usize| source.value(row).as_bytes();
    match to {
        CastType::Boolean => {
            convert(source, |row| values::parse_bool_literal(text(row))).booleans()
        }
        CastType::Int8 => text_to_integer::<Int8Type>(source),
        CastType::Int16 => text_to_integer::<Int16Type>(source),
        CastType::Int32 => text_to_integer::<Int32Type>(source),
        CastType::Int64 => text_to_integer::<Int64Type>(source),
        CastType::Float64 => {
            convert(source, |row| values::parse_f64(text(row))).primitive::<Float64Type>()
        }
        CastType::Float32 => {
            convert(source, |row| parse_f32(source.value(row))).primitive::<Float32Type>()
        }
        CastType::Date => {
            convert(source, |row| values::parse_date(text(row))).primitive::<Date32Type>()
        }
        CastType::Timestamp => convert(source, |row| values::parse_timestamp(text(row)))
            .primitive::<TimestampMicrosecondType>(),
        CastType::Decimal { precision, scale } => text_to_decimal(source, precision, scale),
        CastType::Text => {
            CastOutcome { array: Arc::new(source.clone()), failed: Vec::new(), rounded: 0 }
        }
    }
}

fn text_to_integer<T>(source: &StringArray) -> CastOutcome
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i64>,
{
    convert(source, |row| {
        T::Native::try_from(values::parse_i64(source.value(row).as_bytes())?).ok()
    })
    .primitive::<T>()
}

fn text_to_decimal(source: &StringArray, precision: u8, scale: u8) -> CastOutcome {
    let mut rounded = 0;
    let converted = convert(source, |row| {
        let text = source.value(row).as_bytes();
        let decimal = values::parse_decimal(text, precision, scale).ok()?;
        rounded += u64::from(decimal.rounded);
        Some(decimal.unscaled)
    });
    converted.decimals(precision, scale, rounded)
}

fn cast_integers<F>(source: &PrimitiveArray<F>, to: CastType) -> Option<CastOutcome>
where
    F: ArrowPrimitiveType,
    F::Native: Into<i64>,
{
    let integer = |row: usize| -> i64 { source.value(row).into() };
    Some(match to {
        CastType::Int8 => {
            convert(source, |row| i8::try_from(integer(row)).ok()).primitive::<Int8Type>()
        }
        CastType::Int16 => {
            convert(source, |row| i16::try_from(integer(row)).ok()).primitive::<Int16Type>()
        }
        CastType::Int32 => {
            convert(source, |row| i32::try_from(integer(row)).ok()).primitive::<Int32Type>()
        }
        CastType::Int64 => convert(source, |row| Some(integer(row))).primitive::<Int64Type>(),
        CastType::Float64 => {
            convert(source, |row| exact_f64(integer(row))).primitive::<Float64Type>()
        }
        CastType::Decimal { precision, scale } => {
            let factor = 10_i128.checked_pow(u32::from(scale))?;
            convert(source, |row| fit(i128::from(integer(row)).checked_mul(factor)?, precision))
                .decimals(precision, scale, 0)
        }
        CastType::Text => to_text(source, |row, out| {
            use std::fmt::Write as _;
            let _ = write!(out, "{}", integer(row));
        }),
        CastType::Boolean | CastType::Float32 | CastType::Date | CastType::Timestamp => {
            return None;
        }
    })
}

fn cast_decimals(
    source: &PrimitiveArray<Decimal128Type>,
    from_scale: u8,
    to: CastType,
) -> Option<CastOutcome> {
    match to {
        CastType::Text => Some(to_text(source, |row, out| {
            values::write_decimal(source.value(row), from_scale, out)
        })),
        CastType::Decimal { precision, scale } => rescale(source, from_scale, precision, scale),
        CastType::Boolean
        | CastType::Int8
        | CastType::Int16
        | CastType::Int32
        | CastType::Int64
        | CastType::Float32
        | CastType::Float64
        | CastType::Date
        | CastType::Timestamp => None,
    }
}

/// Casts decimals to another scale. (`9.96` becomes 10.0 at scale 1, so DECIMAL(2,1) refuses it.)
fn rescale(
    source: &PrimitiveArray<Decimal128Type>,
    from_scale: u8,
    precision: u8,
    scale: u8,
) -> Option<CastOutcome> {
    let factor = 10_i128.checked_pow(u32::from(scale.abs_diff(from_scale)))?;
    let mut rounded = 0;
    let rescaled = convert(source, |row| {
        let value = source.value(row);
        if scale >= from_scale {
            return fit(value.checked_mul(factor)?, precision);
        }
        let (quotient, is_rounded) = divide(value, factor);
        let fitted = fit(quotient, precision)?;
        rounded += u64::from(is_rounded);
        Some(fitted)
    });
    Some(rescaled.decimals(precision, scale, rounded))
}

/// The nearest quotient, half away from zero, and whether digits were lost.
// The sign that is added is that of `value`, because the quotient may be 0. (For example, -0.6 has
// the quotient 0 and the rest -6, and becomes -1.)
fn divide(value: i128, factor: i128) -> (i128, bool) {
    let (quotient, rest) = (value / factor, value % factor);
    // This asks whether `2 * rest >= factor`, without the product, which could overflow.
    let away = rest.unsigned_abs() >= factor.unsigned_abs() - rest.unsigned_abs();
    (if away { quotient + value.signum() } else { quotient }, rest != 0)
}

/// The value, if it has at most `precision` digits.
fn fit(value: i128, precision: u8) -> Option<i128> {
    let bound = 10_u128.checked_pow(u32::from(precision))?;
    (value.unsigned_abs() < bound).then_some(value)
}

fn cast_dates(source: &PrimitiveArray<Date32Type>, to: CastType) -> CastOutcome {
    match to {
        CastType::Timestamp => {
            convert(source, |row| i64::from(source.value(row)).checked_mul(MICROS_PER_DAY))
                .primitive::<TimestampMicrosecondType>()
        }
        _ => to_text(source, |row, out| out.push_str(&values::format_date(source.value(row)))),
    }
}

/// Values with their nulls, before they become an array.
struct Converted<V> {
    values: Vec<V>,
    nulls: Option<NullBuffer>,
    failed: Vec<u32>,
}

/// Asks `value` for each row that is not null; `None` is a failure.
// A failed row is null in the result, as a NULL of the source is; `failed` tells them apart.
fn convert<V: Default>(
    source: &dyn Array,
    mut value: impl FnMut(usize) -> Option<V>,
) -> Converted<V> {
    let mut values = Vec::with_capacity(source.len());
    let mut nulls = NullBufferBuilder::new(source.len());
    let mut failed = Vec::new();
    for row in 0..source.len() {
        let converted = match source.is_null(row) {
            true => None,
            false => {
                let converted = value(row);
                if converted.is_none() {
                    failed.push(row as u32);
                }
                converted
            }
        };
        nulls.append(converted.is_some());
        values.push(converted.unwrap_or_default());
    }
    Converted { values, nulls: nulls.finish(), failed }
}

impl<V: ArrowNativeType> Converted<V> {
    fn primitive<T: ArrowPrimitiveType<Native = V>>(self) -> CastOutcome {
        let array = PrimitiveArray::<T>::new(self.values.into(), self.nulls);
        CastOutcome { array: Arc::new(array), failed: self.failed, rounded: 0 }
    }
}

impl Converted<bool> {
    fn booleans(self) -> CastOutcome {
        let array = BooleanArray::new(BooleanBuffer::from(self.values), self.nulls);
        CastOutcome { array: Arc::new(array), failed: self.failed, rounded: 0 }
    }
}

impl Converted<i128> {
    fn decimals(self, precision: u8, scale: u8, rounded: u64) -> CastOutcome {
        let data_type = DataType::Decimal128(precision, scale as i8);
        let array = PrimitiveArray::<Decimal128Type>::new(self.values.into(), self.nulls)
            .with_data_type(data_type);
        CastOutcome { array: Arc::new(array), failed: self.failed, rounded }
    }
}

/// Writes the canonical text of each value, which never fails.
fn to_text(source: &dyn Array, mut write: impl FnMut(usize, &mut String)) -> CastOutcome {
    let mut texts = StringBuilder::with_capacity(source.len(), source.len() * 8);
    let mut text = String::new();
    for row in 0..source.len() {
        if source.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        write(row, &mut text);
        texts.append_value(&text);
    }
    CastOutcome { array: Arc::new(texts.finish()), failed: Vec::new(), rounded: 0 }
}

#[cfg(test)]
mod tests;
