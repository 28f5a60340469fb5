//! Cleanup: what a run leaves behind, on success and on failure alike; only the file's way differs.
//!
//! In: how the run ended. Every address follows from the run, so cleaning up twice is the same as
//! once. A fault here is reported beside the run's own outcome and never replaces it.

use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::report::Status;
use crate::tools::Tools;
use crate::values::{Goal, SourceObject};
use crate::{crash, redshift::audit};

/// Cleans up after the run.
pub(crate) async fn run(tools: &Tools, outcome: Result<Status, &Error>) {
    if let Err(error) = outcome {
        tracing::error!(%error, "run failed");
        if error.kind() == Kind::OutcomeUnknown {
            // The statement may still be running, and reading what was staged.
            let prefix = tools.job.layout.staging_prefix();
            tracing::warn!(%prefix, "the staged parts and the source were left");
            return;
        }
    }
    match tools.goal {
        Goal::Load => after_load(tools, outcome).await,
        // What was staged is what was asked for; a preview stages nothing.
        Goal::Stage | Goal::Preview if outcome.is_err() => delete_staged_parts(tools).await,
        Goal::Stage | Goal::Preview => {}
    }
}

async fn after_load(tools: &Tools, outcome: Result<Status, &Error>) {
    if let Err(error) = outcome {
        let rows_read = tools.trail.rows_read.get().copied().unwrap_or(0);
        audit::write_failure(&tools.api, &tools.job, rows_read, error).await;
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

/// A loaded file goes to the archive, one that is at fault out of the way; any other stays where a
/// retry finds it.
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
            tracing::warn!(uri = %source.uri, "the source is gone, somebody else moved it");
        }
        Err(error) => tracing::warn!(%error, "the source could not be {what}"),
    }
}

/// Never overwrites another file that went the same way before. `None`: the source is gone.
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
