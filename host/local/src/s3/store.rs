//! Objects with their attributes: files in bucket folders, and for each a record in
//! `DIR/.loader/s3` of what a file cannot hold. In and out: plain values, no HTTP. Blocks, so it is
//! called on blocking threads.
//!
//! A record counts only while the file has the size and time that it names; a file that was
//! replaced by hand has lost it, and its ETag is the MD5 of what is there now. Changes happen under
//! one lock, so conditions and changes are one step.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::{S3Result, s3_error};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::conditions::{Conditions, Current};
use super::digest::{hex, md5_of};
use super::failure::{cannot_place, internal, no_such_key, not_a_path};
use super::records::{Attributes, Record, Records};
use crate::objects::Objects;

/// A file changed this recently may change again without a new time, so what we compute from it is
/// not kept.
const SETTLED: Duration = Duration::from_millis(100);
/// The same where times seem to be kept in whole seconds.
const SETTLED_COARSE: Duration = Duration::from_secs(3);

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

impl Found {
    fn of(
        file: File,
        metadata: &Metadata,
        etag: String,
        attributes: Attributes,
    ) -> io::Result<Found> {
        let modified = metadata.modified()?;
        Ok(Found { file: Some(file), size_bytes: metadata.len(), modified, etag, attributes })
    }

    /// What conditions are about.
    pub(crate) fn current(&self) -> Current<'_> {
        Current { etag: &self.etag, modified: self.modified, size_bytes: self.size_bytes }
    }
}

/// The objects of one DIR with their attributes.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) objects: Objects,
    records: Records,
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
            records: Records { dir: home.join("records") },
            folders: home.join("folders"),
            temporary: home.join("temporary"),
            uploads: home.join("uploads"),
            changes: Mutex::new(()),
        };
        if store.temporary.exists() {
            fs::remove_dir_all(&store.temporary)?;
        }
        for dir in [&store.records.dir, &store.folders, &store.temporary, &store.uploads] {
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

    /// Puts a finished file in the object's place, if the conditions hold; a reader sees the old
    /// object or the new one, whole.
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
        let path = self.place(&bucket_dir, at, content)?;
        let metadata = fs::metadata(&path).map_err(internal)?;
        self.record(at, &metadata, etag, attributes).map_err(internal)
    }

    /// Makes a directory entry of a finished file, or the folder of a key that ends in a slash.
    fn place(
        &self,
        bucket_dir: &Path,
        (bucket, key): (&str, &str),
        content: TempPath,
    ) -> S3Result<PathBuf> {
        let folder = key.strip_suffix('/');
        let path = self.objects.object_path(bucket, folder.unwrap_or(key));
        let path = path.ok_or_else(|| not_a_path(key))?;
        let parent = if folder.is_some() { Some(path.as_path()) } else { path.parent() };
        if let Some(parent) = parent {
            self.make_folders(bucket_dir, parent).map_err(|error| cannot_place(key, error))?;
        }
        if folder.is_none() {
            content.persist(&path).map_err(|error| cannot_place(key, error.error))?;
        }
        Ok(path)
    }

    /// Deletes the object, if the conditions hold, and the folders that were made for it. One that
    /// is not there is deleted already.
    pub(crate) fn delete(&self, bucket: &str, key: &str, when: &Conditions) -> S3Result<()> {
        let bucket_dir = self.need_bucket(bucket)?;
        let changing = self.lock();
        self.check(bucket, key, when, &changing)?;
        let folder = key.strip_suffix('/');
        let Some(path) = self.objects.object_path(bucket, folder.unwrap_or(key)) else {
            return Ok(());
        };
        // A folder itself goes with the folders above it, when nothing else needs it.
        let mut emptied = path.as_path();
        if folder.is_none() {
            if !path.is_file() && !path.is_symlink() {
                return Ok(());
            }
            remove_if_there(&path).map_err(internal)?;
            emptied = path.parent().unwrap_or(&bucket_dir);
        }
        remove_if_there(&self.records.path(bucket, key)).map_err(internal)?;
        self.prune(bucket, &bucket_dir, emptied);
        Ok(())
    }

    /// The ETag of an object in a listing; `None` when it went away meanwhile.
    pub(crate) fn etag(&self, bucket: &str, key: &str) -> S3Result<Option<String>> {
        Ok(self.look(bucket, key, None)?.map(|found| found.etag))
    }

    /// Whether a folder was made as an object (`PUT in/`).
    pub(crate) fn is_marker(&self, bucket: &str, folder: &str) -> bool {
        self.records.path(bucket, folder).is_file()
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
        when.check_change(found.as_ref().map(Found::current))
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
        let Some(file) = open_if_there(&path).map_err(internal)? else { return Ok(None) };
        let metadata = file.metadata().map_err(internal)?;
        let record = self.records.read(bucket, key, &metadata);
        // A file that came by hand may be long; others need not wait while we read it.
        drop(guard);
        let (etag, attributes) = match record {
            Some(record) => (record.etag, record.attributes),
            None => {
                let unrecorded = Unrecorded { path: &path, file: &file, metadata: &metadata };
                let etag = self.hash((bucket, key), &unrecorded, changing).map_err(internal)?;
                (etag, Attributes::default())
            }
        };
        Found::of(file, &metadata, etag, attributes).map(Some).map_err(internal)
    }

    fn look_for_marker(&self, bucket: &str, key: &str, folder: &str) -> S3Result<Option<Found>> {
        let Some(path) = self.objects.object_path(bucket, folder).filter(|path| path.is_dir())
        else {
            return Ok(None);
        };
        let Some(record) = self.records.read_any(bucket, key) else { return Ok(None) };
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
        at: (&str, &str),
        found: &Unrecorded<'_>,
        changing: Option<&MutexGuard<'_, ()>>,
    ) -> io::Result<String> {
        let etag = hex(&md5_of(found.file)?);
        let _guard = changing.is_none().then(|| self.lock());
        if found.is_unchanged()? && is_settled(found.metadata.modified()?) {
            self.record(at, found.metadata, etag.clone(), Attributes::default())?;
        }
        Ok(etag)
    }

    fn record(
        &self,
        at: (&str, &str),
        metadata: &Metadata,
        etag: String,
        attributes: Attributes,
    ) -> io::Result<()> {
        let record = Record::of(at, metadata, etag, attributes)?;
        self.records.write(&record, self.temporary()?)
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

/// A file that came by hand, as it was before it was read.
struct Unrecorded<'a> {
    path: &'a Path,
    file: &'a File,
    metadata: &'a Metadata,
}

impl Unrecorded<'_> {
    /// Whether the file, and the path that led to it, are what they were.
    fn is_unchanged(&self) -> io::Result<bool> {
        let same = |now: &Metadata| {
            now.len() == self.metadata.len() && now.modified().ok() == self.metadata.modified().ok()
        };
        Ok(fs::metadata(self.path).is_ok_and(|now| same(&now)) && same(&self.file.metadata()?))
    }
}

/// Whether a file with this time would have another one if it had changed since.
fn is_settled(modified: SystemTime) -> bool {
    let coarse = modified.duration_since(UNIX_EPOCH).is_ok_and(|since| since.subsec_nanos() == 0);
    let settled = if coarse { SETTLED_COARSE } else { SETTLED };
    SystemTime::now().duration_since(modified).is_ok_and(|age| age > settled)
}

fn open_if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
