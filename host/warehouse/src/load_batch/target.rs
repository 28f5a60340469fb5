//! The target while a load has it: the fence that keeps other loads off, and the check that its
//! columns are still those that the parts were made for.

use loader_model::catalog_column::CatalogColumn;
use loader_model::column_type::ColumnType;
use loader_model::target_column::TargetColumn;

use crate::bookkeeping::fence;
use crate::guard::guard;
use crate::load_batch::batch::LoadBatch;
use crate::sql::{table, text};

/// The size of a VARBYTE without one.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_VARBYTE_type.html>
const MAX_VARBYTE_BYTES: u32 = 64_000;

/// Refuses a load that the fence knows.
pub(super) fn fence_guard(batch: &LoadBatch<'_>) -> String {
    let (fence, load_id) = (table(&fence(batch.target)), text(batch.ledger.load_id));
    guard("COUNT(*) = 0", "not_loaded_before", &format!("{fence} WHERE load_id = {load_id}"))
}

/// Reads no row of the target. From here to the end of the transaction nobody can alter the table,
/// while others go on reading it.
pub(super) fn hold(batch: &LoadBatch<'_>) -> String {
    format!("SELECT COUNT(*) AS held FROM {} WHERE 1 = 0", table(batch.target))
}

/// Refuses a target whose columns have other types by now. An INSERT would round or cut the values
/// instead. (For example, amounts that were staged for DECIMAL(12,4) would lose two digits in a
/// column that is DECIMAL(12,2) by now.)
// The query reads the catalog alone: Redshift does not join catalog tables with others. It sees what
// is committed when it runs and not only what the snapshot has, and `hold` keeps it true.
pub(super) fn column_guard(batch: &LoadBatch<'_>) -> String {
    let spelt: Vec<String> = batch
        .columns
        .iter()
        .flat_map(|column| spellings(column, batch.existing))
        .map(|spelling| text(&spelling))
        .collect();
    let from = format!(
        "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = \
         c.relnamespace WHERE n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT \
         a.attisdropped AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) IN ({})",
        text(&batch.target.schema),
        text(&batch.target.table),
        spelt.join(", "),
    );
    guard(&format!("COUNT(*) = {}", batch.columns.len()), "same_columns", &from)
}

/// A column with its type as the catalog may spell it, such as `note character varying(256)`. A
/// column matches at most one of them.
// What the catalog said before the load is right for a column that the load did not change. A
// changed or added column gets the spellings that are known.
fn spellings(column: &TargetColumn, existing: &[CatalogColumn]) -> Vec<String> {
    let name = &column.name;
    let unchanged = existing
        .iter()
        .find(|other| other.name == *name && other.column_type == column.column_type);
    match unchanged {
        Some(unchanged) => vec![format!("{name} {}", unchanged.type_text)],
        None => catalog_spellings(&column.column_type)
            .into_iter()
            .map(|spelling| format!("{name} {spelling}"))
            .collect(),
    }
}

/// How the catalog spells a type; several spellings where no public source tells which it is.
fn catalog_spellings(column_type: &ColumnType) -> Vec<String> {
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
