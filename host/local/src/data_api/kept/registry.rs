//! The sessions of the last 24 hours, by their ids and newest last. A server that starts again
//! knows none of the server before it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::session::KeptSession;
use crate::clock::now_millis;

/// The service lists a session for 24 hours after it was made.
const LISTED_MILLIS: i64 = 24 * 3600 * 1000;

#[derive(Default)]
pub(crate) struct Sessions {
    known: Mutex<Vec<Arc<KeptSession>>>,
}

impl Sessions {
    fn known(&self) -> MutexGuard<'_, Vec<Arc<KeptSession>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a session, unless it is known, and starts the task that closes it.
    pub(crate) fn add(&self, session: &Arc<KeptSession>) {
        let mut known = self.known();
        if known.iter().any(|known| known.id == session.id) {
            return;
        }
        let listed_since = now_millis() - LISTED_MILLIS;
        known.retain(|known| known.created_millis > listed_since);
        known.push(session.clone());
        tokio::spawn(session.clone().close_in_time());
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<KeptSession>> {
        self.known().iter().find(|session| session.id == id).cloned()
    }

    /// All sessions, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Arc<KeptSession>> {
        self.known().iter().rev().cloned().collect()
    }
}
