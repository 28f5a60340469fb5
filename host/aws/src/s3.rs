//! The object store: everything that the program does in S3, and the only place that knows its SDK.
//!
//! Listings are read to their end, deletes go in batches of 1000, and a move never loses a file
//! that its producer replaced meanwhile.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, Delete, Object, ObjectIdentifier,
};
use jiff::Timestamp;

use crate::calls::Calls;
use crate::connect::{Aws, boxed};
use crate::failure;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

/// The largest object that one CopyObject takes.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
const MAX_SINGLE_COPY_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Part size of a multipart copy: 10,000 parts of it make 5 TB, the largest object there is.
const COPY_PART_BYTES: u64 = 512 * 1024 * 1024;
/// Keys that one DeleteObjects takes.
const MAX_KEYS_PER_DELETE: usize = 1000;

/// S3 through the AWS SDK. Every request is counted.
#[derive(Clone)]
pub struct Store {
    client: Client,
    calls: Calls,
    /// Keeps the stand-in running.
    _aws: Aws,
}

/// What S3 says about an object without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// With its quotes, as S3 gives it.
    pub etag: String,
    /// On a bucket with versioning.
    pub version_id: Option<String>,
    pub size_bytes: u64,
}

/// An object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub uri: S3Uri,
    /// With its quotes, as S3 gives it.
    pub etag: String,
    /// When it was written, by the clock of S3.
    pub last_modified: Option<Timestamp>,
}

impl Store {
    /// A client for the service, or for the stand-in.
    pub fn new(aws: &Aws) -> Store {
        let mut config = aws_sdk_s3::config::Builder::from(&aws.config);
        if let Some(endpoints) = &aws.endpoints {
            config = config.endpoint_url(&endpoints.s3).force_path_style(true);
        }
        Store {
            client: Client::from_conf(config.build()),
            calls: Calls::default(),
            _aws: aws.clone(),
        }
    }

    /// Requests so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Looks at an object; `None` when there is none.
    pub async fn head(&self, uri: &S3Uri) -> Result<Option<ObjectInfo>> {
        self.calls.count("HeadObject");
        match boxed(self.client.head_object().bucket(&uri.bucket).key(&uri.key).send()).await {
            Ok(head) => Ok(Some(ObjectInfo {
                etag: head.e_tag.unwrap_or_default(),
                version_id: head.version_id.filter(|id| id != "null"),
                size_bytes: u64::try_from(head.content_length.unwrap_or(0)).unwrap_or(0),
            })),
            Err(error) if failure::is_missing(&error) => Ok(None),
            Err(error) => {
                // HEAD answers without words, so S3 cannot say what it dislikes.
                let doing =
                    format!("looking at {uri} (is this a valid bucket, and may you read it?)");
                Err(failure::read_failure(&doing, error))
            }
        }
    }

    /// Reads an object as a stream, provided that it still is the one with this ETag.
    pub async fn read(&self, uri: &S3Uri, info: &ObjectInfo) -> Result<ByteStream> {
        self.calls.count("GetObject");
        let request =
            self.client.get_object().bucket(&uri.bucket).key(&uri.key).if_match(&info.etag);
        match boxed(request.send()).await {
            Ok(object) => Ok(object.body),
            Err(error) if failure::is_changed(&error) || failure::is_missing(&error) => {
                Err(replaced(uri))
            }
            Err(error) => Err(failure::read_failure(&format!("reading {uri}"), error)),
        }
    }

    /// Reads a small object whole; `None` when there is none.
    pub async fn read_whole(&self, uri: &S3Uri) -> Result<Option<Vec<u8>>> {
        self.calls.count("GetObject");
        let doing = format!("reading {uri}");
        match boxed(self.client.get_object().bucket(&uri.bucket).key(&uri.key).send()).await {
            Ok(object) => {
                let content = object
                    .body
                    .collect()
                    .await
                    .context(Kind::Transient, format!("{doing} broke off"))?;
                Ok(Some(content.to_vec()))
            }
            Err(error) if failure::is_missing(&error) => Ok(None),
            Err(error) => Err(failure::read_failure(&doing, error)),
        }
    }

    /// Writes a small object.
    pub async fn write(&self, uri: &S3Uri, content: Vec<u8>) -> Result<()> {
        self.put(uri, ByteStream::from(content)).await.map(drop)
    }

    /// Writes a file as one object and returns its size. At most 5 GB.
    pub async fn write_file(&self, uri: &S3Uri, path: &Path) -> Result<u64> {
        let body = ByteStream::from_path(path)
            .await
            .context(Kind::Internal, "a staged part cannot be read")?;
        let size =
            std::fs::metadata(path).context(Kind::Internal, "a staged part cannot be read")?.len();
        self.put(uri, body).await?;
        Ok(size)
    }

    async fn put(&self, uri: &S3Uri, body: ByteStream) -> Result<()> {
        self.calls.count("PutObject");
        let request = self.client.put_object().bucket(&uri.bucket).key(&uri.key).body(body);
        boxed(request.send())
            .await
            .map(drop)
            .map_err(|error| failure::read_failure(&format!("writing {uri}"), error))
    }

    /// Every key below a prefix.
    pub async fn list(&self, prefix: &S3Uri) -> Result<Vec<String>> {
        let objects = self.list_objects(prefix).await?;
        Ok(objects.into_iter().map(|object| object.uri.key).collect())
    }

    /// Every object below a prefix, in the order of the keys.
    pub async fn list_objects(&self, prefix: &S3Uri) -> Result<Vec<Listed>> {
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            self.calls.count("ListObjectsV2");
            let request = self.client.list_objects_v2().bucket(&prefix.bucket).prefix(&prefix.key);
            let page = boxed(request.set_continuation_token(token).send()).await;
            let page =
                page.map_err(|error| failure::read_failure(&format!("listing {prefix}"), error))?;
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

    /// Deletes every object below a prefix; objects that are gone already count as deleted.
    pub async fn delete_all(&self, prefix: &S3Uri) -> Result<usize> {
        let keys = self.list(prefix).await?;
        for batch in keys.chunks(MAX_KEYS_PER_DELETE) {
            self.delete_batch(prefix, batch).await?;
        }
        Ok(keys.len())
    }

    async fn delete_batch(&self, prefix: &S3Uri, keys: &[String]) -> Result<()> {
        self.calls.count("DeleteObjects");
        let doing = format!("deleting below {prefix}");
        let identifiers: std::result::Result<Vec<_>, _> =
            keys.iter().map(|key| ObjectIdentifier::builder().key(key).build()).collect();
        let identifiers = identifiers.context(Kind::Internal, &doing)?;
        let delete = Delete::builder().set_objects(Some(identifiers)).quiet(true).build();
        let delete = delete.context(Kind::Internal, &doing)?;
        let request = self.client.delete_objects().bucket(&prefix.bucket).delete(delete);
        let answer =
            boxed(request.send()).await.map_err(|error| failure::read_failure(&doing, error))?;
        match answer.errors().first() {
            None => Ok(()),
            Some(error) => {
                let code = error.code().unwrap_or("unknown");
                let fact = format!("{doing} failed for {}: {code}", error.key().unwrap_or("a key"));
                Err(Error::new(Kind::Transient, fact))
            }
        }
    }

    /// Moves an object: copies what `info` describes, verifies the copy, deletes the source if it
    /// is unchanged.
    ///
    /// Moving again after a stop in between ends the same way. Returns false when there was nothing
    /// to move any more.
    pub async fn move_object(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<bool> {
        match self.head(from).await? {
            None => return Ok(false),
            Some(now) if now.etag != info.etag => return Err(replaced(from)),
            Some(_) => {}
        }
        if info.size_bytes > MAX_SINGLE_COPY_BYTES {
            self.copy_in_parts(from, info, to).await?;
        } else {
            self.copy(from, info, to).await?;
        }
        match self.head(to).await? {
            Some(copy) if copy.size_bytes == info.size_bytes => {
                self.delete_unchanged(from, info).await.map(|()| true)
            }
            _ => Err(Error::new(
                Kind::Transient,
                format!("the copy {to} of {from} is not whole; the source was kept"),
            )),
        }
    }

    async fn copy(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<()> {
        self.calls.count("CopyObject");
        let request = self
            .client
            .copy_object()
            .copy_source(copy_source(from))
            .copy_source_if_match(&info.etag);
        match boxed(request.bucket(&to.bucket).key(&to.key).send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_changed(&error) => Err(replaced(from)),
            Err(error) => Err(failure::read_failure(&format!("copying {from} to {to}"), error)),
        }
    }

    async fn copy_in_parts(&self, from: &S3Uri, info: &ObjectInfo, to: &S3Uri) -> Result<()> {
        self.calls.count("CreateMultipartUpload");
        let doing = format!("copying {from} to {to}");
        let upload =
            boxed(self.client.create_multipart_upload().bucket(&to.bucket).key(&to.key).send())
                .await;
        let upload = upload.map_err(|error| failure::read_failure(&doing, error))?;
        let id = upload.upload_id.unwrap_or_default();
        let done = self.copy_parts(from, info, to, &id, &doing).await;
        if done.is_err() {
            self.calls.count("AbortMultipartUpload");
            let abort =
                self.client.abort_multipart_upload().bucket(&to.bucket).key(&to.key).upload_id(&id);
            if let Err(error) = boxed(abort.send()).await {
                tracing::warn!(
                    error = %failure::read_failure(&doing, error), "an unfinished copy was left behind"
                );
            }
        }
        done
    }

    async fn copy_parts(
        &self,
        from: &S3Uri,
        info: &ObjectInfo,
        to: &S3Uri,
        id: &str,
        doing: &str,
    ) -> Result<()> {
        let mut parts = Vec::new();
        for (number, start) in (1..).zip((0..info.size_bytes).step_by(COPY_PART_BYTES as usize)) {
            self.calls.count("UploadPartCopy");
            let end = (start + COPY_PART_BYTES).min(info.size_bytes) - 1;
            let request = self
                .client
                .upload_part_copy()
                .bucket(&to.bucket)
                .key(&to.key)
                .upload_id(id)
                .part_number(number);
            let request = request.copy_source(copy_source(from)).copy_source_if_match(&info.etag);
            let part =
                boxed(request.copy_source_range(format!("bytes={start}-{end}")).send()).await;
            let part = part.map_err(|error| failure::read_failure(doing, error))?;
            let etag = part.copy_part_result.and_then(|result| result.e_tag);
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(etag).build());
        }
        self.calls.count("CompleteMultipartUpload");
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request =
            self.client.complete_multipart_upload().bucket(&to.bucket).key(&to.key).upload_id(id);
        boxed(request.multipart_upload(parts).send())
            .await
            .map(drop)
            .map_err(|error| failure::read_failure(doing, error))
    }

    async fn delete_unchanged(&self, uri: &S3Uri, info: &ObjectInfo) -> Result<()> {
        self.calls.count("DeleteObject");
        let request =
            self.client.delete_object().bucket(&uri.bucket).key(&uri.key).if_match(&info.etag);
        match boxed(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_changed(&error) => Err(replaced(uri)),
            Err(error) if failure::is_missing(&error) => Ok(()),
            Err(error) => Err(failure::read_failure(&format!("deleting {uri}"), error)),
        }
    }

    /// Deletes one object; one that is gone already counts as deleted.
    pub async fn delete(&self, uri: &S3Uri) -> Result<()> {
        self.calls.count("DeleteObject");
        match boxed(self.client.delete_object().bucket(&uri.bucket).key(&uri.key).send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_missing(&error) => Ok(()),
            Err(error) => Err(failure::read_failure(&format!("deleting {uri}"), error)),
        }
    }

    /// Deletes an object of a listing, unless it was written again since. Returns whether it is
    /// gone.
    pub async fn delete_listed(&self, object: &Listed) -> Result<bool> {
        self.calls.count("DeleteObject");
        let uri = &object.uri;
        match boxed(
            self.client
                .delete_object()
                .bucket(&uri.bucket)
                .key(&uri.key)
                .if_match(&object.etag)
                .send(),
        )
        .await
        {
            Ok(_) => Ok(true),
            Err(error) if failure::is_changed(&error) => Ok(false),
            Err(error) if failure::is_missing(&error) => Ok(true),
            Err(error) => Err(failure::read_failure(&format!("deleting {uri}"), error)),
        }
    }

    /// Makes a bucket; one that exists already is fine. For the demo and the stand-in.
    pub async fn create_bucket(&self, bucket: &str) -> Result<()> {
        self.calls.count("CreateBucket");
        match boxed(self.client.create_bucket().bucket(bucket).send()).await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_bucket_already_owned_by_you()) =>
            {
                Ok(())
            }
            Err(error) => Err(failure::read_failure(&format!("making the bucket {bucket}"), error)),
        }
    }
}

fn listed(prefix: &S3Uri, object: Object) -> Option<Listed> {
    let last_modified = object.last_modified.and_then(|at| Timestamp::from_second(at.secs()).ok());
    let etag = object.e_tag.unwrap_or_default();
    object.key.map(|key| Listed { uri: S3Uri::new(&prefix.bucket, key), etag, last_modified })
}

fn replaced(uri: &S3Uri) -> Error {
    let fact = format!(
        "{uri} was replaced while it was being loaded; the new file was left alone, run again for \
         it"
    );
    Error::new(Kind::Transient, fact)
}

/// `bucket/key` as the header wants it: percent-encoded but for what stands for itself.
fn copy_source(uri: &S3Uri) -> String {
    let mut out = format!("{}/", uri.bucket);
    for byte in uri.key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_sources_are_encoded() {
        let uri = S3Uri::new("b", "data/in/a b+c%ä.csv");
        assert_eq!(copy_source(&uri), "b/data/in/a%20b%2Bc%25%C3%A4.csv");
    }
}
