//! What the warehouse says before a load, in one execution: the target's columns and whether this
//! load is in the ledger. And what it says before the target is altered: the columns as they are
//! then, with their keys.

use crate::error::{Error, Kind, Result};
use crate::names::TableName;
use crate::redshift::bookkeeping;
use crate::redshift::data_api::{DataApi, Executed, Outcome, StatementFailure};
use crate::redshift::rows::{Cell, Rows};
use crate::redshift::sql::{self, text};
use crate::redshift::types::ColumnType;
use crate::redshift::{failures, patience};

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

/// A column of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogColumn {
    pub name: String,
    pub column_type: ColumnType,
    pub nullable: bool,
    pub default: ColumnDefault,
}

/// What a column gets where an INSERT does not name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnDefault {
    /// NULL.
    None,
    /// An expression, as the catalog writes it.
    Expression(String),
    /// The next number. `by_default`: an INSERT may give a value of its own.
    Identity { by_default: bool },
}

impl ColumnDefault {
    /// Reads `column_default` of SVV_COLUMNS.
    pub fn from_catalog(text: Option<&str>) -> ColumnDefault {
        match text {
            None => ColumnDefault::None,
            Some(text) if text.starts_with("\"identity\"") => {
                ColumnDefault::Identity { by_default: false }
            }
            Some(text) if text.starts_with("\"default_identity\"") => {
                ColumnDefault::Identity { by_default: true }
            }
            Some(text) => ColumnDefault::Expression(text.to_string()),
        }
    }
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

/// What to do when the ledger or the audit table is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookkeeping {
    /// Make both: a load follows.
    Make,
    /// Nothing: nothing was loaded here yet.
    LeaveMissing,
}

/// Reads the catalog. One execution; more when bookkeeping tables have to be made or completed
/// first.
pub async fn read(
    api: &DataApi,
    target: &TableName,
    load_id: &str,
    missing: Bookkeeping,
) -> Result<Catalog> {
    let queries = queries(target, load_id);
    let mut answer = ask(api, &queries, target).await?;
    if missing == Bookkeeping::LeaveMissing {
        let answer =
            if answer.is_some() { answer } else { ask(api, &queries[..1], target).await? };
        return Ok(answer.unwrap_or_default().0);
    }
    if !matches!(answer, Some((_, true))) {
        bookkeeping::create(api, target).await?;
        answer = ask(api, &queries, target).await?;
    }
    let (mut catalog, _) = answer.ok_or_else(|| {
        Error::new(
            Kind::Internal,
            format!("the ledger of {target} is missing right after it was made"),
        )
    })?;
    if !catalog.ledger_has_plugins && catalog.loaded_by.is_none() {
        catalog.ledger_has_plugins = bookkeeping::add_plugins(api, target).await?;
    }
    Ok(catalog)
}

/// The catalog and whether there is an audit table; `None` when there is no ledger.
async fn ask(
    api: &DataApi,
    queries: &[String],
    target: &TableName,
) -> Result<Option<(Catalog, bool)>> {
    match patience::execute_batch(api, queries).await? {
        Outcome::Finished(executed) => {
            answer(api, &executed, target, queries.len() > 1).await.map(Some)
        }
        Outcome::Failed(failure) if is_missing_ledger(&failure) => Ok(None),
        Outcome::Failed(failure) => Err(failures::explain("reading the catalog", &failure)),
    }
}

async fn answer(
    api: &DataApi,
    executed: &Executed,
    target: &TableName,
    ledger: bool,
) -> Result<(Catalog, bool)> {
    let columns = api.rows(executed, Some(0)).await?;
    let loads = if ledger { api.rows(executed, Some(1)).await? } else { Rows::default() };
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
    let target = target_columns(&columns, &target.table)?;
    let loaded_by = loads.rows.first().and_then(|row| row.first()).map(Cell::to_text);
    Ok((Catalog { target, loaded_by, ledger_has_plugins }, has_audit))
}

fn queries(target: &TableName, load_id: &str) -> Vec<String> {
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

/// Reads the target as it is now; `None`: there is no such table. One execution.
pub async fn read_table(api: &DataApi, target: &TableName) -> Result<Option<TableState>> {
    let queries = table_queries(target);
    let executed = match patience::execute_batch(api, &queries).await? {
        Outcome::Finished(executed) => executed,
        Outcome::Failed(failure) => return Err(failures::explain("reading the catalog", &failure)),
    };
    let Some(columns) = target_columns(&api.rows(&executed, Some(0)).await?, &target.table)? else {
        return Ok(None);
    };
    let constrained = api.rows(&executed, Some(2)).await?;
    let is_constrained = |name: &str| {
        constrained.rows.iter().any(|row| row.first().and_then(Cell::as_str) == Some(name))
    };
    let attributes =
        api.rows(&executed, Some(1)).await?.rows.into_iter().filter_map(|row| {
            match row.as_slice() {
                [name, is_distkey, sortkey, encoding] => Some(ColumnAttributes {
                    is_constrained: is_constrained(&name.to_text()),
                    name: name.to_text(),
                    is_distkey: *is_distkey == Cell::Boolean(true),
                    is_sortkey: sortkey.as_i64().is_some_and(|place| place != 0),
                    encoding: encoding.to_text().to_lowercase(),
                }),
                _ => None,
            }
        });
    Ok(Some(TableState { columns, attributes: attributes.collect() }))
}

/// Columns, their keys and encodings, their declared constraints. SVV_TABLE_INFO would be another
/// way to the keys, but only superusers see it, and it has no empty tables.
fn table_queries(target: &TableName) -> Vec<String> {
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

fn is_missing_ledger(failure: &StatementFailure) -> bool {
    failure.statement == 1 && failure.message.contains("does not exist")
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
