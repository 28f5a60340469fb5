//! The Regions of buckets. In: names. Out: a Region for each, kept in `DIR/.loader/regions` for
//! buckets that were made in another Region than the warehouse's. A folder that a person makes is a
//! bucket in the warehouse's Region.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use loader_attach::{REGION, STATE_DIR};

/// The Regions of one DIR's buckets: a file for each bucket elsewhere, with the Region's name.
#[derive(Debug, Clone)]
pub(super) struct Regions {
    dir: PathBuf,
}

impl Regions {
    pub(super) fn of(root: &Path) -> Regions {
        Regions { dir: root.join(STATE_DIR).join("regions") }
    }

    /// The Region of a bucket, whose name must be one that a bucket can have.
    pub(super) fn get(&self, bucket: &str) -> String {
        let kept = fs::read_to_string(self.dir.join(bucket)).unwrap_or_default();
        if kept.is_empty() { REGION.to_owned() } else { kept }
    }

    pub(super) fn set(&self, bucket: &str, region: &str) -> io::Result<()> {
        if region == REGION {
            return self.forget(bucket);
        }
        fs::create_dir_all(&self.dir)?;
        fs::write(self.dir.join(bucket), region)
    }

    pub(super) fn forget(&self, bucket: &str) -> io::Result<()> {
        match fs::remove_file(self.dir.join(bucket)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
