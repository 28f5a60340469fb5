//! Objects with their attributes: files in bucket folders, each with a record in `DIR/.loader/s3`
//! of what a file cannot hold. In and out: plain values, no HTTP. All functions block, so callers
//! use blocking threads.
//!
//! A record counts only while the file has the size and time that it names. For example, when a
//! person copies another `orders.csv` over the object, its content type is forgotten, and its ETag
//! is the MD5 of the new bytes. Changes happen under one lock, so that checking the conditions and
//! making the change are one step.

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

/// How old a file's time must be before its digest is kept. A file that changed just now may change
/// again within the same tick of the file system's clock, and its time would not show that.
const SETTLED: Duration = Duration::from_millis(100);
/// The same on a file system that seems to keep times in whole seconds.
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

    /// The object as conditions see it.
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
    /// Opens the store, and removes the temporary files that a killed server has left.
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
        // Safe, because DIR has one server at a time (`server.lock`): no upload is under way in it.
        if store.temporary.exists() {
            fs::remove_dir_all(&store.temporary)?;
        }
        for dir in [&store.records.dir, &store.folders, &store.temporary, &store.uploads] {
            fs::create_dir_all(dir)?;
        }
        Ok(store)
    }

    /// A new file that is not an object yet, and vanishes when dropped.
    pub(crate) fn temporary(&self) -> io::Result<NamedTempFile> {
        use std::os::unix::fs::PermissionsExt;
        // It becomes the object, so other users may read it. Temporary files are private otherwise.
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

    /// Puts a finished file in the object's place, if the conditions hold. A reader sees the whole
    /// old object or the whole new one.
    // The body was received before, without the lock: a slow client must not hold up the others. A
    // server that is killed between the file and its record leaves the old record, whose size and
    // time do not fit the new file; so it does not count.
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

    /// Moves a finished file to the path of its key. For a key that ends in a slash, makes the
    /// folder instead.
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

    /// Deletes the object, if the conditions hold, and the folders that were made for it. Succeeds
    /// when there is no object.
    pub(crate) fn delete(&self, bucket: &str, key: &str, when: &Conditions) -> S3Result<()> {
        let bucket_dir = self.need_bucket(bucket)?;
        let changing = self.lock();
        self.check(bucket, key, when, &changing)?;
        let folder = key.strip_suffix('/');
        let Some(path) = self.objects.object_path(bucket, folder.unwrap_or(key)) else {
            return Ok(());
        };
        // For a folder, `prune` removes the folder itself, when no object lies in it any more.
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

    /// The ETag of an object in a listing; `None` when the object was deleted meanwhile.
    pub(crate) fn etag(&self, bucket: &str, key: &str) -> S3Result<Option<String>> {
        Ok(self.look(bucket, key, None)?.map(|found| found.etag))
    }

    /// Whether a client made the folder as an object, for example by `PUT in/`.
    pub(crate) fn is_marker(&self, bucket: &str, folder: &str) -> bool {
        self.records.path(bucket, folder).is_file()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data in memory, only the order of file operations. So a panic of its
        // holder leaves nothing half-changed behind it.
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

    /// The object, if there is one. `changing` is the lock, when the caller holds it already.
    // `put` replaces the file and then its record. Between the two, a reader would find the new
    // file without a record that fits, and answer its MD5 where a multipart ETag is due. So file
    // and record are read under the lock. A file without a record may be long, so the lock is
    // given back before it is digested.
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

    /// The MD5 of a file that has no record. It is kept as a record once the file has not changed
    /// for a while.
    // While the file was read, a client may have put an object in its place, with a record of its
    // own. So the file is compared again under the lock, and a record is written only when it is
    // the same.
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

    /// Makes the folders on the way to an object, and remembers that they are ours: they go with
    /// their last object. A folder that a person made stays when it is empty.
    // Remembered first: a server that is killed in between leaves a note about a folder that does
    // not exist, which is harmless. The other way round, the folder would stay for ever.
    fn make_folders(&self, bucket_dir: &Path, to: &Path) -> io::Result<()> {
        let missing = to.ancestors().take_while(|dir| dir.starts_with(bucket_dir) && !dir.exists());
        for dir in missing {
            File::create(self.folder_path(dir))?;
        }
        fs::create_dir_all(to)
    }

    /// Removes `from` and the folders above it, up to the first that has to stay.
    // `remove_dir` refuses a folder that is not empty. That is the test: looking first would miss a
    // file that a person copies into it at this moment.
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
        // Named by its path inside DIR, so that DIR can be moved.
        let dir = dir.strip_prefix(self.objects.root()).unwrap_or(dir);
        self.folders.join(hex(&Sha256::digest(dir.as_os_str().as_encoded_bytes())))
    }
}

/// A file without a record, as it was before its digest was computed.
struct Unrecorded<'a> {
    path: &'a Path,
    file: &'a File,
    metadata: &'a Metadata,
}

impl Unrecorded<'_> {
    /// Whether the file is unchanged, and its path still leads to it.
    fn is_unchanged(&self) -> io::Result<bool> {
        let same = |now: &Metadata| {
            now.len() == self.metadata.len() && now.modified().ok() == self.metadata.modified().ok()
        };
        Ok(fs::metadata(self.path).is_ok_and(|now| same(&now)) && same(&self.file.metadata()?))
    }
}

/// Whether a file with this time would have a later time if it had changed since.
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
