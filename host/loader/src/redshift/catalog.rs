//! Reads the catalog: before a load, and right before the target is altered.

use loader_aws::data_api::{DataApi, Executed, Outcome};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::catalog::{Catalog, TableState, queries, table_queries};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};
use loader_warehouse::rows::ResultRows;

use crate::redshift::{bookkeeping, retry};

/// What to do when the ledger or the audit table is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bookkeeping {
    /// Make the missing tables: a load follows.
    Make,
    /// Leave them: without a ledger nothing was loaded into this schema yet.
    LeaveMissing,
}

/// Reads the catalog. One execution; more when bookkeeping tables have to be made or completed
/// first.
// The columns and the ledger are asked in one batch, and a batch fails as a whole. So a missing
// ledger also costs the answer about the columns: `ask` gives `None`, and the columns are asked for
// alone, or the ledger is made and both are asked for again.
pub async fn read(
    api: &DataApi,
    target: &TableName,
    load_id: &str,
    missing: Bookkeeping,
) -> Result<Catalog> {
    let queries = queries(target, load_id);
    let answer = ask(api, &queries, target).await?;
    match (missing, answer) {
        (Bookkeeping::Make, answer) => complete(api, target, &queries, answer).await,
        (Bookkeeping::LeaveMissing, Some((catalog, _))) => Ok(catalog),
        (Bookkeeping::LeaveMissing, None) => {
            Ok(ask(api, &queries[..1], target).await?.unwrap_or_default().0)
        }
    }
}

/// Makes what is missing beside the target and asks again.
async fn complete(
    api: &DataApi,
    target: &TableName,
    queries: &[String],
    mut answer: Option<(Catalog, bool)>,
) -> Result<Catalog> {
    if !matches!(answer, Some((_, true))) {
        bookkeeping::create(api, target).await?;
        answer = ask(api, queries, target).await?;
    }
    let (mut catalog, _) = answer.ok_or_else(|| {
        Error::new(
            Kind::Internal,
            format!("the ledger of {target} is missing right after it was made"),
        )
    })?;
    // A file that was loaded before gets no new row, so its run needs no column for the plugins.
    if !catalog.has_fence {
        bookkeeping::make_fence(api, target, &catalog).await?;
        catalog.has_fence = true;
    }
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
    match retry::execute_batch(api, queries).await? {
        Outcome::Finished(executed) => {
            answer(api, &executed, target, queries.len() > 1).await.map(Some)
        }
        Outcome::Failed(failure) if is_missing_ledger(&failure) => Ok(None),
        Outcome::Failed(failure) => Err(refusal::explain("reading the catalog", &failure)),
    }
}

async fn answer(
    api: &DataApi,
    executed: &Executed,
    target: &TableName,
    ledger: bool,
) -> Result<(Catalog, bool)> {
    let columns = api.rows(executed, Some(0)).await?;
    let loads = if ledger { api.rows(executed, Some(1)).await? } else { ResultRows::default() };
    Catalog::read(&columns, &loads, target)
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

fn is_missing_ledger(failure: &StatementFailure) -> bool {
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
    // Statement 0 asks for the columns, statement 1 for the ledger.
    failure.statement == 1 && is_missing
}
