//! Value by value checks of a decoded batch: what Arrow accepts and Redshift does not.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};

use crate::Violation;
use crate::untrusted::BatchLimits;

/// 4713-01-01 BC and 294276-12-31 in days since 1970-01-01, by the proleptic Gregorian calendar.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_Datetime_types.html>
const FIRST_DAY: i32 = -2_440_550;
const LAST_DAY: i32 = 106_762_939;
/// The last microsecond of Redshift's range is past what 64 bits can count from 1970, so only the
/// first matters.
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
    let column = || field.name().clone();
    match field.data_type() {
        DataType::Decimal128(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let bound = 10_i128.pow(u32::from(precision));
            let values = array.as_primitive::<Decimal128Type>().values();
            match first_outside(values, array.nulls(), |value| -bound < value && value < bound) {
                Some(row) => {
                    Err(Violation::DecimalPrecision { column: column(), row, precision, scale })
                }
                None => Ok(()),
            }
        }
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>().values();
            match first_outside(values, array.nulls(), |value| {
                (FIRST_DAY..=LAST_DAY).contains(&value)
            }) {
                Some(row) => Err(Violation::DateRange { column: column(), row }),
                None => Ok(()),
            }
        }
        DataType::Timestamp(_, _) => {
            let values = array.as_primitive::<TimestampMicrosecondType>().values();
            match first_outside(values, array.nulls(), |value| value >= FIRST_MICROSECOND) {
                Some(row) => Err(Violation::TimestampRange { column: column(), row }),
                None => Ok(()),
            }
        }
        DataType::Utf8 => {
            check_lengths(field, array.as_string::<i32>().offsets(), array, limits.max_text_bytes)
        }
        DataType::Binary => {
            check_lengths(field, array.as_binary::<i32>().offsets(), array, limits.max_binary_bytes)
        }
        _ => Ok(()),
    }
}

/// The first row whose value is there and not `inside`. What stands behind a null is nobody's
/// business.
fn first_outside<T: Copy>(
    values: &[T],
    nulls: Option<&NullBuffer>,
    inside: impl Fn(T) -> bool,
) -> Option<usize> {
    if values.iter().fold(true, |all, value| all & inside(*value)) {
        return None;
    }
    (0..values.len())
        .find(|row| !inside(values[*row]) && nulls.is_none_or(|nulls| nulls.is_valid(*row)))
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
