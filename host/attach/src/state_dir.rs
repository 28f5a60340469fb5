//! The folder `DIR/.loader` and the files in it that programs on one DIR agree by. In: DIR; out:
//! paths.

use std::path::{Path, PathBuf};

use crate::error::AttachError;

/// The folder that holds the stand-in's own state; a name that no bucket can have.
pub const STATE_DIR: &str = ".loader";

/// The state folder of one DIR. Its path is canonical.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The state folder of `dir`. Both are made when missing.
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

    /// Held exclusively by the process that serves DIR.
    pub fn server_lock(&self) -> PathBuf {
        self.0.join("server.lock")
    }

    /// Shared by the programs that use the server.
    pub fn clients_lock(&self) -> PathBuf {
        self.0.join("clients.lock")
    }

    /// Held while one program looks for a server.
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
