//! What the warehouse says before a load: the target's columns and whether this load is in the ledger. One execution.

use crate::error::{Error, Kind, Result};
use crate::names::TableName;
use crate::redshift::bookkeeping;
use crate::redshift::data_api::{DataApi, Executed, Outcome, StatementFailure};
use crate::redshift::failures;
use crate::redshift::rows::{Cell, Rows};
use crate::redshift::sql::{self, text};
use crate::redshift::types::ColumnType;

/// The warehouse as it is now, as far as a load is concerned.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Columns of the target in their order; `None`: there is no such table.
    pub target: Option<Vec<CatalogColumn>>,
    /// The run that loaded this very file before.
    pub loaded_by: Option<String>,
}

/// A column of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogColumn {
    pub name: String,
    pub column_type: ColumnType,
    pub nullable: bool,
    pub has_default: bool,
}

/// What to do when the ledger or the audit table is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookkeeping {
    /// Make both: a load follows.
    Make,
    /// Nothing: nothing was loaded here yet.
    LeaveMissing,
}

/// Reads the catalog. One execution; three when bookkeeping tables have to be made first.
pub async fn read(api: &DataApi, target: &TableName, load_id: &str, missing: Bookkeeping) -> Result<Catalog> {
    let queries = queries(target, load_id);
    match ask(api, &queries, target).await? {
        Some((catalog, true)) => return Ok(catalog),
        Some((catalog, false)) if missing == Bookkeeping::LeaveMissing => return Ok(catalog),
        None if missing == Bookkeeping::LeaveMissing => {
            let columns_only = ask(api, &queries[..1], target).await?;
            return Ok(columns_only.unwrap_or_default().0);
        }
        _ => bookkeeping::create(api, target).await?,
    }
    let answer = ask(api, &queries, target).await?;
    answer
        .map(|(catalog, _)| catalog)
        .ok_or_else(|| Error::new(Kind::Internal, format!("the ledger of {target} is missing right after it was made")))
}

/// The catalog and whether there is an audit table; `None` when there is no ledger.
async fn ask(api: &DataApi, queries: &[String], target: &TableName) -> Result<Option<(Catalog, bool)>> {
    match api.execute_batch(queries).await? {
        Outcome::Finished(executed) => answer(api, &executed, target, queries.len() > 1).await.map(Some),
        Outcome::Failed(failure) if is_missing_ledger(&failure) => Ok(None),
        Outcome::Failed(failure) => Err(failures::explain("reading the catalog", &failure)),
    }
}

async fn answer(api: &DataApi, executed: &Executed, target: &TableName, ledger: bool) -> Result<(Catalog, bool)> {
    let columns = api.rows(executed, Some(0)).await?;
    let loads = if ledger { api.rows(executed, Some(1)).await? } else { Rows::default() };
    let has_audit = columns.rows.iter().any(|row| row.first().and_then(Cell::as_str) == Some(bookkeeping::AUDIT));
    let target = target_columns(&columns, &target.table)?;
    let loaded_by = loads.rows.first().and_then(|row| row.first()).map(Cell::to_text);
    Ok((Catalog { target, loaded_by }, has_audit))
}

fn queries(target: &TableName, load_id: &str) -> Vec<String> {
    let columns = format!(
        "SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, \
         is_nullable, column_default FROM svv_columns WHERE table_schema = {} AND table_name IN ({}, {}) \
         ORDER BY table_name, ordinal_position",
        text(&target.schema),
        text(&target.table),
        text(bookkeeping::AUDIT),
    );
    let ledger = sql::table(&target.sibling(bookkeeping::LEDGER));
    let loads = format!("SELECT run_id FROM {ledger} WHERE load_id = {} LIMIT 1", text(load_id));
    vec![columns, loads]
}

fn is_missing_ledger(failure: &StatementFailure) -> bool {
    failure.statement == 1 && failure.message.contains("does not exist")
}

fn target_columns(rows: &Rows, table: &str) -> Result<Option<Vec<CatalogColumn>>> {
    let mut columns = Vec::new();
    for row in rows.rows.iter().filter(|row| row.first().and_then(Cell::as_str) == Some(table)) {
        let [_, name, data_type, length, precision, scale, nullable, default] = row.as_slice() else {
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
            has_default: *default != Cell::Null,
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
        SELECT table_name, column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable, column_default FROM svv_columns WHERE table_schema = 'public' AND table_name IN ('flights', 'job_sts') ORDER BY table_name, ordinal_position
        SELECT run_id FROM "public"."loader_loads" WHERE load_id = 'abc' LIMIT 1
        "#);
    }
}
