//! Writing: small objects from memory, staged parts from files.

use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use loader_model::error::{Context, Kind, Result};
use loader_model::names::S3Uri;

use crate::connect::boxed;
use crate::failure;
use crate::s3::store::Store;

impl Store {
    /// Writes a small object.
    pub async fn write(&self, uri: &S3Uri, content: Vec<u8>) -> Result<()> {
        self.put(uri, ByteStream::from(content)).await.map(drop)
    }

    /// Writes a file of at most 5 GB as one object, and returns its size in bytes.
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
        let request = self.client().put_object().bucket(&uri.bucket).key(&uri.key).body(body);
        boxed(request.send())
            .await
            .map(drop)
            .map_err(|error| failure::read_failure(&format!("writing {uri}"), error))
    }
}
