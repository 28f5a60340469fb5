//! The type that a column's text is decoded to, and the Arrow field that declares it.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, TimeUnit};

use crate::logical::LogicalType;

/// The key of the field metadata that marks a text column as numbers: its value is `decimal` or
/// `double`.
pub const LOGICAL_KEY: &str = "loader.logical";

/// What a column is decoded as. The dialect says which fields are NULL. A quoted empty field (`""`)
/// is NULL too, except in a `Text` column, where it is the empty string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeAs {
    /// `Boolean`, from the literals that Redshift takes: for example, `t`, `yes` and `1` are true.
    Boolean,
    Int32,
    Int64,
    /// `Utf8`, the number as it stands in the file; the field has [`LOGICAL_KEY`] = `decimal`. The
    /// decoder does not check that it is a number.
    Decimal,
    /// As `Decimal`, with [`LOGICAL_KEY`] = `double`.
    Double,
    Date32,
    /// `Timestamp(Microsecond)` without a zone, in UTC.
    TimestampMicros,
    /// `Utf8`, as it stands in the file without quotes and escapes.
    Text,
    /// The column is left out of the batch.
    Skip,
}

impl DecodeAs {
    /// How a column of this type is decoded when the plan asks for nothing else.
    pub fn from_logical(logical: LogicalType) -> DecodeAs {
        match logical {
            LogicalType::Boolean => DecodeAs::Boolean,
            // There is no decoder for 16 bits; the cast to SMALLINT comes later and checks it.
            LogicalType::Int16 | LogicalType::Int32 => DecodeAs::Int32,
            LogicalType::Int64 => DecodeAs::Int64,
            LogicalType::Decimal => DecodeAs::Decimal,
            LogicalType::Double => DecodeAs::Double,
            LogicalType::Date => DecodeAs::Date32,
            LogicalType::Timestamp => DecodeAs::TimestampMicros,
            LogicalType::Text => DecodeAs::Text,
        }
    }

    /// The type that the values must have; `None` when the decoder does not check them.
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
