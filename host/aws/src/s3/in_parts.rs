//! The end of what was sent to S3 in parts: it is an object, or its parts go.

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{EncodingType, MultipartUpload};
use jiff::Timestamp;
use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::list::decoded;
use crate::s3::mark::Mark;
use crate::s3::store::Store;

/// An upload in parts that was begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub uri: S3Uri,
    id: String,
    pub begun_at: Option<Timestamp>,
}

fn unfinished(prefix: &S3Uri, upload: MultipartUpload) -> Option<Unfinished> {
    let begun_at = upload.initiated.and_then(|at| Timestamp::from_second(at.secs()).ok());
    let uri = S3Uri::new(&prefix.bucket, decoded(&upload.key?));
    Some(Unfinished { uri, id: upload.upload_id?, begun_at })
}

/// How long it may take to give parts up.
const LAST_REQUEST: Duration = Duration::from_secs(10);

impl Store {
    /// What an upload in parts has come to. `done`: whether it became an object, as far as S3 has
    /// answered.
    // An upload that was completed without an answer is not there any more, but its object is.
    pub(super) async fn ended_in_parts(
        &self,
        to: &S3Uri,
        id: &str,
        mark: &Mark,
        doing: &str,
        done: Result<bool>,
    ) -> Result<bool> {
        if matches!(done, Ok(true)) || self.is_marked(to, mark).await.unwrap_or(false) {
            return Ok(true);
        }
        // The parts of an upload that is neither completed nor aborted stay in the bucket.
        self.abort(to, id, doing).await;
        done
    }

    /// The uploads below a prefix that were begun and not ended.
    pub async fn unfinished(&self, prefix: &S3Uri) -> Result<Vec<Unfinished>> {
        let (mut found, mut behind) = (Vec::new(), None);
        loop {
            self.calls.count("ListMultipartUploads");
            let request = self.client().list_multipart_uploads().bucket(&prefix.bucket);
            let request = request.prefix(&prefix.key).encoding_type(EncodingType::Url);
            let (key, id): (Option<String>, Option<String>) = behind.unzip();
            let request = request.set_key_marker(key).set_upload_id_marker(id);
            let page = self.sent(request.send()).await;
            let page = page.map_err(|error| {
                failure::read_failure(&format!("listing uploads below {prefix}"), error)
            })?;
            let uploads = page.uploads.unwrap_or_default().into_iter();
            found.extend(uploads.filter_map(|upload| unfinished(prefix, upload)));
            let next = page.next_key_marker.map(|key| decoded(&key));
            behind = next.zip(page.next_upload_id_marker);
            if page.is_truncated != Some(true) || behind.is_none() {
                return Ok(found);
            }
        }
    }

    /// Gives up an upload. Its parts go; an upload that is gone already counts as given up.
    pub async fn give_up(&self, upload: &Unfinished) -> Result<()> {
        self.calls.count("AbortMultipartUpload");
        let (uri, id) = (&upload.uri, &upload.id);
        let abort = self.client().abort_multipart_upload().bucket(&uri.bucket).key(&uri.key);
        match self.sent(abort.upload_id(id).send()).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("NoSuchUpload") => Ok(()),
            Err(error) => {
                Err(failure::read_failure(&format!("giving up an upload of {uri}"), error))
            }
        }
    }

    /// Gives up an upload in parts, also when the run shall stop. What cannot be given up stays in
    /// the bucket, and is logged.
    async fn abort(&self, to: &S3Uri, id: &str, doing: &str) {
        self.calls.count("AbortMultipartUpload");
        let abort = self.client().abort_multipart_upload().bucket(&to.bucket).key(&to.key);
        let left = match tokio::time::timeout(LAST_REQUEST, abort.upload_id(id).send()).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => failure::read_failure(doing, error).to_string(),
            Err(late) => late.to_string(),
        };
        tracing::warn!(error = left, "parts of an unfinished upload were left behind");
    }
}

#[cfg(test)]
mod tests;
