//! The figures as they are kept: all single runs of each row, with the machine, the programs and
//! the day.
//!
//! In: records of this time, and the file of those before. Out: one record for each row, the
//! newest.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::measure::Run;
use super::row::Row;
use crate::failure::{Failure, failure};

/// What one row was measured to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The row's name.
    pub(super) row: String,
    /// What was measured, in words.
    pub(super) title: String,
    /// The day, such as 2026-11-30.
    pub(super) date: String,
    pub(super) machine: Machine,
    /// Of the programs, by name.
    pub(super) versions: BTreeMap<String, String>,
    /// Of the programs, or of our own program under several conditions: ours first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) series: Vec<Series>,
    /// What another program measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) figures: Vec<Figure>,
    /// What has to be said of the figures, such as that a program is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
}

/// The runs of one program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Series {
    pub(super) name: String,
    pub(super) runs: Vec<Run>,
}

/// A figure that another program has computed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: String,
}

impl Record {
    /// The runs of the series of this name.
    pub(super) fn runs(&self, name: &str) -> &[Run] {
        let found = self.series.iter().find(|series| series.name == name);
        found.map(|series| series.runs.as_slice()).unwrap_or_default()
    }
}

/// The records of all rows, in the order of the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Records {
    pub(super) rows: Vec<Record>,
}

impl Records {
    /// The records of a file; none when there is no file. Errors: it has something else.
    pub(super) fn read(path: &Path) -> Result<Records, Failure> {
        let Ok(text) = std::fs::read_to_string(path) else { return Ok(Records::default()) };
        serde_json::from_str(&text).or_else(|error| {
            failure(format!(
                "{} has no figures of this program ({error}); remove it, and measure anew",
                path.display()
            ))
        })
    }

    /// Takes a record in the place of an older one of the same row.
    pub(super) fn take(&mut self, record: Record) {
        self.rows.retain(|kept| kept.row != record.row);
        self.rows.push(record);
        self.rows.sort_by_key(|record| Row::place(&record.row));
    }

    pub(super) fn to_json(&self) -> Result<String, Failure> {
        match serde_json::to_string_pretty(self) {
            Ok(text) => Ok(text + "\n"),
            Err(error) => failure(format!("the figures cannot be written as JSON: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(row: &str, date: &str) -> Record {
        Record { row: row.to_owned(), date: date.to_owned(), ..Record::default() }
    }

    #[test]
    fn a_row_that_is_measured_again_replaces_its_old_figures_and_no_other_ones() {
        let mut records = Records::default();
        for row in ["small", "stage", "growth"] {
            records.take(record(row, "2026-01-01"));
        }
        records.take(record("growth", "2026-02-02"));
        let found: Vec<(&str, &str)> =
            records.rows.iter().map(|record| (&*record.row, &*record.date)).collect();
        let old = "2026-01-01";
        assert_eq!(found, [("stage", old), ("growth", "2026-02-02"), ("small", old)]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("figures.json");
        assert_eq!(Records::read(&path).unwrap(), Records::default(), "no file yet");
        let run = Run { wall_seconds: 1.5, s3_requests: Some(8), ..Run::default() };
        let series = vec![Series { name: "loader".to_owned(), runs: vec![run] }];
        let notes = vec!["said".to_owned()];
        let mut records = Records::default();
        records.take(Record { series, notes, ..record("small", "2026-01-01") });
        std::fs::write(&path, records.to_json().unwrap()).unwrap();
        assert_eq!(Records::read(&path).unwrap(), records);
        std::fs::write(&path, "{}").unwrap();
        assert!(Records::read(&path).is_err());
    }
}
