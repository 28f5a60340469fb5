//! Makes the ledger and the audit table, and brings those of earlier versions up to date.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::{LEDGER, add_plugins as add_plugins_sql, ddl};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};

use crate::redshift::retry_conflicts;

/// Makes both tables where they are missing.
pub async fn create(api: &DataApi, target: &TableName) -> Result<()> {
    match retry_conflicts::execute_batch(api, &ddl(target)).await? {
        Outcome::Finished(_) => Ok(()),
        Outcome::Failed(failure) => {
            Err(refusal::explain("making the tables loader_loads and job_sts", &failure))
        }
    }
}

/// Adds the column for plugins to a ledger that an earlier version made. Says whether it is there
/// now: a user that may write to the ledger need not own it, and its loads go on without.
pub async fn add_plugins(api: &DataApi, target: &TableName) -> Result<bool> {
    match retry_conflicts::execute_batch(api, &[add_plugins_sql(target)]).await? {
        Outcome::Finished(_) => Ok(true),
        Outcome::Failed(failure) => Ok(has_plugins(target, &failure)),
    }
}

/// Whether the ledger has the column although it could not be added: another run was faster.
fn has_plugins(target: &TableName, failure: &StatementFailure) -> bool {
    match failure.refusal {
        Refusal::AlreadyExists => true,
        Refusal::Conflict
        | Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::WrongPassword
        | Refusal::Missing(_)
        | Refusal::TypeMismatch
        | Refusal::Guard
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => {
            let error = refusal::explain("adding the column `plugins`", failure);
            let ledger = target.sibling(LEDGER);
            tracing::warn!(%ledger, %error, "the ledger cannot say which plugins made the rows");
            false
        }
    }
}
