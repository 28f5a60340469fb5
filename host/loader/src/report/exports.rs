//! What a run writes for people to read: rejected rows and the log. Neither overwrites what another
//! run has written.

use bytes::Bytes;
use loader_aws::s3::Store;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::layout::Layout;
use crate::report::log::RunLog;

/// Writes the rejected rows to `data/rejected/` and returns where they are.
pub async fn write_rejects(store: &Store, layout: &Layout, rejects: Vec<u8>) -> Result<S3Uri> {
    write_to_free_name(store, layout, layout.rejected(), rejects).await
}

/// Writes the log so far to `logs/`. An error is only logged, since the load itself is done.
pub async fn write_log(store: &Store, layout: &Layout, log: &RunLog) {
    let exported = match log.read() {
        Ok(lines) => write_to_free_name(store, layout, layout.log(), lines).await,
        Err(error) => {
            Err(Error::new(Kind::Internal, "the kept log cannot be read").caused_by(error))
        }
    };
    match exported {
        Ok(uri) => tracing::debug!(uri = %uri, "log exported"),
        Err(error) => tracing::warn!(%error, "the log was not exported"),
    }
}

/// Writes to `to`, or beside it when another run of the same second and stem has written there.
/// (For example, `orders.csv` and `orders.txt` share a stem, so their logs share a name.)
// A write whose answer was lost finds its own object when it is sent again, and there are two then.
async fn write_to_free_name(
    store: &Store,
    layout: &Layout,
    to: S3Uri,
    content: Vec<u8>,
) -> Result<S3Uri> {
    let content = Bytes::from(content);
    if store.write_new(&to, content.clone()).await? {
        return Ok(to);
    }
    let beside = layout.beside(&to);
    store.write(&beside, content).await.map(|()| beside)
}
