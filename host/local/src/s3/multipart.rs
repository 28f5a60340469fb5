//! Multipart uploads. Each part is a file in the folder of its upload until the client completes
//! it. In: parsed requests and bodies; out: answers, and at the end an object. `uploads` has the
//! files.

use std::fs::{self, File};
use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};
use tempfile::TempPath;

use super::conditions::whole_seconds;
use super::digest::{hex, md5_of, multipart_etag};
use super::failure::{blocking, internal};
use super::members::{attributes, change_conditions, claims, source_conditions, with_checksums};
use super::store::Store;
use super::uploads::{self, Arrived, Upload};
use super::{copy_source, spool};

const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
const MAX_PARTS: i32 = 10_000;

pub(crate) fn create(
    store: &Store,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = request.input;
    store.need_bucket(&input.bucket)?;
    // No checksums: only those of the parts will be known.
    let attributes = attributes!(input, input.content_encoding, Default::default());
    let upload = Upload { bucket: input.bucket, key: input.key, attributes };
    let id = uploads::begin(store, &upload)?;
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
    let (dir, _) = uploads::find(store, &input.upload_id, &input.bucket, &input.key)?;
    check_number(input.part_number)?;
    let claims = claims!(input, request.trailing_headers);
    let spooled = spool::receive(store, input.body, claims).await?;
    let output = UploadPartOutput {
        e_tag: Some(ETag::Strong(hex(&spooled.md5))),
        ..with_checksums!(UploadPartOutput, spooled.checksum)
    };
    let (store, number) = (Arc::clone(store), input.part_number);
    blocking(move || uploads::keep(&store, &dir, number, &spooled.md5, spooled.path)).await?;
    Ok(output)
}

pub(crate) fn upload_part_copy(
    store: &Store,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<UploadPartCopyOutput> {
    let input = request.input;
    let (dir, _) = uploads::find(store, &input.upload_id, &input.bucket, &input.key)?;
    check_number(input.part_number)?;
    let conditions = source_conditions!(input);
    let source = copy_source::find(store, &input.copy_source, &conditions)?;
    let wanted = wanted_bytes(input.copy_source_range.as_deref(), source.size_bytes)?;
    let part = copy_source::bytes(store, &source, wanted)?;
    let md5 = md5_of(part.as_file()).map_err(internal)?;
    uploads::keep(store, &dir, input.part_number, &md5, part.into_temp_path())?;
    Ok(UploadPartCopyOutput { copy_part_result: Some(copied(&md5)), ..Default::default() })
}

fn copied(md5: &[u8; 16]) -> CopyPartResult {
    CopyPartResult {
        e_tag: Some(ETag::Strong(hex(md5))),
        last_modified: Some(whole_seconds(SystemTime::now())),
        ..Default::default()
    }
}

fn wanted_bytes(range: Option<&str>, size_bytes: u64) -> S3Result<std::ops::Range<u64>> {
    let Some(range) = range else { return Ok(0..size_bytes) };
    let range = Range::parse(range).map_err(|_| {
        s3_error!(InvalidArgument, "the range of a copied part must be `bytes=first-last`")
    })?;
    Ok(range.check(size_bytes)?)
}

// The upload's folder goes only after the object is in place. When a condition fails or the server
// is killed before, the parts are still there and the client can complete again.
pub(crate) fn complete(
    store: &Store,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = request.input;
    let (dir, upload) = uploads::find(store, &input.upload_id, &input.bucket, &input.key)?;
    let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let arrived = uploads::arrived(&dir)?;
    let parts = chosen_parts(&arrived, &wanted)?;
    let (whole, etag) = put_together(store, &parts)?;
    let when = change_conditions!(input);
    let at = (&*input.bucket, &*input.key);
    store.put(at, whole, etag.clone(), upload.attributes, &when)?;
    fs::remove_dir_all(dir).map_err(internal)?;
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(ETag::Strong(etag)),
        ..Default::default()
    })
}

/// A file of all parts, and its ETag.
// The parts are digested when they arrive. The whole is not read again: its ETag needs only theirs.
fn put_together(store: &Store, parts: &[&Arrived]) -> S3Result<(TempPath, String)> {
    let mut whole = store.temporary().map_err(internal)?;
    for part in parts {
        let file = File::open(&part.path).map_err(internal)?;
        copy_source::append(&file, 0, part.size_bytes, whole.as_file_mut()).map_err(internal)?;
    }
    let md5s: Vec<[u8; 16]> = parts.iter().map(|part| part.md5).collect();
    Ok((whole.into_temp_path(), multipart_etag(&md5s)))
}

/// The parts that the client names.
///
/// Errors: the numbers do not ascend; a part is missing or has another ETag; a part is too short.
fn chosen_parts<'a>(
    arrived: &'a [Arrived],
    wanted: &[CompletedPart],
) -> S3Result<Vec<&'a Arrived>> {
    if wanted.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    let mut parts: Vec<&Arrived> = Vec::with_capacity(wanted.len());
    for want in wanted {
        let number = want.part_number.unwrap_or_default();
        // Strictly ascending, so the same part cannot be named twice.
        if parts.last().is_some_and(|last| last.number >= number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order."
            ));
        }
        parts.push(known_part(arrived, number, want.e_tag.as_ref())?);
    }
    check_sizes(&parts)?;
    Ok(parts)
}

/// Only the last part may be shorter than 5 MiB.
fn check_sizes(parts: &[&Arrived]) -> S3Result<()> {
    let whole = &parts[..parts.len().saturating_sub(1)];
    if whole.iter().all(|part| part.size_bytes >= MIN_PART_BYTES) {
        return Ok(());
    }
    Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"))
}

fn known_part<'a>(
    arrived: &'a [Arrived],
    number: i32,
    etag: Option<&ETag>,
) -> S3Result<&'a Arrived> {
    let part = arrived.iter().find(|part| part.number == number);
    part.filter(|part| etag.is_some_and(|etag| etag.value() == hex(&part.md5))).ok_or_else(|| {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found, or has another ETag."
        )
    })
}

pub(crate) fn abort(
    store: &Store,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    let (dir, _) = uploads::find(store, &input.upload_id, &input.bucket, &input.key)?;
    fs::remove_dir_all(dir).map_err(internal)?;
    Ok(AbortMultipartUploadOutput::default())
}

pub(crate) fn list_parts(
    store: &Store,
    request: S3Request<ListPartsInput>,
) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let (dir, _) = uploads::find(store, &input.upload_id, &input.bucket, &input.key)?;
    let max_parts = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let marker = input.part_number_marker.unwrap_or(0);
    let (parts, is_truncated) = parts_after(&uploads::arrived(&dir)?, marker, max_parts);
    let last = parts.last().and_then(|part| part.part_number);
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(max_parts),
        part_number_marker: Some(marker),
        next_part_number_marker: last.filter(|_| is_truncated),
        is_truncated: Some(is_truncated),
        parts: Some(parts),
        ..Default::default()
    })
}

/// The next parts after the number `marker`, and whether more parts follow.
fn parts_after(arrived: &[Arrived], marker: i32, max_parts: i32) -> (Vec<Part>, bool) {
    let limit = usize::try_from(max_parts).unwrap_or_default();
    let mut parts: Vec<Part> =
        arrived.iter().filter(|part| part.number > marker).map(listed).collect();
    let is_truncated = parts.len() > limit;
    parts.truncate(limit);
    (parts, is_truncated)
}

fn listed(part: &Arrived) -> Part {
    Part {
        part_number: Some(part.number),
        size: i64::try_from(part.size_bytes).ok(),
        e_tag: Some(ETag::Strong(hex(&part.md5))),
        last_modified: Some(whole_seconds(part.modified)),
        ..Default::default()
    }
}

/// All uploads under way, in one page. A stand-in never has many.
pub(crate) fn list_uploads(
    store: &Store,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    store.need_bucket(&input.bucket)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let entries = fs::read_dir(&store.uploads).map_err(internal)?.flatten();
    let mut uploads: Vec<MultipartUpload> =
        entries.filter_map(|entry| under_way(&entry, &input.bucket, prefix)).collect();
    uploads.sort_by(|a, b| (&a.key, &a.upload_id).cmp(&(&b.key, &b.upload_id)));
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        is_truncated: Some(false),
        uploads: Some(uploads),
        ..Default::default()
    })
}

fn under_way(entry: &fs::DirEntry, bucket: &str, prefix: &str) -> Option<MultipartUpload> {
    let upload = uploads::read(&entry.path())?;
    let is_asked_for = upload.bucket == bucket && upload.key.starts_with(prefix);
    let initiated = entry.metadata().and_then(|metadata| metadata.modified()).ok();
    is_asked_for.then(|| MultipartUpload {
        key: Some(upload.key),
        upload_id: entry.file_name().into_string().ok(),
        initiated: initiated.map(whole_seconds),
        ..Default::default()
    })
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
