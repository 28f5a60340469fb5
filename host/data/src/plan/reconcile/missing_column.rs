//! A column of the table that the file lacks.
//!
//! In: the column and the user's policies. Out: the value that rows get in it, or the reason why
//! there is none.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::MissingColumns;
use loader_model::column_type::ColumnType;
use loader_model::target_column::Fill;

use super::mismatch::Mismatch;
use crate::plan::input::PlanInput;

/// The value that rows get in a column that the file lacks. `Err`: the column is NOT NULL, and no
/// value fills it.
// The order of the arms decides. A DEFAULT goes before the empty value, and NULL comes last. For
// example, `status VARCHAR(20) NOT NULL` gets its DEFAULT if it has one. Without one `default`
// makes it `''`, `null` refuses the file, and `keep` lets in what changes rows that are there.
pub(super) fn fill(input: &PlanInput<'_>, column: &CatalogColumn) -> Result<Fill, Mismatch> {
    if input.lacks_values(&column.name) {
        // An empty text would make it a column of texts for ever.
        return Ok(Fill::Literal("NULL"));
    }
    match (&column.default, input.missing_columns, empty_value(&column.column_type)) {
        // Redshift numbers the rows, so --missing-columns does not apply.
        (ColumnDefault::Identity { .. }, ..) => Ok(Fill::Default),
        (ColumnDefault::Expression(_), MissingColumns::Default | MissingColumns::Keep, _) => {
            Ok(Fill::Default)
        }
        (ColumnDefault::Expression(_), MissingColumns::Null, _) if !column.nullable => {
            Ok(Fill::Default)
        }
        (_, MissingColumns::Default, Some(literal)) => Ok(Fill::Literal(literal)),
        _ if column.nullable => Ok(Fill::Literal("NULL")),
        (_, MissingColumns::Keep, _) if input.keeps_known => Ok(Fill::Nothing),
        _ => Err(Mismatch::Schema(format!(
            "column `{}` is {} NOT NULL and is missing in the file",
            column.name, column.column_type
        ))),
    }
}

/// The SQL literal for the empty value of a type. `None`: the type has no empty value but NULL.
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
