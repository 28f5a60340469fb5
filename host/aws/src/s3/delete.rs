//! Deleting: an object that must be unchanged, or everything below a prefix.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::connect::boxed;
use crate::failure;
use crate::s3::store::{ObjectInfo, Store, replaced};

/// The most keys that one DeleteObjects takes.
const MAX_KEYS_PER_DELETE: usize = 1000;

impl Store {
    /// Deletes every object below a prefix and returns how many there were. Objects that are gone
    /// already count as deleted.
    pub async fn delete_all(&self, prefix: &S3Uri) -> Result<usize> {
        let keys = self.list(prefix).await?;
        for batch in keys.chunks(MAX_KEYS_PER_DELETE) {
            self.delete_batch(prefix, batch).await?;
        }
        Ok(keys.len())
    }

    // DeleteObjects succeeds even when it cannot delete some of the keys, and lists those in its
    // answer.
    async fn delete_batch(&self, prefix: &S3Uri, keys: &[String]) -> Result<()> {
        self.calls.count("DeleteObjects");
        let doing = format!("deleting below {prefix}");
        let delete = list_of(keys).context(Kind::Internal, &doing)?;
        let request = self.client().delete_objects().bucket(&prefix.bucket).delete(delete);
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

    /// Deletes an object. One that is gone already counts as deleted.
    pub async fn delete(&self, uri: &S3Uri) -> Result<()> {
        self.calls.count("DeleteObject");
        let request = self.client().delete_object().bucket(&uri.bucket).key(&uri.key);
        match boxed(request.send()).await {
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
        match boxed(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_changed(&error) => Err(replaced(uri)),
            Err(error) if failure::is_missing(&error) => Ok(()),
            Err(error) => Err(failure::read_failure(&format!("deleting {uri}"), error)),
        }
    }
}

fn list_of(keys: &[String]) -> std::result::Result<Delete, BuildError> {
    let identifiers = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
    let identifiers: Vec<ObjectIdentifier> = identifiers.collect::<std::result::Result<_, _>>()?;
    Delete::builder().set_objects(Some(identifiers)).quiet(true).build()
}
