//! Counts old loads, and lets ledger and fences forget them.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::refusal::{self, Refusal};
use loader_warehouse::retention::{OldLoads, count_old, forget_in_fence, forget_in_ledger};

use crate::redshift::query;
use crate::redshift::retry;

/// The old loads of targets of a schema; none where there is no ledger yet.
pub(crate) async fn count(
    api: &DataApi,
    schema: &str,
    targets: &[&TableName],
    before: &str,
) -> Result<Vec<OldLoads>> {
    let counted = query::select_if_there(api, &count_old(schema, targets, before)).await?;
    counted.map_or_else(|| Ok(Vec::new()), |rows| rows.decode())
}

/// Lets the fences of targets forget them, and then the ledger.
// In this order: what the ledger has forgotten is not counted any more, and so a fence would never
// be looked at again.
pub(crate) async fn forget(
    api: &DataApi,
    schema: &str,
    targets: &[&TableName],
    before: &str,
) -> Result<()> {
    for target in targets {
        transact(api, &forget_in_fence(target, before), &target.to_string()).await?;
    }
    transact(api, &[forget_in_ledger(schema, targets, before)], "the ledger").await
}

async fn transact(api: &DataApi, statements: &[String], of: &str) -> Result<()> {
    match retry::execute_batch(api, statements).await? {
        Outcome::Finished(_) => Ok(()),
        Outcome::Failed(failure) if matches!(failure.refusal, Refusal::Missing(_)) => Ok(()),
        Outcome::Failed(failure) => {
            Err(refusal::explain(&format!("forgetting old loads of {of}"), &failure))
        }
    }
}
