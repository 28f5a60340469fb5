//! SHA-256 as lower-case hexadecimal. Messages, pins and files on disk tell plugins apart by it.

use sha2::{Digest, Sha256};

/// The digest of these bytes, 64 digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
