//! What the page counts.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan};
use loader_model::names::utc;

use crate::past::PastReport;
use crate::report::Status;

/// All counts of a page.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) runs: u64,
    pub(super) failed: u64,
    pub(super) read: u64,
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) rejected: u64,
    /// Every day of the time, the first one first, also those without runs.
    pub(super) days: Vec<Day>,
    /// Steps in the order in which a run has them.
    pub(super) steps: Vec<(String, Times)>,
    /// Reasons of rejected rows, the most frequent first.
    pub(super) reasons: Vec<(String, u64)>,
    pub(super) tables: BTreeMap<String, OfTable>,
    pub(super) plugins: BTreeMap<(String, String, String), OfPlugin>,
}

/// The counts of a day.
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
    pub(super) runs: u64,
    pub(super) failed: u64,
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) rejected: u64,
    pub(super) last_load: Option<Timestamp>,
    pub(super) last_failure: Option<Timestamp>,
}

/// When a plugin was seen.
pub(super) struct OfPlugin {
    pub(super) runs: u64,
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
    pub(super) fn of(runs: &[PastReport], days: u32, until: Timestamp) -> Figures {
        let mut figures = Figures::default();
        for back in (0..i64::from(days)).rev() {
            let at = until.checked_sub((24 * back).hours()).unwrap_or(until);
            figures.days.push(Day { name: day_of(at), ..Day::default() });
        }
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for past in runs {
            figures.add(past);
            for (code, n) in &past.report.rejected_because {
                *reasons.entry(code.to_string()).or_default() += n;
            }
        }
        figures.reasons = reasons.into_iter().collect();
        figures.reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        figures
    }

    fn add(&mut self, PastReport { started_at, report }: &PastReport) {
        let rows = report.rows;
        self.runs += 1;
        self.failed += u64::from(report.status == Status::Failed);
        self.read += rows.read;
        self.inserted += rows.inserted;
        self.updated += rows.updated;
        self.rejected += rows.rejected;
        let name = day_of(*started_at);
        if let Some(day) = self.days.iter_mut().find(|day| day.name == name) {
            match report.status {
                Status::Success => day.loaded += 1,
                Status::AlreadyLoaded => day.already += 1,
                Status::Failed => day.failed += 1,
            }
            day.inserted += rows.inserted;
            day.updated += rows.updated;
            day.rejected += rows.rejected;
        }
        let table = self.tables.entry(report.target.clone()).or_default();
        table.runs += 1;
        table.failed += u64::from(report.status == Status::Failed);
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
            let seen = self.plugins.entry(key).or_insert(OfPlugin { runs: 0, first: at, last: at });
            seen.runs += 1;
            (seen.first, seen.last) = (seen.first.min(at), seen.last.max(at));
        }
    }
}

fn day_of(at: Timestamp) -> String {
    utc(at, "%Y-%m-%d")
}
