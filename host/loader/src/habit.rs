//! How a table is loaded from file to file: by which keys its rows are merged. The ledger remembers
//! it, so that a flag that was forgotten does no harm.
//!
//! In: the job and what the ledger says. Out: a refusal, what the ledger is to remember, or whether
//! keys may still be spelt as the Glue job did.

use std::collections::BTreeSet;

use loader_model::choices::Strategy;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping::MAX_JSON_BYTES;
use loader_warehouse::catalog::{Catalog, LastLoad, keys_column};
use loader_warehouse::load_batch::GlueKeys;

use crate::job::Job;

/// Refuses a load by other keys than the last one, unless the user says that it is meant. (For
/// example, four orders that are delivered again without `--upsert-keys` would be eight.)
///
/// Errors: `Config`. The arguments are what has to be corrected, and neither the file nor the
/// table.
pub(crate) fn check(job: &Job, catalog: &Catalog) -> Result<()> {
    match known_keys(catalog) {
        Some((last, known)) if !is_meant(job, known) => {
            Err(other_keys(&job.target, last, known, &job.keys))
        }
        _ => Ok(()),
    }
}

/// What the ledger is to remember of a load, as JSON: its keys. A load whose strategy was given
/// leaves the table its keys, so that a flag forgotten after it is noticed, too. (For example, one
/// file is appended to `orders` with `--strategy append`, and the next one is merged again.) `None`
/// when the list is too long for the ledger, which then forgets.
pub(crate) fn for_ledger(job: &Job, catalog: &Catalog) -> Option<String> {
    let is_asked = job.strategy == Strategy::Merge && job.keys_as_glue == Some(true);
    let (keys, as_glue) = match known_keys(catalog) {
        Some((last, known)) if job.keys.is_empty() && !job.change_keys => {
            (known, last.keys_as_glue && job.strategy == Strategy::Append)
        }
        _ => (job.keys.as_slice(), is_asked),
    };
    let text = keys_column(keys, as_glue).ok()?;
    (text.len() <= MAX_JSON_BYTES).then_some(text)
}

/// What becomes of keys that the Glue job spelt otherwise. Until a first merge by keys as they
/// stand has gone through, a table may be one that the job made. That merge has refused keys whose
/// rows would double, so later merges need not look for them.
pub(crate) fn glue_keys(job: &Job, catalog: &Catalog) -> GlueKeys {
    match job.keys_as_glue {
        _ if job.strategy != Strategy::Merge => GlueKeys::AsTheyStand,
        Some(true) => GlueKeys::Matched,
        Some(false) => GlueKeys::AsTheyStand,
        None if was_merged(catalog) => GlueKeys::AsTheyStand,
        None => GlueKeys::Refused,
    }
}

/// Whether the table was merged by keys as they stand. The row of an earlier version counts as one:
/// it says nothing of keys.
fn was_merged(catalog: &Catalog) -> bool {
    let is_merged = |last: &LastLoad| {
        let is_appended = last.keys.as_ref().is_some_and(Vec::is_empty);
        !is_appended && !last.keys_as_glue
    };
    catalog.last.as_ref().is_some_and(is_merged)
}

/// The last load of a table that is there, with the keys by which it is merged.
// The ledger outlives the table: rows of a table that was dropped say nothing about the next one.
fn known_keys(catalog: &Catalog) -> Option<(&LastLoad, &[String])> {
    catalog.target.as_ref()?;
    let last = catalog.last.as_ref()?;
    let keys = last.keys.as_deref().filter(|keys| !keys.is_empty())?;
    Some((last, keys))
}

/// Whether a load may have other keys than the table, or has the same, in whatever order. `Order
/// ID` and `order_id` mean one column, and so are one key.
// `--strategy merge` says nothing of which keys, so it counts for nothing here.
fn is_meant(job: &Job, known: &[String]) -> bool {
    let cleaned = |keys: &[String]| -> BTreeSet<String> {
        keys.iter().map(|key| loader_names::clean(key)).collect()
    };
    let is_same = cleaned(known) == cleaned(&job.keys);
    let is_said = job.is_strategy_given && job.strategy != Strategy::Merge;
    is_same || is_said || job.change_keys
}

fn other_keys(target: &TableName, last: &LastLoad, known: &[String], given: &[String]) -> Error {
    let (run_id, known) = (&last.run_id, as_flag(known));
    let fact = match given {
        [] => format!(
            "{target} is merged by {known} (says the ledger's row of run {run_id}), and this load \
             names no keys, so it would add rows beside those of the same key; give --upsert-keys \
             {known}, or --strategy append for a load that adds rows, or --change-keys if all loads \
             do from now on"
        ),
        given => format!(
            "{target} is merged by {known} (says the ledger's row of run {run_id}), and this load \
             by {}, so it would find other rows; give --upsert-keys {known}, or --change-keys if \
             the table has other keys from now on",
            as_flag(given)
        ),
    };
    Error::new(Kind::Config, fact)
}

/// The keys as `--upsert-keys` takes them: `order_id,line`, or a JSON list in quotes for a shell
/// when a name has a comma, a quote or a blank in it.
fn as_flag(keys: &[String]) -> String {
    let is_plain = |key: &String| key.chars().all(|c| c.is_alphanumeric() || c == '_');
    match keys.iter().all(is_plain) {
        true => keys.join(","),
        false => {
            let list = serde_json::to_string(keys).unwrap_or_default();
            format!("'{}'", list.replace('\'', r"'\''"))
        }
    }
}
