//! What killed runs leave in the warehouse: views in the journal that are back, and fences of
//! tables that were never made.
//!
//! In: a schema. Out: what was left. Each is removed by a transaction that looks again, so what has
//! changed meanwhile stays.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_aws::stop::Stop;
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::fence;
use loader_warehouse::evolution::journal::Journal;
use loader_warehouse::leftovers::{
    FenceLoads, LoneFence, drop_fence, is_named_for, loads_of, lone_fences,
};
use loader_warehouse::refusal::{self, Refusal};

use crate::redshift::query::{select, select_if_there};
use crate::redshift::{journals, restore, retry};

/// How long a fence is waited for: its table may be at work.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes views out of the journal that are there again. Their runs cannot be alive any more: the
/// rows are 15 minutes old.
pub(crate) async fn restored_views(
    api: &DataApi,
    schema: &str,
    dry_run: bool,
) -> Result<Vec<TableName>> {
    let mut found = Vec::new();
    let left = journals::read_all(api, schema).await?;
    for left in left.journals.iter().filter(|left| left.is_old) {
        let present = restore::present(api, &left.journal).await?;
        if !dry_run && !forget(api, &left.journal, &present).await? {
            continue;
        }
        found.extend(present);
    }
    Ok(found)
}

/// False: others were at work on the views.
async fn forget(api: &DataApi, journal: &Journal, views: &[TableName]) -> Result<bool> {
    for statements in journal.key.forget_sql(views) {
        if !transact(api, &statements, "taking views out of the journal").await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Drops fences that have no load and whose table is not there. Gives their names.
pub(crate) async fn empty_fences(
    api: &DataApi,
    schema: &str,
    dry_run: bool,
    stop: &Stop,
) -> Result<Vec<TableName>> {
    let rows = select(api, &lone_fences(schema)).await?.unwrap_or_default();
    let mut found = Vec::new();
    for LoneFence { target } in rows.decode()? {
        let target = TableName { schema: schema.to_owned(), table: target };
        if !is_named_for(&target) || has_loads(api, &target).await? {
            continue;
        }
        stop.check()?;
        let doing = format!("dropping the fence of {target}");
        if dry_run || transact(api, &drop_fence(&target), &doing).await? {
            found.push(fence(&target));
        }
    }
    Ok(found)
}

/// Whether a fence has a load. A fence that is gone meanwhile is not dropped.
async fn has_loads(api: &DataApi, target: &TableName) -> Result<bool> {
    match select_if_there(api, &loads_of(target)).await? {
        Some(rows) => Ok(rows.first::<FenceLoads>("the fence")? != FenceLoads(0)),
        None => Ok(true),
    }
}

/// Runs a transaction. False: what it is about has changed meanwhile, or is at work.
async fn transact(api: &DataApi, statements: &[String], doing: &str) -> Result<bool> {
    let api = api.with_lock_timeout(PATIENCE);
    match retry::execute_batch(&api, statements).await? {
        Outcome::Finished(_) => Ok(true),
        Outcome::Failed(failure) => match failure.refusal {
            Refusal::Guard | Refusal::Missing(_) | Refusal::Cancelled | Refusal::Conflict => {
                tracing::info!(doing, error = %failure.message, "left as it is");
                Ok(false)
            }
            _ => Err(refusal::explain(doing, &failure)),
        },
    }
}
