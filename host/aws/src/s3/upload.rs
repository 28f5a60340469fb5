//! Uploading a file of this machine under a name that is free.

use std::path::Path;

use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use loader_model::error::{Context, Kind, Result};
use loader_model::names::S3Uri;

use crate::connect::boxed;
use crate::failure;
use crate::s3::store::{ANYTHING, Store};
use crate::stop::Stop;

/// Files up to this size are uploaded by one request. One could take 5 GB, but is lost as a whole.
const SINGLE_BYTES: u64 = 64 << 20;
/// Part size of a larger upload: 10,000 parts of it make 640 GB.
const PART_BYTES: u64 = 64 << 20;

impl Store {
    /// Uploads a file, unless there is an object of that name: then false. Errors: `Config` when
    /// the file cannot be read, `Interrupted` between the parts of a large one.
    pub async fn upload_new(&self, path: &Path, to: &S3Uri, stop: &Stop) -> Result<bool> {
        let cannot = || format!("{} cannot be read", path.display());
        let size = std::fs::metadata(path).context(Kind::Config, cannot())?.len();
        let doing = format!("uploading {}", path.display());
        let upload = Upload { store: self, path, to, stop, doing };
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
    stop: &'a Stop,
    doing: String,
}

impl Upload<'_> {
    async fn at_once(&self, size: u64) -> Result<bool> {
        let body = self.piece(0, size).await?;
        self.store.calls.count("PutObject");
        let put = self.store.client().put_object().bucket(&self.to.bucket).key(&self.to.key);
        match boxed(put.body(body).if_none_match(ANYTHING).send()).await {
            Ok(_) => Ok(true),
            Err(error) if failure::is_changed(&error) => Ok(false),
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
        let created = boxed(create.bucket(&self.to.bucket).key(&self.to.key).send()).await;
        let created = created.map_err(|error| failure::read_failure(&self.doing, error))?;
        let id = created.upload_id.unwrap_or_default();
        let done = self.parts(&id, size).await;
        // The parts of an upload that is neither completed nor aborted stay in the bucket.
        if !matches!(done, Ok(true)) {
            self.abort(&id).await;
        }
        done
    }

    async fn parts(&self, id: &str, size: u64) -> Result<bool> {
        let mut parts = Vec::new();
        for (number, start) in (1..).zip((0..size).step_by(PART_BYTES as usize)) {
            self.stop.check()?;
            let body = self.piece(start, PART_BYTES.min(size - start)).await?;
            self.store.calls.count("UploadPart");
            let part = self.store.client().upload_part().bucket(&self.to.bucket).key(&self.to.key);
            let part = boxed(part.upload_id(id).part_number(number).body(body).send()).await;
            let part = part.map_err(|error| failure::read_failure(&self.doing, error))?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(part.e_tag);
            parts.push(part.build());
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.store.calls.count("CompleteMultipartUpload");
        let complete = self.store.client().complete_multipart_upload().upload_id(id);
        let complete = complete.bucket(&self.to.bucket).key(&self.to.key).if_none_match(ANYTHING);
        match boxed(complete.multipart_upload(parts).send()).await {
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

    async fn abort(&self, id: &str) {
        self.store.calls.count("AbortMultipartUpload");
        let abort = self.store.client().abort_multipart_upload().upload_id(id);
        let aborted = boxed(abort.bucket(&self.to.bucket).key(&self.to.key).send()).await;
        if let Err(error) = aborted {
            let error = failure::read_failure(&self.doing, error);
            tracing::warn!(%error, "parts of an unfinished upload were left behind");
        }
    }
}
