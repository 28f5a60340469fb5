//! Uploading a file of this machine under a name that is free.

use std::path::Path;

use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use loader_model::error::{Context, Kind, Result};
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::mark::{MARK, Mark};
use crate::s3::store::{ANYTHING, Store};

/// Files up to this size are uploaded by one request. One could take 5 GB, but is lost as a whole.
const SINGLE_BYTES: u64 = 64 << 20;
/// Part size of a larger upload: 10,000 parts of it make 640 GB.
const PART_BYTES: u64 = 64 << 20;

impl Store {
    /// Uploads a file, unless there is an object of that name, or the store takes no such
    /// condition: then false. Errors: `Config` when the file cannot be read.
    pub async fn upload_new(&self, path: &Path, to: &S3Uri) -> Result<bool> {
        let cannot = || format!("{} cannot be read", path.display());
        let size = std::fs::metadata(path).context(Kind::Config, cannot())?.len();
        let doing = format!("uploading {}", path.display());
        let upload = Upload { store: self, path, to, doing };
        match size > SINGLE_BYTES {
            true => upload.in_parts(size).await,
            false => upload.at_once(size).await,
        }
    }
}

struct Upload<'a> {
    store: &'a Store,
    path: &'a Path,
    to: &'a S3Uri,
    doing: String,
}

impl Upload<'_> {
    async fn at_once(&self, size: u64) -> Result<bool> {
        let body = self.piece(0, size).await?;
        let mark = Mark::new();
        let put = self.store.put_request(self.to, body).if_none_match(ANYTHING);
        let put = put.metadata(MARK, &mark.0).customize();
        match self.store.sent(put.config_override(self.store.patient(size)).send()).await {
            Ok(_) => Ok(true),
            Err(error) if failure::is_changed(&error) => self.store.is_marked(self.to, &mark).await,
            Err(error) if failure::is_not_implemented(&error) => Ok(false),
            Err(error) => Err(failure::read_failure(&self.doing, error)),
        }
    }

    // A name that is taken is found before the first part is sent, and once more at the end, where
    // the condition holds whatever came in between.
    async fn in_parts(&self, size: u64) -> Result<bool> {
        if self.store.head(self.to).await?.is_some() {
            return Ok(false);
        }
        self.store.calls.count("CreateMultipartUpload");
        let create = self.store.client().create_multipart_upload();
        let mark = Mark::new();
        let create = create.bucket(&self.to.bucket).key(&self.to.key).metadata(MARK, &mark.0);
        let created = self.store.sent(create.send()).await;
        let created = created.map_err(|error| failure::read_failure(&self.doing, error))?;
        let id = created.upload_id.unwrap_or_default();
        let done = self.parts(&id, size).await;
        self.store.ended_in_parts(self.to, &id, &mark, &self.doing, done).await
    }

    async fn parts(&self, id: &str, size: u64) -> Result<bool> {
        let mut parts = Vec::new();
        for (number, start) in (1..).zip((0..size).step_by(PART_BYTES as usize)) {
            let body = self.piece(start, PART_BYTES.min(size - start)).await?;
            self.store.calls.count("UploadPart");
            let part = self.store.client().upload_part().bucket(&self.to.bucket).key(&self.to.key);
            let part = part.upload_id(id).part_number(number).body(body).customize();
            let part = part.config_override(self.store.patient(PART_BYTES));
            let part = self.store.sent(part.send()).await;
            let part = part.map_err(|error| failure::read_failure(&self.doing, error))?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
            parts.push(part.build());
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.store.calls.count("CompleteMultipartUpload");
        let complete = self.store.client().complete_multipart_upload().upload_id(id);
        let complete = complete.bucket(&self.to.bucket).key(&self.to.key).if_none_match(ANYTHING);
        let complete = complete.multipart_upload(parts).customize();
        match self.store.sent(complete.config_override(self.store.patient(size)).send()).await {
            Ok(_) => Ok(true),
            Err(error) if failure::is_changed(&error) => Ok(false),
            Err(error) => Err(failure::read_failure(&self.doing, error)),
        }
    }

    async fn piece(&self, start: u64, bytes: u64) -> Result<ByteStream> {
        let read = ByteStream::read_from().path(self.path).offset(start);
        let cannot = || format!("{} cannot be read", self.path.display());
        read.length(Length::Exact(bytes)).build().await.context(Kind::Config, cannot())
    }
}

#[cfg(test)]
mod tests;
