//! The folder `DIR/.loader`, and the files in it by which the programs on one DIR find each other.
//! In: DIR; out: paths.

use std::path::{Path, PathBuf};

use crate::error::AttachError;

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
        std::fs::create_dir_all(&path).map_err(AttachError::file(&path, "make the folder"))?;
        let path = path.canonicalize().map_err(AttachError::file(&path, "find"))?;
        Ok(StateDir(path))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
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

    pub(crate) fn endpoints_file(&self) -> PathBuf {
        self.0.join("endpoints.json")
    }
}
