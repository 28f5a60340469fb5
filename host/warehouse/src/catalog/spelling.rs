//! How the catalog spells the types that the loader gives to columns.

use loader_model::column_type::ColumnType;

/// The size of a VARBYTE without one.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html>
const MAX_VARBYTE_BYTES: u32 = 64_000;

/// How the catalog spells a type; several spellings where no public source tells which it is.
pub(crate) fn of_type(column_type: &ColumnType) -> Vec<String> {
    let spelling = match column_type {
        ColumnType::SmallInt => "smallint",
        ColumnType::Integer => "integer",
        ColumnType::BigInt => "bigint",
        ColumnType::Real => "real",
        ColumnType::Double => "double precision",
        ColumnType::Boolean => "boolean",
        ColumnType::Date => "date",
        ColumnType::Timestamp => "timestamp without time zone",
        ColumnType::TimestampTz => "timestamp with time zone",
        ColumnType::Time => "time without time zone",
        ColumnType::TimeTz => "time with time zone",
        ColumnType::Super => "super",
        ColumnType::Decimal { precision, scale } => {
            return vec![format!("numeric({precision},{scale})")];
        }
        ColumnType::Varchar { bytes } => return vec![format!("character varying({bytes})")],
        ColumnType::Char { bytes } => return vec![format!("character({bytes})")],
        ColumnType::Varbyte { bytes } => {
            let bytes = bytes.unwrap_or(MAX_VARBYTE_BYTES);
            let spelt = |name: &str| [name.to_owned(), format!("{name}({bytes})")];
            return ["varbyte", "binary varying"].into_iter().flat_map(spelt).collect();
        }
        ColumnType::Other(spelling) => spelling,
    };
    vec![spelling.to_owned()]
}
