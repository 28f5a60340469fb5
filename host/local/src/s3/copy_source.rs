//! The source of a copy, whole or by parts: which object it is, whether its conditions hold, and
//! its bytes. In: a request's source and conditions; out: a temporary file with the bytes.

use std::fs::File;
use std::io::{self, Seek};
use std::ops::Range;

use s3s::dto::CopySource;
use s3s::{S3Result, s3_error};
use tempfile::NamedTempFile;

use super::conditions::Conditions;
use super::failure::{internal, no_such_version, source_changed};
use super::store::{Found, Store};

/// Bucket and key of a copy's source. Errors: a version or an access point, which this S3 lacks.
pub(crate) fn name(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, version_id: None } => Ok((bucket, key)),
        CopySource::Bucket { .. } => Err(no_such_version()),
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(s3_error!(NotImplemented, "this S3 has no access points"))
        }
    }
}

/// The source object, if the conditions on it hold.
pub(crate) fn find(store: &Store, source: &CopySource, when: &Conditions) -> S3Result<Found> {
    let (bucket, key) = name(source)?;
    let found = store.find(bucket, key)?;
    when.check_copy(&found.current())?;
    Ok(found)
}

/// The `wanted` bytes of the object, in a new file that is positioned at its start.
pub(crate) fn bytes(store: &Store, source: &Found, wanted: Range<u64>) -> S3Result<NamedTempFile> {
    let mut copy = store.temporary().map_err(internal)?;
    if let Some(file) = &source.file {
        let copied = append(file, wanted.start, wanted.end - wanted.start, copy.as_file_mut())
            .map_err(internal)?;
        // A replaced object does no harm, as we hold the old file open. A file that a person has
        // shortened does: the copy would be short without an error.
        if copied != wanted.end - wanted.start {
            return Err(source_changed());
        }
    }
    copy.rewind().map_err(internal)?;
    Ok(copy)
}

/// Appends a part of one file to another. `io::copy` leaves the bytes in the kernel where it can.
pub(crate) fn append(mut from: &File, start: u64, length: u64, to: &mut File) -> io::Result<u64> {
    from.seek(io::SeekFrom::Start(start))?;
    io::copy(&mut io::Read::take(from, length), to)
}
