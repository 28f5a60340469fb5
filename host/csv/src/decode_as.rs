//! What the text of a column becomes in a batch, and the Arrow field that says so.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, TimeUnit};

use crate::logical::LogicalType;

/// The key of the field metadata that says what the text in a column is: `decimal` or `double`.
pub const LOGICAL_KEY: &str = "loader.logical";

/// What a column is decoded as. NULL is what the dialect says it is, and `""` too but for `Text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeAs {
    /// `Boolean`, from Redshift's literals.
    Boolean,
    Int32,
    Int64,
    /// `Utf8`, the number as it stands in the file; the field says [`LOGICAL_KEY`] = `decimal`. Not
    /// looked at.
    Decimal,
    /// The same with `double`.
    Double,
    Date32,
    /// `Timestamp(Microsecond)` without a zone, in UTC.
    TimestampMicros,
    /// `Utf8`, as it stands in the file without quotes and escapes.
    Text,
    /// Not in the batch.
    Skip,
}

impl DecodeAs {
    /// How a column of a type is decoded when nothing else is asked for.
    pub fn from_logical(logical: LogicalType) -> DecodeAs {
        match logical {
            LogicalType::Boolean => DecodeAs::Boolean,
            LogicalType::Int16 | LogicalType::Int32 => DecodeAs::Int32,
            LogicalType::Int64 => DecodeAs::Int64,
            LogicalType::Decimal => DecodeAs::Decimal,
            LogicalType::Double => DecodeAs::Double,
            LogicalType::Date => DecodeAs::Date32,
            LogicalType::Timestamp => DecodeAs::TimestampMicros,
            LogicalType::Text => DecodeAs::Text,
        }
    }

    /// The type that its values must have; `None` when they are not looked at.
    pub(crate) fn logical(self) -> Option<LogicalType> {
        match self {
            DecodeAs::Boolean => Some(LogicalType::Boolean),
            DecodeAs::Int32 => Some(LogicalType::Int32),
            DecodeAs::Int64 => Some(LogicalType::Int64),
            DecodeAs::Date32 => Some(LogicalType::Date),
            DecodeAs::TimestampMicros => Some(LogicalType::Timestamp),
            DecodeAs::Decimal | DecodeAs::Double | DecodeAs::Text | DecodeAs::Skip => None,
        }
    }

    /// The field of a column with this name; `None` when the column is skipped.
    pub(crate) fn field(self, name: &str) -> Option<Field> {
        let text = |logical: &str| {
            let metadata = HashMap::from([(LOGICAL_KEY.to_owned(), logical.to_owned())]);
            Some(Field::new(name, DataType::Utf8, true).with_metadata(metadata))
        };
        let data_type = match self {
            DecodeAs::Boolean => DataType::Boolean,
            DecodeAs::Int32 => DataType::Int32,
            DecodeAs::Int64 => DataType::Int64,
            DecodeAs::Decimal => return text("decimal"),
            DecodeAs::Double => return text("double"),
            DecodeAs::Date32 => DataType::Date32,
            DecodeAs::TimestampMicros => DataType::Timestamp(TimeUnit::Microsecond, None),
            DecodeAs::Text => DataType::Utf8,
            DecodeAs::Skip => return None,
        };
        Some(Field::new(name, data_type, true))
    }
}
