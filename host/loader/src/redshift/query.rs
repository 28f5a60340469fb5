//! One statement that asks, and its rows.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_warehouse::refusal::{self, Refusal};
use loader_warehouse::rows::ResultRows;

/// Runs one statement; `None` when it has no result set.
pub(crate) async fn select(api: &DataApi, sql: &str) -> Result<Option<ResultRows>> {
    let outcome = api.execute(sql).await?;
    rows(api, outcome).await
}

/// The same; also `None` when the statement names a table that is not there.
pub(crate) async fn select_if_there(api: &DataApi, sql: &str) -> Result<Option<ResultRows>> {
    match api.execute(sql).await? {
        Outcome::Failed(failure) if matches!(failure.refusal, Refusal::Missing(_)) => Ok(None),
        outcome => rows(api, outcome).await,
    }
}

async fn rows(api: &DataApi, outcome: Outcome) -> Result<Option<ResultRows>> {
    match outcome {
        Outcome::Failed(failure) => Err(refusal::explain("the statement", &failure)),
        Outcome::Finished(executed) if executed.has_result_set => {
            api.rows(&executed, None).await.map(Some)
        }
        Outcome::Finished(_) => Ok(None),
    }
}
