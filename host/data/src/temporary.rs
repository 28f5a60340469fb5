//! Temporary files, for which the disk of TMPDIR needs room.

use std::fs::File;
use std::io::Write;

use loader_model::error::{Context, Kind, Result};

/// A temporary file that has no name.
pub(crate) fn file() -> Result<File> {
    tempfile::tempfile().context(Kind::Internal, "no temporary file can be made; check TMPDIR")
}

/// Appends bytes to a temporary file.
pub(crate) fn write(mut file: &File, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).context(
        Kind::Internal,
        "the temporary copy of the file cannot be written; is the disk of TMPDIR full?",
    )
}
