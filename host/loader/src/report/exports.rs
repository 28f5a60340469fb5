//! What a run writes for people to read: rejected rows and the log. Neither overwrites what another
//! run has written.

use std::path::Path;

use bytes::Bytes;
use loader_aws::s3::Store;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::layout::Layout;
use crate::report::log::RunLog;

/// Writes the file of rejected rows to `data/rejected/`, or beside a name that is taken, and
/// returns where it is.
pub async fn write_rejects(store: &Store, layout: &Layout, rejects: &Path) -> Result<S3Uri> {
    let to = layout.rejected();
    if store.upload_new(rejects, &to).await? {
        return Ok(to);
    }
    let beside = layout.beside(&to);
    store.write_file(&beside, rejects).await.map(|_| beside)
}

/// Writes the log so far to `logs/`. An error is only logged, since the load itself is done.
pub async fn write_log(store: &Store, layout: &Layout, log: &RunLog) {
    let exported = match log.read() {
        Ok(lines) => write_to_free_name(store, layout, lines).await,
        Err(error) => {
            Err(Error::new(Kind::Internal, "the kept log cannot be read").caused_by(error))
        }
    };
    match exported {
        Ok(uri) => tracing::debug!(uri = %uri, "log exported"),
        Err(error) => tracing::warn!(%error, "the log was not exported"),
    }
}

/// Writes a log, or writes it beside that of another run of the same second and stem. (For example,
/// `orders.csv` and `orders.txt` share a stem, so their logs share a name.)
async fn write_to_free_name(store: &Store, layout: &Layout, lines: Vec<u8>) -> Result<S3Uri> {
    let (to, content) = (layout.log(), Bytes::from(lines));
    if store.write_new(&to, content.clone()).await? {
        return Ok(to);
    }
    let beside = layout.beside(&to);
    store.write(&beside, content).await.map(|()| beside)
}
