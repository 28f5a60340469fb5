//! What the warehouse says before a load, in one execution: the target's columns and whether this
//! load is in the ledger. And what it says before the target is altered: the columns as they are
//! then, with their keys. Queries and the reading of their answers; nothing is run here.

use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::column_type::ColumnType;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;

use crate::bookkeeping;
use crate::rows::{Cell, Rows};
use crate::sql::{self, text};

/// The warehouse as it is now, as far as a load is concerned.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Columns of the target in their order; `None`: there is no such table.
    pub target: Option<Vec<CatalogColumn>>,
    /// The run that loaded this very file before.
    pub loaded_by: Option<String>,
    /// The ledger has a column for the plugins; those of earlier versions may not.
    pub ledger_has_plugins: bool,
}

/// The target as it is right before it is altered.
#[derive(Clone, Debug)]
pub struct TableState {
    pub columns: Vec<CatalogColumn>,
    pub attributes: Vec<ColumnAttributes>,
}

/// What makes a column hard to alter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnAttributes {
    pub name: String,
    pub is_distkey: bool,
    pub is_sortkey: bool,
    /// Compression encoding, lower case.
    pub encoding: String,
    /// Part of a PRIMARY KEY, UNIQUE or FOREIGN KEY.
    pub is_constrained: bool,
}

impl Catalog {
    /// Reads the answers to [`queries`], and whether there is an audit table. `loads` is empty when
    /// there is no ledger to ask.
    pub fn read(columns: &Rows, loads: &Rows, target: &TableName) -> Result<(Catalog, bool)> {
        let names = |row: &[Cell]| {
            [row.first(), row.get(1)].map(|cell| cell.and_then(Cell::as_str).map(str::to_string))
        };
        let has = |table: &str, column: Option<&str>| {
            columns.rows.iter().map(|row| names(row)).any(|[of, name]| {
                of.as_deref() == Some(table)
                    && column.is_none_or(|column| name.as_deref() == Some(column))
            })
        };
        let has_audit = has(bookkeeping::AUDIT, None);
        let ledger_has_plugins = has(bookkeeping::LEDGER, Some(bookkeeping::PLUGINS));
        let target = target_columns(columns, &target.table)?;
        let loaded_by = loads.rows.first().and_then(|row| row.first()).map(Cell::to_text);
        Ok((Catalog { target, loaded_by, ledger_has_plugins }, has_audit))
    }
}

pub fn queries(target: &TableName, load_id: &str) -> Vec<String> {
    let columns = columns_query(target, &[&target.table, bookkeeping::AUDIT, bookkeeping::LEDGER]);
    let ledger = sql::table(&target.sibling(bookkeeping::LEDGER));
    let loads = format!("SELECT run_id FROM {ledger} WHERE load_id = {} LIMIT 1", text(load_id));
    vec![columns, loads]
}

fn columns_query(target: &TableName, tables: &[&str]) -> String {
    format!(
        "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, \
         numeric_scale, is_nullable, column_default FROM svv_columns WHERE table_schema = {} AND \
         table_name IN ({}) ORDER BY table_name, ordinal_position",
        text(&target.schema),
        tables.iter().map(|table| text(table)).collect::<Vec<_>>().join(", "),
    )
}

impl TableState {
    /// Reads the answers to [`table_queries`]; `None`: there is no such table.
    pub fn read(
        columns: &Rows,
        attributes: &Rows,
        constrained: &Rows,
        target: &TableName,
    ) -> Result<Option<TableState>> {
        let Some(columns) = target_columns(columns, &target.table)? else { return Ok(None) };
        let is_constrained = |name: &str| {
            constrained.rows.iter().any(|row| row.first().and_then(Cell::as_str) == Some(name))
        };
        let attributes = attributes.rows.iter().filter_map(|row| match row.as_slice() {
            [name, is_distkey, sortkey, encoding] => Some(ColumnAttributes {
                is_constrained: is_constrained(&name.to_text()),
                name: name.to_text(),
                is_distkey: *is_distkey == Cell::Boolean(true),
                is_sortkey: sortkey.as_i64().is_some_and(|place| place != 0),
                encoding: encoding.to_text().to_lowercase(),
            }),
            _ => None,
        });
        Ok(Some(TableState { columns, attributes: attributes.collect() }))
    }
}

/// Columns, their keys and encodings, their declared constraints. SVV_TABLE_INFO would be another
/// way to the keys, but only superusers see it, and it has no empty tables.
pub fn table_queries(target: &TableName) -> Vec<String> {
    let this_table = format!(
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         n.nspname = {} AND c.relname = {} AND a.attnum > 0 AND NOT a.attisdropped",
        text(&target.schema),
        text(&target.table)
    );
    vec![
        columns_query(target, &[&target.table]),
        format!(
            "SELECT a.attname, a.attisdistkey, a.attsortkeyord, \
             format_encoding(a.attencodingtype::integer) FROM pg_attribute a {this_table}"
        ),
        format!(
            "SELECT DISTINCT a.attname FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = \
             k.conrelid AND a.attnum = ANY (k.conkey) {this_table} AND k.contype IN ('p', 'u', 'f')"
        ),
    ]
}

fn target_columns(rows: &Rows, table: &str) -> Result<Option<Vec<CatalogColumn>>> {
    let mut columns = Vec::new();
    for row in rows.rows.iter().filter(|row| row.first().and_then(Cell::as_str) == Some(table)) {
        let [_, name, data_type, length, precision, scale, nullable, default] = row.as_slice()
        else {
            return Err(Error::new(
                Kind::Internal,
                "svv_columns answered with another number of columns than asked for",
            ));
        };
        columns.push(CatalogColumn {
            name: name.to_text(),
            column_type: ColumnType::from_catalog(
                &data_type.to_text(),
                length.as_i64(),
                precision.as_i64(),
                scale.as_i64(),
            ),
            nullable: nullable.to_text() != "NO",
            default: ColumnDefault::from_catalog(default.as_str()),
        });
    }
    Ok((!columns.is_empty()).then_some(columns))
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
        SELECT a.attname, a.attisdistkey, a.attsortkeyord, format_encoding(a.attencodingtype::integer) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relname = 'flights' AND a.attnum > 0 AND NOT a.attisdropped
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
