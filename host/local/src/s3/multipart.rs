//! Multipart uploads: parts as files in a folder of their own until they are put together. In:
//! parsed requests and bodies; out: answers, and at the end an object. The folder is
//! `DIR/.loader/s3/uploads/<id>`, and survives a killed server.
//!
//! A part's file is named by its number and the MD5 of its content, which are all that S3 says
//! about it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::blocking;
use super::conditions::{Conditions, whole_seconds};
use super::read::current;
use super::spool::{self, Claims};
use super::store::{Attributes, Store, hex, internal, md5_of};
use super::write::{copy_range, place, source_name};

const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
const MAX_PARTS: i32 = 10_000;

#[derive(Debug, Serialize, Deserialize)]
struct Upload {
    bucket: String,
    key: String,
    attributes: Attributes,
}

/// A part that has arrived.
struct Arrived {
    number: i32,
    md5: [u8; 16],
    path: PathBuf,
    size_bytes: u64,
    modified: SystemTime,
}

pub(crate) fn create(
    store: &Store,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    store.need_bucket(&input.bucket)?;
    let upload = Upload {
        bucket: input.bucket,
        key: input.key,
        attributes: Attributes {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata.into_iter().flatten().collect(),
            ..Attributes::default()
        },
    };
    let id = uuid::Uuid::now_v7().simple().to_string();
    let dir = store.uploads.join(&id);
    fs::create_dir(&dir).map_err(internal)?;
    let mut file = store.temporary().map_err(internal)?;
    file.write_all(&serde_json::to_vec(&upload).map_err(|error| internal(error.into()))?)
        .map_err(internal)?;
    place(file.into_temp_path(), &dir.join("upload.json"))?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(upload.bucket),
        key: Some(upload.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..Default::default()
    })
}

pub(crate) async fn upload_part(
    store: &Arc<Store>,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let input = request.input;
    let (dir, _) = find(store, &input.upload_id, &input.bucket, &input.key)?;
    check_number(input.part_number)?;
    let claims = Claims {
        md5: input.content_md5,
        algorithm: input.checksum_algorithm,
        checksum: Checksum {
            checksum_crc32: input.checksum_crc32,
            checksum_crc32c: input.checksum_crc32c,
            checksum_crc64nvme: input.checksum_crc64nvme,
            checksum_sha1: input.checksum_sha1,
            checksum_sha256: input.checksum_sha256,
            checksum_type: None,
        },
        trailers: request.trailing_headers,
    };
    let spooled = spool::receive(store, input.body, claims).await?;
    let output = UploadPartOutput {
        e_tag: Some(ETag::Strong(hex(&spooled.md5))),
        checksum_crc32: spooled.checksum.checksum_crc32,
        checksum_crc32c: spooled.checksum.checksum_crc32c,
        checksum_crc64nvme: spooled.checksum.checksum_crc64nvme,
        checksum_sha1: spooled.checksum.checksum_sha1,
        checksum_sha256: spooled.checksum.checksum_sha256,
        ..Default::default()
    };
    let store = Arc::clone(store);
    blocking(move || keep(&store, &dir, input.part_number, &spooled.md5, spooled.path)).await?;
    Ok(output)
}

pub(crate) fn upload_part_copy(
    store: &Store,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<UploadPartCopyOutput> {
    let input = request.input;
    let (dir, _) = find(store, &input.upload_id, &input.bucket, &input.key)?;
    check_number(input.part_number)?;
    let (bucket, key) = source_name(&input.copy_source)?;
    let source = store.find(bucket, key)?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
        ..Conditions::default()
    };
    conditions.check_copy(&current(&source))?;
    let bytes = match &input.copy_source_range {
        Some(range) => {
            let range = Range::parse(range).map_err(|_| {
                s3_error!(InvalidArgument, "the range of a copied part must be `bytes=first-last`")
            })?;
            range.check(source.size_bytes)?
        }
        None => 0..source.size_bytes,
    };
    let mut part = store.temporary().map_err(internal)?;
    if let Some(file) = &source.file {
        let copied = copy_range(file, bytes.start, bytes.end - bytes.start, part.as_file_mut())
            .map_err(internal)?;
        if copied != bytes.end - bytes.start {
            return Err(s3_error!(
                ConditionalRequestConflict,
                "the source changed while it was copied; try again"
            ));
        }
    }
    std::io::Seek::rewind(&mut part).map_err(internal)?;
    let md5 = md5_of(part.as_file()).map_err(internal)?;
    keep(store, &dir, input.part_number, &md5, part.into_temp_path())?;
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(hex(&md5))),
        last_modified: Some(whole_seconds(SystemTime::now())),
        ..Default::default()
    };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..Default::default() })
}

pub(crate) fn complete(
    store: &Store,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    let (dir, upload) = find(store, &input.upload_id, &input.bucket, &input.key)?;
    let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let arrived = arrived(&dir)?;
    let parts = chosen_parts(&arrived, &wanted)?;
    let mut whole = store.temporary().map_err(internal)?;
    for part in &parts {
        let file = File::open(&part.path).map_err(internal)?;
        copy_range(&file, 0, part.size_bytes, whole.as_file_mut()).map_err(internal)?;
    }
    let md5s: Vec<[u8; 16]> = parts.iter().map(|part| part.md5).collect();
    let etag = spool::multipart_etag(&md5s);
    let when = Conditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        ..Conditions::default()
    };
    store.put(
        (&input.bucket, &input.key),
        whole.into_temp_path(),
        etag.clone(),
        upload.attributes,
        &when,
    )?;
    fs::remove_dir_all(dir).map_err(internal)?;
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(etag)),
        ..Default::default()
    })
}

/// The parts that the client names, in order, all of them as it knows them.
fn chosen_parts<'a>(
    arrived: &'a [Arrived],
    wanted: &[CompletedPart],
) -> S3Result<Vec<&'a Arrived>> {
    let invalid = || {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found, or has another ETag."
        )
    };
    if wanted.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    let mut parts: Vec<&Arrived> = Vec::with_capacity(wanted.len());
    for want in wanted {
        let number = want.part_number.unwrap_or_default();
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order."
            ));
        }
        let part = arrived.iter().find(|part| part.number == number).ok_or_else(invalid)?;
        if want.e_tag.as_ref().is_none_or(|etag| etag.value() != hex(&part.md5)) {
            return Err(invalid());
        }
        parts.push(part);
    }
    // Only the last part may be short.
    if parts[..parts.len() - 1].iter().any(|part| part.size_bytes < MIN_PART_BYTES) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size"
        ));
    }
    Ok(parts)
}

pub(crate) fn abort(
    store: &Store,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    let (dir, _) = find(store, &input.upload_id, &input.bucket, &input.key)?;
    fs::remove_dir_all(dir).map_err(internal)?;
    Ok(AbortMultipartUploadOutput::default())
}

pub(crate) fn list_parts(
    store: &Store,
    request: S3Request<ListPartsInput>,
) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let (dir, _) = find(store, &input.upload_id, &input.bucket, &input.key)?;
    let max_parts = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let marker = input.part_number_marker.unwrap_or(0);
    let mut parts: Vec<Part> = arrived(&dir)?
        .into_iter()
        .filter(|part| part.number > marker)
        .map(|part| Part {
            part_number: Some(part.number),
            size: i64::try_from(part.size_bytes).ok(),
            e_tag: Some(ETag::Strong(hex(&part.md5))),
            last_modified: Some(whole_seconds(part.modified)),
            ..Default::default()
        })
        .collect();
    let is_truncated = parts.len() > usize::try_from(max_parts).unwrap_or_default();
    parts.truncate(usize::try_from(max_parts).unwrap_or_default());
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(max_parts),
        part_number_marker: Some(marker),
        next_part_number_marker: parts
            .last()
            .and_then(|part| part.part_number)
            .filter(|_| is_truncated),
        is_truncated: Some(is_truncated),
        parts: Some(parts),
        ..Default::default()
    })
}

/// All uploads under way in one page; there are never many here.
pub(crate) fn list_uploads(
    store: &Store,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    store.need_bucket(&input.bucket)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let mut uploads = Vec::new();
    for entry in fs::read_dir(&store.uploads).map_err(internal)?.flatten() {
        let Some(upload) = read(&entry.path()) else { continue };
        if upload.bucket == input.bucket && upload.key.starts_with(&prefix) {
            let initiated = entry.metadata().and_then(|metadata| metadata.modified()).ok();
            uploads.push(MultipartUpload {
                key: Some(upload.key),
                upload_id: entry.file_name().into_string().ok(),
                initiated: initiated.map(whole_seconds),
                ..Default::default()
            });
        }
    }
    uploads.sort_by(|a, b| (&a.key, &a.upload_id).cmp(&(&b.key, &b.upload_id)));
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        is_truncated: Some(false),
        uploads: Some(uploads),
        ..Default::default()
    })
}

fn find(store: &Store, id: &str, bucket: &str, key: &str) -> S3Result<(PathBuf, Upload)> {
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

fn read(dir: &Path) -> Option<Upload> {
    serde_json::from_slice(&fs::read(dir.join("upload.json")).ok()?).ok()
}

fn check_number(number: i32) -> S3Result<()> {
    if (1..=MAX_PARTS).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidArgument,
        "Part number must be an integer between 1 and {MAX_PARTS}, inclusive"
    ))
}

/// Keeps a part; a part with the same number gives way.
fn keep(
    store: &Store,
    dir: &Path,
    number: i32,
    md5: &[u8; 16],
    content: tempfile::TempPath,
) -> S3Result<()> {
    let _changing = store.lock();
    let path = dir.join(format!("{number:05}-{}", hex(md5)));
    place(content, &path)?;
    for part in arrived(dir)? {
        if part.number == number && part.path != path {
            fs::remove_file(part.path).map_err(internal)?;
        }
    }
    Ok(())
}

/// The parts that are here, by number.
fn arrived(dir: &Path) -> S3Result<Vec<Arrived>> {
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
