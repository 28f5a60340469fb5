//! One session: its connection, and who has it. In: the executions that take the connection and
//! give it back. Out: what ListSessions shows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::super::protocol::{ApiError, Target};
use super::lifetime::{Lifetime, Refusal, SessionStatus};
use crate::clock::now_millis;
use crate::session::Session;

/// A session of the Data API.
pub(crate) struct KeptSession {
    pub(crate) id: String,
    pub(crate) target: Target,
    pub(crate) created_millis: i64,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    lifetime: Lifetime,
    /// `None` before the first connection, while an execution has it, and after the end.
    connection: Option<Session>,
}

/// What ListSessions says about a session.
pub(crate) struct SessionView {
    pub(crate) status: SessionStatus,
    pub(crate) updated_millis: i64,
    pub(crate) keep_alive_seconds: i64,
    pub(crate) expires_millis: Option<i64>,
    pub(crate) current_statement: Option<String>,
}

impl KeptSession {
    /// A session whose first execution has to `reserve` it.
    pub(crate) fn new(target: Target, keep_alive_seconds: i64) -> KeptSession {
        let now = now_millis();
        let lifetime = Lifetime::new(keep_alive_seconds, now);
        KeptSession {
            id: uuid::Uuid::now_v7().to_string(),
            target,
            created_millis: now,
            state: Mutex::new(State { lifetime, connection: None }),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the session to an execution. `keep_alive_seconds` is that of its request.
    pub(crate) fn reserve(
        &self,
        execution: &str,
        keep_alive_seconds: Option<i64>,
    ) -> Result<(), ApiError> {
        let reserved = self.state().lifetime.start(execution, keep_alive_seconds, now_millis());
        self.changed.notify_one();
        reserved.map_err(|refusal| match refusal {
            Refusal::Closed => ApiError::validation("Session is not available"),
            // No source has the service's words.
            Refusal::Busy => ApiError::validation(format!(
                "Session {} is busy with another statement; the Data API does not queue \
                 statements of a session",
                self.id
            )),
        })
    }

    /// The connection, for the execution that has reserved the session. `None`: it is the first.
    pub(crate) fn take(&self) -> Option<Session> {
        self.state().connection.take()
    }

    /// Takes the connection back at the end of an execution. `None`: there is none, because it
    /// could not be opened.
    pub(crate) fn give_back(&self, connection: Option<Session>) {
        let connection = connection.filter(|session| !session.client.is_closed());
        let mut state = self.state();
        state.lifetime.finish(connection.is_some(), now_millis());
        if state.lifetime.status(now_millis()) != SessionStatus::Closed {
            state.connection = connection;
        }
        drop(state);
        self.changed.notify_one();
    }

    pub(crate) fn view(&self) -> SessionView {
        let state = self.state();
        let lifetime = &state.lifetime;
        SessionView {
            status: lifetime.status(now_millis()),
            updated_millis: lifetime.updated_millis,
            keep_alive_seconds: lifetime.keep_alive_seconds,
            expires_millis: lifetime.expires_millis(),
            current_statement: lifetime.execution().map(str::to_owned),
        }
    }

    /// Closes the connection when the session's time is over, so that its locks and temporary
    /// tables do not outlive it.
    // Each change of the session wakes the task, because it moves the end.
    pub(super) async fn close_in_time(self: Arc<KeptSession>) {
        while let Some(left) = self.close_if_over() {
            let _ = tokio::time::timeout(left, self.changed.notified()).await;
        }
    }

    /// The time until the end, or `None` when this was the end.
    fn close_if_over(&self) -> Option<Duration> {
        let mut state = self.state();
        let now = now_millis();
        if state.lifetime.status(now) == SessionStatus::Closed {
            state.connection = None;
            return None;
        }
        Some(state.lifetime.left(now))
    }
}
