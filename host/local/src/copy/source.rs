//! Which objects a COPY reads: all that begin with the prefix, or those of the manifest. In: the
//! statement and the local S3. Out: files in order, or Redshift's error. Blocking.

use std::path::PathBuf;

use serde::Deserialize;

use super::statement::{CopyStatement, FileFormat};
use crate::objects::Objects;

/// An object to load.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) url: String,
    pub(crate) path: PathBuf,
    pub(crate) size_bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    url: String,
    #[serde(default)]
    mandatory: bool,
    meta: Option<Meta>,
}

#[derive(Debug, Deserialize)]
struct Meta {
    content_length: Option<u64>,
}

/// An engine error with the block that Redshift prints below it.
pub(crate) fn engine_block(message: &str, code: u32, context: &str, location: &str) -> String {
    let line = "-".repeat(47);
    format!(
        "ERROR: {message}\n  Detail: \
         \n  {line}\n  error:  {message}\n  code:      {code}\n  context:   {context}\n  query:     0\n  location:  {location}\n  process:   padbmaster \
         [pid=1]\n  {line}\n"
    )
}

fn manifest_problem(fault: &str, url: &str) -> String {
    engine_block(
        &format!("Problem reading manifest file - {fault}"),
        8001,
        &format!("file {url}"),
        "s3_utility.cpp:280",
    )
}

/// Finds the files of a COPY.
pub(crate) fn find(
    objects: &Objects,
    statement: &CopyStatement,
) -> Result<Vec<SourceFile>, String> {
    if statement.is_manifest {
        from_manifest(objects, statement)
    } else {
        from_prefix(objects, statement)
    }
}

fn from_prefix(objects: &Objects, statement: &CopyStatement) -> Result<Vec<SourceFile>, String> {
    let (bucket, prefix) = (&statement.bucket, &statement.key);
    let entries = objects
        .list(bucket, prefix)
        .map_err(|error| format!("ERROR: S3ServiceException: {error}"))?;
    let files: Vec<SourceFile> = entries
        .into_iter()
        .filter_map(|entry| {
            let path = objects.path(bucket, &entry.key)?;
            Some(SourceFile {
                url: format!("s3://{bucket}/{}", entry.key),
                path,
                size_bytes: entry.size_bytes,
            })
        })
        .collect();
    if files.is_empty() {
        let message = format!("The specified S3 prefix '{prefix}' does not exist");
        return Err(engine_block(&message, 8001, "", "s3_utility.cpp:671"));
    }
    Ok(files)
}

fn from_manifest(objects: &Objects, statement: &CopyStatement) -> Result<Vec<SourceFile>, String> {
    let url = format!("s3://{}/{}", statement.bucket, statement.key);
    let Some(path) = objects.path(&statement.bucket, &statement.key) else {
        let is_prefix =
            objects.list(&statement.bucket, &statement.key).is_ok_and(|found| !found.is_empty());
        if is_prefix {
            return Err(engine_block(
                "COPY with MANIFEST parameter requires full path of an S3 object.",
                8001,
                &url,
                "scan_range_manager.cpp:380",
            ));
        }
        return Err(manifest_problem(
            "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey",
            &url,
        ));
    };
    let text = std::fs::read(&path).map_err(|error| manifest_problem(&error.to_string(), &url))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| manifest_problem(&format!("Invalid JSON format: {error}"), &url))?;
    let mut files = Vec::with_capacity(manifest.entries.len());
    for entry in manifest.entries {
        files.extend(manifest_file(objects, statement, &entry, &url)?);
    }
    Ok(files)
}

fn manifest_file(
    objects: &Objects,
    statement: &CopyStatement,
    entry: &Entry,
    manifest: &str,
) -> Result<Option<SourceFile>, String> {
    let (bucket, key) = entry
        .url
        .strip_prefix("s3://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| manifest_problem(&format!("Invalid url '{}'", entry.url), manifest))?;
    let expected = entry.meta.as_ref().and_then(|meta| meta.content_length);
    if statement.format == FileFormat::Parquet && expected.is_none() {
        return Err(manifest_problem(
            &format!(
                "meta.content_length is required for columnar files; it is missing for '{}'",
                entry.url
            ),
            manifest,
        ));
    }
    let Some(path) = objects.path(bucket, key) else {
        if entry.mandatory {
            let fault =
                "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey";
            return Err(engine_block(
                fault,
                8001,
                &format!("Mandatory url is not present in S3: {}", entry.url),
                "s3_utility.cpp:280",
            ));
        }
        return Ok(None);
    };
    let size_bytes = std::fs::metadata(&path)
        .map_err(|error| manifest_problem(&error.to_string(), manifest))?
        .len();
    if let Some(expected) = expected
        .filter(|expected| statement.format == FileFormat::Parquet && *expected != size_bytes)
    {
        let fault = format!(
            "content_length {expected} of '{}' differs from the object's {size_bytes} bytes",
            entry.url
        );
        return Err(manifest_problem(&fault, manifest));
    }
    Ok(Some(SourceFile { url: entry.url.clone(), path, size_bytes }))
}
