//! Which keys a guard has refused. The staged parts are still there, so the warehouse is asked with
//! them once more.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Result;
use loader_warehouse::refusal;
use loader_warehouse::rows::FromRow;

/// The first keys that were refused, which the last statement of `telling` has as rows. None, where
/// the warehouse does not tell: a refusal stands without examples.
pub async fn told<T: FromRow>(api: &DataApi, telling: &[String]) -> Vec<T> {
    ask(api, telling).await.unwrap_or_else(|problem| {
        tracing::debug!(error = %problem, "the refused keys could not be read");
        Vec::new()
    })
}

async fn ask<T: FromRow>(api: &DataApi, telling: &[String]) -> Result<Vec<T>> {
    match api.execute_batch(telling).await? {
        Outcome::Failed(failure) => Err(refusal::explain("reading keys", &failure)),
        Outcome::Finished(executed) => {
            api.rows(&executed, telling.len().checked_sub(1)).await?.decode()
        }
    }
}
