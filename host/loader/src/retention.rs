//! How long ledger and fences remember: loads that are older than the settings say are forgotten. A
//! file of such a load counts as new when it is delivered again.
//!
//! A file that still lies in `data/in/` may have been loaded and not archived, by a run that was
//! killed. It was loaded after it had come; so nothing is forgotten that is younger than the oldest
//! file there.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use loader_aws::stop::Stop;
use loader_model::error::Result;
use loader_model::names::{TableName, utc};
use loader_warehouse::retention::{TARGETS, Targets};

use crate::backlog::place::Place;
use crate::job::{Project, ledger_days};
use crate::redshift::retention;

/// By how much the clocks of S3 and of this machine may differ.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Tables of a schema whose loads are remembered for as long.
#[derive(Debug)]
struct Group {
    schema: String,
    /// Loads before this moment are old, in UTC.
    before: String,
    tables: Vec<(String, TableName)>,
}

/// The old loads of a table.
#[derive(Clone, Debug)]
pub(crate) struct Old {
    /// As the settings file has it.
    pub(crate) table: String,
    pub(crate) loads: u64,
    pub(crate) before: String,
}

/// What is forgotten.
#[derive(Debug)]
pub(crate) struct Forgetting(Vec<Group>);

impl Forgetting {
    /// What the settings say of tables. `oldest`: when the oldest file in `data/in/` came. Errors:
    /// `Config`.
    pub(crate) fn of<'a>(
        project: &Project,
        tables: impl Iterator<Item = &'a str>,
        oldest: Option<Timestamp>,
    ) -> Result<Forgetting> {
        let now = Timestamp::now();
        let mut groups: BTreeMap<(String, u32), Group> = BTreeMap::new();
        for table in tables {
            let Some(days) = ledger_days(&project.of_table(table, None)?)? else { continue };
            let target = project.target_of(table)?;
            let schema = target.schema.clone();
            let group = groups.entry((schema.clone(), days)).or_insert_with(|| {
                let before = utc(before(now, days, oldest), "%Y-%m-%d %H:%M:%S");
                Group { schema, before, tables: Vec::new() }
            });
            group.tables.push((table.to_owned(), target));
        }
        Ok(Forgetting(groups.into_values().collect()))
    }

    /// Whether no table's loads are ever old.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    /// The old loads of each table that has some.
    pub(crate) async fn count(&self, place: &Place, stop: &Stop) -> Result<Vec<Old>> {
        self.each(place, stop, false).await
    }

    /// Forgets them. Returns what there was to be forgotten.
    pub(crate) async fn forget(&self, place: &Place, stop: &Stop) -> Result<Vec<Old>> {
        self.each(place, stop, true).await
    }

    async fn each(&self, place: &Place, stop: &Stop, forgets: bool) -> Result<Vec<Old>> {
        let mut all = Vec::new();
        for Group { schema, before, tables } in &self.0 {
            for tables in tables.chunks(TARGETS) {
                stop.check()?;
                let of = |targets| Targets { schema, targets, bucket: &place.bucket, before };
                let targets = tables.iter().map(|(_, target)| target).collect();
                let counted = retention::count(&place.api, &of(targets)).await?;
                let old: Vec<(&(String, TableName), u64)> = counted
                    .into_iter()
                    .filter_map(|old| {
                        let is = |target: &TableName| target.to_string() == old.target_table;
                        Some((tables.iter().find(|(_, target)| is(target))?, old.loads))
                    })
                    .collect();
                if forgets {
                    let targets = old.iter().map(|((_, target), _)| target).collect();
                    retention::forget(&place.api, &of(targets), stop).await?;
                }
                all.extend(old.into_iter().map(|((table, _), loads)| {
                    let (table, before) = (table.clone(), before.clone());
                    Old { table, loads, before }
                }));
            }
        }
        Ok(all)
    }
}

fn before(now: Timestamp, days: u32, oldest: Option<Timestamp>) -> Timestamp {
    let by_days = now - SignedDuration::from_hours(24 * i64::from(days));
    oldest.map_or(by_days, |oldest| by_days.min(oldest - MARGIN))
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
