//! Objects as files: the bucket `b` is the folder `DIR/b`, and its object `k` the file `DIR/b/k`.
//! In: bucket names and keys; out: paths inside DIR, and sorted listings. The S3 server and COPY
//! use it; it knows no ETags and no attributes (see `s3::store`). The layers above keep their own
//! files in `DIR/.loader`, so every file in a bucket folder is an object, also a file that a person
//! made.
//!
//! A symbolic link may lead from one bucket to another. One that leads out of the buckets (into the
//! rest of the disk, to DIR itself, into `DIR/.loader`) leads nowhere: nothing is read, written or
//! deleted through it.

mod regions;

use std::fs::{self, DirEntry, FileType};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use loader_attach::STATE_DIR;

use regions::Regions;

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectEntry {
    pub(crate) key: String,
    pub(crate) size_bytes: u64,
    pub(crate) modified: SystemTime,
}

/// The buckets of one DIR. The root is canonical.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    root: PathBuf,
    regions: Regions,
}

impl Objects {
    /// Opens the buckets under `root`, which must exist.
    pub(crate) fn open(root: &Path) -> io::Result<Objects> {
        let root = root.canonicalize()?;
        Ok(Objects { regions: Regions::of(&root), root })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of a bucket that exists.
    pub(crate) fn bucket(&self, bucket: &str) -> Option<PathBuf> {
        let path = self.bucket_path(bucket)?;
        let real = path.canonicalize().ok()?;
        (real.is_dir() && self.may_serve(&real)).then_some(path)
    }

    /// The Region of a bucket that exists.
    pub(crate) fn region(&self, bucket: &str) -> Option<String> {
        self.bucket(bucket).map(|_| self.regions.get(bucket))
    }

    /// Makes a bucket in a Region. Errors: the name is one that no bucket can have.
    pub(crate) fn make_bucket(&self, bucket: &str, region: &str) -> io::Result<()> {
        let path = self.bucket_path(bucket).ok_or(io::ErrorKind::InvalidInput)?;
        // The Region first: nobody must find the bucket in another one in between.
        self.regions.set(bucket, region)?;
        fs::create_dir_all(path)
    }

    /// Removes a bucket and everything that is left in its folder.
    pub(crate) fn remove_bucket(&self, bucket: &str) -> io::Result<()> {
        let path = self.bucket_path(bucket).ok_or(io::ErrorKind::InvalidInput)?;
        fs::remove_dir_all(path)?;
        self.regions.forget(bucket)
    }

    /// Where the bucket's folder is or would be; `None` when no bucket can have this name, such as
    /// `.loader`.
    pub(crate) fn bucket_path(&self, bucket: &str) -> Option<PathBuf> {
        let plain =
            !bucket.is_empty() && !bucket.starts_with('.') && !bucket.contains(['/', '\\', '\0']);
        plain.then(|| self.root.join(bucket))
    }

    /// The names of all buckets, sorted.
    pub(crate) fn buckets(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            if let Ok(name) = entry?.file_name().into_string()
                && self.bucket(&name).is_some()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The objects whose keys start with `prefix`, sorted by the bytes of their keys as S3 does;
    /// none when the bucket does not exist.
    ///
    /// A prefix is text and need not end at a folder. For example, `data/x.csv` finds
    /// `data/x.csv.1` too.
    // Sorted at the end and not folder by folder: `a.csv` comes before `a/x`, as `.` is below `/`.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> io::Result<Vec<ObjectEntry>> {
        let mut entries = Vec::new();
        self.walk(bucket, prefix, &mut |entry| entries.push(entry), &mut |_| {})?;
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }

    /// The folders whose keys (with a slash at the end) start with `prefix`, unsorted.
    pub(crate) fn folders(&self, bucket: &str, prefix: &str) -> io::Result<Vec<String>> {
        let mut folders = Vec::new();
        self.walk(bucket, prefix, &mut |_| {}, &mut |folder| folders.push(folder))?;
        Ok(folders)
    }

    /// The file of an object that exists: a regular file inside the root.
    pub(crate) fn path(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        self.bucket(bucket)?;
        let path = self.object_path(bucket, key)?;
        let real = path.canonicalize().ok()?;
        (real.is_file() && self.may_serve(&real)).then_some(path)
    }

    /// Where the object's file is or would be; `None` when the key cannot be a file name (`a//b`,
    /// `../b`, a trailing slash), and when a link on the way leads out of the buckets.
    pub(crate) fn object_path(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        let plain = |segment: &str| {
            !segment.is_empty() && segment != "." && segment != ".." && segment.len() <= 255
        };
        if key.contains('\0') || !key.split('/').all(plain) {
            return None;
        }
        // The same again by the system's own rules for paths, should ours have a gap.
        let relative = Path::new(key);
        relative.components().all(|part| matches!(part, Component::Normal(_))).then_some(())?;
        let path = self.bucket_path(bucket)?.join(relative);
        // The part of the path that exists already says where the rest will be made.
        let found = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
        let (part, real) = found?;
        (part == self.root || self.may_serve(&real)).then_some(path)
    }

    /// Whether a path without links is that of a bucket, or inside one.
    fn may_serve(&self, real: &Path) -> bool {
        real != self.root
            && real.starts_with(&self.root)
            && !real.starts_with(self.root.join(STATE_DIR))
    }

    // Starts at the last folder of the prefix, for example at `in/` for `in/2024-`. A folder's key
    // ends in a slash, so one comparison serves files and folders: it takes the file
    // `in/2024-01.csv`, walks the folder `in/2024-02/`, and leaves `in/2023/` alone.
    fn walk(
        &self,
        bucket: &str,
        prefix: &str,
        on_object: &mut dyn FnMut(ObjectEntry),
        on_folder: &mut dyn FnMut(String),
    ) -> io::Result<()> {
        let base = prefix.rfind('/').map_or("", |at| &prefix[..=at]);
        let Some(start) = self.folder(bucket, base) else { return Ok(()) };
        if !base.is_empty() && base.len() == prefix.len() {
            on_folder(base.to_owned());
        }
        let mut pending = vec![(start, base.to_owned())];
        while let Some((dir, key_base)) = pending.pop() {
            for entry in entries(&dir)? {
                let Some((key, kind)) = key_and_kind(&entry, &key_base) else { continue };
                if !key.starts_with(prefix) {
                    continue;
                }
                if kind.is_dir() {
                    on_folder(key.clone());
                    pending.push((entry.path(), key));
                } else if let Some(found) = self.entry(&entry.path(), kind.is_symlink(), key) {
                    on_object(found);
                }
            }
        }
        Ok(())
    }

    /// The folder of the objects whose keys start with `base`, which is empty or ends in a slash.
    /// `None` when no folder can have this path (`a//b/`, `../`): then no object has the prefix.
    fn folder(&self, bucket: &str, base: &str) -> Option<PathBuf> {
        let bucket_dir = self.bucket(bucket)?;
        let path = match base.strip_suffix('/') {
            None => bucket_dir,
            Some(folder) => self.object_path(bucket, folder)?,
        };
        let real = path.canonicalize().ok()?;
        (real.is_dir() && self.may_serve(&real)).then_some(path)
    }

    fn entry(&self, path: &Path, is_link: bool, key: String) -> Option<ObjectEntry> {
        if is_link && !path.canonicalize().is_ok_and(|real| self.may_serve(&real)) {
            return None;
        }
        let metadata = fs::metadata(path).ok()?;
        let modified = metadata.modified().ok()?;
        metadata.is_file().then_some(ObjectEntry { key, size_bytes: metadata.len(), modified })
    }
}

/// The entries of a folder; none when the folder was deleted during the walk.
fn entries(dir: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The key of a file, or of a folder with a slash at its end; `None` for a name that is not UTF-8.
fn key_and_kind(entry: &DirEntry, base: &str) -> Option<(String, FileType)> {
    let name = entry.file_name().into_string().ok()?;
    let kind = entry.file_type().ok()?;
    let slash = if kind.is_dir() { "/" } else { "" };
    Some((format!("{base}{name}{slash}"), kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket_with(files: &[&str]) -> (tempfile::TempDir, Objects) {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let objects = Objects::open(dir.path()).unwrap();
        (dir, objects)
    }

    fn keys(objects: &Objects, prefix: &str) -> Vec<String> {
        objects.list("b", prefix).unwrap().into_iter().map(|entry| entry.key).collect()
    }

    #[test]
    fn lists_by_bytes_of_the_key_and_not_by_folder() {
        let (_dir, objects) = bucket_with(&["b/a/x", "b/a.csv", "b/a/b/c", "b/A", "other/a"]);
        assert_eq!(keys(&objects, ""), ["A", "a.csv", "a/b/c", "a/x"]);
        assert_eq!(keys(&objects, "a"), ["a.csv", "a/b/c", "a/x"]);
        assert_eq!(keys(&objects, "a/"), ["a/b/c", "a/x"]);
        assert_eq!(keys(&objects, "a/b"), ["a/b/c"]);
        assert_eq!(objects.buckets().unwrap(), ["b", "other"]);
    }

    #[test]
    fn a_prefix_is_not_a_folder() {
        let (_dir, objects) =
            bucket_with(&["b/in/x.csv", "b/in/x.csv.1", "b/in/x.csvs/y", "b/in/y.csv"]);
        assert_eq!(keys(&objects, "in/x.csv"), ["in/x.csv", "in/x.csv.1", "in/x.csvs/y"]);
        assert_eq!(keys(&objects, "in/x.csv.1/"), [""; 0]);
    }

    #[test]
    fn nothing_outside_the_buckets_is_an_object() {
        let (dir, objects) = bucket_with(&["b/in/x", ".loader/secret", "loose"]);
        for key in [
            "../.loader/secret",
            "in/../in/x",
            "./in/x",
            "in//x",
            "/in/x",
            "in/",
            "in",
            "",
            "in/x\0",
        ] {
            assert_eq!(objects.path("b", key), None, "{key}");
        }
        assert_eq!(objects.path(".loader", "secret"), None);
        assert_eq!(objects.path("..", "x"), None);
        assert!(objects.path("b", "in/x").is_some());
        assert_eq!(objects.buckets().unwrap(), ["b"]);

        std::os::unix::fs::symlink(dir.path().join(".loader/secret"), dir.path().join("b/leak"))
            .unwrap();
        std::os::unix::fs::symlink("/etc/hostname", dir.path().join("b/host")).unwrap();
        std::os::unix::fs::symlink("in/x", dir.path().join("b/again")).unwrap();
        assert_eq!(keys(&objects, ""), ["again", "in/x"]);
        assert_eq!(objects.path("b", "leak"), None);
        assert_eq!(objects.path("b", "host"), None);
        assert!(objects.path("b", "again").is_some());
    }

    #[test]
    fn a_link_out_of_the_buckets_leads_nowhere() {
        let (dir, objects) = bucket_with(&["b/in/x", "c/y", ".loader/secret"]);
        let link = |to: &str, from: &str| {
            std::os::unix::fs::symlink(to, dir.path().join(from)).unwrap();
        };
        for (to, from) in [("/tmp", "out"), ("..", "above"), (".", "all"), (".loader", "state")] {
            link(to, from);
            assert_eq!(objects.bucket(from), None, "{from}");
            assert_eq!(objects.object_path(from, "x"), None, "{from}");
        }
        for (to, from) in [("/tmp", "b/out"), ("../.loader", "b/state"), ("..", "b/all")] {
            link(to, from);
            let folder = from.strip_prefix("b/").unwrap();
            for key in [folder.to_owned(), format!("{folder}/x"), format!("{folder}/deep/x")] {
                assert_eq!(objects.object_path("b", &key), None, "{key}");
            }
        }
        link("../c", "b/other");
        link("c", "d");
        assert!(objects.path("b", "other/y").is_some());
        assert!(objects.path("d", "y").is_some());
        assert_eq!(objects.object_path("d", "new/z"), Some(objects.root().join("d/new/z")));
        assert_eq!(objects.buckets().unwrap(), ["b", "c", "d"]);
        // A bucket that does not exist yet.
        assert_eq!(objects.object_path("e", "z"), Some(objects.root().join("e/z")));
    }
}
