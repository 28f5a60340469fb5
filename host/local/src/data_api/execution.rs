//! One ExecuteStatement or BatchExecuteStatement and its state. The runner (`run`) changes it,
//! requests read it, and a request that waits is woken when it ends. `list` and `describe` make
//! their answers from it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::kept::KeptSession;
use super::protocol::Target;
use crate::clock::now_millis;
use crate::session::ResultSet;
use crate::sql::Parameter;

/// The service's statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Submitted,
    Picked,
    Started,
    Finished,
    Failed,
    Aborted,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Submitted => "SUBMITTED",
            Status::Picked => "PICKED",
            Status::Started => "STARTED",
            Status::Finished => "FINISHED",
            Status::Failed => "FAILED",
            Status::Aborted => "ABORTED",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Status::Finished | Status::Failed | Status::Aborted)
    }
}

/// Which statements of an execution commit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The one statement of ExecuteStatement.
    Single,
    /// All statements or none.
    Transaction,
    /// Each statement by itself; a failed one does not stop those behind it.
    AutoCommit,
}

/// What the client asked for. It never changes.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    pub(crate) target: Target,
    pub(crate) database: String,
    pub(crate) name: Option<String>,
    pub(crate) mode: Mode,
    /// The SQL as the client sent it, with placeholders.
    pub(crate) statements: Vec<String>,
    /// The SQL that runs, with values in their place.
    pub(crate) bound: Vec<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) is_csv: bool,
}

impl Submission {
    /// The service's name of the format that results are read in.
    pub(crate) fn result_format(&self) -> &'static str {
        if self.is_csv { "CSV" } else { "JSON" }
    }
}

/// A submission with its id and its state.
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) created_millis: i64,
    pub(crate) submission: Submission,
    /// The session whose connection it runs on; without one, it has a connection of its own.
    pub(super) session: Option<Arc<KeptSession>>,
    state: Mutex<ExecutionState>,
    ended: watch::Sender<bool>,
    /// Held while a cancel request is on its way to PostgreSQL.
    cancelling: tokio::sync::Mutex<()>,
}

/// How far an execution is.
#[derive(Clone)]
pub(crate) struct ExecutionState {
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) updated_millis: i64,
    pub(crate) duration: Duration,
    pub(crate) pid: Option<i32>,
    pub(crate) items: Vec<Item>,
    pub(crate) cancel_requested: bool,
    /// The connection that may be cancelled: `pid`, while the statements run on it.
    cancellable: Option<i32>,
}

/// How far one statement of an execution is.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) status: Status,
    pub(crate) error: Option<String>,
    pub(crate) updated_millis: i64,
    pub(crate) started_millis: i64,
    pub(crate) duration: Duration,
    pub(crate) query_id: i64,
    pub(crate) rows: i64,
    pub(crate) size_bytes: i64,
    pub(crate) has_result: bool,
    /// `None` also when the registry dropped an old result to make room.
    pub(crate) result: Option<Arc<ResultSet>>,
}

impl Item {
    fn submitted(now_millis: i64) -> Item {
        Item {
            status: Status::Submitted,
            error: None,
            updated_millis: now_millis,
            started_millis: now_millis,
            duration: Duration::ZERO,
            query_id: 0,
            rows: -1,
            size_bytes: -1,
            has_result: false,
            result: None,
        }
    }
}

impl Execution {
    pub(crate) fn new(submission: Submission, session: Option<Arc<KeptSession>>) -> Execution {
        let now = now_millis();
        let state = ExecutionState {
            status: Status::Submitted,
            error: None,
            updated_millis: now,
            duration: Duration::ZERO,
            pid: None,
            items: vec![Item::submitted(now); submission.statements.len()],
            cancel_requested: false,
            cancellable: None,
        };
        Execution {
            id: uuid::Uuid::now_v7().to_string(),
            created_millis: now,
            submission,
            session,
            state: Mutex::new(state),
            ended: watch::Sender::new(false),
            cancelling: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, ExecutionState> {
        // A panic in another thread poisons the lock, but the state can still be read.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> Status {
        self.state().status
    }

    /// Changes the state, and wakes the requests that wait once the status is final.
    pub(crate) fn update(&self, change: impl FnOnce(&mut ExecutionState)) {
        let is_final = {
            let mut state = self.state();
            change(&mut state);
            state.updated_millis = now_millis();
            state.status.is_final()
        };
        // `send` would store nothing while no request waits, and a request that comes later would
        // then sleep for its whole limit.
        if is_final {
            self.ended.send_replace(true);
        }
    }

    pub(crate) fn update_item(&self, index: usize, change: impl FnOnce(&mut Item)) {
        self.update(|state| {
            change(&mut state.items[index]);
            state.items[index].updated_millis = now_millis();
        });
    }

    /// Waits until the execution has ended, at most for `limit`.
    pub(crate) async fn wait(&self, limit: Duration) {
        let mut ended = self.ended.subscribe();
        // Running out of time is no error: the caller reads the state and reports what it is. An
        // end before this line is not missed, because `wait_for` looks at the value first.
        let _ = tokio::time::timeout(limit, ended.wait_for(|ended| *ended)).await;
    }

    /// Asks the runner to stop. It looks before each statement; the one that PostgreSQL is running
    /// has to be cancelled.
    ///
    /// Errors: the final status, when the execution has already ended.
    pub(crate) fn request_cancel(&self) -> Result<(), Status> {
        let mut state = self.state();
        if state.status.is_final() {
            return Err(state.status);
        }
        state.cancel_requested = true;
        Ok(())
    }

    /// Calls `cancel` with the connection, while its statements run on it.
    pub(crate) async fn cancel<C: Future<Output = ()>>(&self, cancel: impl FnOnce(i32) -> C) {
        let _cancelling = self.cancelling.lock().await;
        let pid = self.state().cancellable;
        if let Some(pid) = pid {
            cancel(pid).await;
        }
    }

    /// Keeps cancel requests away from the connection, and waits for one that is on its way. A
    /// request that came later would hit the session's next statement.
    pub(crate) async fn end_cancelling(&self) {
        let _cancelling = self.cancelling.lock().await;
        self.state().cancellable = None;
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.state().cancel_requested
    }

    pub(crate) fn session_id(&self) -> Option<&str> {
        self.session.as_ref().map(|session| session.id.as_str())
    }

    pub(crate) fn is_batch(&self) -> bool {
        self.submission.mode != Mode::Single
    }

    /// Marks the execution as started on the connection with this `pid`.
    pub(crate) fn start(&self, pid: i32) {
        self.update(|state| {
            state.status = Status::Started;
            state.pid = Some(pid);
            state.cancellable = Some(pid);
        });
    }

    /// Marks the execution as ended.
    pub(crate) fn end(&self, status: Status, error: Option<String>, since: Instant) {
        self.update(|state| {
            state.status = status;
            state.error = error;
            state.duration = since.elapsed();
        });
    }
}
