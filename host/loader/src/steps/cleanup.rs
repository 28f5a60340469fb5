//! Cleanup: deletes the staged parts, writes the audit row of a failure, and moves the file.
//!
//! In: how the run ended. Every address follows from the run, so cleaning up twice is the same as
//! once. An error here is logged beside the run's own outcome and never replaces it.

use std::sync::OnceLock;

use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::crash;
use crate::redshift::audit::{self, Read};
use crate::report::Status;
use crate::report::log::RUN_FAILED;
use crate::tools::Tools;
use crate::values::{Goal, SourceObject};

/// Cleans up after the run.
// After `OutcomeUnknown` nothing is touched. The transaction may still be running and reading the
// staged parts, and the next run must find the file to ask the ledger what became of the load. A
// successful `loader stage` keeps its parts, which are its result; a preview has none.
pub(crate) async fn run(tools: &Tools, outcome: Result<Status, &Error>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "{RUN_FAILED}");
        if error.kind() == Kind::OutcomeUnknown {
            let prefix = tools.job.layout.staging_prefix();
            tracing::warn!(%prefix, "the staged parts and the source were left");
            return;
        }
    }
    match tools.goal {
        Goal::Load => after_load(tools, outcome).await,
        Goal::Stage | Goal::Preview if outcome.is_err() => delete_staged_parts(tools).await,
        Goal::Stage | Goal::Preview => {}
    }
}

// The file is moved last. A run that is killed before that leaves the file in `data/in/`, where the
// next run takes it up again: it finds the load in the ledger and archives the file. A run that
// failed before the source step has nothing to move.
async fn after_load(tools: &Tools, outcome: Result<Status, &Error>) {
    if let Err(error) = outcome {
        let counted = |count: &OnceLock<u64>| count.get().copied().unwrap_or(0);
        let (rows, rejected) =
            (counted(&tools.trail.rows_read), counted(&tools.trail.rows_rejected));
        audit::write_failure(&tools.api, &tools.job, Read { rows, rejected }, error).await;
    }
    delete_staged_parts(tools).await;
    if let Some(source) = tools.trail.source.get() {
        move_source(tools, source, outcome).await;
        crash::point("archived");
    }
}

/// Deletes the staged parts, unless they are to be kept.
async fn delete_staged_parts(tools: &Tools) {
    if !tools.job.keep_staging {
        let prefix = tools.job.layout.staging_prefix();
        match tools.store.delete_all(&prefix).await {
            Ok(0) => {}
            Ok(objects) => tracing::debug!(prefix = %prefix, objects, "staged parts deleted"),
            Err(error) => tracing::warn!(%error, "staged parts were left behind"),
        }
    }
    crash::point("staging-deleted");
}

/// Moves the file: a loaded file to `data/archive/`, a file whose content was refused to
/// `data/unprocessed/`. After any other failure the file stays where the next run finds it. (For
/// example, when Redshift could not be reached.)
async fn move_source(tools: &Tools, source: &SourceObject, outcome: Result<Status, &Error>) {
    let (to, what) = match outcome {
        Ok(_) => (tools.job.layout.archive(), "archived"),
        Err(error) if error.kind().is_the_files_fault() => {
            (tools.job.layout.unprocessed(), "put aside")
        }
        Err(_) => return,
    };
    match move_to_free_name(tools, source, to).await {
        Ok(Some(to)) => {
            tracing::info!(from = %source.uri, to = %to, "source {what}");
            tools.record.archived_to(&to);
        }
        Ok(None) => {
            tracing::warn!(uri = %source.uri, "the source is gone: another program moved it");
        }
        Err(error) => tracing::warn!(%error, "the source could not be {what}"),
    }
}

/// Moves the file without overwriting another file of that name. `None`: the source is gone.
// An object with the source's own ETag is no other file: a run that was killed between copy and
// delete has left it, and copying the same bytes again is harmless.
async fn move_to_free_name(
    tools: &Tools,
    source: &SourceObject,
    to: S3Uri,
) -> Result<Option<S3Uri>> {
    let (store, layout) = (&tools.store, &tools.job.layout);
    let taken = store.head(&to).await?.is_some_and(|there| there.etag != source.info.etag);
    let to = if taken { layout.beside(&to) } else { to };
    let moved = store.move_object(&source.uri, &source.info, &to).await?;
    Ok(moved.then_some(to))
}
