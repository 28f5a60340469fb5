//! The folder `DIR/.loader`, and the files in it by which the programs on one DIR find each other.
//! In: DIR; out: paths, and files that only their owner can read: the folder has the access key.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::AttachError;

/// The mode of the folder: its owner's alone.
const PRIVATE: u32 = 0o700;

/// The name of the folder for the stand-in's own state. No bucket can have it, since the stand-in
/// refuses bucket names that begin with a point.
pub const STATE_DIR: &str = ".loader";

/// The state folder of one DIR. Its path is canonical.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The state folder of `dir`. Makes both folders when they are missing.
    pub fn of(dir: &Path) -> Result<StateDir, AttachError> {
        let path = dir.join(STATE_DIR);
        let make = || {
            fs::create_dir_all(dir)?;
            match fs::DirBuilder::new().mode(PRIVATE).create(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            }
        };
        make().map_err(AttachError::file(&path, "make the folder"))?;
        let path = path.canonicalize().map_err(AttachError::file(&path, "find"))?;
        Ok(StateDir(path))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes all rights on the folder from other users. The server does so before it writes a
    /// secret: a person may have made the folder.
    pub fn make_private(&self) -> Result<(), AttachError> {
        fs::set_permissions(&self.0, fs::Permissions::from_mode(PRIVATE))
            .map_err(AttachError::file(&self.0, "make it private"))
    }

    /// Puts a file into the folder, whole or not at all, that only its owner can read.
    // A new file and a rename: programs read it at any moment, without a lock. Temporary files have
    // the mode 0600, and keep it.
    pub(crate) fn write_private(&self, path: &Path, content: &impl Serialize) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        serde_json::to_writer_pretty(&mut file, content)?;
        file.persist(path)?;
        Ok(())
    }

    /// The lock that the process that serves DIR holds exclusively.
    pub fn server_lock(&self) -> PathBuf {
        self.0.join("server.lock")
    }

    /// The lock that the programs that use the server share.
    pub fn clients_lock(&self) -> PathBuf {
        self.0.join("clients.lock")
    }

    /// The lock that a program holds while it looks for a server.
    pub(crate) fn attach_lock(&self) -> PathBuf {
        self.0.join("attach.lock")
    }

    pub(crate) fn server_log(&self) -> PathBuf {
        self.0.join("server.log")
    }

    pub(crate) fn access_key_file(&self) -> PathBuf {
        self.0.join("access_key.json")
    }

    pub(crate) fn endpoints_file(&self) -> PathBuf {
        self.0.join("endpoints.json")
    }
}
