//! Why COPY refused something. Redshift's own message only names the system view that has the
//! reasons, so the program reads them there.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html>

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Result};
use loader_warehouse::load_errors::{LoadError, query};
use loader_warehouse::refusal::{self, StatementFailure};

/// Explains a failed COPY with the first load errors that the system view has of it.
pub async fn explain(api: &DataApi, failure: &StatementFailure) -> Error {
    let details = details(api, failure.query_id).await.unwrap_or_else(|problem| {
        tracing::debug!(error = %problem, "the load errors could not be read");
        Vec::new()
    });
    let more = match details.as_slice() {
        [] => String::new(),
        details => format!("; load errors: {}", details.join("; ")),
    };
    refusal::explain_with("copying the staged parts", failure, &more)
}

async fn details(api: &DataApi, query_id: i64) -> Result<Vec<String>> {
    // 0 or less: the Data API has not told the number of the query, so there is no row to ask for.
    if query_id <= 0 {
        return Ok(Vec::new());
    }
    match api.execute(&query(query_id)).await? {
        Outcome::Failed(failure) => Err(refusal::explain("reading the load errors", &failure)),
        Outcome::Finished(executed) => {
            let errors: Vec<LoadError> = api.rows(&executed, None).await?.decode()?;
            let mut errors: Vec<String> = errors.iter().map(LoadError::to_string).collect();
            errors.dedup();
            Ok(errors)
        }
    }
}
