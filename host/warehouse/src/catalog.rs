//! What the warehouse says about the target. Before a load: its columns, and whether the ledger has
//! this load. Right before the target is altered: its columns as they are then, with their keys.
//!
//! The module has the queries and reads their answers. It runs nothing.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::error::Result;
use loader_model::names::TableName;

use crate::bookkeeping;
use crate::rows::{FromRow, ResultRows, Row};
use crate::sql::{self, text};

/// The warehouse as a load finds it.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Columns of the target in their order; `None` when the table does not exist.
    pub target: Option<Vec<CatalogColumn>>,
    /// The run that loaded this very file before; `None` when the ledger has none.
    pub loaded_by: Option<String>,
    /// Whether the ledger has a column for the plugins. A ledger of an earlier version may lack it.
    pub ledger_has_plugins: bool,
}

/// The target as it is right before it is altered.
#[derive(Clone, Debug)]
pub struct TableState {
    pub columns: Vec<CatalogColumn>,
    pub attributes: Vec<ColumnAttributes>,
}

/// The attributes that keep Redshift from altering a column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnAttributes {
    pub name: String,
    pub is_distkey: bool,
    pub is_sortkey: bool,
    /// The compression encoding in lower case, such as `bytedict`.
    pub encoding: String,
    /// Whether the column is part of a declared PRIMARY KEY, UNIQUE or FOREIGN KEY.
    pub is_constrained: bool,
}

impl Catalog {
    /// Reads the answers to [`queries`], and tells whether the audit table exists. `loads` is empty
    /// when there was no ledger to ask.
    pub fn read(
        columns: &ResultRows,
        loads: &ResultRows,
        target: &TableName,
    ) -> Result<(Catalog, bool)> {
        let columns: Vec<ColumnRow> = columns.decode()?;
        let has_audit = columns.iter().any(|row| row.table == bookkeeping::AUDIT);
        let ledger_has_plugins = columns
            .iter()
            .any(|row| row.table == bookkeeping::LEDGER && row.column.name == bookkeeping::PLUGINS);
        let loaded_by = loads.decode()?.into_iter().next().map(|LoadedBy { run_id }| run_id);
        let target = columns_of(columns, &target.table);
        Ok((Catalog { target, loaded_by, ledger_has_plugins }, has_audit))
    }
}

/// The two queries before a load: columns of the target and the bookkeeping tables, and the ledger.
pub fn queries(target: &TableName, load_id: &str) -> Vec<String> {
    // The program relies on this order: if the second statement fails on a missing relation, the
    // ledger is missing.
    let tables = [target.table.as_str(), bookkeeping::AUDIT, bookkeeping::LEDGER];
    vec![columns_query(target, &tables), loaded_by_query(target, load_id)]
}

// One query covers several tables. A table that has no row in the answer does not exist, since a
// table always has a column.
fn columns_query(target: &TableName, tables: &[&str]) -> String {
    format!(
        "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, \
         numeric_scale, is_nullable, column_default FROM svv_columns WHERE table_schema = {} AND \
         table_name IN ({}) ORDER BY table_name, ordinal_position",
        text(&target.schema),
        tables.iter().map(|table| text(table)).collect::<Vec<_>>().join(", "),
    )
}

/// A column of the target or of a bookkeeping table.
struct ColumnRow {
    table: String,
    column: CatalogColumn,
}

impl FromRow for ColumnRow {
    fn from_row(row: Row<'_>) -> Result<ColumnRow> {
        let column_type = ColumnType::from_catalog(
            &row.text("data_type")?,
            row.optional_integer("character_maximum_length")?,
            row.optional_integer("numeric_precision")?,
            row.optional_integer("numeric_scale")?,
        );
        let default = row.optional_text("column_default")?;
        let column = CatalogColumn {
            name: row.text("column_name")?,
            column_type,
            nullable: row.text("is_nullable")? != "NO",
            default: ColumnDefault::from_catalog(default.as_deref()),
        };
        Ok(ColumnRow { table: row.text("table_name")?, column })
    }
}

/// The columns of one table; `None` when the table does not exist.
fn columns_of(rows: Vec<ColumnRow>, table: &str) -> Option<Vec<CatalogColumn>> {
    let of_table = rows.into_iter().filter(|row| row.table == table);
    let columns: Vec<CatalogColumn> = of_table.map(|row| row.column).collect();
    (!columns.is_empty()).then_some(columns)
}

fn loaded_by_query(target: &TableName, load_id: &str) -> String {
    let ledger = sql::table(&target.sibling(bookkeeping::LEDGER));
    format!("SELECT run_id FROM {ledger} WHERE load_id = {} LIMIT 1", text(load_id))
}

/// The run that the ledger names for a load.
struct LoadedBy {
    run_id: String,
}

impl FromRow for LoadedBy {
    fn from_row(row: Row<'_>) -> Result<LoadedBy> {
        Ok(LoadedBy { run_id: row.text("run_id")? })
    }
}

impl TableState {
    /// Reads the answers to [`table_queries`]; `None` when the table does not exist.
    pub fn read(
        columns: &ResultRows,
        attributes: &ResultRows,
        constrained: &ResultRows,
        target: &TableName,
    ) -> Result<Option<TableState>> {
        let Some(columns) = columns_of(columns.decode()?, &target.table) else { return Ok(None) };
        let mut attributes: Vec<ColumnAttributes> = attributes.decode()?;
        let constrained: Vec<ConstrainedColumn> = constrained.decode()?;
        for column in &mut attributes {
            column.is_constrained = constrained.iter().any(|other| other.name == column.name);
        }
        Ok(Some(TableState { columns, attributes }))
    }
}

/// The three queries before an ALTER TABLE: columns, their keys and encodings, and their declared
/// constraints.
pub fn table_queries(target: &TableName) -> Vec<String> {
    // SVV_TABLE_INFO shows keys too, but only to superusers, and it leaves out empty tables.
    let columns = columns_query(target, &[&target.table]);
    vec![columns, attributes_query(target), constrained_query(target)]
}

/// Joins `pg_attribute a` to the target and keeps the columns that exist: no system columns
/// (`attnum` below 1) and no dropped ones. More conditions may follow.
fn of_target(target: &TableName) -> String {
    format!(
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped",
        text(&target.schema),
        text(&target.table)
    )
}

fn attributes_query(target: &TableName) -> String {
    format!(
        "SELECT a.attname, a.attisdistkey, a.attsortkeyord, \
         format_encoding(a.attencodingtype::integer) AS encoding FROM pg_attribute a {}",
        of_target(target)
    )
}

impl FromRow for ColumnAttributes {
    /// Leaves `is_constrained` false, since a query of its own reads the constraints.
    fn from_row(row: Row<'_>) -> Result<ColumnAttributes> {
        Ok(ColumnAttributes {
            name: row.text("attname")?,
            is_distkey: row.boolean("attisdistkey")?,
            // The column's place in the sort key: 0 for none, and below 0 in an interleaved key.
            is_sortkey: row.optional_integer("attsortkeyord")?.is_some_and(|place| place != 0),
            encoding: row.text("encoding")?.to_lowercase(),
            is_constrained: false,
        })
    }
}

fn constrained_query(target: &TableName) -> String {
    format!(
        "SELECT DISTINCT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = \
         k.conrelid AND a.attnum = ANY (k.conkey) {} AND k.contype IN ('p', 'u', 'f')",
        of_target(target)
    )
}

/// A column of a declared key.
struct ConstrainedColumn {
    name: String,
}

impl FromRow for ConstrainedColumn {
    fn from_row(row: Row<'_>) -> Result<ConstrainedColumn> {
        Ok(ConstrainedColumn { name: row.text("attname")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_execution_asks_for_everything() {
        let target = TableName::new("public", "flights").expect("a valid name");
        insta::assert_snapshot!(queries(&target, "abc").join("\n"), @r#"
        SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable, column_default FROM svv_columns WHERE table_schema = 'public' AND table_name IN ('flights', 'job_sts', 'loader_loads') ORDER BY table_name, ordinal_position
        SELECT run_id FROM "public"."loader_loads" WHERE load_id = 'abc' LIMIT 1
        "#);
        insta::assert_snapshot!(table_queries(&target).join("\n"), @"
        SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable, column_default FROM svv_columns WHERE table_schema = 'public' AND table_name IN ('flights') ORDER BY table_name, ordinal_position
        SELECT a.attname, a.attisdistkey, a.attsortkeyord, format_encoding(a.attencodingtype::integer) AS encoding FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flights' AND a.attnum > 0 AND NOT a.attisdropped
        SELECT DISTINCT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flights' AND a.attnum > 0 AND NOT a.attisdropped AND k.contype IN ('p', 'u', 'f')
        ");
    }

    #[test]
    fn defaults_are_told_apart() {
        let kinds = [
            None,
            Some("0"),
            Some("\"identity\"(1, 0, '1,1'::text)"),
            Some("\"default_identity\"(1, 0, '1,1'::text)"),
        ];
        assert_eq!(
            kinds.map(ColumnDefault::from_catalog),
            [
                ColumnDefault::None,
                ColumnDefault::Expression("0".into()),
                ColumnDefault::Identity { by_default: false },
                ColumnDefault::Identity { by_default: true },
            ]
        );
    }
}
