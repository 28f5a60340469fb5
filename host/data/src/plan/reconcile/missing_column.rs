//! A column of the table that the file lacks.
//!
//! In: the column and the user's policy. Out: what the rows get in it, or why there is nothing.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::MissingColumns;
use loader_model::column_type::ColumnType;
use loader_model::target_column::Fill;

use super::mismatch::Mismatch;

/// What rows get in a column that the file lacks. `Err`: it is NOT NULL, and there is nothing to
/// fill it with.
pub(super) fn fill(column: &CatalogColumn, missing: MissingColumns) -> Result<Fill, Mismatch> {
    match (&column.default, missing, empty_value(&column.column_type)) {
        // Redshift numbers the rows, whatever --missing-columns says.
        (ColumnDefault::Identity { .. }, ..) => Ok(Fill::Default),
        (ColumnDefault::Expression(_), MissingColumns::Default | MissingColumns::Keep, _) => {
            Ok(Fill::Default)
        }
        (ColumnDefault::Expression(_), MissingColumns::Null, _) if !column.nullable => {
            Ok(Fill::Default)
        }
        (_, MissingColumns::Default | MissingColumns::Keep, Some(literal)) => {
            Ok(Fill::Literal(literal))
        }
        _ if column.nullable => Ok(Fill::Literal("NULL")),
        _ => Err(Mismatch::Schema(format!(
            "column `{}` is {} NOT NULL and is missing in the file",
            column.name, column.column_type
        ))),
    }
}

/// The value of a type that stands for "nothing there", in SQL. `None`: the type has none but NULL.
fn empty_value(column_type: &ColumnType) -> Option<&'static str> {
    match column_type {
        ColumnType::Varchar { .. } | ColumnType::Char { .. } => Some("''"),
        ColumnType::SmallInt
        | ColumnType::Integer
        | ColumnType::BigInt
        | ColumnType::Decimal { .. }
        | ColumnType::Real
        | ColumnType::Double => Some("0"),
        ColumnType::Boolean => Some("FALSE"),
        ColumnType::Varbyte { .. } => Some("CAST('' AS VARBYTE)"),
        ColumnType::Date
        | ColumnType::Timestamp
        | ColumnType::TimestampTz
        | ColumnType::Time
        | ColumnType::TimeTz
        | ColumnType::Super
        | ColumnType::Other(_) => None,
    }
}
