//! Files that were put aside in `data/unprocessed/`, because of what is in them.

use std::collections::{BTreeMap, BTreeSet};

use glob::Pattern;
use jiff::Timestamp;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::{S3Uri, utc};
use loader_warehouse::past_runs::{self, LastEnds, LastLoad, millis_of_number, run_number};

use crate::backlog::outcome::address;
use crate::backlog::place::Place;
use crate::feeds::MATCHING;
use crate::layout::{ASIDE, IN, name_put_aside, written_name};
use crate::redshift::query::select_if_there;

/// Names that one query asks for.
const ASKED_AT_ONCE: usize = 200;

/// A file that was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aside {
    /// As it was in `data/in/`.
    pub(crate) name: String,
    pub(crate) uri: S3Uri,
    pub(crate) at: Option<Timestamp>,
}

/// The load of a later file that has the name of a file put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    pub(crate) run_id: String,
    pub(crate) loaded_at: Timestamp,
}

/// All files that were put aside, the last one first.
pub(crate) async fn list(place: &Place) -> Result<Vec<Aside>> {
    let listed = place.store.list_objects(&place.at(ASIDE)).await?;
    let aside = |object: loader_aws::s3::Listed| {
        let name = name_put_aside(&object.uri.key)?;
        Some(Aside { name, uri: object.uri, at: object.last_modified })
    };
    let mut all: Vec<Aside> = listed.into_iter().filter_map(aside).collect();
    all.sort_by_key(|aside| std::cmp::Reverse(aside.at));
    Ok(all)
}

/// Which of these files of a schema's tables have a successor: a file of the same name that was
/// loaded after they were put aside. By their keys.
// The run that has loaded a file and the one that has put one aside have numbers that rise with
// time. Where the audit table has none, the time at which the object was put aside counts, of which
// S3 says the second: a load of the same second may be either, and then counts as a successor.
pub(crate) async fn successors(
    place: &Place,
    schema: &str,
    aside: &[Aside],
) -> Result<BTreeMap<String, Successor>> {
    let names: BTreeSet<String> = aside.iter().map(|aside| aside.name.clone()).collect();
    let names: Vec<String> = names.into_iter().collect();
    let (mut loads, mut ends) = (BTreeMap::new(), BTreeMap::new());
    for some in names.chunks(ASKED_AT_ONCE) {
        let uris: Vec<String> =
            some.iter().map(|name| address(&place.bucket, name).to_string()).collect();
        // None: nothing was ever loaded into the schema, or its audit table lacks the columns.
        let rows = select_if_there(&place.api, &past_runs::last_loads(schema, &uris)).await?;
        let found = rows.unwrap_or_default().decode::<LastLoad>()?;
        loads.extend(found.into_iter().map(|load| (load.source_uri, load.run_id)));
        let rows = select_if_there(&place.api, &past_runs::last_ends(schema, some)).await?;
        let found = rows.unwrap_or_default().decode::<LastEnds>()?;
        ends.extend(found.into_iter().map(|last| (last.file_name.clone(), last)));
    }
    let successor = |aside: &Aside| {
        let of_name = ends.get(&aside.name);
        let by_ledger = loads.get(&address(&place.bucket, &aside.name).to_string());
        // The ledger may have forgotten the load; the audit table has its run, by its number.
        let by_audit = of_name.and_then(|ends| ends.loaded).filter(|number| is_ours(*number));
        let number = by_ledger.and_then(|run_id| run_number(run_id)).max(by_audit)?;
        let loaded_at = Timestamp::from_millisecond(millis_of_number(number)).ok()?;
        let is_later_than = |at: Timestamp| loaded_at.as_second() > at.as_second();
        let is_later = match of_name.and_then(|ends| ends.failed) {
            // A failure later than the load may be of a file that was taken back in vain.
            Some(failed) => number > failed || aside.at.is_some_and(is_later_than),
            None => aside.at.is_some_and(|at| loaded_at.as_second() >= at.as_second()),
        };
        let of_this = |run_id: &&String| run_number(run_id) == Some(number);
        let run_id = by_ledger.filter(of_this).cloned().unwrap_or_else(|| number.to_string());
        let successor = Successor { run_id, loaded_at };
        is_later.then(|| (aside.uri.key.clone(), successor))
    };
    Ok(aside.iter().filter_map(successor).collect())
}

/// Where a file of this name is that was put aside at this time or later. `None`: there is none.
pub(crate) async fn of_name_since(
    place: &Place,
    name: &str,
    since: Timestamp,
) -> Result<Option<S3Uri>> {
    // Files are put aside by month.
    let mut months: Vec<String> = vec![month(since), month(Timestamp::now())];
    months.dedup();
    for month in months {
        let stem = name.split('.').next().unwrap_or(name);
        let listed = place.store.list_objects(&place.at(format!("{ASIDE}{month}/{stem}"))).await?;
        let found = listed.into_iter().find(|object| {
            // S3 says when an object was written in whole seconds.
            let is_later =
                object.last_modified.is_some_and(|at| at.as_second() >= since.as_second());
            is_later && name_put_aside(&object.uri.key).as_deref() == Some(name)
        });
        if let Some(found) = found {
            return Ok(Some(found.uri));
        }
    }
    Ok(None)
}

fn month(at: Timestamp) -> String {
    utc(at, "%Y/%m")
}

/// What became of a file that was to be taken back.
pub(crate) enum TakenBack {
    /// It is in `data/in/`, or nowhere.
    Done,
    /// It has a successor, and was left; the sentence says so.
    Succeeded(String),
}

/// Moves a file back to `data/in/`, if it was put aside. When several of its name were, the last one
/// counts. `is_forced`: also when it has a successor, whose rows those of the older one would
/// replace.
///
/// A file that has come to `data/in/` since then is newer, so it stays and nothing is moved. (For
/// example, the producer has already sent a corrected `orders.csv`.)
pub(crate) async fn take_back(
    place: &Place,
    schema: &str,
    name: &str,
    is_forced: bool,
) -> Result<TakenBack> {
    let source = address(&place.bucket, name);
    let there = place.store.head(&source).await?;
    // A name may itself end as the loader makes names end.
    let is_of_name =
        |aside: &Aside| aside.name == name || written_name(&aside.uri.key) == Some(name);
    let last = list(place).await?.into_iter().find(is_of_name);
    let Some(last) = last else { return Ok(TakenBack::Done) };
    if let Some(there) = there {
        // The same content was on its way here when a run ended.
        let aside = place.store.head(&last.uri).await?.filter(|aside| aside.etag == there.etag);
        if let Some(aside) = aside {
            place.store.delete_unchanged(&last.uri, &aside).await?;
        }
        return Ok(TakenBack::Done);
    }
    if !is_forced
        && let Some(by) =
            successors(place, schema, std::slice::from_ref(&last)).await?.get(&last.uri.key)
    {
        let at = utc(by.loaded_at, "%Y-%m-%d %H:%M:%S UTC");
        return Ok(TakenBack::Succeeded(format!(
            "a later file of the name {name} was loaded at {at} by run {}, and the rows of {} are \
             older; delete it, or give --force to load it all the same",
            by.run_id, last.uri
        )));
    }
    // The object may be gone by now, and a new one may have come.
    let Some(info) = place.store.head(&last.uri).await? else { return Ok(TakenBack::Done) };
    if place.store.move_to_free_name(&last.uri, &info, &source).await? {
        tracing::info!(from = %last.uri, "the file was brought back to data/in/");
    }
    Ok(TakenBack::Done)
}

/// The names that a pattern such as `orders_*.csv` fits, of files that were put aside and of those
/// in `data/in/`, in the order in which they came there. Errors: `Config` when it fits none.
pub(crate) async fn fitting(place: &Place, pattern: &str) -> Result<Vec<String>> {
    let below = pattern.trim_start_matches('/');
    let below = below.strip_prefix(IN).unwrap_or(below);
    let names = Pattern::new(below).context(Kind::Config, format!("`{pattern}` is no pattern"))?;
    let mut found: Vec<(Option<Timestamp>, String)> = Vec::new();
    for aside in list(place).await? {
        if !found.iter().any(|(_, name)| *name == aside.name) {
            found.push((aside.at, aside.name));
        }
    }
    for object in place.store.list_objects(&place.at(IN)).await? {
        let name = object.uri.key.strip_prefix(IN).unwrap_or_default().to_owned();
        found.retain(|(_, other)| *other != name);
        found.push((object.last_modified, name));
    }
    found.retain(|(_, name)| !name.ends_with('/') && names.matches_with(name, MATCHING));
    found.sort();
    match found.is_empty() {
        false => Ok(found.into_iter().map(|(_, name)| name).collect()),
        true => Err(Error::new(
            Kind::Config,
            format!("`{pattern}` fits no file in {IN} and none that was put aside in {ASIDE}"),
        )),
    }
}

/// A run's id begins with the time of its start.
/// Whether a number of the audit table is one that the loader gave, and not the Glue job: those begin
/// with the milliseconds since 1970.
fn is_ours(number: i64) -> bool {
    const IN_2020: i64 = 1_577_836_800_000;
    millis_of_number(number) >= IN_2020
}
