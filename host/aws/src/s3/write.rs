//! Writing: small objects from memory, staged parts from files.

use std::path::Path;

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use loader_model::error::{Context, Kind, Result};
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::mark::{MARK, Mark};
use crate::s3::store::{ANYTHING, Store};

impl Store {
    /// Writes a small object.
    pub async fn write(&self, uri: &S3Uri, content: impl Into<Bytes>) -> Result<()> {
        let content = content.into();
        let bytes = content.len() as u64;
        self.put(uri, ByteStream::from(content), bytes).await
    }

    /// The same under a name that is free. False: nothing is written, because an object has that
    /// name, or the store takes no such condition.
    pub async fn write_new(&self, uri: &S3Uri, content: impl Into<Bytes>) -> Result<bool> {
        let (content, mark) = (content.into(), Mark::new());
        let patience = self.patient(content.len() as u64);
        let put = self.put_request(uri, ByteStream::from(content)).if_none_match(ANYTHING);
        let put = put.metadata(MARK, &mark.0).customize().config_override(patience);
        match self.sent(put.send()).await {
            Ok(_) => Ok(true),
            Err(error) if failure::is_changed(&error) => self.is_marked(uri, &mark).await,
            Err(error) if failure::is_not_implemented(&error) => Ok(false),
            Err(error) => Err(failure::read_failure(&format!("writing {uri}"), error)),
        }
    }

    /// Writes a file of at most 5 GB as one object, and returns its size in bytes.
    pub async fn write_file(&self, uri: &S3Uri, path: &Path) -> Result<u64> {
        let body = ByteStream::from_path(path)
            .await
            .context(Kind::Internal, "a staged part cannot be read")?;
        let size =
            std::fs::metadata(path).context(Kind::Internal, "a staged part cannot be read")?.len();
        self.put(uri, body, size).await?;
        Ok(size)
    }

    async fn put(&self, uri: &S3Uri, body: ByteStream, bytes: u64) -> Result<()> {
        let put = self.put_request(uri, body).customize().config_override(self.patient(bytes));
        let written = self.sent(put.send()).await;
        written.map(drop).map_err(|error| failure::read_failure(&format!("writing {uri}"), error))
    }

    pub(super) fn put_request(&self, uri: &S3Uri, body: ByteStream) -> PutObjectFluentBuilder {
        self.calls.count("PutObject");
        self.client().put_object().bucket(&uri.bucket).key(&uri.key).body(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::fake::{on_runtime, refusal, scripted};

    fn written(answers: Vec<(&'static str, String)>, is_new: bool) -> String {
        let (uri, content) = (S3Uri::new("b", "k"), b"rows".to_vec());
        on_runtime(async {
            let (store, asked) = scripted(answers).await;
            let ended = match is_new {
                true => store.write_new(&uri, content).await,
                false => store.write(&uri, content).await.map(|()| true),
            };
            let ended =
                ended.map_or_else(|error| format!("{:?}", error.kind()), |done| done.to_string());
            let asked = asked.lock().unwrap().join(", ");
            format!("{asked}: {ended}")
        })
    }

    #[test]
    fn an_object_is_written_over_another_one_or_not() {
        let refused = |name, status, code| vec![(name, refusal(status, code))];
        assert_eq!(written(vec![], false), "PUT k: true");
        assert_eq!(written(refused("PUT k", 403, "AccessDenied"), false), "PUT k: Config");
        let free = "PUT k if free";
        assert_eq!(written(vec![], true), "PUT k if free: true");
        assert_eq!(
            written(refused(free, 412, "PreconditionFailed"), true),
            "PUT k if free, HEAD k: false"
        );
        assert_eq!(written(refused(free, 501, "NotImplemented"), true), "PUT k if free: false");
        assert_eq!(written(refused(free, 403, "AccessDenied"), true), "PUT k if free: Config");
    }

    #[test]
    fn a_file_is_as_long_as_what_is_written() {
        let path = std::env::temp_dir().join(format!("loader-write-{}", uuid::Uuid::now_v7()));
        std::fs::write(&path, b"12345").unwrap();
        let written = on_runtime(async {
            let (store, _) = scripted(Vec::new()).await;
            store.write_file(&S3Uri::new("b", "k"), &path).await.unwrap()
        });
        std::fs::remove_file(&path).unwrap();
        assert_eq!(written, 5);
    }
}
