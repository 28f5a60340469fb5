//! What is stored where any machine can reach it, and the way there.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use loader_model::error::Result;
use loader_model::names::S3Uri;
use serde::{Deserialize, Serialize};

/// An object in the version that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct StoredObject {
    pub uri: S3Uri,
    pub etag: String,
    pub size_bytes: u64,
}

/// A part that was stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Part {
    pub uri: S3Uri,
    pub size_bytes: u64,
}

/// The way to what is stored. All of it blocks.
pub trait Access: Send + Sync {
    /// The bytes of an object from one place to another. Errors: `Transient`, also when the object
    /// was replaced.
    fn read(&self, object: &StoredObject, range: Range<u64>) -> Result<Box<dyn Read + Send>>;

    /// Stores a file of this machine. Errors: `Transient`.
    fn write(&self, path: &Path, to: &S3Uri) -> Result<u64>;
}
