//! Advisory locks on the files of a [`StateDir`](crate::StateDir). In: a path; out: a lock that is
//! held until it is dropped or its process ends. Which lock means what is in the crate's own
//! documentation.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::oneshot;

use crate::error::AttachError;

/// A lock, held until dropped.
#[derive(Debug)]
pub struct Lock {
    // Closing the file unlocks it; its descriptor is not passed to child processes.
    _file: File,
}

/// Whether others may hold the lock at the same time.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// They may, when they take it in this mode too.
    Shared,
    /// They may not.
    Exclusive,
}

impl Lock {
    /// Waits for the lock, on a thread of its own: one of the runtime's would keep the runtime from
    /// ending while others hold the lock.
    pub async fn wait(path: PathBuf, mode: Mode) -> Result<Lock, AttachError> {
        let (sender, locked) = oneshot::channel();
        let file = path.clone();
        std::thread::spawn(move || {
            // The receiver may have given up waiting: then the lock goes with the message.
            let _ = sender.send(Lock::wait_blocking(&file, mode));
        });
        let locked = locked.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        locked.map_err(AttachError::file(path, "lock"))
    }

    fn wait_blocking(path: &Path, mode: Mode) -> io::Result<Lock> {
        let file = open(path)?;
        match mode {
            Mode::Shared => file.lock_shared()?,
            Mode::Exclusive => file.lock()?,
        }
        Ok(Lock { _file: file })
    }

    /// The exclusive lock, or `None` while it is held elsewhere.
    pub fn try_exclusive(path: &Path) -> Result<Option<Lock>, AttachError> {
        let file = open(path).map_err(AttachError::file(path, "lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(AttachError::file(path, "lock")(error)),
        }
    }

    /// Whether the lock is held exclusively at this moment.
    pub(crate) fn is_held(path: &Path) -> Result<bool, AttachError> {
        let file = open(path).map_err(AttachError::file(path, "lock"))?;
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(AttachError::file(path, "lock")(error)),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
