//! The type that a column's text is decoded to, and the Arrow field that declares it.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::logical::LogicalType;
use crate::new_type::NewType;

/// The key of the field metadata that marks a text column as numbers: its value is `decimal` or
/// `double`.
pub const LOGICAL_KEY: &str = "loader.logical";
/// The key of the field metadata that says which DECIMAL holds the numbers of a text column: its
/// value is precision and scale, such as `38,18`.
pub const DECIMAL_KEY: &str = "loader.decimal";
/// The key of the field metadata that says that the user has given this DECIMAL for the column: its
/// value is `true`.
pub const GIVEN_KEY: &str = "loader.given";

/// What a column is decoded as. The dialect says which fields are NULL. A quoted empty field (`""`)
/// is NULL too, except in a `Text` column, where it is the empty string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DecodeAs {
    /// `Boolean`, from the literals that Redshift takes: for example, `t`, `yes` and `1` are true.
    Boolean,
    Int32,
    Int64,
    /// `Utf8`, the number as it stands in the file; the field has [`LOGICAL_KEY`] = `decimal`, and
    /// the DECIMAL that holds it under [`DECIMAL_KEY`]. The decoder does not check that it is a
    /// number.
    Decimal {
        precision: u8,
        scale: u8,
        /// The user has given precision and scale, and the field has [`GIVEN_KEY`].
        is_given: bool,
    },
    /// As `Decimal`, with [`LOGICAL_KEY`] = `double`.
    Double,
    Date32,
    /// `Timestamp(Microsecond)` without a zone, in UTC.
    TimestampMicros,
    /// `Utf8`, as it stands in the file without quotes and escapes.
    Text,
    /// As `Text`; where fields are values of JSON, they stay so: the string `"a"` keeps its quotes.
    Json,
    /// The column is left out of the batch.
    Skip,
}

impl DecodeAs {
    /// How a column of this type is decoded when the plan asks for nothing else.
    pub fn of_new(new: &NewType) -> DecodeAs {
        match new.logical {
            LogicalType::Boolean => DecodeAs::Boolean,
            // There is no decoder for 16 bits; the cast to SMALLINT comes later and checks it.
            LogicalType::Int16 | LogicalType::Int32 => DecodeAs::Int32,
            LogicalType::Int64 => DecodeAs::Int64,
            LogicalType::Decimal => {
                let (precision, scale) = new.decimal.unwrap_or((38, 18));
                DecodeAs::Decimal { precision, scale, is_given: new.is_given }
            }
            LogicalType::Double => DecodeAs::Double,
            LogicalType::Date => DecodeAs::Date32,
            LogicalType::Timestamp => DecodeAs::TimestampMicros,
            LogicalType::Text => DecodeAs::Text,
        }
    }

    /// Whether the column takes the empty string, which is NULL in any other.
    pub(crate) fn keeps_empty(self) -> bool {
        matches!(self, DecodeAs::Text | DecodeAs::Json)
    }

    /// The type that the values must have; `None` when the decoder does not check them.
    pub(crate) fn logical(self) -> Option<LogicalType> {
        match self {
            DecodeAs::Boolean => Some(LogicalType::Boolean),
            DecodeAs::Int32 => Some(LogicalType::Int32),
            DecodeAs::Int64 => Some(LogicalType::Int64),
            DecodeAs::Date32 => Some(LogicalType::Date),
            DecodeAs::TimestampMicros => Some(LogicalType::Timestamp),
            DecodeAs::Decimal { .. } | DecodeAs::Double => None,
            DecodeAs::Text | DecodeAs::Json | DecodeAs::Skip => None,
        }
    }

    /// The field of a column with this name; `None` when the column is skipped.
    pub(crate) fn field(self, name: &str) -> Option<Field> {
        let text = |metadata: &[(&str, String)]| {
            let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            let metadata: HashMap<String, String> = metadata.collect();
            Some(Field::new(name, DataType::Utf8, true).with_metadata(metadata))
        };
        let data_type = match self {
            DecodeAs::Boolean => DataType::Boolean,
            DecodeAs::Int32 => DataType::Int32,
            DecodeAs::Int64 => DataType::Int64,
            DecodeAs::Decimal { precision, scale, is_given } => {
                let decimal = (DECIMAL_KEY, format!("{precision},{scale}"));
                let given = is_given.then(|| (GIVEN_KEY, "true".to_owned()));
                let logical = (LOGICAL_KEY, "decimal".to_owned());
                return text(
                    &[Some(logical), Some(decimal), given]
                        .into_iter()
                        .flatten()
                        .collect::<Vec<_>>(),
                );
            }
            DecodeAs::Double => return text(&[(LOGICAL_KEY, "double".to_owned())]),
            DecodeAs::Date32 => DataType::Date32,
            DecodeAs::TimestampMicros => DataType::Timestamp(TimeUnit::Microsecond, None),
            DecodeAs::Text | DecodeAs::Json => DataType::Utf8,
            DecodeAs::Skip => return None,
        };
        Some(Field::new(name, data_type, true))
    }
}
