//! The Redshift Data API: runs statements, waits for them, reads results. The only place that knows
//! its SDK.
//!
//! An execution carries a client token, so that sending it again after a lost answer cannot run it
//! twice. An SQL error is an outcome, not an exception; the caller decides what it means.
//! Source: <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html>

use std::time::{Duration, Instant};

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::operation::get_statement_result::GetStatementResultOutput;
use aws_sdk_redshiftdata::types::{ColumnMetadata, Field, StatusString};
use loader_model::error::{Error, Kind, Result};
use loader_warehouse::refusal::StatementFailure;
use loader_warehouse::rows::{Cell, ResultRows};

use crate::calls::Calls;
use crate::connect::{Aws, boxed};
use crate::failure;
use crate::stop::Stop;

/// How long one DescribeStatement may wait for news, in seconds. Source: API_DescribeStatement,
/// `WaitTimeSeconds`.
const LONG_POLL_SECONDS: i32 = 30;
/// Failed looks at a running statement, one after the other, before its outcome counts as unknown.
const MAX_FAILED_LOOKS: u32 = 5;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What runs the statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compute {
    Workgroup(String),
    Cluster { identifier: String, db_user: Option<String> },
}

/// A database, and the way to its user.
#[derive(Clone, Debug)]
pub struct Database {
    pub compute: Compute,
    pub name: String,
    /// Secrets Manager secret with the database's user and password.
    pub secret_arn: Option<String>,
}

/// The Data API of one database.
#[derive(Clone)]
pub struct DataApi {
    client: Client,
    database: Database,
    statement_name: String,
    calls: Calls,
    stop: Stop,
    /// Keeps the stand-in running.
    _aws: Aws,
}

/// How an execution ended.
#[derive(Debug)]
pub enum Outcome {
    Finished(Executed),
    Failed(StatementFailure),
}

/// A finished execution.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Statement id, to read results with.
    pub id: String,
    /// Rows returned or affected, by statement; -1 where the service does not say.
    pub result_rows: Vec<i64>,
    /// Whether any statement has rows to read, even if there are none.
    pub has_result_set: bool,
}

/// How a statement is looked at while it runs.
struct Looks {
    long_polls: bool,
    /// Before the next look; grows while looks come back at once.
    pause: Duration,
}

impl Default for Looks {
    fn default() -> Looks {
        Looks { long_polls: true, pause: Duration::ZERO }
    }
}

impl Looks {
    fn slow_down(&mut self, took: Duration) {
        let at_once = took < Duration::from_secs(1);
        self.pause = if at_once {
            (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        } else {
            Duration::ZERO
        };
    }
}

impl DataApi {
    /// A client for the service, or for the stand-in. `statement_name` shows up in ListStatements.
    pub fn new(aws: &Aws, database: &Database, statement_name: &str, stop: Stop) -> DataApi {
        let mut config = aws_sdk_redshiftdata::config::Builder::from(&aws.config);
        if let Some(endpoints) = &aws.endpoints {
            config = config.endpoint_url(&endpoints.redshift_data);
        }
        DataApi {
            client: Client::from_conf(config.build()),
            database: database.clone(),
            statement_name: statement_name.to_owned(),
            calls: Calls::default(),
            stop,
            _aws: aws.clone(),
        }
    }

    /// Requests so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The same, but deaf to a wish to stop: for what must be written even then.
    #[must_use]
    pub fn to_the_end(&self) -> DataApi {
        DataApi { stop: Stop::never(), ..self.clone() }
    }

    /// Runs one statement by itself; it commits on its own.
    pub async fn execute(&self, sql: &str) -> Result<Outcome> {
        let token = new_token();
        let id = self.submit(async || self.send_one(sql, &token).await).await?;
        self.wait(id).await
    }

    /// Runs statements as one transaction: all of them, or none. At most 40, of at most 100 KB
    /// each.
    pub async fn execute_batch(&self, statements: &[String]) -> Result<Outcome> {
        let token = new_token();
        let id = self.submit(async || self.send_batch(statements, &token).await).await?;
        self.wait(id).await
    }

    /// Returns the statement's id.
    async fn send_one(&self, sql: &str, token: &str) -> Result<String> {
        self.calls.count("ExecuteStatement");
        let (workgroup, cluster, user) = self.compute();
        let request = self.client.execute_statement().sql(sql).client_token(token);
        let request = request
            .statement_name(&self.statement_name)
            .database(&self.database.name)
            .set_workgroup_name(workgroup)
            .set_cluster_identifier(cluster)
            .set_db_user(user)
            .set_secret_arn(self.database.secret_arn.clone());
        match boxed(request.send()).await {
            Ok(answer) => Ok(answer.id.unwrap_or_default()),
            Err(error) => Err(failure::failure("submitting a statement", error)),
        }
    }

    /// Returns the batch's id.
    async fn send_batch(&self, statements: &[String], token: &str) -> Result<String> {
        self.calls.count("BatchExecuteStatement");
        let (workgroup, cluster, user) = self.compute();
        let request = self.client.batch_execute_statement().client_token(token);
        let request = request
            .set_sqls(Some(statements.to_vec()))
            .statement_name(&self.statement_name)
            .database(&self.database.name)
            .set_workgroup_name(workgroup)
            .set_cluster_identifier(cluster)
            .set_db_user(user)
            .set_secret_arn(self.database.secret_arn.clone());
        match boxed(request.send()).await {
            Ok(answer) => Ok(answer.id.unwrap_or_default()),
            Err(error) => Err(failure::failure("submitting a batch of statements", error)),
        }
    }

    /// Who runs the statement. With a secret the user comes from there.
    fn compute(&self) -> (Option<String>, Option<String>, Option<String>) {
        match &self.database.compute {
            Compute::Workgroup(name) => (Some(name.clone()), None, None),
            Compute::Cluster { identifier, db_user } => {
                (None, Some(identifier.clone()), db_user.clone())
            }
        }
    }

    /// Sends again, with the same token, what may or may not have arrived. Once it may have, only
    /// an answer can say otherwise.
    async fn submit<T>(&self, mut send: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let (mut pause, mut unknown) = (Duration::from_millis(500), None);
        loop {
            let error = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = matches!(error.kind(), Kind::Transient | Kind::OutcomeUnknown);
            if !again || pause >= Duration::from_secs(4) {
                return Err(unknown.unwrap_or(error));
            }
            tracing::warn!(%error, "submitting again");
            if error.kind() == Kind::OutcomeUnknown {
                unknown = Some(error);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }

    /// Waits for the end of a statement. A wish to stop cancels it, and what became of it is still
    /// found out.
    async fn wait(&self, id: String) -> Result<Outcome> {
        let (mut cancelled, mut looks) = (None, Looks::default());
        loop {
            let described = tokio::select! {
                described = self.describe(&id, &mut looks) => described?,
                reason = self.stop.wanted(), if cancelled.is_none() => {
                    self.cancel(&id).await;
                    cancelled = Some(reason);
                    continue;
                }
            };
            match (described.status(), cancelled.take()) {
                (Some(StatusString::Finished), _) => {
                    return Ok(Outcome::Finished(finished(id, &described)));
                }
                (Some(StatusString::Aborted | StatusString::Failed), Some(reason)) => {
                    return Err(reason);
                }
                (Some(StatusString::Aborted | StatusString::Failed), None) => {
                    return Ok(Outcome::Failed(failed(id, &described)));
                }
                (_, reason) => cancelled = reason,
            }
        }
    }

    /// One look, a long poll where the service has those. A look that came back at once is followed
    /// by a pause.
    async fn describe(&self, id: &str, looks: &mut Looks) -> Result<DescribeStatementOutput> {
        for _ in 0..MAX_FAILED_LOOKS {
            tokio::time::sleep(looks.pause).await;
            let started = Instant::now();
            let answer = self.look(id, looks.long_polls).await;
            looks.slow_down(started.elapsed());
            match answer {
                Ok(described) => return Ok(described),
                Err(error) => {
                    tracing::warn!(%error, statement_id = id, "looking again");
                    looks.long_polls = false;
                }
            }
        }
        let fact = "what became of a running statement could not be found out; the ledger tells on \
                    the next run";
        Err(Error::new(Kind::OutcomeUnknown, fact).with("statement_id", id))
    }

    async fn look(&self, id: &str, long_poll: bool) -> Result<DescribeStatementOutput> {
        self.calls.count("DescribeStatement");
        let wait_seconds = long_poll.then_some(LONG_POLL_SECONDS);
        let request = self.client.describe_statement().id(id).set_wait_time_seconds(wait_seconds);
        let answer = boxed(request.send()).await;
        answer.map_err(|error| failure::read_failure("looking at a statement", error))
    }

    async fn cancel(&self, id: &str) {
        self.calls.count("CancelStatement");
        if let Err(error) = boxed(self.client.cancel_statement().id(id).send()).await {
            let error = failure::read_failure("cancelling a statement", error);
            tracing::debug!(%error, "not cancelled");
        }
    }

    /// Reads all rows of a statement's result; `nth` picks a statement of a batch.
    pub async fn rows(&self, executed: &Executed, nth: Option<usize>) -> Result<ResultRows> {
        let id = nth.map_or(executed.id.clone(), |nth| format!("{}:{}", executed.id, nth + 1));
        let (mut rows, mut token) = (ResultRows::default(), None);
        loop {
            let page = self.page(&id, token).await?;
            if rows.columns.is_empty() {
                let columns = page.column_metadata.unwrap_or_default().into_iter();
                rows.columns = columns.map(column_name).collect();
            }
            let records = page.records.into_iter();
            rows.rows.extend(records.map(|record| record.into_iter().map(cell).collect()));
            token = page.next_token;
            if token.is_none() {
                return Ok(rows);
            }
        }
    }

    async fn page(&self, id: &str, token: Option<String>) -> Result<GetStatementResultOutput> {
        self.calls.count("GetStatementResult");
        let request = self.client.get_statement_result().id(id).set_next_token(token);
        let page = boxed(request.send()).await;
        page.map_err(|error| failure::read_failure("reading a statement's result", error))
    }
}

/// A token by which the service runs an execution once, however often the request arrives.
fn new_token() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn finished(id: String, described: &DescribeStatementOutput) -> Executed {
    let subs = described.sub_statements();
    let result_rows = match subs {
        [] => vec![described.result_rows()],
        subs => subs.iter().map(|sub| sub.result_rows()).collect(),
    };
    Executed { id, result_rows, has_result_set: described.has_result_set().unwrap_or(false) }
}

/// Finds the statement that failed: the batch's own message names at best its number.
fn failed(id: String, described: &DescribeStatementOutput) -> StatementFailure {
    use aws_sdk_redshiftdata::types::StatementStatusString::Failed;
    let sub = described
        .sub_statements()
        .iter()
        .enumerate()
        .find(|(_, sub)| sub.status() == Some(&Failed));
    let message =
        sub.and_then(|(_, sub)| sub.error()).or(described.error()).unwrap_or("no reason given");
    let query_id = sub.map_or(described.redshift_query_id(), |(_, sub)| sub.redshift_query_id());
    StatementFailure::new(id, sub.map_or(0, |(i, _)| i), message.to_owned(), query_id)
}

/// As the query calls it: the label is the alias, where there is one.
/// Source: <https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ColumnMetadata.html>
fn column_name(column: ColumnMetadata) -> String {
    let label = column.label.filter(|label| !label.is_empty());
    label.or(column.name).unwrap_or_default()
}

fn cell(field: Field) -> Cell {
    match field {
        Field::BooleanValue(value) => Cell::Boolean(value),
        Field::DoubleValue(value) => Cell::Double(value),
        Field::LongValue(value) => Cell::Long(value),
        Field::StringValue(value) => Cell::Text(value),
        Field::BlobValue(value) => Cell::Text(loader_model::names::hex(value.as_ref())),
        _ => Cell::Null,
    }
}
