//! Requests to the Data API as they are sent and answered, for questions about the service itself:
//! the cases of `loader-contract`, and `loader doctor`.
//!
//! In: statements and where they run. Out: what the service said of the request, and later of each
//! statement. Nothing is sent again here and nothing is judged; a load uses [`super::DataApi`].

use std::collections::BTreeMap;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::operation::get_statement_result::GetStatementResultOutput;
use aws_sdk_redshiftdata::types::{
    ColumnMetadata, ExecutionMode, Field, SqlParameter, StatusString, SubStatementData,
};
use loader_model::error::{Context, Error, Kind, Result};
use loader_warehouse::rows::Cell;

use super::{Address, DataApi, Database, SessionUse, cell};
use crate::calls::Calls;
use crate::connect::{Aws, boxed};
use crate::failure;

/// How long one look at a request waits for its end, in seconds.
const LONG_POLL_SECONDS: i32 = 20;

/// The Data API of one database, request by request.
#[derive(Clone)]
pub struct Requests {
    client: Client,
    database: Database,
    calls: Calls,
    /// Keeps the stand-in running.
    _aws: Aws,
}

/// How the statements of a request are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// ExecuteStatement, with one statement.
    Execute,
    /// BatchExecuteStatement as the service does it without a word: all or nothing.
    Transaction,
    /// BatchExecuteStatement, each statement by itself.
    AutoCommit,
}

/// Where a request runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// Another database than that of the settings.
    pub database: Option<&'a str>,
    /// The id of a session.
    pub session: Option<&'a str>,
    /// SessionKeepAliveSeconds.
    pub keep_alive: Option<i32>,
    /// Whether warehouse and database are named also in a session, which the service refuses.
    pub names_database: bool,
}

/// Statements that are sent together.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub statements: &'a [String],
    pub mode: Mode,
    pub parameters: &'a BTreeMap<String, String>,
    pub place: Place<'a>,
}

/// A request that the service took.
#[derive(Clone, Debug)]
pub struct Submitted {
    pub id: String,
    /// The session that it runs in, if that stays open.
    pub session: Option<String>,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The service's word for it, such as `FINISHED`.
    pub status: String,
    pub statements: Vec<StatementAnswer>,
}

/// What became of one statement.
#[derive(Clone, Debug, Default)]
pub struct StatementAnswer {
    pub status: String,
    pub error: String,
    /// Rows returned or affected.
    pub count: i64,
    pub result: Option<ResultText>,
}

/// A result as text.
#[derive(Clone, Debug, Default)]
pub struct ResultText {
    /// `name type` of the columns, with commas between.
    pub columns: String,
    /// The rows, with `|` between the values of each, and NULL as `null`.
    pub rows: Vec<String>,
}

impl DataApi {
    /// The same service and database, request by request.
    pub fn requests(&self) -> Requests {
        Requests {
            client: self.client.clone(),
            database: self.database.clone(),
            calls: self.calls.clone(),
            _aws: self._aws.clone(),
        }
    }
}

impl Requests {
    /// The database that requests name.
    pub fn database(&self) -> &str {
        &self.database.name
    }

    /// Sends a request. Errors: those of a request that the service refused, with its words.
    pub async fn submit(&self, request: &Request<'_>) -> Result<Submitted> {
        let parameters = parameters(request.parameters)?;
        let to = self.address(&request.place);
        match request.mode {
            Mode::Execute => {
                let sql = request.statements.first().map_or("", String::as_str);
                self.submit_one(sql, parameters, to).await
            }
            Mode::Transaction => self.submit_batch(request.statements, None, parameters, to).await,
            Mode::AutoCommit => {
                let mode = Some(ExecutionMode::AutoCommit);
                self.submit_batch(request.statements, mode, parameters, to).await
            }
        }
    }

    async fn submit_one(
        &self,
        sql: &str,
        parameters: Option<Vec<SqlParameter>>,
        to: Address,
    ) -> Result<Submitted> {
        self.calls.count("ExecuteStatement");
        let request = self.client.execute_statement().sql(sql).set_parameters(parameters);
        let request = request
            .set_database(to.database)
            .set_workgroup_name(to.workgroup)
            .set_cluster_identifier(to.cluster)
            .set_db_user(to.db_user)
            .set_secret_arn(to.secret_arn)
            .set_session_id(to.session_id)
            .set_session_keep_alive_seconds(to.keep_alive_seconds);
        match boxed(request.send()).await {
            Ok(answer) => submitted(answer.id, answer.session_id),
            Err(error) => Err(failure::failure("submitting a statement", error)),
        }
    }

    async fn submit_batch(
        &self,
        statements: &[String],
        mode: Option<ExecutionMode>,
        parameters: Option<Vec<SqlParameter>>,
        to: Address,
    ) -> Result<Submitted> {
        self.calls.count("BatchExecuteStatement");
        let request = self.client.batch_execute_statement().set_parameters(parameters);
        let request = request
            .set_sqls(Some(statements.to_vec()))
            .set_execution_mode(mode)
            .set_database(to.database)
            .set_workgroup_name(to.workgroup)
            .set_cluster_identifier(to.cluster)
            .set_db_user(to.db_user)
            .set_secret_arn(to.secret_arn)
            .set_session_id(to.session_id)
            .set_session_keep_alive_seconds(to.keep_alive_seconds);
        match boxed(request.send()).await {
            Ok(answer) => submitted(answer.id, answer.session_id),
            Err(error) => Err(failure::failure("submitting a batch of statements", error)),
        }
    }

    fn address(&self, place: &Place<'_>) -> Address {
        let session_id = place.session.map(str::to_owned);
        let keep_alive_seconds = place.keep_alive;
        if session_id.is_some() && !place.names_database {
            return Address { session_id, keep_alive_seconds, ..Address::default() };
        }
        let own = Address::of(&self.database, &SessionUse::Own);
        let database = place.database.map(str::to_owned).or(own.database);
        Address { database, session_id, keep_alive_seconds, ..own }
    }

    /// Waits for the end of a request, and reads the results of its statements.
    pub async fn ended(&self, id: &str, mode: Mode) -> Result<Answer> {
        loop {
            let described = self.describe(id, Some(LONG_POLL_SECONDS)).await?;
            if has_ended(&described) {
                return self.with_results(described, id, mode).await;
            }
        }
    }

    /// What has become of a request so far, without results.
    pub async fn so_far(&self, id: &str) -> Result<Answer> {
        let described = self.describe(id, None).await?;
        let statements = described.sub_statements().iter().map(of_batch).collect();
        Ok(Answer { status: status(&described), statements })
    }

    /// Whether the service takes a look that waits for an end. Errors: its refusal.
    pub async fn look_and_wait(&self, id: &str, seconds: i32) -> Result<()> {
        self.describe(id, Some(seconds)).await.map(drop)
    }

    async fn describe(
        &self,
        id: &str,
        wait_seconds: Option<i32>,
    ) -> Result<DescribeStatementOutput> {
        self.calls.count("DescribeStatement");
        let request = self.client.describe_statement().id(id).set_wait_time_seconds(wait_seconds);
        let answer = boxed(request.send()).await;
        answer.map_err(|error| failure::read_failure("looking at a statement", error))
    }

    // What a batch that was rolled back did before its failure has no results.
    async fn with_results(
        &self,
        described: DescribeStatementOutput,
        id: &str,
        mode: Mode,
    ) -> Result<Answer> {
        let status = status(&described);
        let mut statements = Vec::new();
        if mode == Mode::Execute {
            let alone = alone(&described);
            let has_result = described.has_result_set() == Some(true);
            statements.push(self.with_result(alone, id, has_result).await?);
        }
        let is_readable = status == "FINISHED" || mode == Mode::AutoCommit;
        for item in described.sub_statements() {
            let has_result = is_readable && item.has_result_set() == Some(true);
            statements.push(self.with_result(of_batch(item), item.id(), has_result).await?);
        }
        Ok(Answer { status, statements })
    }

    async fn with_result(
        &self,
        statement: StatementAnswer,
        id: &str,
        has_result: bool,
    ) -> Result<StatementAnswer> {
        if statement.status != "FINISHED" || !has_result {
            return Ok(statement);
        }
        let (mut result, mut token) = (ResultText::default(), None);
        loop {
            let page = self.page(id, token).await?;
            let columns: Vec<String> = page.column_metadata().iter().map(column).collect();
            result.columns = columns.join(", ");
            result.rows.extend(page.records.into_iter().map(line));
            token = page.next_token;
            if token.is_none() {
                return Ok(StatementAnswer { result: Some(result), ..statement });
            }
        }
    }

    async fn page(&self, id: &str, token: Option<String>) -> Result<GetStatementResultOutput> {
        self.calls.count("GetStatementResult");
        let request = self.client.get_statement_result().id(id).set_next_token(token);
        let page = boxed(request.send()).await;
        page.map_err(|error| failure::read_failure("reading a statement's result", error))
    }

    /// Asks the service to cancel a request.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        self.calls.count("CancelStatement");
        let answer = boxed(self.client.cancel_statement().id(id).send()).await;
        answer.map(drop).map_err(|error| failure::read_failure("cancelling a statement", error))
    }

    /// The service's word for the state of a session, such as `AVAILABLE`; empty when it knows none
    /// of this id.
    pub async fn session_status(&self, session: &str) -> Result<String> {
        self.calls.count("ListSessions");
        let listed = boxed(self.client.list_sessions().session_id(session).send()).await;
        let listed =
            listed.map_err(|error| failure::read_failure("looking at a session", error))?;
        let session = listed.sessions().first();
        Ok(session.map(|session| session.status().as_str().to_owned()).unwrap_or_default())
    }
}

fn parameters(given: &BTreeMap<String, String>) -> Result<Option<Vec<SqlParameter>>> {
    let parameter = |(name, value)| SqlParameter::builder().name(name).value(value).build();
    let built: Result<Vec<SqlParameter>, _> = given.iter().map(parameter).collect();
    let built = built.context(Kind::Internal, "a parameter has no name or value")?;
    Ok((!built.is_empty()).then_some(built))
}

fn submitted(id: Option<String>, session: Option<String>) -> Result<Submitted> {
    let id = id.ok_or_else(|| Error::new(Kind::Internal, "the Data API gave a statement no id"))?;
    Ok(Submitted { id, session })
}

fn status(described: &DescribeStatementOutput) -> String {
    described.status().map_or("", StatusString::as_str).to_owned()
}

fn has_ended(described: &DescribeStatementOutput) -> bool {
    matches!(
        described.status(),
        Some(StatusString::Finished | StatusString::Failed | StatusString::Aborted)
    )
}

fn alone(described: &DescribeStatementOutput) -> StatementAnswer {
    StatementAnswer {
        status: status(described),
        error: described.error().unwrap_or_default().to_owned(),
        count: described.result_rows(),
        result: None,
    }
}

fn of_batch(item: &SubStatementData) -> StatementAnswer {
    StatementAnswer {
        status: item.status().map_or("", |status| status.as_str()).to_owned(),
        error: item.error().unwrap_or_default().to_owned(),
        count: item.result_rows(),
        result: None,
    }
}

fn column(column: &ColumnMetadata) -> String {
    let (name, kind) = (column.name(), column.type_name());
    format!("{} {}", name.unwrap_or_default(), kind.unwrap_or_default())
}

fn line(row: Vec<Field>) -> String {
    let text = |field| match cell(field) {
        Cell::Null => "null".to_owned(),
        cell => cell.to_text(),
    };
    row.into_iter().map(text).collect::<Vec<_>>().join("|")
}
