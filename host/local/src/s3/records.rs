//! What a file cannot hold of an object: its ETag, which is not always the MD5 of its bytes, and
//! the attributes that the client gave it, such as `Content-Type: text/csv`. Each object has one
//! JSON file in `DIR/.loader/s3/records`. In: bucket, key and the file's metadata; out: a
//! [`Record`], as long as the file has the size and time that the record names.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::digest::hex;

/// What S3 keeps with an object besides its bytes, as the client gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Checksums of the whole object by the name of their header, without `x-amz-checksum-`.
    pub(crate) checksums: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    bucket: String,
    key: String,
    size_bytes: u64,
    modified_ns: u64,
    pub(crate) etag: String,
    pub(crate) attributes: Attributes,
}

impl Record {
    pub(crate) fn of(
        (bucket, key): (&str, &str),
        metadata: &Metadata,
        etag: String,
        attributes: Attributes,
    ) -> io::Result<Record> {
        Ok(Record {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size_bytes: metadata.len(),
            modified_ns: modified_ns(metadata)?,
            etag,
            attributes,
        })
    }
}

/// The folder of records.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) dir: PathBuf,
}

impl Records {
    /// Writes a record in place of the one before. `file` is a new file on the same file system.
    pub(crate) fn write(&self, record: &Record, mut file: NamedTempFile) -> io::Result<()> {
        file.write_all(&serde_json::to_vec(record)?)?;
        file.persist(self.path(&record.bucket, &record.key))?;
        Ok(())
    }

    /// The record, if the file still has the size and time that it names.
    pub(crate) fn read(&self, bucket: &str, key: &str, metadata: &Metadata) -> Option<Record> {
        let record = self.read_any(bucket, key)?;
        let modified = modified_ns(metadata).ok()?;
        (record.size_bytes == metadata.len() && record.modified_ns == modified).then_some(record)
    }

    /// The record, also when the file has changed since. Folders need this, since their time
    /// changes with every file that is put into them.
    pub(crate) fn read_any(&self, bucket: &str, key: &str) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.path(bucket, key)).ok()?).ok()
    }

    /// Where the record is. Its name is a digest, since a key may be longer than a file's name.
    pub(crate) fn path(&self, bucket: &str, key: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{bucket}/{key}"));
        self.dir.join(hex(&digest) + ".json")
    }
}

fn modified_ns(metadata: &Metadata) -> io::Result<u64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
