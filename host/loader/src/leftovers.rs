//! What runs leave behind that are killed, or that cannot know how they ended: parts below
//! `data/staging/`, copies in parts that were never completed, views in the journal that are back,
//! fences of tables that were never made.
//!
//! All of it is found by rules that no run at work comes under, and nothing else is touched. Staged
//! parts and copies go by their age. What the warehouse has goes in transactions that look again,
//! behind the LOCK of the fence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use loader_aws::s3::{Listed, Unfinished};
use loader_aws::stop::Stop;
use loader_model::error::Result;
use loader_model::names::{TableName, utc};
use serde::Serialize;

use crate::backlog::place::Place;
use crate::layout::RunId;
use crate::redshift::leftovers as warehouse;

const STAGING: &str = "data/staging/";
/// Where the loader itself puts copies. An upload to `data/in/` may be a producer's.
const COPIED_TO: [&str; 2] = ["data/archive/", "data/unprocessed/"];

/// Something that was left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Leftover {
    pub(crate) kind: Kind,
    /// Its address, or its name in the warehouse.
    pub(crate) what: String,
    /// When it was written last, in UTC, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    StagedParts,
    UnfinishedCopy,
    RestoredView,
    EmptyFence,
}

impl Kind {
    /// One of them, in words.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::StagedParts => "staged parts of a run",
            Kind::UnfinishedCopy => "unfinished copy",
            Kind::RestoredView => "note about a view that is back",
            Kind::EmptyFence => "fence without loads of a table that is not there",
        }
    }
}

/// Finds what was left, and removes it unless `dry_run`. Gives it in the order in which it is
/// found.
pub(crate) async fn clear(
    place: &Place,
    schemas: &BTreeSet<String>,
    days: u32,
    dry_run: bool,
    stop: &Stop,
) -> Result<Vec<Leftover>> {
    let before = Timestamp::now() - SignedDuration::from_hours(24 * i64::from(days));
    let mut found = staged_parts(place, before, dry_run, stop).await?;
    found.extend(unfinished_copies(place, before, dry_run, stop).await?);
    for schema in schemas {
        let views = warehouse::restored_views(&place.api, schema, dry_run).await?;
        found.extend(views.iter().map(|view| of_warehouse(Kind::RestoredView, view)));
        let fences = warehouse::empty_fences(&place.api, schema, dry_run, stop).await?;
        found.extend(fences.iter().map(|fence| of_warehouse(Kind::EmptyFence, fence)));
    }
    Ok(found)
}

fn of_warehouse(kind: Kind, name: &TableName) -> Leftover {
    Leftover { kind, what: name.to_string(), since: None }
}

/// The parts of a run: their keys, and when the last of them was written.
#[derive(Default)]
struct Parts {
    keys: Vec<String>,
    written_at: Option<Timestamp>,
    /// Whether that is known of each.
    is_dated: bool,
}

async fn staged_parts(
    place: &Place,
    before: Timestamp,
    dry_run: bool,
    stop: &Stop,
) -> Result<Vec<Leftover>> {
    let staging = place.at(STAGING);
    let mut found = Vec::new();
    for (prefix, parts) in by_run(place.store.list_objects(&staging).await?) {
        let Some(written_at) = parts.written_at.filter(|at| parts.is_dated && *at < before) else {
            continue;
        };
        stop.check()?;
        if !dry_run {
            place.store.delete_keys(&staging, &parts.keys).await?;
        }
        let what = place.at(prefix).to_string();
        found.push(Leftover { kind: Kind::StagedParts, what, since: Some(moment(written_at)) });
    }
    Ok(found)
}

/// The objects below `data/staging/<table>_<file>/<run>/`, by that. Other objects are no
/// parts of a run.
fn by_run(objects: Vec<Listed>) -> BTreeMap<String, Parts> {
    let mut runs: BTreeMap<String, Parts> = BTreeMap::new();
    for object in objects {
        let Some(prefix) = prefix_of_run(&object.uri.key) else { continue };
        let parts = runs
            .entry(prefix.to_owned())
            .or_insert_with(|| Parts { is_dated: true, ..Parts::default() });
        parts.is_dated &= object.last_modified.is_some();
        parts.written_at = parts.written_at.max(object.last_modified);
        parts.keys.push(object.uri.key);
    }
    runs
}

fn prefix_of_run(key: &str) -> Option<&str> {
    let below = key.strip_prefix(STAGING)?;
    let [_, run, _] = below.split('/').collect::<Vec<_>>()[..] else { return None };
    RunId::parse(run)?;
    key.rfind('/').map(|slash| &key[..=slash])
}

async fn unfinished_copies(
    place: &Place,
    before: Timestamp,
    dry_run: bool,
    stop: &Stop,
) -> Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for folder in COPIED_TO {
        for upload in place.store.unfinished(&place.at(folder)).await? {
            let Unfinished { begun_at: Some(begun_at), uri, .. } = &upload else { continue };
            if *begun_at >= before {
                continue;
            }
            stop.check()?;
            if !dry_run {
                place.store.give_up(&upload).await?;
            }
            let (what, since) = (uri.to_string(), Some(moment(*begun_at)));
            found.push(Leftover { kind: Kind::UnfinishedCopy, what, since });
        }
    }
    Ok(found)
}

fn moment(at: Timestamp) -> String {
    utc(at, "%Y-%m-%d %H:%M:%S")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_run_has_staged_is_its_parts() {
        let run = RunId::new().text;
        let of = |key: &str| prefix_of_run(key).map(str::to_owned);
        let prefix = format!("data/staging/orders_a/{run}/");
        assert_eq!(of(&format!("{prefix}part-00000.parquet")), Some(prefix.clone()));
        for foreign in [
            format!("data/staging/{run}/part-00000.parquet"),
            format!("{prefix}more/part-00000.parquet"),
            "data/staging/orders_a/today/part-00000.parquet".to_owned(),
            format!("data/in/orders_a/{run}/part-00000.parquet"),
        ] {
            assert_eq!(of(&foreign), None, "{foreign}");
        }
    }
}
