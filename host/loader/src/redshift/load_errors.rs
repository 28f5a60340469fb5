//! Why COPY refused something: Redshift's own message says where to look, so we look.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html>

use crate::error::{Error, Result};
use crate::redshift::data_api::{DataApi, Outcome, StatementFailure};
use crate::redshift::failures;
use crate::redshift::rows::Cell;

/// Explains a failed COPY with the first load errors that the system view has of it.
pub async fn explain(api: &DataApi, failure: &StatementFailure) -> Error {
    let error = failures::explain("copying the staged parts", failure);
    match details(api, failure.query_id).await {
        Ok(details) if !details.is_empty() => {
            let fact = format!("{error}; load errors: {}", details.join("; "));
            Error::new(error.kind(), fact)
        }
        Ok(_) => error,
        Err(problem) => {
            tracing::debug!(error = %problem, "the load errors could not be read");
            error
        }
    }
}

async fn details(api: &DataApi, query_id: i64) -> Result<Vec<String>> {
    if query_id <= 0 {
        return Ok(Vec::new());
    }
    match api.execute(&query(query_id)).await? {
        Outcome::Failed(failure) => Err(failures::explain("reading the load errors", &failure)),
        Outcome::Finished(executed) => {
            let rows = api.rows(&executed, None).await?;
            Ok(rows.rows.iter().map(|row| sentence(row)).collect())
        }
    }
}

fn query(query_id: i64) -> String {
    format!(
        "SELECT TRIM(file_name), line_number, TRIM(column_name), TRIM(column_type), error_code, \
         TRIM(error_message) FROM sys_load_error_detail WHERE query_id = {query_id} ORDER BY \
         line_number LIMIT 5"
    )
}

fn sentence(row: &[Cell]) -> String {
    let text = |i: usize| row.get(i).map(Cell::to_text).unwrap_or_default();
    format!(
        "{} line {}, column {} ({}): {} {}",
        text(0),
        text(1),
        text(2),
        text(3),
        text(4),
        text(5)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_file_line_and_column() {
        let row = ["s3://b/p", "7", "amount", "numeric", "1207", "Invalid digit"]
            .map(|text| Cell::Text(text.into()));
        assert_eq!(sentence(&row), "s3://b/p line 7, column amount (numeric): 1207 Invalid digit");
        assert!(query(5).contains("query_id = 5"));
    }
}
