//! The types that the values of a column can have.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The types that text can have. Which of them a new column gets is decided by
/// [`new_type`](crate::ColumnProfile::new_type): for example, a column with `1` and `2.50` is
/// `Decimal`. `Int16` is for targets only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LogicalType {
    /// `true` or `false`. Redshift's other literals are
    /// [`accepts_boolean_literals`](crate::ColumnProfile::accepts_boolean_literals).
    Boolean,
    Int16,
    Int32,
    Int64,
    /// Digits with or without a point, no exponent, at most 38 of them without zeros at either end.
    Decimal,
    /// Any number that a float can hold, `NaN` and the infinities too.
    Double,
    Date,
    /// With or without a zone. A date is a timestamp too: `2026-03-01` is its midnight.
    Timestamp,
    Text,
}

impl fmt::Display for LogicalType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            LogicalType::Boolean => "boolean",
            LogicalType::Int16 => "int16",
            LogicalType::Int32 => "int32",
            LogicalType::Int64 => "int64",
            LogicalType::Decimal => "decimal",
            LogicalType::Double => "double",
            LogicalType::Date => "date",
            LogicalType::Timestamp => "timestamp",
            LogicalType::Text => "text",
        })
    }
}
