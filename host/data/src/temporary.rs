//! Temporary files, for which the disk of TMPDIR needs room. No other user of the machine can read
//! them: they hold the rows of files.

use std::error::Error as StdError;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use loader_model::error::{Context, Error, Kind, Result};

/// What only its owner may do with a folder, and with a file.
const OWN_FOLDER: u32 = 0o700;
const OWN_FILE: u32 = 0o600;

/// A folder that goes with the value, and all that is in it.
pub fn folder() -> Result<tempfile::TempDir> {
    let permissions = fs::Permissions::from_mode(OWN_FOLDER);
    let made = tempfile::Builder::new().prefix("loader-").permissions(permissions).tempdir();
    made.context(Kind::Config, "no temporary folder can be made; check TMPDIR")
}

/// A new file in such a folder, or in the place of one.
pub fn create(path: &Path) -> Result<File> {
    let made =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(OWN_FILE).open(path);
    let cannot = || format!("{} cannot be written; is there room and permission?", path.display());
    made.context(Kind::Config, cannot())
}

/// A temporary file that has no name.
pub(crate) fn file() -> Result<File> {
    tempfile::tempfile().context(Kind::Config, "no temporary file can be made; check TMPDIR")
}

/// Appends bytes to a temporary file.
pub(crate) fn write(mut file: &File, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).map_err(|error| not_written("the temporary copy of the file", error))
}

/// The error of a write on this machine. A disk without room is for a person to mend: the same file
/// would fill it again. `what`: what was to be written.
pub(crate) fn not_written(what: &str, error: impl StdError + Send + Sync + 'static) -> Error {
    if !is_of_a_full_disk(&error) {
        return Error::new(Kind::Internal, format!("{what} cannot be written")).caused_by(error);
    }
    let folder = std::env::temp_dir();
    let fact = format!(
        "{what} cannot be written, because a disk is full; a load needs room for the whole file, \
         decompressed, and for some parts in {}: make room there, or let TMPDIR name a larger disk",
        folder.display()
    );
    Error::new(Kind::Config, fact).caused_by(error)
}

/// Looks at an error and at what has caused it.
fn is_of_a_full_disk(error: &(dyn StdError + 'static)) -> bool {
    let is_full = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    };
    error.downcast_ref().is_some_and(is_full) || error.source().is_some_and(is_of_a_full_disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_for_a_person_to_mend() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let through_a_crate = parquet::errors::ParquetError::from(full());
        for error in [not_written("a part", full()), not_written("a part", through_a_crate)] {
            assert_eq!(error.kind(), Kind::Config);
            let said = error.to_string();
            assert!(
                said.starts_with("a part cannot be written, because a disk is full;"),
                "{said}"
            );
        }
        let other = not_written("a part", io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(other.kind(), Kind::Internal);
    }

    #[test]
    fn nobody_else_can_read_what_is_written() {
        let folder = folder().expect("is made");
        let path = folder.path().join("part");
        create(&path).expect("is made");
        let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&path)), (0o700, 0o600));
    }
}
