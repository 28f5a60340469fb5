//! Reading what was executed: DescribeStatement, results by page, CancelStatement, ListStatements.
//! In: ids, `uuid` or `uuid:n` for the n-th statement of a batch. Out: the members of the service's
//! model.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_postgres::NoTls;

use super::Warehouse;
use super::execution::{Execution, Item, Mode, State, Status};
use super::protocol::{ApiError, in_range, seconds};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IdRequest {
    id: Option<String>,
    next_token: Option<String>,
    wait_time_seconds: Option<i64>,
}

/// GetStatementResult or GetStatementResultV2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Csv,
}

/// An execution, and the index of one of its statements.
struct Found {
    execution: Arc<Execution>,
    item: Option<usize>,
}

fn find(warehouse: &Warehouse, id: Option<&str>) -> Result<Found, ApiError> {
    let id = id.ok_or_else(|| ApiError::missing("id"))?;
    let (uuid, number) =
        id.split_once(':').map_or((id, None), |(uuid, number)| (uuid, Some(number)));
    let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if lengths != [8, 4, 4, 4, 12]
        || !uuid.bytes().all(plain)
        || number.is_some_and(|number| number.len() > 2)
    {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{id}' at 'id' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: \
             [a-z0-9]{{8}}(-[a-z0-9]{{4}}){{3}}-[a-z0-9]{{12}}(:\\d{{0,2}})?"
        )));
    }
    let missing = || ApiError::not_found("Query does not exist.", id);
    let execution = warehouse.registry.get(uuid).ok_or_else(missing)?;
    let item = match number.filter(|number| !number.is_empty()) {
        None => None,
        Some(number) => {
            let number: usize = number.parse().map_err(|_| missing())?;
            let is_there = execution.is_batch()
                && (1..=execution.submission.statements.len()).contains(&number);
            Some(is_there.then(|| number - 1).ok_or_else(missing)?)
        }
    };
    Ok(Found { execution, item })
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
    if let Some(index) = found.item {
        return Ok(Value::Object(item_members(execution, index, &state.items[index])));
    }
    let mut answer = Map::new();
    if !execution.is_batch() {
        answer = item_members(execution, 0, &state.items[0]);
    }
    execution_members(execution, &state, &mut answer);
    if execution.is_batch() {
        let items = state
            .items
            .iter()
            .enumerate()
            .map(|(index, item)| Value::Object(item_members(execution, index, item)));
        answer.insert("SubStatements".to_owned(), items.collect());
    }
    Ok(Value::Object(answer))
}

fn execution_members(execution: &Execution, state: &State, answer: &mut Map<String, Value>) {
    let submission = &execution.submission;
    answer.insert("Id".to_owned(), json!(execution.id));
    answer.insert("Status".to_owned(), json!(state.status.as_str()));
    answer.insert("CreatedAt".to_owned(), seconds(execution.created_millis));
    answer.insert("UpdatedAt".to_owned(), seconds(state.updated_millis));
    answer.insert("Duration".to_owned(), json!(nanoseconds(state.duration)));
    answer.insert("HasResultSet".to_owned(), json!(state.items.iter().any(|item| item.has_result)));
    answer.insert("ResultFormat".to_owned(), json!(if submission.is_csv { "CSV" } else { "JSON" }));
    if let Some(error) = &state.error {
        answer.insert("Error".to_owned(), json!(error));
    }
    answer.insert("RedshiftPid".to_owned(), json!(state.pid.unwrap_or(0)));
    submission.target.describe(answer);
    if !submission.parameters.is_empty() {
        let parameters = submission
            .parameters
            .iter()
            .map(|parameter| json!({"name": parameter.name, "value": parameter.value}));
        answer.insert("QueryParameters".to_owned(), parameters.collect());
    }
    if execution.is_batch() {
        let mode = if submission.mode == Mode::AutoCommit { "AUTO_COMMIT" } else { "TRANSACTION" };
        answer.insert("ExecutionMode".to_owned(), json!(mode));
        answer.insert("ResultRows".to_owned(), json!(-1));
        answer.insert("ResultSize".to_owned(), json!(-1));
        answer.insert("RedshiftQueryId".to_owned(), json!(0));
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn item_members(execution: &Execution, index: usize, item: &Item) -> Map<String, Value> {
    let mut members = Map::new();
    let id = if execution.is_batch() {
        format!("{}:{}", execution.id, index + 1)
    } else {
        execution.id.clone()
    };
    members.insert("Id".to_owned(), json!(id));
    members.insert("Status".to_owned(), json!(item.status.as_str()));
    members.insert("CreatedAt".to_owned(), seconds(execution.created_millis));
    members.insert("UpdatedAt".to_owned(), seconds(item.updated_millis));
    members.insert("Duration".to_owned(), json!(nanoseconds(item.duration)));
    members.insert("QueryString".to_owned(), json!(execution.submission.statements[index]));
    members.insert("HasResultSet".to_owned(), json!(item.has_result));
    members.insert("ResultRows".to_owned(), json!(item.rows));
    members.insert("ResultSize".to_owned(), json!(item.size_bytes));
    members.insert("RedshiftQueryId".to_owned(), json!(item.query_id));
    if let Some(error) = &item.error {
        members.insert("Error".to_owned(), json!(error));
    }
    members
}

/// GetStatementResult and its CSV twin.
pub(crate) async fn result(
    warehouse: &Warehouse,
    request: IdRequest,
    format: Format,
) -> Result<Value, ApiError> {
    let found = find(warehouse, request.id.as_deref())?;
    wait(&found.execution, request.wait_time_seconds).await?;
    let wants_csv = found.execution.submission.is_csv;
    if wants_csv != (format == Format::Csv) {
        let operation = if wants_csv { "GetStatementResultV2" } else { "GetStatementResult" };
        return Err(ApiError::validation(format!(
            "The result format of this statement is read with {operation}"
        )));
    }
    let id = request.id.unwrap_or_default();
    let missing = || {
        ApiError::not_found(
            "Query does not have result. Please check query status with DescribeStatement.",
            &id,
        )
    };
    let index = match found.item {
        Some(index) => index,
        // A batch has no result of its own.
        None if found.execution.is_batch() => return Err(missing()),
        None => 0,
    };
    let result = {
        let state = found.execution.state();
        let item = &state.items[index];
        let is_ready = item.status == Status::Finished;
        item.result.clone().filter(|_| is_ready).ok_or_else(missing)?
    };
    let start = match &request.next_token {
        None => 0,
        Some(token) => page_start(token, &id, result.rows.len())?,
    };
    let (mut answer, next) =
        if format == Format::Csv { result.csv_page(start) } else { result.page(start) };
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), json!(page_token(&id, next)));
    }
    Ok(Value::Object(answer))
}

fn page_token(id: &str, start: usize) -> String {
    format!("{start}/{id}")
}

fn page_start(token: &str, id: &str, rows: usize) -> Result<usize, ApiError> {
    let invalid = || ApiError::validation("Invalid NextToken.");
    let (start, of) = token.split_once('/').ok_or_else(invalid)?;
    let start: usize = start.parse().map_err(|_| invalid())?;
    if of == id && start <= rows { Ok(start) } else { Err(invalid()) }
}

/// CancelStatement: stops PostgreSQL too.
pub(crate) async fn cancel(warehouse: &Warehouse, request: IdRequest) -> Result<Value, ApiError> {
    let found = find(warehouse, request.id.as_deref())?;
    let execution = &found.execution;
    let token = {
        let mut state = execution.state();
        if state.status.is_final() {
            return Err(ApiError::validation(format!(
                "Could not cancel a query that is already in {} state with ID: {}",
                state.status.as_str(),
                execution.id
            )));
        }
        state.cancel_requested = true;
        state.cancel_token.clone()
    };
    if let Some(token) = token
        && let Err(error) = token.cancel_query(NoTls).await
    {
        // The runner looks at the request between statements too.
        tracing::warn!(%error, id = execution.id, "cannot send the cancel request to PostgreSQL");
    }
    Ok(json!({"Status": true}))
}

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

/// ListStatements, newest first; finished ones when no status is asked for.
pub(crate) fn list(warehouse: &Warehouse, request: &ListRequest) -> Result<Value, ApiError> {
    let status = request.status.as_deref().unwrap_or("FINISHED");
    if !STATUSES.contains(&status) {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value '{status}' at 'status' failed to satisfy \
             constraint: Member must satisfy enum value set: [{}]",
            STATUSES.join(", ")
        )));
    }
    let limit = in_range("maxResults", request.max_results, 0..=100)?
        .filter(|limit| *limit > 0)
        .unwrap_or(100)
        .unsigned_abs();
    let limit = usize::try_from(limit).unwrap_or(100);
    let matches = |execution: &Arc<Execution>| {
        let submission = &execution.submission;
        let same =
            |wanted: &Option<String>, value: &Option<String>| wanted.is_none() || wanted == value;
        (status == "ALL" || execution.status().as_str() == status)
            && same(&request.database, &submission.target.database)
            && same(&request.cluster_identifier, &submission.target.cluster_identifier)
            && same(&request.workgroup_name, &submission.target.workgroup_name)
            && request.statement_name.as_ref().is_none_or(|prefix| {
                submission.name.as_ref().is_some_and(|name| name.starts_with(prefix))
            })
    };
    // A token is the id of the last statement of the page before; ids grow with time.
    let is_after = |execution: &Arc<Execution>| {
        request.next_token.as_ref().is_none_or(|token| execution.id < *token)
    };
    let mut found: Vec<Arc<Execution>> = warehouse
        .registry
        .newest_first()
        .into_iter()
        .filter(|one| is_after(one) && matches(one))
        .collect();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let mut answer = Map::new();
    if let Some(last) = found.last().filter(|_| has_more) {
        answer.insert("NextToken".to_owned(), json!(last.id));
    }
    answer
        .insert("Statements".to_owned(), found.iter().map(|execution| listed(execution)).collect());
    Ok(Value::Object(answer))
}

fn listed(execution: &Execution) -> Value {
    let submission = &execution.submission;
    let state = execution.state();
    let mut members = Map::new();
    members.insert("Id".to_owned(), json!(execution.id));
    members.insert("Status".to_owned(), json!(state.status.as_str()));
    members.insert("CreatedAt".to_owned(), seconds(execution.created_millis));
    members.insert("UpdatedAt".to_owned(), seconds(state.updated_millis));
    members.insert("IsBatchStatement".to_owned(), json!(execution.is_batch()));
    members
        .insert("ResultFormat".to_owned(), json!(if submission.is_csv { "CSV" } else { "JSON" }));
    if execution.is_batch() {
        members.insert("QueryStrings".to_owned(), json!(submission.statements));
    } else {
        members.insert("QueryString".to_owned(), json!(submission.statements[0]));
    }
    if let Some(name) = &submission.name {
        members.insert("StatementName".to_owned(), json!(name));
    }
    if let Some(arn) = &submission.target.secret_arn {
        members.insert("SecretArn".to_owned(), json!(arn));
    }
    Value::Object(members)
}
