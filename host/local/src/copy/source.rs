//! Which objects a COPY reads: all whose keys begin with the prefix, or those of the manifest. (The
//! prefix `orders.csv` finds `orders.csv.bak` too.) Their buckets must be in the Region that the
//! statement names, or in the warehouse's. In: the statement and the local S3. Out: files in order,
//! or Redshift's error. Blocking.

use std::path::PathBuf;

use loader_attach::REGION;
use serde::Deserialize;

use crate::objects::{ObjectEntry, Objects};
use crate::policy::Policy;
use crate::sql::{CopyStatement, FileFormat};
use crate::throttle;

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

/// Finds the files of a COPY, as far as its role may read them.
// COPY needs to list the bucket and to read the objects, and the manifest where there is one.
// Source: <https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-access-permissions.html>
pub(crate) fn find(
    objects: &Objects,
    statement: &CopyStatement,
    role: &Policy,
) -> Result<Vec<SourceFile>, String> {
    if throttle::refusal(objects.root(), "COPY").is_some() {
        return Err(engine_block(SLOW_DOWN, 8001, "", "s3_utility.cpp:671"));
    }
    check(role, "s3:ListBucket", &format!("arn:aws:s3:::{}", statement.bucket))?;
    let files = if statement.is_manifest {
        check_object(role, &format!("s3://{}/{}", statement.bucket, statement.key))?;
        from_manifest(objects, statement)?
    } else {
        from_prefix(objects, statement)?
    };
    files.iter().try_for_each(|file| check_object(role, &file.url))?;
    Ok(files)
}

fn check_object(role: &Policy, url: &str) -> Result<(), String> {
    check(role, "s3:GetObject", &url.replacen("s3://", "arn:aws:s3:::", 1))
}

fn check(role: &Policy, action: &str, resource: &str) -> Result<(), String> {
    role.check(action, resource).map_err(|_| {
        let words = "S3ServiceException:Access Denied,Status 403,Error AccessDenied";
        engine_block(
            words,
            8001,
            &format!("Listing bucket or reading {resource}"),
            "s3_utility.cpp:671",
        )
    })
}

fn from_prefix(objects: &Objects, statement: &CopyStatement) -> Result<Vec<SourceFile>, String> {
    let (bucket, prefix) = (&statement.bucket, &statement.key);
    check_region(objects, statement, bucket)?;
    let entries = objects.list(bucket, prefix);
    let entries = entries.map_err(|error| format!("ERROR: S3ServiceException: {error}"))?;
    let files: Vec<SourceFile> =
        entries.into_iter().filter_map(|entry| source_file(objects, bucket, entry)).collect();
    if files.is_empty() {
        let message = format!("The specified S3 prefix '{prefix}' does not exist");
        return Err(engine_block(&message, 8001, "", "s3_utility.cpp:671"));
    }
    Ok(files)
}

/// The file of a listed object; `None` when the object was removed after it was listed.
fn source_file(objects: &Objects, bucket: &str, entry: ObjectEntry) -> Option<SourceFile> {
    let path = objects.path(bucket, &entry.key)?;
    let url = format!("s3://{bucket}/{}", entry.key);
    Some(SourceFile { url, path, size_bytes: entry.size_bytes })
}

// The entries are taken as they stand: an object that the manifest names twice is loaded twice.
fn from_manifest(objects: &Objects, statement: &CopyStatement) -> Result<Vec<SourceFile>, String> {
    let url = format!("s3://{}/{}", statement.bucket, statement.key);
    if !is_in_region(objects, statement, &statement.bucket) {
        return Err(manifest_problem(REDIRECTED, &url));
    }
    let path = objects
        .path(&statement.bucket, &statement.key)
        .ok_or_else(|| no_manifest(objects, statement, &url))?;
    let text = std::fs::read(&path).map_err(|error| manifest_problem(&error.to_string(), &url))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| manifest_problem(&format!("Invalid JSON format: {error}"), &url))?;
    let mut files = Vec::with_capacity(manifest.entries.len());
    for entry in manifest.entries {
        files.extend(manifest_file(objects, statement, &entry, &url)?);
    }
    Ok(files)
}

/// What Redshift says when S3 is asked too much.
const SLOW_DOWN: &str =
    "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown";
/// What S3 answers for a manifest in another Region.
const REDIRECTED: &str = "S3ServiceException:The bucket you are attempting to access must be \
                          addressed using the specified endpoint. Please send all future requests \
                          to this endpoint.,Status 301,Error PermanentRedirect";
/// What Redshift says of data in another Region.
const ELSEWHERE: &str = "S3ServiceException:The S3 bucket addressed by the query is in a different \
                         region from this cluster.,Status 301,Error PermanentRedirect";

/// Whether COPY looks for a bucket where it is. True for a bucket that does not exist, which has
/// errors of its own.
fn is_in_region(objects: &Objects, statement: &CopyStatement, bucket: &str) -> bool {
    let asked = statement.region.as_deref().unwrap_or(REGION);
    objects.region(bucket).is_none_or(|home| home == asked)
}

fn check_region(objects: &Objects, statement: &CopyStatement, bucket: &str) -> Result<(), String> {
    if is_in_region(objects, statement, bucket) {
        return Ok(());
    }
    Err(engine_block(ELSEWHERE, 8001, &format!("s3://{bucket}"), "s3_utility.cpp:671"))
}

const NO_SUCH_KEY: &str =
    "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey";

/// Why there is no manifest at the path. Redshift has an error of its own for a path that is only
/// the beginning of a key, such as `s3://demo/p/mani` where `p/manifest` exists.
fn no_manifest(objects: &Objects, statement: &CopyStatement, url: &str) -> String {
    let is_prefix =
        objects.list(&statement.bucket, &statement.key).is_ok_and(|found| !found.is_empty());
    if !is_prefix {
        return manifest_problem(NO_SUCH_KEY, url);
    }
    engine_block(
        "COPY with MANIFEST parameter requires full path of an S3 object.",
        8001,
        url,
        "scan_range_manager.cpp:380",
    )
}

/// The file of an entry; `None` when the object is missing and not mandatory.
// The entry itself is checked before its object is looked for: a Parquet entry without a
// content_length is refused even where its object is missing and not mandatory.
fn manifest_file(
    objects: &Objects,
    statement: &CopyStatement,
    entry: &Entry,
    manifest: &str,
) -> Result<Option<SourceFile>, String> {
    let url = &entry.url;
    let (bucket, key) = entry.bucket_and_key(manifest)?;
    let expected = entry.expected_bytes(statement.format, manifest)?;
    check_region(objects, statement, bucket)?;
    let Some(path) = objects.path(bucket, key) else {
        return entry.may_be_missing().map(|()| None);
    };
    let size_bytes = std::fs::metadata(&path)
        .map_err(|error| manifest_problem(&error.to_string(), manifest))?
        .len();
    if let Some(expected) = expected.filter(|expected| *expected != size_bytes) {
        return Err(wrong_size(url, expected, size_bytes, manifest));
    }
    Ok(Some(SourceFile { url: url.clone(), path, size_bytes }))
}

fn wrong_size(url: &str, expected: u64, size_bytes: u64, manifest: &str) -> String {
    let fault = format!(
        "content_length {expected} of '{url}' differs from the object's {size_bytes} bytes"
    );
    manifest_problem(&fault, manifest)
}

impl Entry {
    fn bucket_and_key(&self, manifest: &str) -> Result<(&str, &str), String> {
        let path = self.url.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
        path.ok_or_else(|| manifest_problem(&format!("Invalid url '{}'", self.url), manifest))
    }

    fn may_be_missing(&self) -> Result<(), String> {
        if !self.mandatory {
            return Ok(());
        }
        let context = format!("Mandatory url is not present in S3: {}", self.url);
        Err(engine_block(NO_SUCH_KEY, 8001, &context, "s3_utility.cpp:280"))
    }

    /// The size that the object must have. An entry for Parquet must state it; for text files, a
    /// stated size is not compared.
    fn expected_bytes(&self, format: FileFormat, manifest: &str) -> Result<Option<u64>, String> {
        if format != FileFormat::Parquet {
            return Ok(None);
        }
        let expected = self.meta.as_ref().and_then(|meta| meta.content_length);
        expected.map(Some).ok_or_else(|| {
            manifest_problem(
                &format!(
                    "meta.content_length is required for columnar files; it is missing for '{}'",
                    self.url
                ),
                manifest,
            )
        })
    }
}
