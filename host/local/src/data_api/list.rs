//! ListStatements: the executions of this server, newest first, by page. In: filters; out: the
//! members of the service's model.

use serde::Deserialize;
use serde_json::Value;

use super::execution::{Execution, Mode, Submission};
use super::members::Members;
use super::protocol::{ApiError, enum_error, in_range, seconds};
use super::warehouse::Warehouse;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListRequest {
    status: Option<String>,
    statement_name: Option<String>,
    database: Option<String>,
    cluster_identifier: Option<String>,
    workgroup_name: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

const STATUSES: [&str; 7] =
    ["SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED", "ABORTED", "ALL"];

impl ListRequest {
    /// The status to list; FINISHED when the client names none.
    fn status(&self) -> Result<&str, ApiError> {
        let status = self.status.as_deref().unwrap_or("FINISHED");
        if STATUSES.contains(&status) {
            return Ok(status);
        }
        Err(enum_error("status", status, &format!("[{}]", STATUSES.join(", "))))
    }

    fn limit(&self) -> Result<usize, ApiError> {
        // 0 means the default, as if the client had sent no number.
        let limit = in_range("maxResults", self.max_results, 0..=100)?.filter(|limit| *limit > 0);
        Ok(usize::try_from(limit.unwrap_or(100)).unwrap_or(100))
    }

    // Database, cluster and workgroup must be the same; StatementName is a prefix of the name, for
    // example `load-` finds `load-orders`.
    fn matches(&self, execution: &Execution) -> bool {
        let submission = &execution.submission;
        let same =
            |wanted: &Option<String>, value: &Option<String>| wanted.is_none() || wanted == value;
        same(&self.database, &submission.target.database)
            && same(&self.cluster_identifier, &submission.target.cluster_identifier)
            && same(&self.workgroup_name, &submission.target.workgroup_name)
            && self.statement_name.as_ref().is_none_or(|prefix| {
                submission.name.as_ref().is_some_and(|name| name.starts_with(prefix))
            })
    }

    /// Whether an execution comes after the page before. The token is the id of that page's last
    /// execution, and ids (UUID version 7) grow with time, so older executions have smaller ids.
    fn is_after_token(&self, execution: &Execution) -> bool {
        self.next_token.as_ref().is_none_or(|token| execution.id < *token)
    }
}

/// ListStatements.
pub(crate) fn statements(warehouse: &Warehouse, request: &ListRequest) -> Result<Value, ApiError> {
    let status = request.status()?;
    let limit = request.limit()?;
    let mut found = warehouse.registry.newest_first();
    found.retain(|one| {
        request.is_after_token(one)
            && (status == "ALL" || one.status().as_str() == status)
            && request.matches(one)
    });
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    let listed: Vec<Value> = found.iter().map(|execution| listed(execution)).collect();
    Ok(Members::default()
        .with_some("NextToken", last.map(|last| last.id.as_str()))
        .with("Statements", listed)
        .into())
}

fn listed(execution: &Execution) -> Value {
    let submission = &execution.submission;
    let state = execution.state();
    let members = Members::default()
        .with("Id", execution.id.as_str())
        .with("Status", state.status.as_str())
        .with("CreatedAt", seconds(execution.created_millis))
        .with("UpdatedAt", seconds(state.updated_millis))
        .with("IsBatchStatement", execution.is_batch())
        .with("ResultFormat", submission.result_format());
    members
        .and(query_members(submission))
        .with_some("StatementName", submission.name.as_deref())
        .with_some("SecretArn", submission.target.secret_arn.as_deref())
        .with_some("SessionId", execution.session_id())
        .into()
}

fn query_members(submission: &Submission) -> Members {
    match submission.mode {
        Mode::Single => Members::default().with("QueryString", submission.statements[0].as_str()),
        Mode::Transaction | Mode::AutoCommit => {
            Members::default().with("QueryStrings", submission.statements.clone())
        }
    }
}
