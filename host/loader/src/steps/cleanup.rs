//! Cleanup: deletes the staged parts, writes the audit row of a failure, and moves the file.
//!
//! In: how the run ended. Every address follows from the run, so cleaning up twice is the same as
//! once. An error here is logged beside the run's own outcome and never replaces it.

use std::sync::OnceLock;

use futures::{StreamExt, future};
use loader_aws::s3::Store;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::crash;
use crate::layout::Layout;
use crate::redshift::audit::{self, Read};
use crate::report::Status;
use crate::report::log::RUN_FAILED;
use crate::tools::Tools;
use crate::values::{Goal, SourceObject};

/// Files of one load that are copied to the archive at once.
const COPIES_AT_ONCE: usize = 16;

/// Cleans up after the run.
// After `OutcomeUnknown` nothing is touched. The transaction may still be running and reading the
// staged parts, and the next run must find the file to ask the ledger what became of the load. A
// successful `loader stage` keeps its parts, which are its result; a preview has none.
pub(crate) async fn run(tools: &Tools, outcome: Result<Status, &Error>) {
    if let Err(error) = outcome {
        match tools.is_attempt(error) {
            true => tracing::info!(because = %error, "the files are loaded in smaller parts"),
            false => tracing::error!(%error, "{RUN_FAILED}"),
        }
        if error.kind() == Kind::OutcomeUnknown {
            let prefix = tools.job.layout.staging_prefix();
            tracing::warn!(%prefix, "the staged parts and the source were left");
            return;
        }
    }
    match tools.goal {
        Goal::Load => after_load(tools, outcome).await,
        Goal::Stage | Goal::Preview if outcome.is_err() => {
            delete_staged_parts(tools, outcome).await
        }
        Goal::Stage | Goal::Preview => {}
    }
}

// The file leaves `data/in/` last; only its copy is made while the parts are deleted. A run that is
// killed before that leaves the file there, where the next run takes it up again: it finds the load
// in the ledger and archives the file. A run that failed before the source step has nothing to
// move.
async fn after_load(tools: &Tools, outcome: Result<Status, &Error>) {
    if let Some(sources) = tools.trail.group.get() {
        return after_load_of_several(tools, sources, outcome).await;
    }
    if let Err(error) = outcome {
        let counted = |count: &OnceLock<u64>| count.get().copied().unwrap_or(0);
        let (rows, rejected) =
            (counted(&tools.trail.rows_read), counted(&tools.trail.rows_rejected));
        audit::write_failure(&tools.api, &tools.job, Read { rows, rejected }, error).await;
    }
    let parts = delete_staged_parts(tools, outcome);
    let Some(source) = tools.trail.source.get() else { return parts.await };
    // Under the name of the run that has loaded the file: two runs that come to one file, or a
    // run that comes after one which was killed between copy and delete, make one object of the
    // archive. (Of a multipart upload the copy has another ETag. It is taken for another file,
    // and the second copy gets a name beside it.)
    let own = &tools.job.layout;
    let layout = tools.trail.loaded_by.get().map_or(own.clone(), |run| own.of_run(run.clone()));
    let moved = move_source(tools, source, &layout, outcome, parts).await;
    moved.iter().for_each(|to| tools.record.archived_to(to));
    crash::point("archived");
}

// Several files that could not be loaded together are loaded in smaller parts, down to one by one,
// so only what ends them all is in the audit table, and none is moved unless all are loaded.
async fn after_load_of_several(
    tools: &Tools,
    sources: &[SourceObject],
    outcome: Result<Status, &Error>,
) {
    if let Err(error) = outcome
        && !tools.is_attempt(error)
    {
        audit::write_failure(&tools.api, &tools.job, Read::default(), error).await;
    }
    delete_staged_parts(tools, outcome).await;
    if outcome.is_ok() {
        archive_all(tools, sources).await;
        crash::point("archived");
    }
}

// All are copied before the first is deleted, since one request deletes up to 1,000. A run that is
// killed in between leaves both, and the next run finds the files in the ledger.
async fn archive_all(tools: &Tools, sources: &[SourceObject]) {
    let copies = futures::stream::iter(sources.iter().enumerate());
    let copies = copies.map(async |(place, source)| match copy_to_archive(tools, source).await {
        Ok(to) => {
            tracing::debug!(from = %source.uri, to = %to, "source copied to the archive");
            tools.record.file_archived_to(place, &to);
            Some((&source.uri, &source.info))
        }
        Err(error) => {
            tracing::warn!(%error, "the source could not be archived");
            None
        }
    });
    let copied: Vec<_> =
        copies.buffer_unordered(COPIES_AT_ONCE).filter_map(future::ready).collect().await;
    let Some((first, _)) = copied.first() else { return };
    match store(tools).delete_all_unchanged(&first.bucket, &copied).await {
        Ok(left) => {
            left.iter().for_each(|error| tracing::warn!(%error, "the source was not deleted"));
        }
        Err(error) => tracing::warn!(%error, "the sources were not deleted"),
    }
}

/// The store, also when the run shall stop.
fn store(tools: &Tools) -> Store {
    tools.store.to_the_end()
}

/// Deletes the staged parts, unless they are to be kept.
// When all went well, each part was written to its end, and its key is known, unless a cluster has
// written it: of attempts that did not count nobody tells. After a failure a part may still be on
// its way. Then what is there is listed.
async fn delete_staged_parts(tools: &Tools, outcome: Result<Status, &Error>) {
    if !tools.job.keep_staging {
        let prefix = tools.job.layout.staging_prefix();
        let keys = tools.trail.staged.all();
        let deleted = match (outcome, keys) {
            (Ok(_), Some(keys)) => {
                store(tools).delete_keys(&prefix, &keys).await.map(|()| keys.len())
            }
            (Ok(_), None) | (Err(_), _) => store(tools).delete_all(&prefix).await,
        };
        match deleted {
            Ok(0) => {}
            Ok(objects) => tracing::debug!(prefix = %prefix, objects, "staged parts deleted"),
            Err(error) => tracing::warn!(%error, "staged parts were left behind"),
        }
    }
    crash::point("staging-deleted");
}

/// Moves the file: a loaded file to `data/archive/`, a file whose content was refused to
/// `data/unprocessed/`. After any other failure the file stays where the next run finds it. (For
/// example, when Redshift could not be reached.) `first`: what is done before the file leaves its
/// place.
async fn move_source(
    tools: &Tools,
    source: &SourceObject,
    layout: &Layout,
    outcome: Result<Status, &Error>,
    first: impl Future<Output = ()>,
) -> Option<S3Uri> {
    let (to, what) = match outcome {
        Ok(_) => (layout.archive(), "archived"),
        Err(error) if error.kind().is_the_files_fault() => (layout.unprocessed(), "put aside"),
        Err(_) => {
            first.await;
            return None;
        }
    };
    match move_to_free_name(tools, source, layout, to, first).await {
        Ok(Some(to)) => {
            tracing::info!(from = %source.uri, to = %to, "source {what}");
            Some(to)
        }
        Ok(None) => {
            tracing::warn!(uri = %source.uri, "the source is gone: another program moved it");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the source could not be {what}");
            None
        }
    }
}

/// Copies one of many small files to the archive, without overwriting another.
async fn copy_to_archive(tools: &Tools, source: &SourceObject) -> Result<S3Uri> {
    let layout = tools.job.layout.of_other(&source.uri);
    let to = layout.archive();
    if store(tools).copy_new(&source.uri, &source.info, &to).await? {
        return Ok(to);
    }
    let to = free_name(tools, source, &layout, to).await?;
    store(tools).copy(&source.uri, &source.info, &to).await?;
    Ok(to)
}

/// Moves the file without overwriting another file of that name. `None`: the source is gone.
// Nearly always the name is free and the source unchanged, and then the copy itself says so.
async fn move_to_free_name(
    tools: &Tools,
    source: &SourceObject,
    layout: &Layout,
    to: S3Uri,
    first: impl Future<Output = ()>,
) -> Result<Option<S3Uri>> {
    let last = store(tools);
    let copied = last.copy_new(&source.uri, &source.info, &to);
    let (copied, ()) = future::join(copied, first).await;
    if copied? {
        crash::point("copied");
        store(tools).delete_unchanged(&source.uri, &source.info).await?;
        return Ok(Some(to));
    }
    let to = free_name(tools, source, layout, to).await?;
    let moved = store(tools).move_object(&source.uri, &source.info, &to).await?;
    Ok(moved.then_some(to))
}

// An object with the source's own bytes is no other file: a run that was killed between copy and
// delete has left it, and copying the same bytes again is harmless.
async fn free_name(
    tools: &Tools,
    source: &SourceObject,
    layout: &Layout,
    to: S3Uri,
) -> Result<S3Uri> {
    let store = store(tools);
    let is_free = match store.head(&to).await? {
        None => true,
        Some(there) => store.is_copy((&source.uri, &source.info), (&to, &there)).await?,
    };
    Ok(if is_free { to } else { layout.beside(&to) })
}
