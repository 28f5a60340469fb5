//! What the page counts.

use std::sync::Arc;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use loader_model::names::utc;

use crate::past::PastReport;
use crate::report::{RowCounts, Status};
use crate::step::Step;

/// Days that are shown at least.
const DAYS_SHOWN: usize = 7;

/// All counts of a page. Rows of files that failed are in none of them: they are in no table.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) loads: u64,
    pub(super) files: u64,
    /// Files that failed, each time that they did.
    pub(super) failed: u64,
    /// Those of them that are not loaded by now, each once.
    pub(super) not_loaded_since: u64,
    pub(super) read: u64,
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) rejected: u64,
    /// The days of the time from the first load on, also those without any.
    pub(super) days: Vec<Day>,
    /// Steps in the order in which a run has them.
    pub(super) steps: Vec<(String, Times)>,
    /// Reasons of rejected rows, the most frequent first.
    pub(super) reasons: Vec<(String, u64)>,
    pub(super) tables: BTreeMap<String, OfTable>,
    pub(super) plugins: BTreeMap<(String, String, String), OfPlugin>,
}

/// The counts of a day: files, then rows.
#[derive(Default)]
pub(super) struct Day {
    /// As `2026-11-28`.
    pub(super) name: String,
    pub(super) loaded: u64,
    pub(super) already: u64,
    pub(super) failed: u64,
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) rejected: u64,
}

/// How long a step took, in seconds, in each run.
#[derive(Default)]
pub(super) struct Times(Vec<f64>);

/// The counts of a table.
#[derive(Default)]
pub(super) struct OfTable {
    pub(super) files: u64,
    pub(super) failed: u64,
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) rejected: u64,
    pub(super) last_load: Option<Timestamp>,
    pub(super) last_failure: Option<Timestamp>,
}

/// When a plugin was seen.
pub(super) struct OfPlugin {
    pub(super) loads: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl Times {
    pub(super) fn total(&self) -> f64 {
        self.0.iter().sum()
    }

    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }
}

impl Figures {
    /// Counts runs, the latest first. `until`: the end of the last day.
    pub(super) fn of(runs: &[Arc<PastReport>], days: u32, until: Timestamp) -> Figures {
        let mut figures = Figures::default();
        for back in (0..i64::from(days)).rev() {
            let at = until.checked_sub((24 * back).hours()).unwrap_or(until);
            figures.days.push(Day { name: day_of(at), ..Day::default() });
        }
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for past in runs {
            figures.add(past);
            let of_rejected = (past.report.status != Status::Failed).then_some(&past.report);
            for (code, n) in of_rejected.iter().flat_map(|report| &report.rejected_because) {
                *reasons.entry(code.to_string()).or_default() += n;
            }
        }
        figures.begin_with_the_first_load();
        figures.reasons = reasons.into_iter().collect();
        figures.reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let place = |name: &str| Step::ALL.iter().position(|step| step.name() == name);
        figures.steps.sort_by_key(|(name, _)| place(name));
        figures
    }

    /// Takes the days before the first load away, where a week is left.
    fn begin_with_the_first_load(&mut self) {
        let has_load = |day: &Day| day.loaded + day.already + day.failed > 0;
        let empty = self.days.iter().position(has_load).unwrap_or(self.days.len());
        let most = self.days.len().saturating_sub(DAYS_SHOWN);
        self.days.drain(..empty.min(most));
    }

    fn add(&mut self, PastReport { started_at, report }: &PastReport) {
        let is_failed = report.status == Status::Failed;
        let rows = if is_failed { RowCounts::default() } else { report.rows };
        let files = report.files.len().max(1) as u64;
        let failed = if is_failed { files } else { 0 };
        self.loads += u64::from(!is_failed);
        self.files += files;
        self.failed += failed;
        self.read += rows.read;
        self.inserted += rows.inserted;
        self.updated += rows.updated;
        self.rejected += rows.rejected;
        let name = day_of(*started_at);
        if let Some(day) = self.days.iter_mut().find(|day| day.name == name) {
            match report.status {
                Status::Success => day.loaded += files,
                Status::AlreadyLoaded => day.already += files,
                Status::Failed => day.failed += files,
            }
            day.inserted += rows.inserted;
            day.updated += rows.updated;
            day.rejected += rows.rejected;
        }
        let table = self.tables.entry(report.target.clone()).or_default();
        table.files += files;
        table.failed += failed;
        table.inserted += rows.inserted;
        table.updated += rows.updated;
        table.rejected += rows.rejected;
        let last = match report.status {
            Status::Failed => &mut table.last_failure,
            Status::Success | Status::AlreadyLoaded => &mut table.last_load,
        };
        *last = (*last).max(Some(*started_at));
        for step in &report.steps {
            let known = self.steps.iter().position(|(name, _)| *name == step.name);
            let place = known.unwrap_or_else(|| {
                self.steps.push((step.name.to_string(), Times::default()));
                self.steps.len() - 1
            });
            self.steps[place].1.0.push(step.seconds);
        }
        for plugin in &report.plugins {
            let key = (plugin.name.clone(), plugin.version.clone(), plugin.sha256.clone());
            let at = *started_at;
            let seen =
                self.plugins.entry(key).or_insert(OfPlugin { loads: 0, first: at, last: at });
            seen.loads += 1;
            (seen.first, seen.last) = (seen.first.min(at), seen.last.max(at));
        }
    }
}

fn day_of(at: Timestamp) -> String {
    utc(at, "%Y-%m-%d")
}
