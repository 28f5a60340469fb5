//! How a batch stops itself. A batch has no IF, so a guard is a query that divides by zero unless its
//! condition holds; the error rolls back the whole transaction.

use loader_model::names::TableName;

use crate::sql::text;

/// The guard of `condition` over the rows of `from`, such as `COUNT(*) = 0`. `name`: what it says
/// when it holds.
pub(crate) fn guard(condition: &str, name: &str, from: &str) -> String {
    format!("SELECT 1 / (CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name} FROM {from}")
}

/// The guard that a table has so many columns of these: names with types as the catalog spells them,
/// such as `note character varying(256)`.
// The query reads the catalog alone: Redshift does not join catalog tables with others. It sees
// what is committed when it runs and not only what the snapshot has.
pub(crate) fn same_columns(target: &TableName, spelt: &[String], count: usize) -> String {
    let spelt: Vec<String> = spelt.iter().map(|spelling| text(spelling)).collect();
    let from = format!(
        "pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = \
         c.relnamespace WHERE n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT \
         a.attisdropped AND a.attname || ' ' || format_type(a.atttypid, a.atttypmod) IN ({})",
        text(&target.schema),
        text(&target.table),
        spelt.join(", "),
    );
    guard(&format!("COUNT(*) = {count}"), "same_columns", &from)
}
