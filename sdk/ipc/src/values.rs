//! Checks each value of a decoded batch: Arrow accepts some values that Redshift does not. For
//! example, the date 5000 BC is a valid `Date32`.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field};

use crate::limits::BatchLimits;
use crate::violation::Violation;

/// 4713-01-01 BC and 294276-12-31 in days since 1970-01-01, by the proleptic Gregorian calendar.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_Datetime_types.html>
const FIRST_DAY: i32 = -2_440_550;
const LAST_DAY: i32 = 106_762_939;
/// The first microsecond of Redshift's range. The last one is past what 64 bits can count from
/// 1970, so every later timestamp fits.
const FIRST_MICROSECOND: i64 = FIRST_DAY as i64 * 86_400_000_000;

pub(crate) fn check(batch: &RecordBatch, limits: &BatchLimits) -> Result<(), Violation> {
    let schema = batch.schema_ref();
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .try_for_each(|(field, array)| check_column(field, array, limits))
}

fn check_column(field: &Field, array: &ArrayRef, limits: &BatchLimits) -> Result<(), Violation> {
    match field.data_type() {
        DataType::Decimal128(precision, scale) => check_digits(field, array, *precision, *scale),
        DataType::Date32 => check_dates(field, array),
        DataType::Timestamp(_, _) => check_timestamps(field, array),
        DataType::Utf8 => {
            check_lengths(field, array.as_string::<i32>().offsets(), array, limits.max_text_bytes)
        }
        DataType::Binary => {
            check_lengths(field, array.as_binary::<i32>().offsets(), array, limits.max_binary_bytes)
        }
        _ => Ok(()),
    }
}

fn check_digits(
    field: &Field,
    array: &ArrayRef,
    precision: u8,
    scale: i8,
) -> Result<(), Violation> {
    let bound = 10_i128.pow(u32::from(precision));
    match first_outside::<Decimal128Type>(array, |value| -bound < value && value < bound) {
        Some(row) => {
            let column = field.name().clone();
            Err(Violation::DecimalPrecision { column, row, precision, scale })
        }
        None => Ok(()),
    }
}

fn check_dates(field: &Field, array: &ArrayRef) -> Result<(), Violation> {
    match first_outside::<Date32Type>(array, |day| (FIRST_DAY..=LAST_DAY).contains(&day)) {
        Some(row) => Err(Violation::DateRange { column: field.name().clone(), row }),
        None => Ok(()),
    }
}

fn check_timestamps(field: &Field, array: &ArrayRef) -> Result<(), Violation> {
    match first_outside::<TimestampMicrosecondType>(array, |time| time >= FIRST_MICROSECOND) {
        Some(row) => Err(Violation::TimestampRange { column: field.name().clone(), row }),
        None => Ok(()),
    }
}

/// The first row whose value is not null and not `inside`.
// The first pass looks at all values and ignores nulls: `&` without a branch is fast, and nearly
// all batches end there. A null may stand on any value, so only the second pass asks for nulls.
fn first_outside<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    inside: impl Fn(T::Native) -> bool,
) -> Option<usize> {
    let values = array.as_primitive::<T>().values();
    if values.iter().fold(true, |all, value| all & inside(*value)) {
        return None;
    }
    (0..values.len()).find(|row| !inside(values[*row]) && array.is_valid(*row))
}

fn check_lengths(
    field: &Field,
    offsets: &[i32],
    array: &ArrayRef,
    limit: usize,
) -> Result<(), Violation> {
    let bytes = |row: usize| (offsets[row + 1] - offsets[row]) as usize;
    match (0..array.len()).find(|row| bytes(*row) > limit && array.is_valid(*row)) {
        Some(row) => Err(Violation::ValueTooLong {
            column: field.name().clone(),
            row,
            bytes: bytes(row),
            limit,
        }),
        None => Ok(()),
    }
}
