//! A plugin's file.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Result, failure};

/// A component, ready to be written.
#[derive(Clone, Debug)]
pub struct Built {
    /// What the component calls itself, and its file without `.wasm`.
    pub name: String,
    /// Version of the crate.
    pub version: String,
    /// The component.
    pub bytes: Vec<u8>,
}

impl Built {
    /// SHA-256 of the bytes in lower-case hexadecimal digits: what a pin in `loader.toml` names.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Writes the file, unless it has these bytes already; says whether it did. The file never has
    /// half a plugin, because a whole one is renamed to it.
    pub fn write(&self, path: &Path) -> Result<bool> {
        if std::fs::read(path).ok().as_deref() == Some(self.bytes.as_slice()) {
            return Ok(false);
        }
        let temporary = path.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&temporary, &self.bytes)
            .and_then(|()| std::fs::rename(&temporary, path))
            .or_else(|error| failure(format!("writing {}: {error}", path.display())))?;
        Ok(true)
    }
}
