//! How long a service goes on, and when it looks at all tables without a message.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

/// When all tables are looked at after the bucket could not be listed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How long a service goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// Until it is told to stop. It looks at all tables so often.
    ForEver { every: Duration },
    /// Until what its messages tell of is done, and what lies there of all tables, where those are
    /// asked for.
    Once { all: bool },
}

/// The rounds of a course.
pub(super) struct Rounds(Option<Interval>);

impl Rounds {
    pub(super) fn of(course: Course) -> Rounds {
        let Course::ForEver { every } = course else { return Rounds(None) };
        let mut rounds = tokio::time::interval(every);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Rounds(Some(rounds))
    }

    /// Waits for the next round; for ever where there is none.
    pub(super) async fn next(&mut self) {
        match &mut self.0 {
            Some(rounds) => drop(rounds.tick().await),
            None => std::future::pending().await,
        }
    }

    /// The next round comes soon.
    pub(super) fn sooner(&mut self) {
        if let Some(rounds) = &mut self.0 {
            rounds.reset_after(AFTER_FAILURE.min(rounds.period()));
        }
    }
}
