//! Listing: every page, to the last.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{EncodingType, Object};
use jiff::Timestamp;
use loader_model::error::Result;
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::store::Store;

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub uri: S3Uri,
    /// When the object was written, by the clock of S3, in whole seconds.
    pub last_modified: Option<Timestamp>,
    /// With its quotes, as S3 gives it.
    pub etag: String,
    pub size_bytes: u64,
}

impl Store {
    /// Every key below a prefix.
    pub async fn list(&self, prefix: &S3Uri) -> Result<Vec<String>> {
        let objects = self.list_objects(prefix).await?;
        Ok(objects.into_iter().map(|object| object.uri.key).collect())
    }

    /// Every object below a prefix, in the order of the keys.
    // The last page is the page without a token. How many objects a page has says nothing.
    pub async fn list_objects(&self, prefix: &S3Uri) -> Result<Vec<Listed>> {
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let page = self.read_in_its_region(&prefix.bucket, async |client: &Client| {
                self.calls.count("ListObjectsV2");
                let request = client.list_objects_v2().bucket(&prefix.bucket).prefix(&prefix.key);
                let request = request.encoding_type(EncodingType::Url);
                self.sent(request.set_continuation_token(token.clone()).send()).await
            });
            let page = page
                .await
                .map_err(|error| failure::read_failure(&format!("listing {prefix}"), error))?;
            objects.extend(
                page.contents
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|object| listed(prefix, object)),
            );
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }
}

fn listed(prefix: &S3Uri, object: Object) -> Option<Listed> {
    let last_modified = object.last_modified.and_then(|at| Timestamp::from_second(at.secs()).ok());
    let (etag, size) = (object.e_tag.unwrap_or_default(), object.size.unwrap_or(0));
    let size_bytes = u64::try_from(size).unwrap_or(0);
    object.key.map(|key| decoded(&key)).map(|key| Listed {
        uri: S3Uri::new(&prefix.bucket, key),
        last_modified,
        etag,
        size_bytes,
    })
}

/// A key as it is: XML can hold no key with a control character, so S3 is asked for them
/// URL-encoded. It writes a blank as a plus sign, and a plus sign as %2B.
pub(super) fn decoded(key: &str) -> String {
    let key = key.replace('+', " ");
    percent_encoding::percent_decode_str(&key).decode_utf8_lossy().into_owned()
}
