//! The Redshift Data API: runs statements, waits for them, reads results. The only module that
//! knows its SDK.
//!
//! An execution carries a client token, so that the service runs it once, even when the request is
//! sent again after a lost answer. An SQL error is an outcome and no `Err`; the caller decides what
//! it means.
//! Source: <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html>

pub mod requests;

mod submit;

mod wait;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::operation::get_statement_result::GetStatementResultOutput;
use aws_sdk_redshiftdata::types::{ColumnMetadata, Field};
use loader_model::error::Result;
use loader_warehouse::refusal::StatementFailure;
use loader_warehouse::rows::{Cell, ResultRows};
use tracing::{Instrument, Span, field};

use crate::calls::Calls;
use crate::connect::{Aws, boxed};
use crate::failure;
use crate::stop::Stop;

/// How long a session stays open without a statement, in seconds: long enough for the pauses
/// between the tries of a transaction, and short, since an open session counts against a quota.
/// Source: <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html>, sessions.
const SESSION_SECONDS: i32 = 120;

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
    session: SessionUse,
    patience: Option<Patience>,
    watcher: Option<Watcher>,
    calls: Calls,
    stop: Stop,
    /// Keeps the stand-in running.
    _aws: Aws,
}

/// Is told of an execution that goes on, each time that it is looked at.
pub type Watcher = Arc<dyn Fn(&Running) + Send + Sync>;

/// An execution that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// The place of the statement that runs. `None`: none has begun.
    pub statement: Option<usize>,
    /// Rows of the statements before it, as far as the service says.
    pub rows: u64,
}

/// Which session of the database an execution runs in.
#[derive(Clone, Debug)]
enum SessionUse {
    /// One of its own, which ends with it.
    Own,
    /// A new one, which stays open afterwards.
    New,
    /// The open session of this id.
    Within(String),
}

/// How long an execution may wait.
#[derive(Clone, Copy, Debug)]
struct Patience {
    longest: Duration,
    /// Whether only the time counts in which it waits for a lock.
    only_locks: bool,
}

/// The span of an execution. Its id is filled in when it is known.
fn span(statements: usize) -> Span {
    tracing::info_span!(
        "execution",
        otel.name = "redshift",
        otel.kind = "client",
        db.system.name = "aws.redshift",
        db.operation.batch.size = statements as i64,
        statement_id = field::Empty,
    )
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
    /// The places of statements whose result has no rows, as far as the service says so.
    pub without_rows: Vec<usize>,
    /// Whether a statement has a result to read, with or without rows.
    pub has_result_set: bool,
    /// The session that the execution ran in, if it stays open.
    pub session_id: Option<String>,
}

/// Where an execution runs, in the members of a request. A request for an open session must name
/// nothing else.
#[derive(Default)]
struct Address {
    workgroup: Option<String>,
    cluster: Option<String>,
    db_user: Option<String>,
    database: Option<String>,
    secret_arn: Option<String>,
    session_id: Option<String>,
    keep_alive_seconds: Option<i32>,
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
            session: SessionUse::Own,
            patience: None,
            watcher: None,
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

    /// The same client, whose executions each leave their session open: see
    /// [`Executed::session_id`].
    #[must_use]
    pub fn opening_session(&self) -> DataApi {
        DataApi { session: SessionUse::New, ..self.clone() }
    }

    /// The same client, in an open session. Temporary tables and settings of the session are there.
    /// It runs one execution at a time.
    #[must_use]
    pub fn within_session(&self, id: &str) -> DataApi {
        DataApi { session: SessionUse::Within(id.to_owned()), ..self.clone() }
    }

    /// The same client, which cancels an execution that waits longer for a lock: at a LOCK, or at a
    /// change of a view or a table that others are using. Such an execution ends as if somebody had
    /// cancelled it.
    // Redshift has no bound for the wait alone. A statement timeout would have to stand in front of
    // the LOCK, which must be the first statement of its transaction.
    #[must_use]
    pub fn with_lock_timeout(&self, longest: Duration) -> DataApi {
        self.with_patience(longest, true)
    }

    /// The same client, which cancels an execution that takes longer in all. For queries of the
    /// catalog, which wait only where others are changing what they ask for.
    #[must_use]
    pub fn with_time_limit(&self, longest: Duration) -> DataApi {
        self.with_patience(longest, false)
    }

    fn with_patience(&self, longest: Duration, only_locks: bool) -> DataApi {
        DataApi { patience: Some(Patience { longest, only_locks }), ..self.clone() }
    }

    /// The same client, which tells how far its executions are.
    #[must_use]
    pub fn watched_by(&self, watcher: Watcher) -> DataApi {
        DataApi { watcher: Some(watcher), ..self.clone() }
    }

    /// How long this client lets an execution wait.
    pub fn longest_wait(&self) -> Option<Duration> {
        self.patience.map(|patience| patience.longest)
    }

    /// Runs one statement by itself. It commits on its own.
    pub async fn execute(&self, sql: &str) -> Result<Outcome> {
        let executed = async {
            let id = self.submit_one(sql).await?;
            self.wait(id).await
        };
        executed.instrument(span(1)).await
    }

    /// Runs statements as one transaction: all of them, or none. At most 40, of at most 100 KB
    /// each.
    pub async fn execute_batch(&self, statements: &[String]) -> Result<Outcome> {
        let executed = async {
            let id = self.submit_batch(statements).await?;
            self.wait(id).await
        };
        executed.instrument(span(statements.len())).await
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

impl Address {
    /// Where an execution runs. With a secret the user comes from the secret.
    fn of(database: &Database, session: &SessionUse) -> Address {
        let keep_alive_seconds = match session {
            SessionUse::Within(id) => {
                return Address { session_id: Some(id.clone()), ..Address::default() };
            }
            SessionUse::New => Some(SESSION_SECONDS),
            SessionUse::Own => None,
        };
        let (workgroup, cluster, db_user) = match &database.compute {
            Compute::Workgroup(name) => (Some(name.clone()), None, None),
            Compute::Cluster { identifier, db_user } => {
                (None, Some(identifier.clone()), db_user.clone())
            }
        };
        let secret_arn = database.secret_arn.clone();
        let (database, session_id) = (Some(database.name.clone()), None);
        Address {
            workgroup,
            cluster,
            db_user,
            database,
            secret_arn,
            session_id,
            keep_alive_seconds,
        }
    }
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
