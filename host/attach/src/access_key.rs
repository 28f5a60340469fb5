//! The access key of a folder, with which clients sign what they send to its server. In: the state
//! folder. Out: the key, made at random when the folder is first served, and kept in
//! `DIR/.loader/access_key.json`, which only the folder's owner can read.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::AttachError;
use crate::state_dir::StateDir;

/// An access key with its secret: who has both may do everything on the folder's server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// Its name, which every request carries in the open.
    pub access_key_id: String,
    /// What requests are signed with. It never travels.
    pub secret_access_key: String,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey").field("id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl AccessKey {
    /// The key of a folder; makes one when the folder has none. Only the server calls this, under
    /// its lock; programs find the key in the endpoints.
    // A file that others can read holds no secret any more (a backup was restored, for example). So
    // a new key takes its place, as if there were none.
    pub fn of(state: &StateDir) -> Result<AccessKey, AttachError> {
        let path = state.access_key_file();
        if let Some(key) = read(&path) {
            return Ok(key);
        }
        let key =
            AccessKey::random().map_err(AttachError::file(&path, "make an access key for"))?;
        state.write_private(&path, &key).map_err(AttachError::file(&path, "write"))?;
        Ok(key)
    }

    /// A new key in the shape of AWS's: 20 upper-case letters and digits, and a secret of 40
    /// characters (160 random bits).
    pub fn random() -> io::Result<AccessKey> {
        let access_key_id = format!("LOCAL{}", random_hex(8)?[..15].to_ascii_uppercase());
        Ok(AccessKey { access_key_id, secret_access_key: random_hex(20)? })
    }
}

fn read(path: &Path) -> Option<AccessKey> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 == 0).then_some(())?;
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn random_hex(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
