//! Cleanup: what a run leaves behind, on success and on failure alike.
//!
//! Every address follows from the run, so cleaning up twice is the same as once. A fault here is
//! reported beside the run's own outcome and never replaces it.

use crate::error::{Error, Result};
use crate::job::Job;
use crate::log::Kept;
use crate::names::S3Uri;
use crate::s3::Store;
use crate::steps::source::SourceObject;

/// Deletes the staged parts, unless they are to be kept.
pub async fn staging(store: &Store, job: &Job) {
    if job.keep_staging {
        return;
    }
    let prefix = job.layout.staging_prefix();
    match store.delete_all(&prefix).await {
        Ok(0) => {}
        Ok(objects) => tracing::debug!(prefix = %prefix, objects, "staged parts deleted"),
        Err(error) => tracing::warn!(%error, "staged parts were left behind"),
    }
}

/// Moves the loaded file to the archive, and returns where it is now.
pub async fn archive(store: &Store, job: &Job, source: &SourceObject) -> Option<S3Uri> {
    settle(store, job, source, job.layout.archive(), "archived").await
}

/// Moves a file that is at fault out of the way, and returns where it is now.
pub async fn put_aside(store: &Store, job: &Job, source: &SourceObject) -> Option<S3Uri> {
    settle(store, job, source, job.layout.unprocessed(), "put aside").await
}

async fn settle(
    store: &Store,
    job: &Job,
    source: &SourceObject,
    to: S3Uri,
    what: &'static str,
) -> Option<S3Uri> {
    match move_to_free_name(store, job, source, to).await {
        Ok(Some(to)) => {
            tracing::info!(from = %source.uri, to = %to, "source {what}");
            Some(to)
        }
        Ok(None) => {
            tracing::warn!(uri = %source.uri, "the source is gone, somebody else moved it");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the source could not be {what}");
            None
        }
    }
}

/// Never overwrites another file that went the same way before.
async fn move_to_free_name(
    store: &Store,
    job: &Job,
    source: &SourceObject,
    to: S3Uri,
) -> Result<Option<S3Uri>> {
    let taken = store.head(&to).await?.is_some_and(|there| there.etag != source.info.etag);
    let to = if taken { job.layout.beside(&to) } else { to };
    let moved = store.move_object(&source.uri, &source.info, &to).await?;
    Ok(moved.then_some(to))
}

/// Another run of the same second and stem may have written there already.
async fn write_to_free_name(
    store: &Store,
    job: &Job,
    to: S3Uri,
    content: Vec<u8>,
) -> Result<S3Uri> {
    let to = if store.head(&to).await?.is_some() { job.layout.beside(&to) } else { to };
    store.write(&to, content).await.map(|()| to)
}

/// Writes the rejected rows where people look for them.
pub async fn export_rejects(store: &Store, job: &Job, rejects: Vec<u8>) -> Result<S3Uri> {
    write_to_free_name(store, job, job.layout.rejected(), rejects).await
}

/// Writes the log so far to S3.
pub async fn export_log(store: &Store, job: &Job, log: &Kept) {
    let exported = match log.read() {
        Ok(lines) => write_to_free_name(store, job, job.layout.log(), lines).await,
        Err(error) => Err(Error::new(crate::error::Kind::Internal, "the kept log cannot be read")
            .caused_by(error)),
    };
    match exported {
        Ok(uri) => tracing::debug!(uri = %uri, "log exported"),
        Err(error) => tracing::warn!(%error, "the log was not exported"),
    }
}
