//! How this warehouse's catalog spells types. A load tells by the spelling whether a column that
//! was added or widened is still what its parts were made for: a spelling that it does not know
//! would keep it from loading into such a table.

use loader_model::column_type::ColumnType;
use loader_model::error::Result;
use loader_model::names::TableName;

use crate::catalog::spelling;
use crate::rows::{FromRow, Row};
use crate::sql::{table, text};

/// A type of each kind that a column can get.
pub const TYPES: [ColumnType; 18] = [
    ColumnType::SmallInt,
    ColumnType::Integer,
    ColumnType::BigInt,
    ColumnType::Real,
    ColumnType::Double,
    ColumnType::Decimal { precision: 9, scale: 0 },
    ColumnType::Decimal { precision: 38, scale: 18 },
    ColumnType::Boolean,
    ColumnType::Date,
    ColumnType::Timestamp,
    ColumnType::TimestampTz,
    ColumnType::Time,
    ColumnType::TimeTz,
    ColumnType::Super,
    ColumnType::Varchar { bytes: 65535 },
    ColumnType::Char { bytes: 3 },
    ColumnType::Varbyte { bytes: None },
    ColumnType::Varbyte { bytes: Some(8) },
];

/// Makes a table with a column of each of [`TYPES`], in their order.
pub fn create_table(name: &TableName) -> String {
    let columns: Vec<String> = TYPES
        .iter()
        .enumerate()
        .map(|(place, column_type)| format!("c_{place} {column_type}"))
        .collect();
    format!("CREATE TABLE {} ({})", table(name), columns.join(", "))
}

/// The query for the spelling of each, in their order.
pub fn query(name: &TableName) -> String {
    format!(
        "SELECT format_type(a.atttypid, a.atttypmod) AS type_text FROM pg_attribute a JOIN pg_class \
         c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {} \
         AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        text(&name.schema),
        text(&name.table),
    )
}

/// A spelling: a row of the answer to [`query`].
pub struct Spelt(pub String);

impl FromRow for Spelt {
    fn from_row(row: Row<'_>) -> Result<Spelt> {
        row.text("type_text").map(Spelt)
    }
}

/// Whether a load knows a type by this spelling. `None`: the catalog has none.
pub fn is_known(column_type: &ColumnType, spelt: Option<&Spelt>) -> bool {
    spelt.is_some_and(|spelt| spelling::of_type(column_type).contains(&spelt.0))
}
