//! What the ledger says of a target: whether a file was loaded into it before, and how its last
//! load was made.

use loader_model::error::{Context, Kind, Result};
use loader_model::names::TableName;
use serde::{Deserialize, Serialize};

use crate::bookkeeping::{self, LaterColumn};
use crate::rows::{FromRow, Row};
use crate::sql::{self, text};

/// What the ledger says of the last load of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastLoad {
    pub run_id: String,
    /// The keys by which the target is merged, empty when its rows are added. `None` when the
    /// ledger does not say, as of a load of an earlier version.
    pub keys: Option<Vec<String>>,
    /// Whether these keys were matched as the Glue job spelt them, so that the table still has such
    /// spellings.
    pub keys_as_glue: bool,
}

/// What the ledger's column of keys says, as JSON.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum Keys {
    AsTheyStand(Vec<String>),
    AsGlue { keys_as_glue: Vec<String> },
}

/// Keys as the ledger's column has them.
pub fn keys_column(keys: &[String], as_glue: bool) -> Result<String> {
    let keys = keys.to_vec();
    let said = if as_glue { Keys::AsGlue { keys_as_glue: keys } } else { Keys::AsTheyStand(keys) };
    serde_json::to_string(&said).context(Kind::Internal, "the keys are not written as JSON")
}

/// The later columns among the names of the ledger's columns.
pub(super) fn later_columns<'a>(names: impl Iterator<Item = &'a str>) -> Vec<LaterColumn> {
    let names: Vec<&str> = names.collect();
    let has = |column: &LaterColumn| names.contains(&column.name());
    LaterColumn::ALL.into_iter().filter(has).collect()
}

/// Those of the loads that the ledger has.
pub fn known_query(target: &TableName, load_ids: &[&str]) -> String {
    let ids: Vec<String> = load_ids.iter().map(|id| text(id)).collect();
    let ledger = sql::table(&target.sibling(bookkeeping::LEDGER));
    format!("SELECT load_id FROM {ledger} WHERE load_id IN ({})", ids.join(", "))
}

// The last load with what all loads come to. A star, because a ledger of an earlier version lacks
// columns, and a query that names one of these would fail with the whole batch. (Its columns have
// 37 KB in sum, and a row of a result may have 64 KB.)
pub(super) fn query(target: &TableName, load_id: &str) -> String {
    format!(
        "SELECT l.*, MAX(CASE WHEN l.load_id = {} THEN l.run_id END) OVER () AS loaded_by, \
         COUNT(*) OVER () AS loads FROM {} AS l WHERE l.target_table = {} ORDER BY l.loaded_at DESC, \
         l.run_id DESC LIMIT 1",
        text(load_id),
        sql::table(&target.sibling(bookkeeping::LEDGER)),
        text(&target.to_string()),
    )
}

/// What the ledger says of a target.
#[derive(Default)]
pub(super) struct Loads {
    /// The last run that loaded the file.
    pub(super) loaded_by: Option<String>,
    /// Loads of any file.
    pub(super) loads: u64,
    pub(super) last: Option<LastLoad>,
}

impl FromRow for Loads {
    fn from_row(row: Row<'_>) -> Result<Loads> {
        // A count is never negative, so the sign can be dropped.
        let loads = row.integer("loads")?.unsigned_abs();
        let keys = LaterColumn::UpsertKeys.name();
        let keys = if row.has(keys) { row.optional_text(keys)? } else { None };
        // Keys that are no list were written by a person, and say nothing.
        let (keys, keys_as_glue) = match keys.and_then(|keys| serde_json::from_str(&keys).ok()) {
            Some(Keys::AsTheyStand(keys)) => (Some(keys), false),
            Some(Keys::AsGlue { keys_as_glue }) => (Some(keys_as_glue), true),
            None => (None, false),
        };
        let last = Some(LastLoad { run_id: row.text("run_id")?, keys, keys_as_glue });
        Ok(Loads { loaded_by: row.optional_text("loaded_by")?, loads, last })
    }
}
