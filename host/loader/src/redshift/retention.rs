//! Counts old loads, and lets ledger and fences forget them.

use std::time::Duration;

use loader_aws::data_api::{DataApi, Outcome};
use loader_aws::stop::Stop;
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::refusal::{self, Refusal};
use loader_warehouse::retention::{
    OldLoads, Targets, count_old, forget_in_fence, forget_in_ledger,
};

use crate::redshift::query;
use crate::redshift::retry;

/// How long a fence is waited for: its table may be at work, and is forgotten another day.
const PATIENCE: Duration = Duration::from_secs(60);

/// The old loads of targets; none where there is no ledger yet.
pub(crate) async fn count(api: &DataApi, of: &Targets<'_>) -> Result<Vec<OldLoads>> {
    let counted = query::select_if_there(api, &count_old(of)).await?;
    counted.map_or_else(|| Ok(Vec::new()), |rows| rows.decode())
}

/// Lets the fences of targets forget them, and then the ledger.
// In this order: what the ledger has forgotten is not counted any more, and so a fence would never
// be looked at again.
pub(crate) async fn forget(api: &DataApi, of: &Targets<'_>, stop: &Stop) -> Result<()> {
    let api = api.with_lock_timeout(PATIENCE);
    let mut done: Vec<&TableName> = Vec::new();
    for target in &of.targets {
        stop.check()?;
        match transact(&api, &forget_in_fence(target, of.before), &target.to_string()).await {
            Ok(()) => done.push(target),
            Err(error) => {
                tracing::warn!(%target, %error, "its old loads are forgotten another day")
            }
        }
    }
    if done.is_empty() {
        return Ok(());
    }
    let of = Targets { targets: done, ..*of };
    transact(&api, &[forget_in_ledger(&of)], "the ledger").await
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
