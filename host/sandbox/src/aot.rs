//! Compiled plugins on disk, so that a load does not wait for the compiler each time.
//!
//! A compiled plugin is native code, and a forged one could do all that this program can. So the
//! directory must belong to this user alone, and a file is used only when its own hash is right.
//! When something is wrong with the cache, the plugin is compiled again: the cache never makes a
//! load fail.

mod sweep;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::digest::hex;

/// Changes when the layout of a cache file does: magic, SHA-256 of the payload, payload.
const MAGIC: &[u8; 16] = b"loader-aot-v1\0\0\0";
const HEADER_BYTES: usize = MAGIC.len() + 32;

/// A directory of compiled plugins, checked when it was opened.
#[derive(Debug)]
pub(crate) struct AotCache {
    dir: PathBuf,
}

impl AotCache {
    /// Makes the directory when it is missing. `Err` says why it cannot be trusted or used.
    // The mode holds only for a directory that is made here. An older directory may have any mode
    // and any owner, and so is checked. `symlink_metadata` looks at a link, not at its target.
    pub(crate) fn open(dir: PathBuf) -> Result<AotCache, String> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(|error| format!("cannot be made: {error}"))?;
        let metadata = fs::symlink_metadata(&dir).map_err(|error| error.to_string())?;
        if metadata.is_symlink() {
            return Err("is a symbolic link".into());
        }
        owned_by_us_alone(&metadata)?;
        Ok(AotCache { dir })
    }

    /// The compiled form of the plugin with this digest, when the cache has a sound file of it.
    pub(crate) fn load(&self, engine: &Engine, sha256: &str) -> Option<Component> {
        let path = self.path(engine, sha256);
        let loaded = read_sound(&path)
            .and_then(|file| deserialize(engine, &file[HEADER_BYTES..]).map_err(io::Error::other));
        match loaded {
            Ok(component) => Some(component),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(
                    path = %path.display(), error = error.to_string(),
                    "compiled plugin is not usable, compiling again"
                );
                None
            }
        }
    }

    /// Keeps a compiled plugin, and removes compiled plugins that are no longer used. A plugin that
    /// cannot be kept is only a warning.
    pub(crate) fn store(&self, engine: &Engine, sha256: &str, component: &Component) {
        let path = self.path(engine, sha256);
        let stored = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|payload| self.write(&path, &payload));
        match stored {
            Ok(()) => sweep::sweep(&self.dir, &path, SystemTime::now()),
            Err(error) => tracing::warn!(
                path = %path.display(), error = error.to_string(),
                "compiled plugin could not be kept"
            ),
        }
    }

    /// Writes a file beside the final place and renames it, so that a file is complete or missing.
    // The order makes this hold after a power cut too: the content is synced before the rename, and
    // the directory after it. The temporary file is in the same directory, because a rename across
    // file systems fails.
    fn write(&self, path: &Path, payload: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(sweep::UNFINISHED).tempfile_in(&self.dir)?;
        file.write_all(MAGIC)?;
        file.write_all(&Sha256::digest(payload))?;
        file.write_all(payload)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(&self.dir)?.sync_all()
    }

    /// The file of a plugin. Each version, target and set of settings of the compiler has its own:
    /// for example, an upgrade of wasmtime finds no file and compiles anew.
    fn path(&self, engine: &Engine, sha256: &str) -> PathBuf {
        let mut hasher = ShaHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = hex(&hasher.0.finalize()[..8]);
        self.dir.join(format!("{sha256}-{compatibility}.cwasm"))
    }
}

#[expect(
    unsafe_code,
    reason = "wasmtime cannot check native code; the SAFETY comment says who may have written it"
)]
fn deserialize(engine: &Engine, payload: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes must be what `Component::serialize` gave. They came from a file that this
    // user alone may write, in a directory that this user alone may write (`owned_by_us_alone`, on
    // the opened file), so an attacker who could forge them could as well replace this program. The
    // bytes are in our own memory, where no other program changes them. The hash in front of them
    // (`read_sound`) catches rot and half-written files. wasmtime itself refuses other versions,
    // targets and settings. A user's plugin file never comes here: it is always compiled.
    unsafe { Component::deserialize(engine, payload) }
}

/// Reads a cache file that no other user can write and that is as it was written. The payload
/// begins at [`HEADER_BYTES`].
// Owner and mode are those of the opened file, not of the path, which another file could replace in
// between. The hash is computed over the bytes in memory, which are then run: a second read could
// give other bytes.
fn read_sound(path: &Path) -> io::Result<Vec<u8>> {
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let mut file = OpenOptions::new().read(true).custom_flags(no_follow).open(path)?;
    let metadata = file.metadata()?;
    owned_by_us_alone(&metadata).map_err(io::Error::other)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.read_to_end(&mut bytes)?;
    if !is_sound(&bytes) {
        return Err(io::Error::other("damaged: its hash is not that of its content"));
    }
    sweep::mark_used(&file, metadata.modified()?, SystemTime::now());
    Ok(bytes)
}

fn is_sound(file: &[u8]) -> bool {
    file.len() > HEADER_BYTES
        && file.starts_with(MAGIC)
        && file[MAGIC.len()..HEADER_BYTES] == Sha256::digest(&file[HEADER_BYTES..])[..]
}

fn owned_by_us_alone(metadata: &fs::Metadata) -> Result<(), String> {
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us {
        return Err(format!("belongs to user {}, not to user {us} who runs this", metadata.uid()));
    }
    match metadata.mode() & 0o022 {
        0 => Ok(()),
        _ => Err(format!("can be written by others (mode {:o})", metadata.mode() & 0o777)),
    }
}

/// SHA-256 for values that implement `Hash`. File names need a hash that does not change with the
/// next release of Rust, and std's hashers do not promise that.
struct ShaHasher(Sha256);

impl Hasher for ShaHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    // Never asked for: `path` takes the whole digest from the field instead.
    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const PLUGIN: &str = "(component (core module))";

    fn engine() -> Engine {
        let mut config = wasmtime::Config::new();
        config.wasm_component_model(true);
        Engine::new(&config).unwrap()
    }

    fn stored(dir: &Path) -> (AotCache, Engine, PathBuf) {
        let (cache, engine) = (AotCache::open(dir.join("cache")).unwrap(), engine());
        let component = Component::new(&engine, wat::parse_str(PLUGIN).unwrap()).unwrap();
        cache.store(&engine, "abc", &component);
        let path = cache.path(&engine, "abc");
        (cache, engine, path)
    }

    #[test]
    fn what_was_stored_is_loaded_and_only_we_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, engine, path) = stored(dir.path());
        assert!(cache.load(&engine, "abc").is_some());
        assert!(cache.load(&engine, "abd").is_none());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(dir.path().join("cache")).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_file_that_changed_is_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, engine, path) = stored(dir.path());
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() - 1], &whole[..40], b""] {
            fs::write(&path, damaged).unwrap();
            assert!(cache.load(&engine, "abc").is_none(), "{} bytes were taken", damaged.len());
        }
    }

    #[test]
    fn a_file_that_others_can_write_or_a_link_is_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let (cache, engine, path) = stored(dir.path());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
        assert!(cache.load(&engine, "abc").is_none());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(cache.load(&engine, "abc").is_none());
    }

    #[test]
    fn a_directory_that_is_not_ours_alone_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        assert_eq!(
            AotCache::open(open.clone()).unwrap_err(),
            "can be written by others (mode 777)"
        );
        let link = dir.path().join("link");
        symlink(&open, &link).unwrap();
        assert_eq!(AotCache::open(link).unwrap_err(), "is a symbolic link");
    }
}
