//! How long a session lives. In: the start and the end of its executions, with the time of each.
//! Out: its status at any time. No clock and no connection, so that tests can move the time.

use std::time::Duration;

/// The service closes every session 24 hours after it was made.
const LONGEST_MILLIS: i64 = 24 * 3600 * 1000;

/// The service's statuses of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionStatus {
    Available,
    Busy,
    Closed,
}

impl SessionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SessionStatus::Available => "AVAILABLE",
            SessionStatus::Busy => "BUSY",
            SessionStatus::Closed => "CLOSED",
        }
    }
}

/// Why an execution does not get the session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Busy,
    Closed,
}

#[derive(Debug)]
enum Phase {
    Idle,
    /// The id of the execution that runs.
    Running(String),
    Closed,
}

#[derive(Debug)]
pub(super) struct Lifetime {
    created_millis: i64,
    /// The last start or end of an execution.
    pub(super) updated_millis: i64,
    pub(super) keep_alive_seconds: i64,
    phase: Phase,
}

impl Lifetime {
    pub(super) fn new(keep_alive_seconds: i64, now: i64) -> Lifetime {
        Lifetime {
            created_millis: now,
            updated_millis: now,
            keep_alive_seconds,
            phase: Phase::Idle,
        }
    }

    /// An execution begins. A keep-alive in its request replaces the session's.
    pub(super) fn start(
        &mut self,
        execution: &str,
        keep_alive_seconds: Option<i64>,
        now: i64,
    ) -> Result<(), Refusal> {
        match self.status(now) {
            SessionStatus::Available => {}
            SessionStatus::Busy => return Err(Refusal::Busy),
            SessionStatus::Closed => return Err(Refusal::Closed),
        }
        self.keep_alive_seconds = keep_alive_seconds.unwrap_or(self.keep_alive_seconds);
        self.phase = Phase::Running(execution.to_owned());
        self.updated_millis = now;
        Ok(())
    }

    /// The execution has ended. A keep-alive of 0 ends the session with it.
    pub(super) fn finish(&mut self, is_connected: bool, now: i64) {
        let is_over = !is_connected || self.keep_alive_seconds == 0;
        self.phase = if is_over { Phase::Closed } else { Phase::Idle };
        self.updated_millis = now;
    }

    /// When the session closes if no execution comes; `None` while one runs and after the end.
    pub(super) fn expires_millis(&self) -> Option<i64> {
        let idle = self.updated_millis + self.keep_alive_seconds * 1000;
        matches!(self.phase, Phase::Idle).then(|| idle.min(self.created_millis + LONGEST_MILLIS))
    }

    pub(super) fn status(&self, now: i64) -> SessionStatus {
        match self.phase {
            Phase::Running(_) => SessionStatus::Busy,
            Phase::Idle if self.expires_millis().is_some_and(|end| now < end) => {
                SessionStatus::Available
            }
            Phase::Idle | Phase::Closed => SessionStatus::Closed,
        }
    }

    /// The id of the execution that runs.
    pub(super) fn execution(&self) -> Option<&str> {
        match &self.phase {
            Phase::Running(execution) => Some(execution),
            Phase::Idle | Phase::Closed => None,
        }
    }

    /// The time until the session closes if no execution comes; while one runs, the longest.
    pub(super) fn left(&self, now: i64) -> Duration {
        let left = self.expires_millis().map_or(LONGEST_MILLIS, |end| (end - now).max(1));
        Duration::from_millis(left.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1000;

    #[test]
    fn keep_alive_counts_idle_time() {
        let mut lifetime = Lifetime::new(10, 0);
        lifetime.start("a", None, 0).unwrap();
        // A long statement does not use it up.
        assert_eq!(lifetime.status(100 * SECOND), SessionStatus::Busy);
        assert_eq!(lifetime.start("b", None, 100 * SECOND), Err(Refusal::Busy));
        lifetime.finish(true, 100 * SECOND);
        assert_eq!(lifetime.expires_millis(), Some(110 * SECOND));
        assert_eq!(lifetime.status(110 * SECOND - 1), SessionStatus::Available);
        assert_eq!(lifetime.status(110 * SECOND), SessionStatus::Closed);
        assert_eq!(lifetime.start("c", None, 110 * SECOND), Err(Refusal::Closed));
    }

    #[test]
    fn each_statement_starts_it_anew_and_may_change_it() {
        let mut lifetime = Lifetime::new(10, 0);
        lifetime.start("a", Some(10), 0).unwrap();
        lifetime.finish(true, SECOND);
        lifetime.start("b", None, 10 * SECOND).unwrap();
        lifetime.finish(true, 12 * SECOND);
        assert_eq!(lifetime.expires_millis(), Some(22 * SECOND));
        lifetime.start("c", Some(60), 20 * SECOND).unwrap();
        lifetime.finish(true, 20 * SECOND);
        assert_eq!(lifetime.expires_millis(), Some(80 * SECOND));
        lifetime.start("d", Some(0), 30 * SECOND).unwrap();
        lifetime.finish(true, 30 * SECOND);
        assert_eq!(lifetime.status(30 * SECOND), SessionStatus::Closed);
    }

    #[test]
    fn a_day_is_the_longest_and_a_lost_connection_the_end() {
        let mut lifetime = Lifetime::new(86_400, 0);
        lifetime.start("a", None, 0).unwrap();
        lifetime.finish(true, 5 * SECOND);
        assert_eq!(lifetime.expires_millis(), Some(LONGEST_MILLIS));
        lifetime.start("b", None, 6 * SECOND).unwrap();
        lifetime.finish(false, 7 * SECOND);
        assert_eq!(lifetime.status(7 * SECOND), SessionStatus::Closed);
    }
}
