//! Compares the file's values with a type of the target.
//!
//! In: the profile of a column. Out: whether the type takes values of this kind, and the size of
//! the values.

use loader_csv::{ColumnProfile, LogicalType, Position};
use loader_model::column_type::ColumnType;
use loader_model::widening::Extent;

/// Whether all values of a file's column are of the kind that a column of the target takes. Their
/// range does not matter here: for example, `3000000000` is accepted for an INTEGER column, which
/// is then widened or refused elsewhere.
///
/// `Err`: the position of the first value of another kind.
// DECIMAL is the exception: Redshift cannot widen it in place, so its digits are checked here.
pub(super) fn accepts<'a>(
    values: &'a ColumnProfile,
    column_type: &ColumnType,
) -> Result<(), &'a Position> {
    match column_type {
        ColumnType::SmallInt | ColumnType::Integer | ColumnType::BigInt => values.accepts_whole(),
        ColumnType::Decimal { precision, scale } => {
            let room = i32::from(*precision) - i32::from(*scale);
            values.accepts_integer_digits(room.max(0).unsigned_abs())
        }
        ColumnType::Real | ColumnType::Double => values.accepts(LogicalType::Double),
        ColumnType::Boolean => values.accepts_boolean_literals(),
        ColumnType::Date => values.accepts_days(),
        ColumnType::Timestamp | ColumnType::TimestampTz => values.accepts_moments(),
        ColumnType::Varchar { .. }
        | ColumnType::Char { .. }
        | ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Super
        | ColumnType::Varbyte { .. }
        | ColumnType::Other(_) => Ok(()),
    }
}

/// The size of the file's values.
pub(super) fn extent(values: &ColumnProfile) -> Extent {
    Extent { max_bytes: values.max_bytes, range: values.min_int.zip(values.max_int) }
}
