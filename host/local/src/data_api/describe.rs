//! DescribeStatement, the results of a statement by page, and CancelStatement. In: the id of an
//! execution, or of one statement of a batch (for example `…-4f0a:2` names the second). Out: the
//! members of the service's model.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::execution::{Execution, ExecutionState, Mode, Status, Submission};
use super::members::Members;
use super::protocol::{ApiError, in_range, seconds};
use super::result::{self, Format};
use super::warehouse::Warehouse;
use crate::session::ResultSet;

/// How long a cancel has to end an execution before the next one is sent.
const BETWEEN_CANCELS: Duration = Duration::from_millis(100);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IdRequest {
    id: Option<String>,
    next_token: Option<String>,
    wait_time_seconds: Option<i64>,
}

/// An execution, and the index of a statement when the id named one of a batch.
struct Found {
    execution: Arc<Execution>,
    item: Option<usize>,
}

impl Found {
    /// The rows of a statement that has finished. A batch itself has no rows, only its statements.
    fn result(&self) -> Option<Arc<ResultSet>> {
        let index = self.item.or((!self.execution.is_batch()).then_some(0))?;
        let state = self.execution.state();
        let item = &state.items[index];
        item.result.clone().filter(|_| item.status == Status::Finished)
    }
}

// The service's pattern allows an empty number: `uuid:` names the whole execution, as `uuid` does.
fn find(warehouse: &Warehouse, id: Option<&str>) -> Result<Found, ApiError> {
    let id = id.ok_or_else(|| ApiError::missing("id"))?;
    let (uuid, number) =
        id.split_once(':').map_or((id, None), |(uuid, number)| (uuid, Some(number)));
    check_id(id, uuid, number)?;
    let missing = || ApiError::not_found("Query does not exist.", id);
    let execution = warehouse.registry.get(uuid).ok_or_else(missing)?;
    let item = match number.filter(|number| !number.is_empty()) {
        None => None,
        Some(number) => Some(item_index(&execution, number).ok_or_else(missing)?),
    };
    Ok(Found { execution, item })
}

/// The index of a batch's statement. Ids count from 1, so that `uuid:1` is index 0 and `uuid:0` is
/// no statement.
fn item_index(execution: &Execution, number: &str) -> Option<usize> {
    let index = number.parse::<usize>().ok()?.checked_sub(1)?;
    (execution.is_batch() && index < execution.submission.statements.len()).then_some(index)
}

/// Refuses an id whose form the service would not accept.
fn check_id(id: &str, uuid: &str, number: Option<&str>) -> Result<(), ApiError> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12])
        && uuid.bytes().all(plain)
        && number.is_none_or(|number| number.len() <= 2)
    {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "1 validation error detected: Value '{id}' at 'id' failed to satisfy constraint: Member \
         must satisfy regular expression pattern: \
         [a-z0-9]{{8}}(-[a-z0-9]{{4}}){{3}}-[a-z0-9]{{12}}(:\\d{{0,2}})?"
    )))
}

async fn wait(execution: &Execution, seconds: Option<i64>) -> Result<(), ApiError> {
    if let Some(seconds) = in_range("waitTimeSeconds", seconds, 1..=30)? {
        execution.wait(Duration::from_secs(seconds.unsigned_abs())).await;
    }
    Ok(())
}

/// DescribeStatement.
pub(crate) async fn describe(warehouse: &Warehouse, request: IdRequest) -> Result<Value, ApiError> {
    let found = find(warehouse, request.id.as_deref())?;
    let execution = &found.execution;
    wait(execution, request.wait_time_seconds).await?;
    let state = execution.state();
    Ok(match found.item {
        Some(index) => item_members(execution, &state, index),
        None if execution.is_batch() => batch_members(execution, &state),
        // `Members::and` replaces, so the order matters: Status and Error are the execution's.
        None => item_members(execution, &state, 0).and(whole_members(execution, &state)),
    }
    .into())
}

fn batch_members(execution: &Execution, state: &ExecutionState) -> Members {
    let mode = execution.submission.mode;
    let items: Vec<Value> =
        (0..state.items.len()).map(|index| item_members(execution, state, index).into()).collect();
    whole_members(execution, state)
        .with("ExecutionMode", if mode == Mode::AutoCommit { "AUTO_COMMIT" } else { "TRANSACTION" })
        // A batch has no result and no query id of its own; SubStatements have them.
        .with("ResultRows", -1)
        .with("ResultSize", -1)
        .with("RedshiftQueryId", 0)
        .with("SubStatements", items)
}

fn whole_members(execution: &Execution, state: &ExecutionState) -> Members {
    progress_members(execution, state).and(request_members(&execution.submission))
}

fn progress_members(execution: &Execution, state: &ExecutionState) -> Members {
    Members::default()
        .with("Id", execution.id.as_str())
        .with("Status", state.status.as_str())
        .with("CreatedAt", seconds(execution.created_millis))
        .with("UpdatedAt", seconds(state.updated_millis))
        .with("Duration", nanoseconds(state.duration))
        .with("HasResultSet", state.items.iter().any(|item| item.has_result))
        .with("ResultFormat", execution.submission.result_format())
        .with_some("Error", state.error.as_deref())
        .with("RedshiftPid", state.pid.unwrap_or(0))
        .with_some("SessionId", execution.session_id())
}

fn request_members(submission: &Submission) -> Members {
    let parameters: Vec<Value> = submission
        .parameters
        .iter()
        .map(|parameter| json!({"name": parameter.name, "value": parameter.value}))
        .collect();
    let parameters = Some(parameters).filter(|parameters| !parameters.is_empty());
    submission.target.members().with_some("QueryParameters", parameters)
}

fn item_members(execution: &Execution, state: &ExecutionState, index: usize) -> Members {
    let item = &state.items[index];
    Members::default()
        .with("Id", item_id(execution, index))
        .with("Status", item.status.as_str())
        .with("CreatedAt", seconds(execution.created_millis))
        .with("UpdatedAt", seconds(item.updated_millis))
        .with("Duration", nanoseconds(item.duration))
        .with("QueryString", execution.submission.statements[index].as_str())
        .with("HasResultSet", item.has_result)
        .with("ResultRows", item.rows)
        .with("ResultSize", item.size_bytes)
        .with("RedshiftQueryId", item.query_id)
        .with_some("Error", item.error.as_deref())
}

fn item_id(execution: &Execution, index: usize) -> String {
    if execution.is_batch() {
        format!("{}:{}", execution.id, index + 1)
    } else {
        execution.id.clone()
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// GetStatementResult and GetStatementResultV2, which answers CSV.
pub(crate) async fn result(
    warehouse: &Warehouse,
    request: IdRequest,
    format: Format,
) -> Result<Value, ApiError> {
    let found = find(warehouse, request.id.as_deref())?;
    wait(&found.execution, request.wait_time_seconds).await?;
    check_format(&found.execution.submission, format)?;
    let id = request.id.unwrap_or_default();
    let result = found.result().ok_or_else(|| no_result(&id))?;
    let start = page_start(request.next_token.as_deref(), &id, result.rows.len())?;
    let (answer, next) = result::page(&result, start, format);
    Ok(answer.with_some("NextToken", next.map(|next| page_token(&id, next))).into())
}

fn no_result(id: &str) -> ApiError {
    let message = "Query does not have result. Please check query status with DescribeStatement.";
    ApiError::not_found(message, id)
}

fn check_format(submission: &Submission, format: Format) -> Result<(), ApiError> {
    let wants_csv = submission.is_csv;
    if wants_csv == (format == Format::Csv) {
        return Ok(());
    }
    let operation = if wants_csv { "GetStatementResultV2" } else { "GetStatementResult" };
    Err(ApiError::validation(format!(
        "The result format of this statement is read with {operation}"
    )))
}

// A NextToken is the row where the page starts and the id that it belongs to: `100/…-4f0a`. The id
// is compared when the token comes back, since a start row means nothing in another result.
fn page_token(id: &str, start: usize) -> String {
    format!("{start}/{id}")
}

fn page_start(token: Option<&str>, id: &str, rows: usize) -> Result<usize, ApiError> {
    let Some(token) = token else { return Ok(0) };
    let invalid = || ApiError::validation("Invalid NextToken.");
    let (start, of) = token.split_once('/').ok_or_else(invalid)?;
    let start: usize = start.parse().map_err(|_| invalid())?;
    if of == id && start <= rows { Ok(start) } else { Err(invalid()) }
}

/// CancelStatement.
pub(crate) async fn cancel(
    warehouse: &Arc<Warehouse>,
    request: IdRequest,
) -> Result<Value, ApiError> {
    let execution = find(warehouse, request.id.as_deref())?.execution;
    execution.request_cancel().map_err(|status| {
        ApiError::validation(format!(
            "Could not cancel a query that is already in {} state with ID: {}",
            status.as_str(),
            execution.id
        ))
    })?;
    tokio::spawn(cancel_until_ended(warehouse.clone(), execution));
    Ok(json!({"Status": true}))
}

/// Cancels what PostgreSQL runs for the execution, again and again until it has ended. A single
/// cancel is lost when it comes between two statements: PostgreSQL ignores it then.
async fn cancel_until_ended(warehouse: Arc<Warehouse>, execution: Arc<Execution>) {
    while !execution.status().is_final() {
        let send = async |pid| {
            if let Err(error) = warehouse.cancel_backend(pid).await {
                let id = &execution.id;
                tracing::warn!(error, id, "cannot send the cancel request to PostgreSQL");
            }
        };
        execution.cancel(send).await;
        execution.wait(BETWEEN_CANCELS).await;
    }
}
