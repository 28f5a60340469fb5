//! What was listed, for as many turns as may begin by it.
//!
//! A listing of a hundred thousand files takes long, and each turn of each table wants one. So a turn
//! begins by the last listing while that is fresh. A file that has gone since then is no failure, and
//! one that has come since then is in the next one.

use std::time::{Duration, Instant};

use crate::backlog::pending::Queue;

/// How many times longer than it took a listing is fresh.
const FRESH: u32 = 10;

/// The files of the tables that have had no turn since.
pub(super) struct Listing {
    pub(super) begun_at: Instant,
    took: Duration,
    queues: Vec<Queue>,
}

impl Listing {
    pub(super) fn new(begun_at: Instant, ended_at: Instant, queues: Vec<Queue>) -> Listing {
        Listing { begun_at, took: ended_at.duration_since(begun_at), queues }
    }

    /// Whether a turn may begin by it.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.begun_at + self.took * (FRESH + 1)
    }

    /// The tables with files.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        self.queues.iter().map(|queue| &*queue.table)
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables().any(|listed| listed == table)
    }

    /// Takes a table's files out, for its turn.
    pub(super) fn take(&mut self, table: &str) -> Option<Queue> {
        let place = self.queues.iter().position(|queue| queue.table == table)?;
        Some(self.queues.swap_remove(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_fresh_in_proportion_to_what_it_took() {
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let queue = Queue { table: "t".into(), files: Vec::new() };
        let mut listing = Listing::new(begun, begun + second, vec![queue]);
        assert!(listing.is_fresh(begun + second * 10));
        assert!(!listing.is_fresh(begun + second * 11));
        assert!(listing.has("t") && !listing.has("u"));
        assert!(listing.take("t").is_some());
        assert!(listing.take("t").is_none());
    }
}
