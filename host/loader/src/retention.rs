//! How long the ledger remembers: loads that are older than the settings say are forgotten by it and
//! by the fence of their table. A file of such a load counts as new when it is delivered again.
//!
//! A file that still lies in `data/in/` may have been loaded and not archived, by a run that was
//! killed. It was loaded after it had come; so nothing is forgotten that is younger than the oldest
//! file there.

use jiff::{SignedDuration, Timestamp};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::{TableName, utc};

use crate::backlog::place::Place;
use crate::redshift::bookkeeping;
use crate::settings::Settings;

/// By how much the clocks of S3 and of this machine may differ.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// What is forgotten of a table.
#[derive(Clone, Debug)]
pub(crate) struct Forgetting {
    target: TableName,
    /// Loads before this moment, in UTC.
    pub(crate) before: Timestamp,
}

impl Forgetting {
    /// `days`: how long loads are remembered. `oldest`: when the oldest file in `data/in/` came.
    pub(crate) fn of(target: TableName, days: u32, oldest: Option<Timestamp>) -> Forgetting {
        Forgetting { target, before: before(Timestamp::now(), days, oldest) }
    }

    /// Forgets. Returns how many loads were.
    pub(crate) async fn forget(&self, place: &Place) -> Result<u64> {
        bookkeeping::forget(&place.api, &self.target, &self.before_as_text()).await
    }

    /// How many loads there are to be forgotten.
    pub(crate) async fn count(&self, place: &Place) -> Result<u64> {
        bookkeeping::count_forgotten(&place.api, &self.target, &self.before_as_text()).await
    }

    fn before_as_text(&self) -> String {
        utc(self.before, "%Y-%m-%d %H:%M:%S")
    }
}

fn before(now: Timestamp, days: u32, oldest: Option<Timestamp>) -> Timestamp {
    let by_days = now - SignedDuration::from_hours(24 * i64::from(days));
    oldest.map_or(by_days, |oldest| by_days.min(oldest - MARGIN))
}

/// For how many days a table's loads are remembered. `None`: for ever. Errors: `Config` for 0 days,
/// in which nothing would be loaded once.
pub(crate) fn days(settings: &Settings) -> Result<Option<u32>> {
    match settings.ledger_days {
        Some(0) => {
            let fact = "--ledger-days 0 would forget every load at once; give 1 or more";
            Err(Error::new(Kind::Config, fact))
        }
        days => Ok(days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_forgotten_that_is_younger_than_a_file_that_waits() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().expect("a moment");
        let of = |oldest: Option<&str>| {
            let oldest = oldest.map(|oldest| oldest.parse().expect("a moment"));
            before(now, 30, oldest).to_string()
        };
        assert_eq!(of(None), "2026-10-31T12:00:00Z");
        assert_eq!(of(Some("2026-11-29T00:00:00Z")), "2026-10-31T12:00:00Z");
        assert_eq!(of(Some("2026-09-15T08:00:00Z")), "2026-09-15T07:00:00Z");
    }
}
