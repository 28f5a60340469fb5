//! Deleting: an object that must be unchanged, or everything below a prefix.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::builders::ObjectIdentifierBuilder;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::failure;
use crate::s3::store::{ObjectInfo, Store, replaced};

/// The most keys that one DeleteObjects takes.
const MAX_KEYS_PER_DELETE: usize = 1000;

impl Store {
    /// Deletes every object below a prefix and returns how many there were. Objects that are gone
    /// already count as deleted.
    pub async fn delete_all(&self, prefix: &S3Uri) -> Result<usize> {
        let keys = self.list(prefix).await?;
        self.delete_keys(prefix, &keys).await.map(|()| keys.len())
    }

    /// Deletes objects below a prefix by their keys. An object that is gone already counts as
    /// deleted. Without a key there is no request.
    pub async fn delete_keys(&self, prefix: &S3Uri, keys: &[String]) -> Result<()> {
        let doing = format!("deleting below {prefix}");
        for batch in keys.chunks(MAX_KEYS_PER_DELETE) {
            let objects = batch.iter().map(|key| ObjectIdentifier::builder().key(key));
            if let Some(error) = self.delete_batch(&prefix.bucket, objects, &doing).await?.first() {
                return Err(not_deleted(error, &doing));
            }
        }
        Ok(())
    }

    /// Deletes those of the objects of one bucket that are as their `info` says. An object that is
    /// gone already counts as deleted. Returns for each other one why it is still there:
    /// `Transient` when it was written anew.
    pub async fn delete_all_unchanged(
        &self,
        bucket: &str,
        objects: &[(&S3Uri, &ObjectInfo)],
    ) -> Result<Vec<Error>> {
        let mut failures = Vec::new();
        for batch in objects.chunks(MAX_KEYS_PER_DELETE) {
            let doing = format!("deleting {} objects of s3://{bucket}", batch.len());
            let identified = batch
                .iter()
                .map(|(uri, info)| ObjectIdentifier::builder().key(&uri.key).e_tag(&info.etag));
            for error in self.delete_batch(bucket, identified, &doing).await? {
                match (error.code(), error.key()) {
                    (Some("NoSuchKey"), _) => {}
                    (Some("PreconditionFailed"), Some(key)) => {
                        failures.push(replaced(&S3Uri::new(bucket, key)));
                    }
                    _ => failures.push(not_deleted(&error, &doing)),
                }
            }
        }
        Ok(failures)
    }

    // DeleteObjects succeeds even when it cannot delete some of the keys, and lists those in its
    // answer.
    async fn delete_batch(
        &self,
        bucket: &str,
        objects: impl Iterator<Item = ObjectIdentifierBuilder>,
        doing: &str,
    ) -> Result<Vec<aws_sdk_s3::types::Error>> {
        self.calls.count("DeleteObjects");
        let delete = list_of(objects).context(Kind::Internal, doing)?;
        let request = self.client().delete_objects().bucket(bucket).delete(delete);
        let answer = self.sent(request.send()).await;
        let answer = answer.map_err(|error| failure::read_failure(doing, error))?;
        Ok(answer.errors.unwrap_or_default())
    }

    /// Deletes an object. One that is gone already counts as deleted.
    pub async fn delete(&self, uri: &S3Uri) -> Result<()> {
        self.calls.count("DeleteObject");
        let request = self.client().delete_object().bucket(&uri.bucket).key(&uri.key);
        match self.sent(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_missing(&error) => Ok(()),
            Err(error) => Err(failure::read_failure(&format!("deleting {uri}"), error)),
        }
    }

    /// Deletes the object that `info` describes. An object that is gone already counts as deleted.
    /// Errors: `Transient` when the object was written anew.
    pub async fn delete_unchanged(&self, uri: &S3Uri, info: &ObjectInfo) -> Result<()> {
        self.calls.count("DeleteObject");
        let request =
            self.client().delete_object().bucket(&uri.bucket).key(&uri.key).if_match(&info.etag);
        match self.sent(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_changed(&error) => Err(replaced(uri)),
            Err(error) if failure::is_missing(&error) => Ok(()),
            Err(error) => Err(failure::read_failure(&format!("deleting {uri}"), error)),
        }
    }
}

fn list_of(
    objects: impl Iterator<Item = ObjectIdentifierBuilder>,
) -> std::result::Result<Delete, BuildError> {
    let objects = objects.map(ObjectIdentifierBuilder::build);
    let objects: Vec<ObjectIdentifier> = objects.collect::<std::result::Result<_, _>>()?;
    Delete::builder().set_objects(Some(objects)).quiet(true).build()
}

fn not_deleted(error: &aws_sdk_s3::types::Error, doing: &str) -> Error {
    let code = error.code().unwrap_or("unknown");
    let fact = format!("{doing} failed for {}: {code}", error.key().unwrap_or("a key"));
    Error::new(Kind::Transient, fact)
}

#[cfg(test)]
mod tests;
