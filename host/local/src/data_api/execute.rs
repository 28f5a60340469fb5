//! ExecuteStatement and BatchExecuteStatement: checks the request, registers it (or finds it by its
//! client token) and starts it. Errors here are requests that the service would refuse; what is
//! wrong with the SQL itself shows in DescribeStatement.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Warehouse;
use super::execution::{Execution, Mode, Submission};
use super::protocol::{ApiError, Target, in_range, seconds};
use super::registry::Submitted;
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
    if sqls.is_empty() || sqls.len() > MAX_STATEMENTS {
        let bound =
            if sqls.is_empty() { "greater than or equal to 1" } else { "less than or equal to 40" };
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value at 'sqls' failed to satisfy constraint: Member \
             must have length {bound}"
        )));
    }
    let mode = match request.execution_mode.as_deref() {
        None | Some("TRANSACTION") => Mode::Transaction,
        Some("AUTO_COMMIT") => Mode::AutoCommit,
        Some(other) => {
            return Err(enum_error("executionMode", other, "[TRANSACTION, AUTO_COMMIT]"));
        }
    };
    start(warehouse, request.common, sqls, mode).await
}

fn enum_error(member: &str, value: &str, set: &str) -> ApiError {
    ApiError::validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must satisfy enum value set: {set}"
    ))
}

async fn start(
    warehouse: &Arc<Warehouse>,
    request: CommonRequest,
    statements: Vec<String>,
    mode: Mode,
) -> Result<Value, ApiError> {
    let wait = in_range("waitTimeSeconds", request.wait_time_seconds, 1..=30)?;
    let token = request.client_token.clone();
    if token.as_ref().is_some_and(|token| token.is_empty() || token.len() > 64) {
        return Err(ApiError::validation("ClientToken must have 1 to 64 characters"));
    }
    let submission = check(request, statements, mode)?;
    let execution = match warehouse.registry.submit(token.as_deref(), Execution::new(submission)) {
        Submitted::TooManyActive => return Err(ApiError::too_many_active()),
        Submitted::Repeated(execution) => execution,
        Submitted::New(execution) => {
            tokio::spawn(super::run::run(warehouse.clone(), execution.clone()));
            execution
        }
    };
    if let Some(wait) = wait {
        execution.wait(Duration::from_secs(wait.unsigned_abs())).await;
    }
    Ok(submitted(&execution, wait.is_some()))
}

fn check(
    request: CommonRequest,
    statements: Vec<String>,
    mode: Mode,
) -> Result<Submission, ApiError> {
    if request.session_id.is_some()
        || request.session_keep_alive_seconds.is_some_and(|seconds| seconds > 0)
    {
        return Err(ApiError::validation(
            "sessions (SessionId, SessionKeepAliveSeconds) are not supported by the local stand-in",
        ));
    }
    let database = request.target.check()?;
    for sql in &statements {
        if sql.len() > MAX_SQL_BYTES {
            return Err(ApiError::validation("Cannot process query string larger than 100kB"));
        }
        if sql.trim().is_empty() {
            return Err(ApiError::validation("SQL text must not be empty"));
        }
    }
    let is_csv = match request.result_format.as_deref() {
        None | Some("JSON") => false,
        Some("CSV") => true,
        Some(other) => return Err(enum_error("resultFormat", other, "[JSON, CSV]")),
    };
    let name = request.statement_name;
    if name.as_ref().is_some_and(|name| name.len() > 2048) {
        return Err(ApiError::validation("StatementName must have at most 2048 characters"));
    }
    let parameters = parameters(request.parameters.unwrap_or_default())?;
    let bound = bind_all(&statements, &parameters)?;
    Ok(Submission {
        target: request.target,
        database,
        name,
        mode,
        statements,
        bound,
        parameters,
        is_csv,
    })
}

fn parameters(members: Vec<ParameterMember>) -> Result<Vec<Parameter>, ApiError> {
    members
        .into_iter()
        .map(|member| {
            let name = member.name.ok_or_else(|| ApiError::missing("parameters.1.member.name"))?;
            let value =
                member.value.ok_or_else(|| ApiError::missing("parameters.1.member.value"))?;
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
        })
        .collect()
}

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
            // The engine will say what is wrong with it.
            Err(_) => sql.clone(),
        });
    }
    let unused: Vec<&str> = parameters
        .iter()
        .zip(&used)
        .filter(|(_, used)| !**used)
        .map(|(parameter, _)| parameter.name.as_str())
        .collect();
    if unused.is_empty() {
        Ok(bound)
    } else {
        let unused = unused.join(", ");
        Err(ApiError::validation(format!(
            "Parameters list contains unused parameters. Unused parameters: [{unused}]"
        )))
    }
}

fn submitted(execution: &Execution, has_waited: bool) -> Value {
    let mut answer = Map::new();
    answer.insert("Id".to_owned(), json!(execution.id));
    answer.insert("CreatedAt".to_owned(), seconds(execution.created_millis));
    execution.submission.target.describe(&mut answer);
    if has_waited {
        let state = execution.state();
        answer.insert("Status".to_owned(), json!(state.status.as_str()));
        answer.insert(
            "HasResultSet".to_owned(),
            json!(state.items.iter().any(|item| item.has_result)),
        );
    }
    Value::Object(answer)
}
