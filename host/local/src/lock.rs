//! Advisory locks on files of DIR (`flock`), which the system gives back when their holder ends,
//! however it ends.
//!
//! `server.lock` is held by whoever serves DIR. `clients.lock` is shared by the programs that use
//! the server; the server that stops when nobody does takes it exclusively and keeps it until it is
//! gone. `attach.lock` lets one program at a time look for a server.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// A lock, held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    // Closing the file unlocks it; its descriptor is not passed to child processes.
    _file: File,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode {
    Shared,
    Exclusive,
}

impl Lock {
    /// Waits for the lock. Blocks the thread.
    pub(crate) fn wait(path: &Path, mode: Mode) -> io::Result<Lock> {
        let file = open(path)?;
        match mode {
            Mode::Shared => file.lock_shared()?,
            Mode::Exclusive => file.lock()?,
        }
        Ok(Lock { _file: file })
    }

    /// The exclusive lock, or `None` when anyone holds it.
    pub(crate) fn try_exclusive(path: &Path) -> io::Result<Option<Lock>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether someone holds the lock exclusively at this moment.
    pub(crate) fn is_held(path: &Path) -> io::Result<bool> {
        match open(path)?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}
