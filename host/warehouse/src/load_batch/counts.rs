//! What a load counts: in the transaction before anything changes, for the audit row and for the
//! report.

use loader_model::choices::{Duplicates, Strategy};
use loader_model::error::Result;

use crate::load_batch::batch::LoadBatch;
use crate::load_batch::stage::STAGE;
use crate::rows::{FromRow, Row};
use crate::sql::{equal_keys, idents, table};

/// Holds the counts of this load until the audit row is written.
pub(super) const COUNTS: &str = "loader_counts";

/// Counts before anything changes: keys that the target has, keys new to it, rows that lose to
/// another of their key.
pub(super) fn count(batch: &LoadBatch<'_>) -> String {
    let keys = idents(batch.keys);
    let staged = format!("(SELECT COUNT(*) AS n FROM {STAGE}) AS staged");
    if batch.keys.is_empty() {
        return format!(
            "CREATE TEMP TABLE {COUNTS} AS SELECT n AS inserted, 0 AS updated, 0 AS duplicates \
             FROM {staged}"
        );
    }
    let rows = match batch.duplicates {
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

/// How many of the rows, which have the keys alone, the target knows.
fn known_keys(batch: &LoadBatch<'_>, rows: &str) -> String {
    match batch.strategy {
        Strategy::Replace => "(SELECT 0 AS n) AS known".to_owned(),
        Strategy::Merge | Strategy::Append => format!(
            "(SELECT COUNT(*) AS n FROM ({rows}) AS r WHERE EXISTS (SELECT 1 FROM {} AS t WHERE \
             {})) AS known",
            table(batch.target),
            equal_keys(batch.keys, "t", "r"),
        ),
    }
}

/// The last statement of a load.
pub(super) fn report() -> String {
    format!("SELECT inserted, updated, duplicates FROM {COUNTS}")
}

/// Where the rows of a load went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub inserted: u64,
    pub updated: u64,
    /// Staged rows that lost to another of their key.
    pub duplicates: u64,
}

impl FromRow for Counts {
    fn from_row(row: Row<'_>) -> Result<Counts> {
        let count = |column| row.integer(column).map(i64::unsigned_abs);
        Ok(Counts {
            inserted: count("inserted")?,
            updated: count("updated")?,
            duplicates: count("duplicates")?,
        })
    }
}
