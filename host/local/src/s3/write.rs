//! PutObject, CopyObject, DeleteObject and DeleteObjects. In: parsed requests and bodies; out:
//! answers. Every change goes through [`Store::put`] or [`Store::delete`], which check its
//! conditions in the same step.

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::blocking;
use super::conditions::{Conditions, whole_seconds};
use super::read::current;
use super::spool::{self, Claims};
use super::store::{Attributes, Found, Store, hex, internal, md5_of};

/// What S3 copies in one request; larger objects are copied by parts.
const MAX_COPY_BYTES: u64 = 5 * 1024 * 1024 * 1024;
const MAX_DELETE_KEYS: usize = 1000;

pub(crate) async fn put(
    store: &Arc<Store>,
    request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let input = request.input;
    // Before the body: a client that sends gigabytes to a wrong name should know at once.
    store.need_bucket(&input.bucket)?;
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
    if input.key.ends_with('/') && spooled.size_bytes > 0 {
        return Err(s3_error!(
            InvalidRequest,
            "this S3 keeps objects as files: a key that ends in a slash is a folder and has no \
             content"
        ));
    }
    let attributes = Attributes {
        content_type: input.content_type,
        content_encoding: content_encoding(input.content_encoding),
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        metadata: input.metadata.into_iter().flatten().collect(),
        checksums: spooled.checksums(),
    };
    let when = Conditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        ..Conditions::default()
    };
    let etag = hex(&spooled.md5);
    let output = PutObjectOutput {
        e_tag: Some(ETag::Strong(etag.clone())),
        checksum_crc32: spooled.checksum.checksum_crc32,
        checksum_crc32c: spooled.checksum.checksum_crc32c,
        checksum_crc64nvme: spooled.checksum.checksum_crc64nvme,
        checksum_sha1: spooled.checksum.checksum_sha1,
        checksum_sha256: spooled.checksum.checksum_sha256,
        ..Default::default()
    };
    let (store, path) = (Arc::clone(store), spooled.path);
    blocking(move || store.put((&input.bucket, &input.key), path, etag, attributes, &when)).await?;
    Ok(output)
}

/// `aws-chunked` says how the request was sent, not what the object is.
fn content_encoding(header: Option<String>) -> Option<String> {
    let kept: Vec<&str> = header
        .as_deref()?
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && *coding != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

pub(crate) fn copy(
    store: &Store,
    request: S3Request<CopyObjectInput>,
) -> S3Result<CopyObjectOutput> {
    let when = Conditions {
        if_match: header_condition(&request.headers, "if-match")?,
        if_none_match: header_condition(&request.headers, "if-none-match")?,
        ..Conditions::default()
    };
    let input = request.input;
    store.need_bucket(&input.bucket)?;
    let (bucket, key) = source_name(&input.copy_source)?;
    let replace = input
        .metadata_directive
        .as_ref()
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    if !replace && (bucket, key) == (&*input.bucket, &*input.key) {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without \
             changing the object's metadata."
        ));
    }
    let mut source = store.find(bucket, key)?;
    let conditions = Conditions {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
        ..Conditions::default()
    };
    conditions.check_copy(&current(&source))?;
    if source.size_bytes > MAX_COPY_BYTES {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy \
             source: {MAX_COPY_BYTES}"
        ));
    }
    let mut attributes = std::mem::take(&mut source.attributes);
    if replace {
        let checksums = attributes.checksums;
        attributes = Attributes {
            content_type: input.content_type,
            content_encoding: content_encoding(input.content_encoding),
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            metadata: input.metadata.into_iter().flatten().collect(),
            checksums,
        };
    }
    let (content, etag) = copy_content(store, source)?;
    store.put((&input.bucket, &input.key), content, etag.clone(), attributes, &when)?;
    let modified =
        store.find(&input.bucket, &input.key).map(|found| whole_seconds(found.modified)).ok();
    let result = CopyObjectResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: modified,
        ..Default::default()
    };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

fn copy_content(store: &Store, source: Found) -> S3Result<(tempfile::TempPath, String)> {
    let mut copy = store.temporary().map_err(internal)?;
    if let Some(file) = &source.file {
        let copied =
            copy_range(file, 0, source.size_bytes, copy.as_file_mut()).map_err(internal)?;
        if copied != source.size_bytes {
            return Err(s3_error!(
                ConditionalRequestConflict,
                "the source changed while it was copied; try again"
            ));
        }
    }
    // The copy of a multipart object is no multipart object.
    let etag = match source.etag.contains('-') {
        true => {
            copy.rewind().map_err(internal)?;
            hex(&md5_of(copy.as_file()).map_err(internal)?)
        }
        false => source.etag,
    };
    Ok((copy.into_temp_path(), etag))
}

/// Appends a part of one file to another, inside the kernel where that is possible.
pub(crate) fn copy_range(
    mut from: &File,
    start: u64,
    length: u64,
    to: &mut File,
) -> io::Result<u64> {
    from.seek(io::SeekFrom::Start(start))?;
    io::copy(&mut io::Read::take(from, length), to)
}

/// Bucket and key of a copy's source; versions and access points there are none.
pub(crate) fn source_name(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, version_id: None } => Ok((bucket, key)),
        CopySource::Bucket { .. } => {
            Err(s3_error!(NoSuchVersion, "The specified version does not exist."))
        }
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            Err(s3_error!(NotImplemented, "this S3 has no access points"))
        }
    }
}

/// A condition on a copy's target, which the parsed request does not have.
fn header_condition(headers: &hyper::HeaderMap, name: &str) -> S3Result<Option<ETagCondition>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let condition = ETagCondition::parse_http_header(value.as_bytes());
    condition.map(Some).map_err(|_| s3_error!(InvalidArgument, "{name} is neither an ETag nor `*`"))
}

pub(crate) fn delete(
    store: &Store,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    let when = Conditions {
        if_match: input.if_match,
        if_unmodified_since: input.if_match_last_modified_time,
        if_size: input.if_match_size,
        missing_is_fine: true,
        ..Conditions::default()
    };
    store.delete(&input.bucket, &input.key, &when)?;
    Ok(DeleteObjectOutput::default())
}

pub(crate) fn delete_batch(
    store: &Store,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let DeleteObjectsInput { bucket, delete, .. } = request.input;
    store.need_bucket(&bucket)?;
    if delete.objects.is_empty() || delete.objects.len() > MAX_DELETE_KEYS {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published \
             schema"
        ));
    }
    let quiet = delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in delete.objects {
        let if_match = object.e_tag.map(ETagCondition::ETag);
        let when = Conditions {
            if_match,
            if_size: object.size,
            missing_is_fine: true,
            ..Conditions::default()
        };
        match store.delete(&bucket, &object.key, &when) {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..Default::default() }),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                ..Default::default()
            }),
        }
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() })
}

/// Makes a directory entry of a finished part; used by multipart uploads.
pub(crate) fn place(content: tempfile::TempPath, path: &Path) -> S3Result<()> {
    content.persist(path).map_err(|error| internal(error.error))
}
