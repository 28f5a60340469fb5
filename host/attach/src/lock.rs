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
    // Closing the file unlocks it. Child processes do not inherit the descriptor: a PostgreSQL that
    // outlives its server would otherwise keep the lock.
    _file: File,
}

/// Whether other holders may have the lock at the same time.
#[derive(Debug, Clone, Copy)]
pub enum Mode {
    /// Other holders may, when they take it in this mode too.
    Shared,
    /// No other holder may.
    Exclusive,
}

impl Lock {
    /// Waits for the lock, on a thread of its own. A blocking thread of the runtime would keep the
    /// runtime from ending as long as another process holds the lock.
    pub async fn wait(path: PathBuf, mode: Mode) -> Result<Lock, AttachError> {
        let (sender, locked) = oneshot::channel();
        let file = path.clone();
        std::thread::spawn(move || {
            // When the caller has given up waiting, `send` returns the lock, which is dropped.
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

    /// The exclusive lock, or `None` while another holder has it in any mode.
    pub fn try_exclusive(path: &Path) -> Result<Option<Lock>, AttachError> {
        let file = open(path).map_err(AttachError::file(path, "lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(AttachError::file(path, "lock")(error)),
        }
    }

    /// Whether another process holds the lock exclusively at this moment.
    // Looks by taking a share for an instant, so that two programs that look do not see each other.
    // A server that takes the lock in this instant is refused, and tries again.
    pub(crate) fn is_held(path: &Path) -> Result<bool, AttachError> {
        let file = open(path).map_err(AttachError::file(path, "lock"))?;
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(AttachError::file(path, "lock")(error)),
        }
    }
}

// The file is never deleted. A lock belongs to the file and not to its path: after a deletion, two
// processes could both lock `server.lock`, one on the deleted file and one on the new one.
fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
