//! Makes a typed array from texts, as a load makes typed columns from a file's fields.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;

use crate::transform::cell::Cell;
use crate::transform::decimal::{Decimal, Rounding};
use crate::transform::kind::Kind;
use crate::transform::reader::Reader;
use crate::transform::reject::Reject;
use crate::transform::value::{Date, Timestamp};

/// Reads texts as values of a kind.
// Cells already read text as any type, so the texts become a column of text first, and each kind
// reads that column's cells. A number (`Kind::Number`) stays text, as it does in a load.
pub(super) fn array<'a>(
    kind: Kind,
    values: impl Iterator<Item = Option<&'a str>>,
) -> Result<ArrayRef, Reject> {
    let texts: ArrayRef = Arc::new(values.collect::<StringArray>());
    let texts = Reader::new("value".into(), texts, false);
    match kind {
        Kind::Text | Kind::Number | Kind::Other => Ok(texts.array),
        Kind::Boolean => {
            let values = cells(&texts).map(Cell::boolean).collect::<Result<BooleanArray, _>>()?;
            Ok(Arc::new(values))
        }
        Kind::SmallInteger => primitives::<Int16Type>(&texts, integer),
        Kind::Integer => primitives::<Int32Type>(&texts, integer),
        Kind::BigInteger => primitives::<Int64Type>(&texts, Cell::integer),
        Kind::Real | Kind::Double => primitives::<Float64Type>(&texts, Cell::double),
        Kind::Decimal(precision, scale) => decimals(&texts, precision, scale),
        Kind::Date => primitives::<Date32Type>(&texts, |cell| Ok(cell.date()?.map(Date::days))),
        Kind::Timestamp => primitives::<TimestampMicrosecondType>(&texts, |cell| {
            Ok(cell.timestamp()?.map(Timestamp::micros))
        }),
    }
}

fn cells(texts: &Reader) -> impl Iterator<Item = Cell<'_>> {
    (0..texts.len()).map(|row| Cell::new(texts, row))
}

fn primitives<'a, T: ArrowPrimitiveType>(
    texts: &'a Reader,
    value: impl Fn(Cell<'a>) -> Result<Option<T::Native>, Reject>,
) -> Result<ArrayRef, Reject> {
    let values = cells(texts).map(value).collect::<Result<PrimitiveArray<T>, _>>()?;
    Ok(Arc::new(values))
}

fn integer<T: TryFrom<i64>>(cell: Cell<'_>) -> Result<Option<T>, Reject> {
    cell.integer()?.map(|number| T::try_from(number).map_err(|_| too_large())).transpose()
}

fn decimals(texts: &Reader, precision: u8, scale: u8) -> Result<ArrayRef, Reject> {
    let unscaled = |number: Decimal| {
        let number = number.round(scale, Rounding::HalfUp);
        number.map(Decimal::unscaled).ok_or_else(too_large)
    };
    let values = cells(texts)
        .map(|cell| cell.decimal()?.map(unscaled).transpose())
        .collect::<Result<PrimitiveArray<Decimal128Type>, Reject>>()?;
    Ok(Arc::new(values.with_data_type(DataType::Decimal128(precision, scale as i8))))
}

fn too_large() -> Reject {
    Reject::new("out-of-range", "the number is too large for its column")
}
