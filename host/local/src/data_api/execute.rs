//! ExecuteStatement and BatchExecuteStatement: checks the request, registers it (or finds it by its
//! client token) and starts it. The errors here are those of requests that the service would
//! refuse. A mistake in the SQL itself, such as a missing table, shows in DescribeStatement.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::execution::{Execution, Mode, Submission};
use super::kept::KeptSession;
use super::members::Members;
use super::protocol::{ApiError, Target, enum_error, in_range, seconds};
use super::registry::Submitted;
use super::run;
use super::warehouse::Warehouse;
use crate::sql::{Parameter, bind};

const MAX_SQL_BYTES: usize = 100_000;
const MAX_STATEMENTS: usize = 40;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ExecuteRequest {
    sql: Option<String>,
    #[serde(flatten)]
    common: CommonRequest,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BatchRequest {
    sqls: Option<Vec<String>>,
    execution_mode: Option<String>,
    #[serde(flatten)]
    common: CommonRequest,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonRequest {
    #[serde(flatten)]
    target: Target,
    parameters: Option<Vec<ParameterMember>>,
    client_token: Option<String>,
    result_format: Option<String>,
    statement_name: Option<String>,
    session_id: Option<String>,
    session_keep_alive_seconds: Option<i64>,
    wait_time_seconds: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct ParameterMember {
    name: Option<String>,
    value: Option<String>,
}

pub(crate) async fn execute(
    warehouse: &Arc<Warehouse>,
    request: ExecuteRequest,
) -> Result<Value, ApiError> {
    let sql = request.sql.ok_or_else(|| ApiError::missing("sql"))?;
    start(warehouse, request.common, vec![sql], Mode::Single).await
}

pub(crate) async fn batch(
    warehouse: &Arc<Warehouse>,
    request: BatchRequest,
) -> Result<Value, ApiError> {
    let sqls = request.sqls.ok_or_else(|| ApiError::missing("sqls"))?;
    check_length(&sqls)?;
    let mode = match request.execution_mode.as_deref() {
        None | Some("TRANSACTION") => Mode::Transaction,
        Some("AUTO_COMMIT") => Mode::AutoCommit,
        Some(other) => {
            return Err(enum_error("executionMode", other, "[TRANSACTION, AUTO_COMMIT]"));
        }
    };
    start(warehouse, request.common, sqls, mode).await
}

fn check_length(sqls: &[String]) -> Result<(), ApiError> {
    let bound = match sqls.len() {
        0 => "greater than or equal to 1",
        1..=MAX_STATEMENTS => return Ok(()),
        _ => "less than or equal to 40",
    };
    Err(ApiError::validation(format!(
        "1 validation error detected: Value at 'sqls' failed to satisfy constraint: Member must \
         have length {bound}"
    )))
}

// Every check comes before `submit`: a refused request must leave no execution and use no token, so
// that the client can correct it and send it again with the same token.
async fn start(
    warehouse: &Arc<Warehouse>,
    request: CommonRequest,
    statements: Vec<String>,
    mode: Mode,
) -> Result<Value, ApiError> {
    let wait = in_range("waitTimeSeconds", request.wait_time_seconds, 1..=30)?;
    let token = request.client_token.clone();
    if token.as_ref().is_some_and(|token| !(1..=64).contains(&token.len())) {
        return Err(ApiError::validation("ClientToken must have 1 to 64 characters"));
    }
    let place = Place::of(warehouse, &request)?;
    let keep_alive = request.session_keep_alive_seconds;
    let submission = submission(request, place.target, statements, mode)?;
    let execution = Execution::new(submission, place.session);
    let execution = submit(warehouse, token.as_deref(), execution, keep_alive)?;
    if let Some(wait) = wait {
        execution.wait(Duration::from_secs(wait.unsigned_abs())).await;
    }
    Ok(submitted(&execution, wait.is_some()))
}

/// Registers and starts an execution, or finds the earlier one with the same token.
fn submit(
    warehouse: &Arc<Warehouse>,
    token: Option<&str>,
    execution: Execution,
    keep_alive_seconds: Option<i64>,
) -> Result<Arc<Execution>, ApiError> {
    let reserve = |execution: &Execution| {
        let Some(session) = &execution.session else { return Ok(()) };
        session.reserve(&execution.id, keep_alive_seconds)?;
        warehouse.sessions.add(session);
        Ok(())
    };
    match warehouse.registry.submit(token, execution, reserve) {
        Submitted::Refused(error) => Err(error),
        Submitted::Repeated(execution) => Ok(execution),
        // The task owns its Arcs, so the statement goes on when the client hangs up.
        Submitted::New(execution) => {
            tokio::spawn(run::run(warehouse.clone(), execution.clone()));
            Ok(execution)
        }
    }
}

/// Checks a request and turns it into a submission.
fn submission(
    request: CommonRequest,
    target: Target,
    statements: Vec<String>,
    mode: Mode,
) -> Result<Submission, ApiError> {
    let database = target.check()?;
    statements.iter().try_for_each(|sql| check_sql(sql))?;
    let is_csv = request.is_csv()?;
    let name = request.statement_name;
    check_name(name.as_deref())?;
    let parameters = parameters(request.parameters.unwrap_or_default())?;
    let bound = bind_all(&statements, &parameters)?;
    Ok(Submission { target, database, name, mode, statements, bound, parameters, is_csv })
}

impl CommonRequest {
    fn is_csv(&self) -> Result<bool, ApiError> {
        match self.result_format.as_deref() {
            None | Some("JSON") => Ok(false),
            Some("CSV") => Ok(true),
            Some(other) => Err(enum_error("resultFormat", other, "[JSON, CSV]")),
        }
    }
}

/// Where the statements of a request run: in which warehouse and database, and in which session.
struct Place {
    target: Target,
    session: Option<Arc<KeptSession>>,
}

impl Place {
    /// A session that is there, a new one, or none.
    fn of(warehouse: &Warehouse, request: &CommonRequest) -> Result<Place, ApiError> {
        let keep_alive =
            in_range("sessionKeepAliveSeconds", request.session_keep_alive_seconds, 0..=86_400)?;
        if let Some(id) = &request.session_id {
            request.target.check_is_empty()?;
            let session = warehouse
                .sessions
                .get(id)
                .ok_or_else(|| ApiError::validation(format!("Session with Id: {id} is invalid")))?;
            return Ok(Place { target: session.target.clone(), session: Some(session) });
        }
        let target = request.target.clone();
        let session = keep_alive
            .filter(|seconds| *seconds > 0)
            .map(|seconds| Arc::new(KeptSession::new(target.clone(), seconds)));
        Ok(Place { target, session })
    }
}

fn check_sql(sql: &str) -> Result<(), ApiError> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(ApiError::validation("Cannot process query string larger than 100kB"));
    }
    if sql.trim().is_empty() {
        return Err(ApiError::validation("SQL text must not be empty"));
    }
    Ok(())
}

fn check_name(name: Option<&str>) -> Result<(), ApiError> {
    if name.is_some_and(|name| name.len() > 2048) {
        return Err(ApiError::validation("StatementName must have at most 2048 characters"));
    }
    Ok(())
}

fn parameters(members: Vec<ParameterMember>) -> Result<Vec<Parameter>, ApiError> {
    members.into_iter().map(parameter).collect()
}

fn parameter(member: ParameterMember) -> Result<Parameter, ApiError> {
    let name = member.name.ok_or_else(|| ApiError::missing("parameters.1.member.name"))?;
    let value = member.value.ok_or_else(|| ApiError::missing("parameters.1.member.value"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(ApiError::validation(format!(
            "parameter name '{name}' must match [0-9a-zA-Z_]+"
        )));
    }
    if value.is_empty() {
        return Err(ApiError::validation(format!(
            "parameter '{name}': the value must have at least 1 character"
        )));
    }
    Ok(Parameter { name, value })
}

/// The statements with values in place of parameters, for example `:order_id` becomes `'42'`.
///
/// Errors: a placeholder without a parameter, and a parameter that no statement uses.
fn bind_all(statements: &[String], parameters: &[Parameter]) -> Result<Vec<String>, ApiError> {
    let mut used = vec![false; parameters.len()];
    let mut bound = Vec::with_capacity(statements.len());
    for sql in statements {
        bound.push(match bind(sql, parameters, &mut used) {
            Ok(Ok(text)) => text,
            Ok(Err(name)) => {
                return Err(ApiError::validation(format!(
                    "Parameters list is missing the parameter: [{name}]"
                )));
            }
            // The text cannot be split into tokens, for example because a quote is open. It is
            // submitted as it is: the engine's error belongs to the statement, not the request.
            Err(_) => sql.clone(),
        });
    }
    check_all_used(parameters, &used)?;
    Ok(bound)
}

fn check_all_used(parameters: &[Parameter], used: &[bool]) -> Result<(), ApiError> {
    let unused = parameters.iter().zip(used).filter(|(_, used)| !**used);
    let unused: Vec<&str> = unused.map(|(parameter, _)| parameter.name.as_str()).collect();
    if unused.is_empty() {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Parameters list contains unused parameters. Unused parameters: [{}]",
        unused.join(", ")
    )))
}

fn submitted(execution: &Execution, has_waited: bool) -> Value {
    let answer = Members::default()
        .with("Id", execution.id.as_str())
        .with("CreatedAt", seconds(execution.created_millis))
        .with_some("SessionId", execution.session_id())
        .and(execution.submission.target.members());
    if !has_waited {
        return answer.into();
    }
    let state = execution.state();
    answer
        .with("Status", state.status.as_str())
        .with("HasResultSet", state.items.iter().any(|item| item.has_result))
        .into()
}
