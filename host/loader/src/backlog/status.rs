//! What is pending, at work, held and put aside, and what can be done about it.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use loader_model::error::Result;
use loader_model::names::S3Uri;
use loader_warehouse::past_runs::{self, PastRun};

use crate::backlog::aside::{self, Aside, Successor};
use crate::backlog::held::{self, Held, HeldFiles};
use crate::backlog::pending::{self, Backlog, Queue};
use crate::backlog::place::Place;
use crate::backlog::work::must_go_first;
use crate::feeds::{Feeds, Owner};
use crate::job::Project;
use crate::redshift::query::select_if_there;

const STAGING: &str = "data/staging/";
/// Files that were put aside, and are shown of each table: the last ones.
const SHOWN_ASIDE: usize = 10;
/// Runs that are looked through for the reasons of failures.
const LOOKED_THROUGH: u32 = 500;

/// What is there of the tables.
pub(crate) struct Status {
    bucket: String,
    entries: Vec<Entry>,
    at_work: Vec<AtWork>,
    unclaimed: Vec<String>,
}

/// A file that is not loaded.
struct Entry {
    table: String,
    name: String,
    what: What,
    at: Option<Timestamp>,
}

enum What {
    Pending {
        size_bytes: u64,
    },
    /// This file of the table must go first.
    Waits {
        behind: String,
    },
    Held(Held),
    /// Refused for what is in it. The reason is that of the audit table.
    Aside {
        uri: S3Uri,
        reason: Option<String>,
        /// Whether a later file of its name is in `data/in/`.
        has_newer: bool,
    },
    /// The same, and a later file of that name is loaded.
    Replaced {
        uri: S3Uri,
        by: Successor,
    },
    /// These tables take it.
    Claimed(Vec<String>),
}

/// A file that is not loaded now, and what can be done about it.
#[derive(Clone, Debug)]
pub(crate) struct NotLoaded {
    /// A word for it.
    pub(crate) state: &'static str,
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) since: Option<Timestamp>,
    /// Empty where there is none.
    pub(crate) reason: String,
    pub(crate) to_do: String,
}

/// A run that has staged parts: it is at work, or it was killed.
struct AtWork {
    run_id: String,
    /// The folder of its parts: the table with the stem of the file.
    what: String,
    since: Option<Timestamp>,
}

/// Looks at the bucket, and into the warehouse for what became of files that were refused.
pub(crate) async fn look(
    project: &Project,
    place: &Place,
    of_table: Option<&str>,
) -> Result<Status> {
    let feeds = Feeds::of(project)?;
    let backlog = pending::list(place, &feeds).await?.of_table(of_table);
    let held = held::read_all(place, &backlog).await?;
    let Backlog { queues, claimed, unclaimed } = backlog;
    let pending = queues.iter().flat_map(|queue| &queue.files);
    let pending: BTreeSet<String> = pending.map(|file| file.name.clone()).collect();
    let mut entries = Vec::new();
    for queue in queues {
        entries.extend(of_queue(project, queue, &held)?);
    }
    entries.extend(claimed.into_iter().map(|(file, tables)| Entry {
        table: "several tables".to_owned(),
        name: file.name,
        at: file.arrived_at,
        what: What::Claimed(tables),
    }));
    entries.extend(put_aside(project, place, &feeds, of_table, &pending).await?);
    // The files of each table stay in the order in which they are loaded.
    let place_of = |entry: &Entry| matches!(entry.what, What::Replaced { .. });
    entries.sort_by(|one, other| (&one.table, place_of(one)).cmp(&(&other.table, place_of(other))));
    let unclaimed = unclaimed.into_iter().map(|file| file.name).collect();
    let (bucket, at_work) = (place.bucket.clone(), at_work(place).await?);
    Ok(Status { bucket, entries, at_work, unclaimed })
}

/// The pending files of a table, in their order.
fn of_queue(project: &Project, queue: Queue, held: &HeldFiles) -> Result<Vec<Entry>> {
    let settings = project.of_table(&queue.table, None)?;
    let queue = queue.in_order(settings.file_order.unwrap_or_default());
    let mut behind: Option<String> = None;
    let entry = |file: pending::PendingFile| {
        let what = match (held.get(&file.name), &behind) {
            (Some(held), _) => {
                if must_go_first(&settings) {
                    behind.get_or_insert_with(|| file.name.clone());
                }
                What::Held(held.clone())
            }
            (None, Some(behind)) => What::Waits { behind: behind.clone() },
            (None, None) => What::Pending { size_bytes: file.size_bytes },
        };
        Entry { table: queue.table.clone(), name: file.name, at: file.arrived_at, what }
    };
    Ok(queue.files.into_iter().map(entry).collect())
}

/// The files in `data/unprocessed/` that a table takes, the last ones of each.
async fn put_aside(
    project: &Project,
    place: &Place,
    feeds: &Feeds,
    of_table: Option<&str>,
    pending: &BTreeSet<String>,
) -> Result<Vec<Entry>> {
    let mut shown: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_schema: BTreeMap<String, (Vec<String>, Vec<Aside>)> = BTreeMap::new();
    for aside in aside::list(place).await? {
        let Owner::Table(table) = feeds.owner(&aside.name) else { continue };
        let n = shown.entry(table.to_owned()).or_default();
        if of_table.is_none_or(|wanted| wanted == table) && *n < SHOWN_ASIDE {
            *n += 1;
            let of_schema = by_schema.entry(project.target_of(table)?.schema).or_default();
            of_schema.0.push(table.to_owned());
            of_schema.1.push(aside);
        }
    }
    let mut entries = Vec::new();
    for (schema, (tables, files)) in by_schema {
        let successors = aside::successors(place, &schema, &files).await?;
        let reasons = reasons(place, &schema).await?;
        let what = |aside: &Aside| match successors.get(&aside.uri.key) {
            Some(by) => What::Replaced { uri: aside.uri.clone(), by: by.clone() },
            None => {
                let reason = reasons.get(&aside.name).cloned();
                let has_newer = pending.contains(&aside.name);
                What::Aside { uri: aside.uri.clone(), reason, has_newer }
            }
        };
        entries.extend(tables.into_iter().zip(files).map(|(table, aside)| Entry {
            table,
            what: what(&aside),
            name: aside.name,
            at: aside.at,
        }));
    }
    Ok(entries)
}

/// What the audit table says of files that failed last. Where there is none to ask, nothing.
async fn reasons(place: &Place, schema: &str) -> Result<BTreeMap<String, String>> {
    let query = past_runs::runs(schema, None, LOOKED_THROUGH);
    let rows = select_if_there(&place.api, &query).await?.unwrap_or_default();
    let mut reasons = BTreeMap::new();
    for run in rows.decode::<PastRun>()? {
        if let Some(error) = run.error {
            reasons.entry(run.file_name).or_insert(error);
        }
    }
    Ok(reasons)
}

async fn at_work(place: &Place) -> Result<Vec<AtWork>> {
    let mut runs: BTreeMap<String, AtWork> = BTreeMap::new();
    for object in place.store.list_objects(&place.at(STAGING)).await? {
        let below = object.uri.key.strip_prefix(STAGING).unwrap_or_default();
        let mut parts = below.split('/');
        if let (Some(what), Some(run_id)) = (parts.next(), parts.next()) {
            let (what, since) = (what.to_owned(), object.last_modified);
            let run = AtWork { run_id: run_id.to_owned(), what, since };
            runs.entry(run_id.to_owned()).or_insert(run);
        }
    }
    Ok(runs.into_values().collect())
}
