//! What a load counts: in the transaction before anything changes, for the audit row and for the
//! report.

use loader_model::choices::{Duplicates, Strategy};
use loader_model::error::Result;

use crate::load_batch::batch::LoadBatch;
use crate::load_batch::files;
use crate::load_batch::names::{COUNTS, STAGE};
use crate::rows::{FromRow, Row};
use crate::sql::{equal_keys, idents, table};

/// Counts the keys that the target has, the keys that are new to it, and the rows that lose to
/// another row of their key. (For example, the keys 1, 2, 2 for a table that has key 1 give 1
/// updated, 1 inserted and 1 duplicate.)
// This runs before DELETE, UPDATE and INSERT: afterwards the target has every key of the file, and
// nothing tells the new ones from the others.
pub(super) fn count(batch: &LoadBatch<'_>) -> String {
    if batch.files.is_some() {
        return files::count(batch);
    }
    let keys = idents(batch.keys);
    let staged = format!("(SELECT COUNT(*) AS n FROM {STAGE}) AS staged");
    if batch.keys.is_empty() {
        return format!(
            "CREATE TEMP TABLE {COUNTS} AS SELECT n AS inserted, 0 AS updated, 0 AS duplicates \
             FROM {staged}"
        );
    }
    let rows = match batch.duplicates {
        // All rows are loaded, so rows are counted and none of them is a duplicate.
        Duplicates::Keep => format!("SELECT {keys} FROM {STAGE}"),
        Duplicates::Last | Duplicates::First | Duplicates::Error => {
            format!("SELECT DISTINCT {keys} FROM {STAGE}")
        }
    };
    let loaded = format!("(SELECT COUNT(*) AS n FROM ({rows}) AS r) AS loaded");
    let known = known_keys(batch, &rows);
    format!(
        "CREATE TEMP TABLE {COUNTS} AS SELECT loaded.n - known.n AS inserted, known.n AS updated, \
         staged.n - loaded.n AS duplicates FROM {staged} CROSS JOIN {loaded} CROSS JOIN {known}"
    )
}

/// How many of the rows have a key that the target knows. `rows`: a query for the keys alone.
fn known_keys(batch: &LoadBatch<'_>, rows: &str) -> String {
    match batch.strategy {
        // Every row of the target goes, so none is updated.
        Strategy::Replace => "(SELECT 0 AS n) AS known".to_owned(),
        Strategy::Merge | Strategy::Append => format!(
            "(SELECT COUNT(*) AS n FROM ({rows}) AS r WHERE EXISTS (SELECT 1 FROM {} AS t WHERE \
             {})) AS known",
            table(batch.target),
            equal_keys(batch.keys, "t", "r"),
        ),
    }
}

/// The last statement of a load, which reads the counts: a row for each file, in the order of the
/// files.
pub(super) fn report(batch: &LoadBatch<'_>) -> String {
    let order = if batch.files.is_some() { " ORDER BY file" } else { "" };
    format!("SELECT inserted, updated, duplicates FROM {COUNTS}{order}")
}

/// Where the rows of a load went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub inserted: u64,
    pub updated: u64,
    /// Staged rows that lost to another row of their key.
    pub duplicates: u64,
}

impl Counts {
    /// Of all files together.
    pub fn sum(files: &[Counts]) -> Counts {
        let sum = |of: fn(&Counts) -> u64| files.iter().map(of).sum();
        Counts {
            inserted: sum(|counts| counts.inserted),
            updated: sum(|counts| counts.updated),
            duplicates: sum(|counts| counts.duplicates),
        }
    }
}

impl FromRow for Counts {
    fn from_row(row: Row<'_>) -> Result<Counts> {
        // No count is negative (known keys are a part of all keys), so the sign can be dropped.
        let count = |column| row.integer(column).map(i64::unsigned_abs);
        Ok(Counts {
            inserted: count("inserted")?,
            updated: count("updated")?,
            duplicates: count("duplicates")?,
        })
    }
}
