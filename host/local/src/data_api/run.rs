//! Runs an execution: opens its connection, runs its statements in order inside their transaction,
//! and decides what becomes of the rest when a statement fails. Out: the states that requests read,
//! and rows in the stand-in's history tables.

use std::sync::Arc;
use std::time::Instant;

use super::execution::{Execution, Mode, Status};
use super::history::History;
use super::statement::Statements;
use super::warehouse::Warehouse;
use crate::clock::now_millis;
use crate::session::{Session, StatementResult};

/// What PostgreSQL says of a statement that ran into `statement_timeout`.
const TIMEOUT: &str = "canceling statement due to statement timeout";
/// The service's error for statements that never ran.
const NEVER_RAN: &str = "Connection or an prior query failed.";

/// Runs `execution` to its end.
// The order at the end matters: `close` writes the history before `end` makes the status final. A
// client that reads FINISHED or FAILED and then asks STL_LOAD_ERRORS must find its rows there.
pub(crate) async fn run(warehouse: Arc<Warehouse>, execution: Arc<Execution>) {
    let since = Instant::now();
    execution.update(|state| state.status = Status::Picked);
    let (mut session, (status, error)) = match connect(&warehouse, &execution).await {
        Ok(mut session) => {
            let end = Runner::new(&warehouse, &execution, &mut session).run_to_end().await;
            (Some(session), end)
        }
        Err(error) => {
            let error = warehouse.names.restore(&error).into_owned();
            never_ran(&execution, &error);
            (None, (Status::Failed, Some(error)))
        }
    };
    warehouse.registry.bound_results();
    // Before `end`: a client that reads FINISHED may send the session's next statement at once.
    if let Some(kept) = &execution.session {
        kept.give_back(session.take());
    }
    execution.end(status, error, since);
}

/// The session's connection, or a new one.
async fn connect(warehouse: &Warehouse, execution: &Execution) -> Result<Session, String> {
    let submission = &execution.submission;
    let database = &submission.database;
    let kept = execution.session.as_ref().and_then(|session| session.take());
    let session = match kept {
        Some(session) => session,
        None => warehouse.connect(database, submission.target.user()).await?,
    };
    let names = warehouse.names.unknown(database, &submission.bound);
    if !names.is_empty() {
        // The session's own connection may be in a transaction, which may be rolled back.
        let aside = warehouse.connect(database, None).await?;
        warehouse.names.store(&aside, database, names).await?;
    }
    Ok(session)
}

/// Marks every statement of an execution that got no connection, for example because its database
/// does not exist.
fn never_ran(execution: &Execution, error: &str) {
    let (status, words) =
        if execution.is_batch() { (Status::Aborted, NEVER_RAN) } else { (Status::Failed, error) };
    execution.update(|state| {
        for item in &mut state.items {
            item.status = status;
            item.error = Some(words.to_owned());
        }
    });
}

struct Runner<'a> {
    warehouse: &'a Warehouse,
    execution: &'a Execution,
    statements: Statements<'a>,
}

impl<'a> Runner<'a> {
    fn new(
        warehouse: &'a Warehouse,
        execution: &'a Execution,
        session: &'a mut Session,
    ) -> Runner<'a> {
        let statements = Statements::new(warehouse, execution, session);
        Runner { warehouse, execution, statements }
    }

    async fn run_to_end(mut self) -> (Status, Option<String>) {
        self.execution.start(self.statements.session.pid);
        let end = self.run().await;
        self.execution.end_cancelling().await;
        self.close().await;
        end
    }

    async fn run(&mut self) -> (Status, Option<String>) {
        match self.execution.submission.mode {
            Mode::Single => match self.item(0).await {
                Ok(()) => (Status::Finished, None),
                Err(failure) => failure.into_end(),
            },
            Mode::Transaction => self.transaction().await,
            Mode::AutoCommit => self.auto_commit().await,
        }
    }

    async fn transaction(&mut self) -> (Status, Option<String>) {
        if let Err(error) = self.statements.begin(false).await {
            self.abort_from(0);
            return (Status::Failed, Some(error));
        }
        for index in 0..self.execution.submission.statements.len() {
            if let Err(failure) = self.item(index).await {
                self.abort_from(index + 1);
                return failure.of_statement(index).into_end();
            }
        }
        match self.statements.end("COMMIT").await {
            Ok(_) => (Status::Finished, None),
            Err(error) => (Status::Failed, Some(error)),
        }
    }

    async fn auto_commit(&mut self) -> (Status, Option<String>) {
        let mut failed = Vec::new();
        for index in 0..self.execution.submission.statements.len() {
            match self.item(index).await {
                Ok(()) => {}
                // A failed statement does not stop those behind it; a cancel stops them all.
                Err(Failure::Cancelled(error)) => {
                    self.abort_from(index + 1);
                    return (Status::Aborted, Some(error));
                }
                Err(Failure::Failed(_)) => failed.push(format!("#{}", index + 1)),
            }
        }
        if failed.is_empty() {
            (Status::Finished, None)
        } else {
            (Status::Failed, Some(format!("Query {} failed", failed.join(", "))))
        }
    }

    fn abort_from(&self, first: usize) {
        self.execution.update(|state| {
            for item in state.items.iter_mut().skip(first) {
                item.status = Status::Aborted;
                item.error = Some(NEVER_RAN.to_owned());
            }
        });
    }

    /// Ends an open transaction and writes the history, which therefore outlives a rollback. In a
    /// session only the transaction of a failed batch ends; one that a client began goes on.
    async fn close(mut self) {
        let submission = &self.execution.submission;
        let is_kept = self.execution.session.is_some();
        let in_block = self.statements.session.in_block;
        if in_block && (!is_kept || submission.mode == Mode::Transaction) {
            let _ = self.statements.end("ROLLBACK").await;
        }
        let Statements { session, load_errors, loads, .. } = &self.statements;
        let (pid, execution) = (session.pid, self.execution);
        let history = History { pid, execution, errors: load_errors, loads };
        if is_kept {
            // Not on the session's own connection: its transaction may be rolled back later, and
            // its settings must stay as the client made them. The rows belong to its user, who
            // could not see another user's.
            let user = submission.target.user();
            match self.warehouse.connect(&submission.database, user).await {
                Ok(aside) => history.write(&aside).await,
                Err(error) => tracing::warn!(error, "cannot write the history of a session"),
            }
        } else {
            history.write(session).await;
        }
    }

    /// Runs one statement and records how it went.
    async fn item(&mut self, index: usize) -> Result<(), Failure> {
        let query_id = self.warehouse.next_query_id();
        let since = Instant::now();
        self.execution.update_item(index, |item| {
            item.status = Status::Started;
            item.started_millis = now_millis();
            item.query_id = query_id;
        });
        match self.unless_cancelled(index, query_id).await {
            Ok(outcome) => {
                self.finished(index, outcome, since);
                Ok(())
            }
            Err(failure) => {
                let failure =
                    failure.map(|error| self.warehouse.names.restore(&error).into_owned());
                self.failed(index, &failure, since);
                Err(failure)
            }
        }
    }

    /// Runs a statement, unless a client has cancelled the execution.
    async fn unless_cancelled(
        &mut self,
        index: usize,
        query_id: i64,
    ) -> Result<StatementResult, Failure> {
        let words = || format!("ERROR: Query ({query_id}) cancelled on user's request");
        if self.execution.is_cancelled() {
            return Err(Failure::Cancelled(words()));
        }
        // A statement may finish before the cancel request reaches PostgreSQL; then it stays
        // finished. If it fails instead, the cancellation is its error.
        let sql = &self.execution.submission.bound[index];
        let outcome = self.statements.run(sql, query_id).await;
        let is_cancelled = self.execution.is_cancelled();
        outcome.map_err(|error| match error {
            _ if is_cancelled => Failure::Cancelled(words()),
            // Redshift has no other words for a statement that ran into `statement_timeout`.
            error if error.contains(TIMEOUT) => Failure::Failed(words()),
            error => Failure::Failed(error),
        })
    }

    fn finished(&self, index: usize, mut outcome: StatementResult, since: Instant) {
        if let Some(result) = &mut outcome.result {
            self.warehouse.names.restore_result(result);
        }
        let size_bytes = outcome.result.as_ref().map_or(0, |result| result.size_bytes);
        self.execution.update_item(index, |item| {
            item.status = Status::Finished;
            item.duration = since.elapsed();
            item.rows = i64::try_from(outcome.rows).unwrap_or(i64::MAX);
            item.size_bytes = i64::try_from(size_bytes).unwrap_or(i64::MAX);
            item.has_result = outcome.result.is_some();
            item.result = outcome.result.map(Arc::new);
        });
    }

    fn failed(&self, index: usize, failure: &Failure, since: Instant) {
        self.execution.update_item(index, |item| {
            item.duration = since.elapsed();
            let (status, error) = failure.clone().into_end();
            item.status = status;
            item.error = error;
        });
    }
}

/// How a statement ended without finishing: with an error of its own, or cancelled by a client.
#[derive(Debug, Clone)]
enum Failure {
    Failed(String),
    Cancelled(String),
}

impl Failure {
    fn map(self, words: impl FnOnce(String) -> String) -> Failure {
        match self {
            Failure::Failed(error) => Failure::Failed(words(error)),
            Failure::Cancelled(error) => Failure::Cancelled(words(error)),
        }
    }

    fn into_end(self) -> (Status, Option<String>) {
        match self {
            Failure::Failed(error) => (Status::Failed, Some(error)),
            Failure::Cancelled(error) => (Status::Aborted, Some(error)),
        }
    }

    /// The batch's error when a statement failed. It has the statement's number only, for example
    /// `Query #2 failed`; the reason is in that statement's own error.
    fn of_statement(self, index: usize) -> Failure {
        match self {
            Failure::Failed(_) => Failure::Failed(format!("Query #{} failed", index + 1)),
            cancelled @ Failure::Cancelled(_) => cancelled,
        }
    }
}
