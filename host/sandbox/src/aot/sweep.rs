//! Keeps the cache small: removes files that were not used for a month, and beyond a gigabyte the
//! files that were unused for the longest time.
//!
//! A plugin that is built anew, and a wasmtime that is upgraded, leave a file behind that no load
//! asks for again. Only files with the cache's own names are removed, and an error here never makes
//! a load fail.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const TOTAL_BYTES: u64 = 1 << 30;

/// The name of a file that is still being written begins with this.
pub(super) const UNFINISHED: &str = ".loader-unfinished-";

/// A file of the cache.
struct CacheFile {
    path: PathBuf,
    size_bytes: u64,
    used: SystemTime,
}

/// Notes that a file was used, by setting the time of its last change. Within a day of the last
/// note nothing is written.
pub(super) fn mark_used(file: &File, changed: SystemTime, now: SystemTime) {
    if now.duration_since(changed).is_ok_and(|age| age > DAY) {
        // This fails in a cache that is read-only. Once the cache is writable again, a file that is
        // in use may look unused and be removed; the plugin is then compiled again.
        let _ = file.set_modified(now);
    }
}

/// Removes files that are too old or too many. `fresh`, the file that was just written, stays even
/// if it is larger than the cache may be.
pub(super) fn sweep(dir: &Path, fresh: &Path, now: SystemTime) {
    let entries = match entries(dir) {
        Ok(entries) => entries,
        Err(error) => {
            tracing::debug!(dir = %dir.display(), error = %error, "plugin cache is not swept");
            return;
        }
    };
    for path in doomed(entries, fresh, now) {
        match fs::remove_file(&path) {
            Ok(()) => {
                tracing::debug!(path = %path.display(), "compiled plugin is unused and removed")
            }
            // Another run may have removed it first.
            Err(error) => {
                let path = path.display();
                tracing::debug!(%path, %error, "compiled plugin is not removed")
            }
        }
    }
}

/// The files to remove: files that were unused for too long, and then the longest unused of the
/// others, until the rest fits.
// Sorted and reversed, `fresh` comes first, then the latest used. Each file takes its size out of
// `room`. For example, behind a `fresh` of 300 MiB come files of 300, 500 and 1 MiB: the first
// stays, the second does not fit, and the third goes as well, since it is unused for longer.
fn doomed(mut entries: Vec<CacheFile>, fresh: &Path, now: SystemTime) -> Vec<PathBuf> {
    let mut room = TOTAL_BYTES;
    entries.sort_by_key(|entry| (entry.path == fresh, entry.used));
    let latest_first = entries.into_iter().rev();
    let goes = latest_first.filter(|CacheFile { path, size_bytes, used }| {
        let is_unused = now.duration_since(*used).is_ok_and(|age| age > UNUSED);
        let fits = room.checked_sub(*size_bytes);
        // No older file may stay in the place of a file that did not fit.
        room = fits.unwrap_or(0);
        path != fresh && (is_unused || fits.is_none())
    });
    goes.map(|entry| entry.path).collect()
}

fn entries(dir: &Path) -> io::Result<Vec<CacheFile>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // The metadata of a link are those of the link itself, so links are never removed.
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() && is_ours(&entry.file_name().to_string_lossy()) {
            entries.push(CacheFile {
                path: entry.path(),
                size_bytes: metadata.len(),
                used: metadata.modified()?,
            });
        }
    }
    Ok(entries)
}

/// Whether the name is one of the cache: `<digest of the plugin>-<digest of the compiler>.cwasm`,
/// or that of an unfinished file, which a killed run leaves behind.
fn is_ours(name: &str) -> bool {
    let is_digest = |text: &str, digits: usize| {
        text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let digests = name.strip_suffix(".cwasm").and_then(|stem| stem.split_once('-'));
    name.starts_with(UNFINISHED)
        || digests
            .is_some_and(|(plugin, compiler)| is_digest(plugin, 64) && is_digest(compiler, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &Path, name: &str, age: Duration) -> PathBuf {
        let path = dir.join(name);
        let file = File::create(&path).unwrap();
        file.set_modified(now() - age).unwrap();
        path
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + 1_000 * DAY
    }

    fn name(digit: char) -> String {
        format!("{}-{}.cwasm", digit.to_string().repeat(64), "0".repeat(16))
    }

    #[test]
    fn what_nobody_used_for_a_month_goes_and_only_if_it_is_ours() {
        let dir = tempfile::tempdir().unwrap();
        let (old, young) = (31 * DAY, 29 * DAY);
        let fresh = file(dir.path(), &name('f'), old);
        let gone = [name('a'), format!("{UNFINISHED}x")].map(|name| file(dir.path(), &name, old));
        let others = ["notes.cwasm", "abc-0123456789abcdef.cwasm", "old.txt"]
            .map(|name| file(dir.path(), name, old));
        let used = file(dir.path(), &name('b'), young);
        fs::create_dir(dir.path().join(name('c'))).unwrap();
        std::os::unix::fs::symlink(&others[0], dir.path().join(name('d'))).unwrap();
        sweep(dir.path(), &fresh, now());
        assert!(gone.iter().all(|path| !path.exists()));
        let kept = others.iter().chain([&fresh, &used]);
        assert!(kept.into_iter().all(|path| path.exists()));
        assert!(dir.path().join(name('c')).is_dir() && dir.path().join(name('d')).is_symlink());
    }

    #[test]
    fn the_longest_unused_go_until_the_rest_fits() {
        let entry = |name: &str, megabytes: u64, days: u32| CacheFile {
            path: name.into(),
            size_bytes: megabytes << 20,
            used: now() - days * DAY,
        };
        let gone = |entries: Vec<CacheFile>| {
            let gone = doomed(entries, Path::new("fresh"), now());
            gone.iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        let entries = || {
            vec![
                entry("third", 300, 3),
                entry("fresh", 300, 9),
                entry("first", 1, 5),
                entry("second", 500, 4),
            ]
        };
        assert_eq!(gone(entries()), ["second", "first"]);
        assert_eq!(gone(vec![entry("fresh", 5000, 0), entry("other", 1, 1)]), ["other"]);
        assert_eq!(gone(vec![entry("fresh", 1, 0), entry("other", 1000, 30)]), [""; 0]);
        // A clock that was set back makes no file old.
        assert_eq!(
            gone(vec![CacheFile { used: now() + 90 * DAY, ..entry("later", 1, 0) }]),
            [""; 0]
        );
    }

    #[test]
    fn use_is_noted_once_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let changed = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        for (age, noted) in [(Duration::from_secs(60), false), (2 * DAY, true)] {
            let path = file(dir.path(), &name('a'), age);
            mark_used(&File::open(&path).unwrap(), changed(&path), now());
            assert_eq!(changed(&path) == now(), noted, "{age:?}");
        }
    }
}
