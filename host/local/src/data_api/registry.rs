//! All executions of this server, newest last, and their client tokens. The registry is bounded:
//! old executions and old results make room for new ones.
//!
//! Lock order: the registry first, then the state of an execution, never the other way round.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::execution::Execution;
use super::protocol::ApiError;
use crate::clock::now_millis;

const MAX_EXECUTIONS: usize = 10_000;
/// The bound of all results together.
const MAX_RESULTS_BYTES: usize = 512 << 20;
/// The service forgets a client token after 8 hours.
const TOKEN_MILLIS: i64 = 8 * 3600 * 1000;
/// The service's quota of statements that are not yet finished.
const MAX_ACTIVE: usize = 200;

#[derive(Default)]
struct Known {
    by_id: HashMap<String, Arc<Execution>>,
    order: VecDeque<Arc<Execution>>,
    by_token: HashMap<String, Arc<Execution>>,
}

/// The executions of this server, shared by all requests.
#[derive(Default)]
pub(crate) struct Registry {
    known: Mutex<Known>,
}

/// What became of a submission.
pub(crate) enum Submitted {
    /// A new execution, which the caller must start.
    New(Arc<Execution>),
    /// The client token was seen before; this is the execution that it started.
    Repeated(Arc<Execution>),
    Refused(ApiError),
}

impl Registry {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers an execution, unless its token is known. `reserve` takes what it needs to run (its
    /// session); it may refuse.
    // The token is looked up and entered under one lock. When an SDK sends a request again because
    // the answer was lost, both copies may arrive at once, and only one may run. The token comes
    // before `reserve`: the first copy has the session, so the second would find it busy.
    pub(crate) fn submit(
        &self,
        token: Option<&str>,
        execution: Execution,
        reserve: impl FnOnce(&Execution) -> Result<(), ApiError>,
    ) -> Submitted {
        let mut known = self.known();
        if let Some(earlier) = token.and_then(|token| known.by_token.get(token))
            && now_millis() - earlier.created_millis < TOKEN_MILLIS
        {
            return Submitted::Repeated(earlier.clone());
        }
        if known.active() >= MAX_ACTIVE {
            return Submitted::Refused(ApiError::too_many_active());
        }
        if let Err(error) = reserve(&execution) {
            return Submitted::Refused(error);
        }
        let execution = Arc::new(execution);
        if let Some(token) = token {
            known.by_token.insert(token.to_owned(), execution.clone());
        }
        known.by_id.insert(execution.id.clone(), execution.clone());
        known.order.push_back(execution.clone());
        known.make_room();
        Submitted::New(execution)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Execution>> {
        self.known().by_id.get(id).cloned()
    }

    /// All executions, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Arc<Execution>> {
        self.known().order.iter().rev().cloned().collect()
    }

    /// Drops the oldest results until the rest fits into the bound. Their executions stay; a
    /// request for such a result is told that there is none.
    pub(crate) fn bound_results(&self) {
        let mut total = 0;
        // A copy of the list, so that the registry is not locked while all states are.
        for execution in self.newest_first() {
            let mut state = execution.state();
            for item in &mut state.items {
                total += item.result.as_ref().map_or(0, |result| result.size_bytes);
                if total > MAX_RESULTS_BYTES {
                    item.result = None;
                }
            }
        }
    }
}

impl Known {
    /// How many executions have not ended. Only the newest 400 are looked at, so that a submission
    /// stays cheap with 10,000 executions. An older execution that still runs is not counted.
    fn active(&self) -> usize {
        let newest = self.order.iter().rev().take(2 * MAX_ACTIVE);
        newest.filter(|execution| !execution.status().is_final()).count()
    }

    fn make_room(&mut self) {
        while self.order.len() > MAX_EXECUTIONS {
            let Some(oldest) = self.order.pop_front() else { return };
            self.by_id.remove(&oldest.id);
            // By the execution, not by its token: after 8 hours a client may have used the same
            // token again, and the entry then belongs to the newer execution.
            self.by_token.retain(|_, execution| execution.id != oldest.id);
        }
    }
}
