//! Objects with their attributes: files in bucket folders, and for each a record in
//! `DIR/.loader/s3` of what a file cannot hold. In and out: plain values, no HTTP. Blocks, so it is
//! called on blocking threads.
//!
//! A record counts only while the file has the size and time that it names; a file that someone
//! replaced by hand has lost it, and its ETag is the MD5 of what is there now. Changes happen under
//! one lock, so conditions and changes are one step.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::crypto::{Checksum as _, Md5};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::conditions::{Conditions, Current};
use crate::objects::Objects;

pub(crate) const MD5_OF_NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// A file changed this recently may change again without a new time, so what we compute from it is
/// not kept.
const SETTLED: Duration = Duration::from_millis(100);
/// The same where times seem to be kept in whole seconds.
const SETTLED_COARSE: Duration = Duration::from_secs(3);

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
struct Record {
    bucket: String,
    key: String,
    size_bytes: u64,
    modified_ns: u64,
    etag: String,
    attributes: Attributes,
}

/// An object as it is at one moment. The file stays readable when the object is replaced or
/// deleted.
#[derive(Debug)]
pub(crate) struct Found {
    /// `None` for a folder marker, which has no bytes.
    pub(crate) file: Option<File>,
    pub(crate) size_bytes: u64,
    pub(crate) modified: SystemTime,
    pub(crate) etag: String,
    pub(crate) attributes: Attributes,
}

/// The objects of one DIR with their attributes.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) objects: Objects,
    records: PathBuf,
    folders: PathBuf,
    temporary: PathBuf,
    pub(crate) uploads: PathBuf,
    changes: Mutex<()>,
}

impl Store {
    /// Opens the store and removes what a killed server was writing.
    pub(crate) fn open(objects: Objects, state_dir: &Path) -> io::Result<Store> {
        let home = state_dir.join("s3");
        let store = Store {
            objects,
            records: home.join("records"),
            folders: home.join("folders"),
            temporary: home.join("temporary"),
            uploads: home.join("uploads"),
            changes: Mutex::new(()),
        };
        if store.temporary.exists() {
            fs::remove_dir_all(&store.temporary)?;
        }
        for dir in [&store.records, &store.folders, &store.temporary, &store.uploads] {
            fs::create_dir_all(dir)?;
        }
        Ok(store)
    }

    /// A new file that is no object and vanishes when dropped.
    pub(crate) fn temporary(&self) -> io::Result<NamedTempFile> {
        use std::os::unix::fs::PermissionsExt;
        // As a file that a person makes, not private as temporary files are: it becomes the object.
        tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(&self.temporary)
    }

    pub(crate) fn need_bucket(&self, bucket: &str) -> S3Result<PathBuf> {
        self.objects
            .bucket(bucket)
            .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }

    /// The object, or `NoSuchKey`.
    pub(crate) fn find(&self, bucket: &str, key: &str) -> S3Result<Found> {
        self.need_bucket(bucket)?;
        self.look(bucket, key, None)?.ok_or_else(no_such_key)
    }

    /// Puts a finished file in the object's place, if the conditions hold; whoever reads sees the
    /// old object or the new one, whole.
    pub(crate) fn put(
        &self,
        at: (&str, &str),
        content: TempPath,
        etag: String,
        attributes: Attributes,
        when: &Conditions,
    ) -> S3Result<()> {
        let (bucket, key) = at;
        let bucket_dir = self.need_bucket(bucket)?;
        let changing = self.lock();
        self.check(bucket, key, when, &changing)?;
        if let Some(folder) = key.strip_suffix('/') {
            let path = self.objects.object_path(bucket, folder).ok_or_else(|| not_a_path(key))?;
            self.make_folders(&bucket_dir, &path).map_err(|error| cannot_place(key, error))?;
            return self
                .record(bucket, key, &fs::metadata(&path).map_err(internal)?, etag, attributes)
                .map_err(internal);
        }
        let path = self.objects.object_path(bucket, key).ok_or_else(|| not_a_path(key))?;
        if let Some(parent) = path.parent() {
            self.make_folders(&bucket_dir, parent).map_err(|error| cannot_place(key, error))?;
        }
        content.persist(&path).map_err(|error| cannot_place(key, error.error))?;
        self.record(bucket, key, &fs::metadata(&path).map_err(internal)?, etag, attributes)
            .map_err(internal)
    }

    /// Deletes the object, if the conditions hold, and the folders that were made for it. One that
    /// is not there is deleted already.
    pub(crate) fn delete(&self, bucket: &str, key: &str, when: &Conditions) -> S3Result<()> {
        let bucket_dir = self.need_bucket(bucket)?;
        let changing = self.lock();
        self.check(bucket, key, when, &changing)?;
        let Some(path) = self.objects.object_path(bucket, key.strip_suffix('/').unwrap_or(key))
        else {
            return Ok(());
        };
        if key.ends_with('/') {
            // The folder itself goes below, when nothing else needs it.
            remove_if_there(&self.record_path(bucket, key)).map_err(internal)?;
            self.prune(bucket, &bucket_dir, &path);
        } else if path.is_file() || path.is_symlink() {
            remove_if_there(&path).map_err(internal)?;
            remove_if_there(&self.record_path(bucket, key)).map_err(internal)?;
            self.prune(bucket, &bucket_dir, path.parent().unwrap_or(&bucket_dir));
        }
        Ok(())
    }

    /// The ETag of an object in a listing; `None` when it went away meanwhile.
    pub(crate) fn etag(&self, bucket: &str, key: &str) -> S3Result<Option<String>> {
        Ok(self.look(bucket, key, None)?.map(|found| found.etag))
    }

    /// Whether a folder was made as an object (`PUT in/`).
    pub(crate) fn is_marker(&self, bucket: &str, folder: &str) -> bool {
        self.record_path(bucket, folder).is_file()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ()> {
        // Nothing is guarded but the order of file operations, so a panic elsewhere spoils nothing.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(
        &self,
        bucket: &str,
        key: &str,
        when: &Conditions,
        changing: &MutexGuard<'_, ()>,
    ) -> S3Result<()> {
        if when.is_empty() {
            return Ok(());
        }
        let found = self.look(bucket, key, Some(changing))?;
        when.check_change(found.as_ref().map(|found| Current {
            etag: &found.etag,
            modified: found.modified,
            size_bytes: found.size_bytes,
        }))
    }

    /// `changing`: the lock, when the caller has it.
    fn look(
        &self,
        bucket: &str,
        key: &str,
        changing: Option<&MutexGuard<'_, ()>>,
    ) -> S3Result<Option<Found>> {
        if let Some(folder) = key.strip_suffix('/') {
            return self.look_for_marker(bucket, key, folder);
        }
        let guard = changing.is_none().then(|| self.lock());
        let Some(path) = self.objects.path(bucket, key) else { return Ok(None) };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(internal(error)),
        };
        let metadata = file.metadata().map_err(internal)?;
        let record = self.read_record(bucket, key, &metadata);
        // A file that came by hand may be long; others need not wait while we read it.
        drop(guard);
        let (etag, attributes) = match record {
            Some(record) => (record.etag, record.attributes),
            None => (
                self.hash(bucket, key, &path, &file, &metadata, changing).map_err(internal)?,
                Attributes::default(),
            ),
        };
        let modified = metadata.modified().map_err(internal)?;
        Ok(Some(Found { file: Some(file), size_bytes: metadata.len(), modified, etag, attributes }))
    }

    fn look_for_marker(&self, bucket: &str, key: &str, folder: &str) -> S3Result<Option<Found>> {
        let Some(path) = self.objects.object_path(bucket, folder).filter(|path| path.is_dir())
        else {
            return Ok(None);
        };
        let Some(record) = self.any_record(bucket, key) else { return Ok(None) };
        let modified =
            fs::metadata(&path).and_then(|metadata| metadata.modified()).map_err(internal)?;
        Ok(Some(Found {
            file: None,
            size_bytes: 0,
            modified,
            etag: record.etag,
            attributes: record.attributes,
        }))
    }

    /// The MD5 of a file that has no record. Kept as a record when the file has been quiet for a
    /// while.
    fn hash(
        &self,
        bucket: &str,
        key: &str,
        path: &Path,
        file: &File,
        before: &Metadata,
        changing: Option<&MutexGuard<'_, ()>>,
    ) -> io::Result<String> {
        let etag = hex(&md5_of(file)?);
        let _guard = changing.is_none().then(|| self.lock());
        let now = fs::metadata(path);
        let unchanged = now.is_ok_and(|now| same(&now, before)) && same(&file.metadata()?, before);
        let modified = before.modified()?;
        let coarse =
            modified.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
        let settled = if coarse { SETTLED_COARSE } else { SETTLED };
        let settled = SystemTime::now().duration_since(modified).is_ok_and(|age| age > settled);
        if unchanged && settled {
            self.record(bucket, key, before, etag.clone(), Attributes::default())?;
        }
        Ok(etag)
    }

    fn record(
        &self,
        bucket: &str,
        key: &str,
        metadata: &Metadata,
        etag: String,
        attributes: Attributes,
    ) -> io::Result<()> {
        let record = Record {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            size_bytes: metadata.len(),
            modified_ns: modified_ns(metadata)?,
            etag,
            attributes,
        };
        let mut file = self.temporary()?;
        file.write_all(&serde_json::to_vec(&record)?)?;
        file.persist(self.record_path(bucket, key))?;
        Ok(())
    }

    fn read_record(&self, bucket: &str, key: &str, metadata: &Metadata) -> Option<Record> {
        let record = self.any_record(bucket, key)?;
        let modified = modified_ns(metadata).ok()?;
        (record.size_bytes == metadata.len() && record.modified_ns == modified).then_some(record)
    }

    fn any_record(&self, bucket: &str, key: &str) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.record_path(bucket, key)).ok()?).ok()
    }

    /// Keys may be longer than file names, so records are named by a digest.
    fn record_path(&self, bucket: &str, key: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{bucket}/{key}"));
        self.records.join(hex(&digest) + ".json")
    }

    /// Makes the folders on the way to an object, and remembers them: they go with their last
    /// object. Those that a person made stay, to put files into.
    fn make_folders(&self, bucket_dir: &Path, to: &Path) -> io::Result<()> {
        let missing = to.ancestors().take_while(|dir| dir.starts_with(bucket_dir) && !dir.exists());
        for dir in missing {
            File::create(self.folder_path(dir))?;
        }
        fs::create_dir_all(to)
    }

    fn prune(&self, bucket: &str, bucket_dir: &Path, from: &Path) {
        for dir in
            from.ancestors().take_while(|dir| dir.starts_with(bucket_dir) && *dir != bucket_dir)
        {
            let marker =
                dir.strip_prefix(bucket_dir).map(|folder| format!("{}/", folder.display()));
            let is_marker = marker.is_ok_and(|marker| self.is_marker(bucket, &marker));
            let ours = self.folder_path(dir);
            if is_marker
                || !ours.exists()
                || fs::remove_dir(dir).is_err()
                || fs::remove_file(ours).is_err()
            {
                return;
            }
        }
    }

    fn folder_path(&self, dir: &Path) -> PathBuf {
        // By its place in DIR, so that DIR can be moved.
        let dir = dir.strip_prefix(self.objects.root()).unwrap_or(dir);
        self.folders.join(hex(&Sha256::digest(dir.as_os_str().as_encoded_bytes())))
    }
}

/// For `map_err`: what the file system refuses is ours to mend, not the client's.
pub(crate) fn internal(error: io::Error) -> S3Error {
    S3Error::internal_error(error)
}

pub(crate) fn no_such_key() -> S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn not_a_path(key: &str) -> S3Error {
    s3_error!(
        InvalidRequest,
        "this S3 keeps objects as files, and the key `{key}` cannot be the path of a file"
    )
}

fn cannot_place(key: &str, error: io::Error) -> S3Error {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    match error.kind() {
        AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory => s3_error!(
            InvalidRequest,
            "this S3 keeps objects as files, and the key `{key}` is in the way of another: one \
             would be a file and a folder"
        ),
        _ => internal(error),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn same(a: &Metadata, b: &Metadata) -> bool {
    a.len() == b.len() && a.modified().ok() == b.modified().ok()
}

fn modified_ns(metadata: &Metadata) -> io::Result<u64> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The MD5 of the rest of a file.
pub(crate) fn md5_of(mut file: &File) -> io::Result<[u8; 16]> {
    let mut md5 = Md5::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(md5.finalize()),
            n => md5.update(&buffer[..n]),
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
