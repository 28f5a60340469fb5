//! Makes the tables that the loader keeps in a schema and a target's fence, and brings a ledger of
//! an earlier version up to date.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::{
    LEDGER, LaterColumn, add_column, ddl, fence, make_fence as make_fence_sql,
};
use loader_warehouse::catalog::Catalog;
use loader_warehouse::refusal::{self, Refusal, StatementFailure};

use crate::redshift::retry;

/// Makes the tables that are missing. Where all exist, the statements change nothing.
pub async fn create(api: &DataApi, target: &TableName) -> Result<()> {
    match retry::execute_batch_while(api, &ddl(target), retry::is_race).await? {
        Outcome::Finished(_) => Ok(()),
        Outcome::Failed(failure) => {
            Err(refusal::explain("making the loader's tables beside the target", &failure))
        }
    }
}

/// Makes the fence of a target, with the loads that an earlier version has written into the ledger.
/// `catalog`: what the warehouse has. Another run may make the fence at the same time, which is as
/// good.
pub async fn make_fence(api: &DataApi, target: &TableName, catalog: &Catalog) -> Result<()> {
    let (takes_over, target_exists) = (catalog.loads > 0, catalog.target.is_some());
    let statements = make_fence_sql(target, takes_over, target_exists);
    match retry::execute_batch(api, &statements).await? {
        Outcome::Finished(_) => {
            if takes_over {
                let (fence, loads) = (fence(target), catalog.loads);
                tracing::info!(%fence, loads, "loads of an earlier version taken over");
            }
            Ok(())
        }
        Outcome::Failed(failure) if failure.refusal == Refusal::AlreadyExists => Ok(()),
        Outcome::Failed(failure) => {
            Err(refusal::explain(&format!("making the table {}", fence(target)), &failure))
        }
    }
}

/// Adds columns to a ledger that an earlier version made. `columns`: the later columns that it has,
/// before and after. A database user may write to the ledger without owning it; then ALTER TABLE is
/// denied, and the user's loads go on without the rest.
pub async fn complete_ledger(
    api: &DataApi,
    target: &TableName,
    columns: &mut Vec<LaterColumn>,
) -> Result<()> {
    for column in LaterColumn::ALL {
        if columns.contains(&column) {
            continue;
        }
        if let Outcome::Failed(failure) =
            retry::execute_batch(api, &[add_column(target, column)]).await?
            && !has_column(target, column, &failure)
        {
            return Ok(());
        }
        columns.push(column);
    }
    Ok(())
}

/// Whether the ledger has the column although ALTER TABLE was refused. It has when another run
/// added it in the meantime, and ALTER TABLE fails because the column already exists.
fn has_column(target: &TableName, column: LaterColumn, failure: &StatementFailure) -> bool {
    match failure.refusal {
        Refusal::AlreadyExists => true,
        Refusal::Conflict
        | Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::Missing(_)
        | Refusal::TypeMismatch
        | Refusal::Guard
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => {
            let column = column.name();
            let error = refusal::explain(&format!("adding the column `{column}`"), failure);
            let ledger = target.sibling(LEDGER);
            tracing::warn!(%ledger, column, %error, "the ledger cannot say how the rows were made");
            false
        }
    }
}
