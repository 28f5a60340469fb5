//! The Redshift Data API: runs statements, waits for them, reads results. The only module that
//! knows its SDK.
//!
//! An execution carries a client token, so that the service runs it once, even when the request is
//! sent again after a lost answer. An SQL error is an outcome and no `Err`; the caller decides what
//! it means.
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

/// How long one DescribeStatement may wait for a change, in seconds. Source: API_DescribeStatement,
/// `WaitTimeSeconds`.
const LONG_POLL_SECONDS: i32 = 30;
/// How many looks at a running statement may fail in a row before its outcome counts as unknown.
const MAX_FAILED_LOOKS: u32 = 5;
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What runs the statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compute {
    Workgroup(String),
    Cluster { identifier: String, db_user: Option<String> },
}

/// A database, what runs its statements, and the way to its user.
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
    /// The id of the statement, by which its results are read.
    pub id: String,
    /// Rows returned or affected by each statement; -1 where the service does not say.
    pub result_rows: Vec<i64>,
    /// Whether a statement has a result to read, with or without rows.
    pub has_result_set: bool,
}

/// How the program looks at a running statement.
struct Looks {
    // Off after a look that failed, because the failure may be about the long poll itself.
    long_polls: bool,
    /// The pause before the next look. It grows while looks come back at once.
    pause: Duration,
}

impl Default for Looks {
    fn default() -> Looks {
        Looks { long_polls: true, pause: Duration::ZERO }
    }
}

impl Looks {
    /// Sets the next pause. `took`: how long the last look took.
    fn slow_down(&mut self, took: Duration) {
        // A long poll has waited at the service, and no pause is needed after it. Other looks are
        // 50 ms apart, then 100 ms, and so on up to 5 s; `clamp` makes 50 ms of twice zero.
        let at_once = took < Duration::from_secs(1);
        self.pause = if at_once {
            (self.pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
        } else {
            Duration::ZERO
        };
    }
}

impl DataApi {
    /// A client for the service, or for the stand-in. ListStatements shows `statement_name`.
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

    /// The requests made so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The same client, but deaf to a wish to stop, for what must be written even then. (For
    /// example, the audit row of a run that a signal has ended.)
    #[must_use]
    pub fn to_the_end(&self) -> DataApi {
        DataApi { stop: Stop::never(), ..self.clone() }
    }

    /// Runs one statement by itself. It commits on its own.
    pub async fn execute(&self, sql: &str) -> Result<Outcome> {
        let token = new_token();
        let id = self.submit(async || self.send_one(sql, &token).await).await?;
        self.wait(id).await
    }

    /// Runs statements as one transaction: all of them, or none. At most 40, of at most 100 KB
    /// each.
    pub async fn execute_batch(&self, statements: &[String]) -> Result<Outcome> {
        // One token for all attempts of `submit`. A new token for each attempt would let a batch
        // whose first answer was lost run twice.
        let token = new_token();
        let id = self.submit(async || self.send_batch(statements, &token).await).await?;
        self.wait(id).await
    }

    /// Submits one statement and returns its id.
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

    /// Submits a batch and returns its id.
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

    /// Workgroup, cluster and database user, as requests name them. With a secret the user comes
    /// from the secret.
    fn compute(&self) -> (Option<String>, Option<String>, Option<String>) {
        match &self.database.compute {
            Compute::Workgroup(name) => (Some(name.clone()), None, None),
            Compute::Cluster { identifier, db_user } => {
                (None, Some(identifier.clone()), db_user.clone())
            }
        }
    }

    /// Sends an execution, and sends it again with the same token when the failure may pass or the
    /// answer was lost. Gives up after four attempts.
    // An attempt without an answer may have arrived, and the failure of a later attempt does not
    // change that. So once an outcome was unknown, the error stays `OutcomeUnknown`, whichever way
    // the last attempt fails. (For example, a timeout and then three times throttled is unknown.)
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

    /// Waits for the end of a statement. A wish to stop cancels the statement, and its outcome is
    /// still read.
    // After the cancel the loop goes on until the statement has ended, because only its last status
    // tells whether it was committed. A statement that finished all the same is a success. Only
    // when it has failed or was aborted does the wish to stop become the error. The cancel is sent
    // once: `cancelled` is set from then on, which turns that branch of `select!` off.
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

    /// Looks at a statement until a look succeeds, by a long poll where the service has those.
    /// Errors: `OutcomeUnknown` after [`MAX_FAILED_LOOKS`] failures.
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
        let fact = "the status of a running statement cannot be read, so its outcome is unknown; \
                    run again, the ledger knows whether the file was loaded";
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

    /// Reads all rows of a statement's result, page by page. `nth`: the place of the statement in
    /// its batch, from 0. (The Data API counts from 1, so place 0 has the id `<batch>:1`.)
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

/// A token with which the service runs an execution once, however often the request arrives.
fn new_token() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A finished statement or batch. A single statement has no sub-statements, and counts as one.
fn finished(id: String, described: &DescribeStatementOutput) -> Executed {
    let subs = described.sub_statements();
    let result_rows = match subs {
        [] => vec![described.result_rows()],
        subs => subs.iter().map(|sub| sub.result_rows()).collect(),
    };
    Executed { id, result_rows, has_result_set: described.has_result_set().unwrap_or(false) }
}

/// Finds the statement of a batch that failed. The batch's own message has at best its number, so
/// the statement's own message comes first.
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

/// A column's name as the query has it: the label, which is the alias where there is one.
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
        // `Field::IsNull`, and any kind of value that this SDK does not know.
        _ => Cell::Null,
    }
}
