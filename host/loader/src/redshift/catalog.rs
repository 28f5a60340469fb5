//! Reads the catalog: before a load, and right before the target is altered.

use std::collections::BTreeSet;

use loader_aws::data_api::{DataApi, Executed, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::audit_table::AuditTable;
use loader_warehouse::catalog::{
    self, ASKS_JOURNAL, ASKS_LEDGER, Catalog, TableState, audit_query, queries, table_queries,
    untyped,
};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};
use loader_warehouse::rows::{Cell, ResultRows};

use crate::redshift::{bookkeeping, dependents, retry};

/// What to do when a bookkeeping table is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookkeeping {
    /// Make the missing tables: a load follows.
    Make,
    /// Leave them: without a ledger nothing was loaded into this schema yet.
    LeaveMissing,
}

/// Reads the catalog. One execution; more when bookkeeping tables have to be made or completed
/// first, which waits for the end of `may_make`.
// Everything is asked in one batch, and a batch fails as a whole. So a missing table also costs the
// answer about the columns: `ask` says which query failed, and the queries before it are asked
// alone, or the tables are made and all is asked for again. (For example, a schema that an earlier
// version has used has a ledger and no journal.)
pub async fn read(
    api: &DataApi,
    target: &TableName,
    load_id: &str,
    missing: Bookkeeping,
    may_make: impl Future<Output = ()>,
) -> Result<Catalog> {
    let queries = queries(target, load_id);
    let mut answer = ask(api, &queries, target).await?;
    may_make.await;
    if missing == Bookkeeping::Make {
        return complete(api, target, &queries, answer).await;
    }
    loop {
        match answer {
            Answer::Read(catalog) => return Ok(*catalog),
            Answer::Missing { at } => answer = ask(api, &queries[..at], target).await?,
        }
    }
}

/// Makes what is missing beside the target and asks again.
async fn complete(
    api: &DataApi,
    target: &TableName,
    queries: &[String],
    mut answer: Answer,
) -> Result<Catalog> {
    if !matches!(&answer, Answer::Read(catalog) if catalog.audit.is_some()) {
        bookkeeping::create(api, target).await?;
        answer = ask(api, queries, target).await?;
    }
    let Answer::Read(mut catalog) = answer else {
        let fact = format!(
            "a table of the loader in {} is missing right after it was made",
            target.schema
        );
        return Err(Error::new(Kind::Internal, fact));
    };
    if !catalog.has_fence {
        bookkeeping::make_fence(api, target, &catalog).await?;
        catalog.has_fence = true;
    }
    // A file that was loaded before gets no new row, so its run needs no later column.
    if catalog.loaded_by.is_none() {
        bookkeeping::complete_ledger(api, target, &mut catalog.ledger_columns).await?;
    }
    Ok(*catalog)
}

/// The answer to some of the queries.
enum Answer {
    Read(Box<Catalog>),
    /// The query at this place asks a table that does not exist.
    Missing {
        at: usize,
    },
}

async fn ask(api: &DataApi, queries: &[String], target: &TableName) -> Result<Answer> {
    match retry::execute_batch(api, queries).await? {
        Outcome::Finished(executed) => read_answer(api, &executed, queries.len(), target).await,
        Outcome::Failed(failure) => match missing_table(&failure) {
            Some(at) => Ok(Answer::Missing { at }),
            None => Err(refusal::explain("reading the catalog", &failure)),
        },
    }
}

async fn read_answer(
    api: &DataApi,
    executed: &Executed,
    asked: usize,
    target: &TableName,
) -> Result<Answer> {
    // Nearly always the journal is empty, and the execution's own answer says so.
    let rows = async |place: usize| match place < asked && !executed.without_rows.contains(&place) {
        true => api.rows(executed, Some(place)).await,
        false => Ok(ResultRows::default()),
    };
    let (columns, loads, left) =
        futures::try_join!(rows(0), rows(ASKS_LEDGER), rows(ASKS_JOURNAL))?;
    Ok(Answer::Read(Box::new(Catalog::read([&columns, &loads, &left], target)?)))
}

/// Reads the target as it is now; `None`: there is no such table. One execution.
pub async fn read_table(api: &DataApi, target: &TableName) -> Result<Option<TableState>> {
    let executed = match retry::execute_batch(api, &table_queries(target)).await? {
        Outcome::Finished(executed) => executed,
        Outcome::Failed(failure) => return Err(refusal::explain("reading the catalog", &failure)),
    };
    let columns = api.rows(&executed, Some(0)).await?;
    if columns.rows.is_empty() {
        return Ok(None);
    }
    let attributes = api.rows(&executed, Some(1)).await?;
    let constrained = api.rows(&executed, Some(2)).await?;
    TableState::read(&columns, &attributes, &constrained, target)
}

/// Those of the loads that the ledger has. One execution.
pub async fn loaded_before(
    api: &DataApi,
    target: &TableName,
    load_ids: &[&str],
) -> Result<BTreeSet<String>> {
    let query = [catalog::known_query(target, load_ids)];
    let executed = match retry::execute_batch(api, &query).await? {
        Outcome::Finished(executed) => executed,
        Outcome::Failed(failure) => return Err(refusal::explain("reading the ledger", &failure)),
    };
    let rows = api.rows(&executed, Some(0)).await?.rows;
    Ok(rows.iter().filter_map(|cells| cells.first()).map(Cell::to_text).collect())
}

/// Reads the audit table as it is now; `None`: there is none.
pub async fn read_audit(api: &DataApi, target: &TableName) -> Result<Option<AuditTable>> {
    match api.execute(&audit_query(target)).await? {
        Outcome::Finished(executed) => catalog::read_audit(&api.rows(&executed, None).await?),
        Outcome::Failed(failure) => Err(refusal::explain("reading the catalog", &failure)),
    }
}

/// Those of the target's columns that have no value. No execution for no columns.
pub async fn without_values(
    api: &DataApi,
    target: &TableName,
    columns: &[String],
) -> Result<Vec<String>> {
    let doing = "counting the values of columns that have no type yet";
    let answers = dependents::query(api, doing, &untyped::queries(target, columns)).await;
    untyped::without_values(columns, &answers.map_err(Error::unless_unknown)?)
}

/// The place of the query that asks a bookkeeping table which does not exist.
fn missing_table(failure: &StatementFailure) -> Option<usize> {
    let is_missing = match failure.refusal {
        Refusal::Missing(_) => true,
        Refusal::Conflict
        | Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::AlreadyExists
        | Refusal::TypeMismatch
        | Refusal::Guard
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => false,
    };
    let at = failure.statement;
    (is_missing && [ASKS_LEDGER, ASKS_JOURNAL].contains(&at)).then_some(at)
}
