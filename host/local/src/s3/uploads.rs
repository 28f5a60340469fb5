//! Multipart uploads under way, as files. Each upload is the folder `DIR/.loader/s3/uploads/<id>`,
//! which survives a killed server. In: ids and finished files; out: the parts that have arrived.
//!
//! The name of a part's file is its number and the MD5 of its content, for example
//! `00002-9e107d9d372bb6826bd81d3542a419d6`. Nothing else has to be kept about a part.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::digest::hex;
use super::failure::internal;
use super::records::Attributes;
use super::store::Store;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) attributes: Attributes,
}

/// A part that has arrived.
pub(crate) struct Arrived {
    pub(crate) number: i32,
    pub(crate) md5: [u8; 16],
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
    pub(crate) modified: SystemTime,
}

/// Makes the folder of a new upload; returns the upload's id.
pub(crate) fn begin(store: &Store, upload: &Upload) -> S3Result<String> {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let dir = store.uploads.join(&id);
    fs::create_dir(&dir).map_err(internal)?;
    let mut file = store.temporary().map_err(internal)?;
    file.write_all(&serde_json::to_vec(upload).map_err(|error| internal(error.into()))?)
        .map_err(internal)?;
    // Last: `find` knows an upload by this file, so a half-made folder is no upload.
    place(file.into_temp_path(), &dir.join("upload.json"))?;
    Ok(id)
}

/// The folder of an upload and its target. Errors: `NoSuchUpload`.
// The id comes from the client and becomes part of a path. Only hexadecimal digits are let through,
// since `../../demo` would lead out of the folder.
pub(crate) fn find(
    store: &Store,
    id: &str,
    bucket: &str,
    key: &str,
) -> S3Result<(PathBuf, Upload)> {
    store.need_bucket(bucket)?;
    let no_such = || {
        let message = "The specified upload does not exist. The upload ID may be invalid, or the \
                       upload may have been aborted or completed.";
        s3_error!(NoSuchUpload, "{message}")
    };
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(no_such());
    }
    let dir = store.uploads.join(id);
    let upload = read(&dir)
        .filter(|upload| upload.bucket == bucket && upload.key == key)
        .ok_or_else(no_such)?;
    Ok((dir, upload))
}

/// The target of the upload in this folder.
pub(crate) fn read(dir: &Path) -> Option<Upload> {
    serde_json::from_slice(&fs::read(dir.join("upload.json")).ok()?).ok()
}

/// Keeps a part, in place of an earlier part with the same number.
pub(crate) fn keep(
    store: &Store,
    dir: &Path,
    number: i32,
    md5: &[u8; 16],
    content: TempPath,
) -> S3Result<()> {
    let _changing = store.lock();
    let path = dir.join(format!("{number:05}-{}", hex(md5)));
    // The new file first: a server that is killed in between has both, and loses no part.
    place(content, &path)?;
    for part in arrived(dir)? {
        if part.number == number && part.path != path {
            fs::remove_file(part.path).map_err(internal)?;
        }
    }
    Ok(())
}

/// The parts that have arrived, by number.
pub(crate) fn arrived(dir: &Path) -> S3Result<Vec<Arrived>> {
    let mut parts = Vec::new();
    for entry in fs::read_dir(dir).map_err(internal)? {
        let entry = entry.map_err(internal)?;
        let name = entry.file_name();
        let Some((number, md5)) = name.to_str().and_then(parse_name) else { continue };
        let metadata = entry.metadata().map_err(internal)?;
        let modified = metadata.modified().map_err(internal)?;
        parts.push(Arrived {
            number,
            md5,
            path: entry.path(),
            size_bytes: metadata.len(),
            modified,
        });
    }
    parts.sort_unstable_by_key(|part| part.number);
    Ok(parts)
}

fn parse_name(name: &str) -> Option<(i32, [u8; 16])> {
    let (number, md5) = name.split_once('-')?;
    let md5 = u128::from_str_radix(md5, 16).ok()?;
    Some((number.parse().ok()?, md5.to_be_bytes()))
}

/// Moves a finished file to its path.
fn place(content: TempPath, path: &Path) -> S3Result<()> {
    content.persist(path).map_err(|error| internal(error.error))
}
