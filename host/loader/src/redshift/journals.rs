//! The journals below `data/journal/`, from which the program brings back views that a killed run
//! had dropped.
//!
//! A journal is deleted when all of its views exist, unless it is young and its run may be alive
//! and about to drop more of them. A journal that cannot be used is kept and reported, and does not
//! stop the others.

use std::time::Duration;

use jiff::Timestamp;
use loader_aws::data_api::DataApi;
use loader_aws::s3::{Listed, Store};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::{S3Uri, TableName};
use loader_warehouse::evolution::journal::Journal;

use crate::layout::Layout;
use crate::redshift::{dependents, restore};

/// How long the run that wrote a journal counts as alive. A change takes minutes at most, so after
/// a quarter of an hour the run is taken for dead, and its views come back.
const ALIVE: Duration = Duration::from_secs(15 * 60);
/// The largest journal that is read.
const MAX_BYTES: usize = 16 << 20;

/// Which journals are worked off.
#[derive(Clone, Copy, Debug)]
pub enum RecoverScope<'a> {
    /// The journals of this target at once, and the journals of other targets only when their run
    /// cannot be alive any more.
    Target(&'a TableName),
    /// All journals at once.
    All,
}

impl RecoverScope<'_> {
    /// Whether a table's journals are worked off at once.
    fn covers(&self, table: &TableName) -> bool {
        match self {
            RecoverScope::Target(target) => *target == table,
            RecoverScope::All => true,
        }
    }
}

/// A journal that had something to bring back.
#[derive(Debug)]
pub struct Recovered {
    /// The object. It is deleted, unless there is a `failure` or its run may be alive.
    pub journal: S3Uri,
    /// The run that wrote it; the object's name when it cannot be read.
    pub run_id: String,
    /// Views that had been missing. Empty beside a `failure`.
    pub views: Vec<TableName>,
    /// Why the journal was kept. It is logged already.
    pub failure: Option<Error>,
}

/// Brings back the views of journals that were left behind, newest first: a view that two journals
/// name comes back as the later run saw it. Without journals it costs one listing.
///
/// Errors: S3's, for the listing alone, and `Interrupted`. An error about one journal is in its
/// `Recovered`; a wish to stop is about the run and not about the journal.
pub async fn recover(
    store: &Store,
    api: &DataApi,
    bucket: &str,
    scope: RecoverScope<'_>,
) -> Result<Vec<Recovered>> {
    let mut recovered = Vec::new();
    for object in journals(store, bucket).await? {
        match recover_one(store, api, &object, scope).await {
            Ok(None) => {}
            Ok(Some(done)) => {
                let views = names(&done.views);
                tracing::warn!(
                    journal = %done.journal, left_by = %done.run_id, views, "views restored"
                );
                recovered.push(done);
            }
            Err(error) if matches!(error.kind(), Kind::Interrupted(_)) => return Err(error),
            Err(error) => recovered.push(kept(object.uri, error)),
        }
    }
    Ok(recovered)
}

/// A journal that is kept, because its views could not be brought back.
fn kept(journal: S3Uri, error: Error) -> Recovered {
    tracing::error!(%journal, %error, "views could not be restored, the journal was kept");
    let run_id = journal.file_name().trim_end_matches(".json").to_owned();
    Recovered { journal, run_id, views: Vec::new(), failure: Some(error) }
}

/// Views of this target's journals that are missing now. Changes nothing; a journal that cannot be
/// read is logged.
pub async fn left_dropped(
    store: &Store,
    api: &DataApi,
    bucket: &str,
    target: &TableName,
) -> Result<Vec<TableName>> {
    let mut views = Vec::new();
    for object in journals(store, bucket).await? {
        match read(store, &object.uri).await {
            Ok(Some(journal)) if journal.target == *target => views.extend(journal.views),
            Ok(_) => {}
            Err(error) if error.kind() == Kind::Config => {
                tracing::warn!(%error, "a journal was passed over")
            }
            Err(error) => return Err(error),
        }
    }
    let missing = restore::missing(api, &views).await?;
    Ok(missing.into_iter().map(|view| view.name.clone()).collect())
}

// What becomes of a journal:
// - Old: its missing views are made again, and it is deleted.
// - Young, and of another table: it is not touched, since its run may be alive.
// - Young, and of the target: its missing views are made again, because this run's own change
//   needs them. It is kept, because its run may be about to drop more views.
// - Young, with `RecoverScope::All`: it is deleted if views were missing. If none was, its run may
//   be about to drop them, and it is kept.
async fn recover_one(
    store: &Store,
    api: &DataApi,
    object: &Listed,
    scope: RecoverScope<'_>,
) -> Result<Option<Recovered>> {
    let Some(journal) = read(store, &object.uri).await? else { return Ok(None) };
    let young = is_young(object, Timestamp::now());
    if young && !scope.covers(&journal.target) {
        return Ok(None);
    }
    let user = dependents::current_user(api).await?;
    let restored = restore::restore_missing(api, &user, &journal.views).await;
    let views = restored.map_err(|error| error.with("journal", &object.uri))?;
    let may_be_needed = young && (views.is_empty() || matches!(scope, RecoverScope::Target(_)));
    if !may_be_needed {
        delete(store, object).await?;
    }
    let recovered =
        Recovered { journal: object.uri.clone(), run_id: journal.run_id, views, failure: None };
    Ok((!recovered.views.is_empty()).then_some(recovered))
}

async fn delete(store: &Store, object: &Listed) -> Result<()> {
    // The deletion is conditional on the listed ETag. A run that has written its journal again
    // since the listing is about to drop views, and its journal must stay.
    if !store.delete_listed(object).await? {
        tracing::debug!(journal = %object.uri, "written again meanwhile, and kept");
    }
    Ok(())
}

/// The journals' objects, newest first.
async fn journals(store: &Store, bucket: &str) -> Result<Vec<Listed>> {
    let mut objects = store.list_objects(&Layout::journal_prefix(bucket)).await?;
    objects.retain(|object| object.uri.key.ends_with(".json"));
    // Run ids rise with time, so keys decide where the clock of S3 is too coarse.
    objects.sort_by(|a, b| (b.last_modified, &b.uri.key).cmp(&(a.last_modified, &a.uri.key)));
    Ok(objects)
}

async fn read(store: &Store, uri: &S3Uri) -> Result<Option<Journal>> {
    let Some(content) = store.read_whole(uri, MAX_BYTES).await? else { return Ok(None) };
    Journal::parse(&content, uri).map(Some)
}

/// Whether the run that wrote a journal may be alive. A journal without a time counts as young, and
/// so does a journal from the future, since clocks differ: waiting costs less than making a view
/// again while its run still alters the table.
fn is_young(object: &Listed, now: Timestamp) -> bool {
    let age = object.last_modified.map(|written| now.duration_since(written));
    age.is_none_or(|age| age < jiff::SignedDuration::from_secs(ALIVE.as_secs() as i64))
}

fn names(views: &[TableName]) -> String {
    views.iter().map(TableName::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_counts_as_alive_for_a_quarter_of_an_hour() {
        let now: Timestamp = "2025-01-19T10:30:00Z".parse().expect("a valid instant");
        let written = |at: Option<&str>| Listed {
            uri: S3Uri::new("b", "data/journal/x.json"),
            etag: String::new(),
            last_modified: at.map(|at| at.parse().expect("a valid instant")),
        };
        assert!(is_young(&written(Some("2025-01-19T10:15:01Z")), now));
        assert!(is_young(&written(Some("2025-01-19T10:31:00Z")), now));
        assert!(is_young(&written(None), now));
        assert!(!is_young(&written(Some("2025-01-19T10:15:00Z")), now));
    }
}
