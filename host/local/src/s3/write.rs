//! PutObject, CopyObject, DeleteObject and DeleteObjects. In: parsed requests and bodies; out:
//! answers. Every change goes through [`Store::put`] or [`Store::delete`], which check the
//! conditions and make the change in one step.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::{Conditions, whole_seconds};
use super::copy_source;
use super::digest::{hex, md5_of};
use super::failure::{blocking, internal};
use super::members::{attributes, change_conditions, claims, source_conditions, with_checksums};
use super::records::Attributes;
use super::spool;
use super::store::{Found, Store};

/// The most that S3 copies in one request. Clients copy larger objects by parts.
const MAX_COPY_BYTES: u64 = 5 * 1024 * 1024 * 1024;
const MAX_DELETE_KEYS: usize = 1000;

pub(crate) async fn put(
    store: &Arc<Store>,
    request: S3Request<PutObjectInput>,
) -> S3Result<PutObjectOutput> {
    let input = request.input;
    // Before the body: a client with a wrong bucket should not send gigabytes first.
    store.need_bucket(&input.bucket)?;
    let claims = claims!(input, request.trailing_headers);
    let spooled = spool::receive(store, input.body, claims).await?;
    check_content(&input.key, spooled.size_bytes)?;
    let attributes =
        attributes!(input, content_encoding(input.content_encoding), spooled.checksums());
    let when = change_conditions!(input);
    let etag = hex(&spooled.md5);
    let output = PutObjectOutput {
        e_tag: Some(ETag::Strong(etag.clone())),
        ..with_checksums!(PutObjectOutput, spooled.checksum)
    };
    let (store, path) = (Arc::clone(store), spooled.path);
    blocking(move || store.put((&input.bucket, &input.key), path, etag, attributes, &when)).await?;
    Ok(output)
}

fn check_content(key: &str, size_bytes: u64) -> S3Result<()> {
    if size_bytes == 0 || !key.ends_with('/') {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "this S3 keeps objects as files: a key that ends in a slash is a folder and has no content"
    ))
}

/// The encoding of the object: `aws-chunked,gzip` becomes `gzip`. `aws-chunked` describes how the
/// request was sent, not what the object is.
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
    let when = target_conditions(&request.headers)?;
    let input = request.input;
    store.need_bucket(&input.bucket)?;
    let replaces = input
        .metadata_directive
        .as_ref()
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let from = copy_source::name(&input.copy_source)?;
    check_change(replaces, from, (&*input.bucket, &*input.key))?;
    let conditions = source_conditions!(input);
    let mut source = copy_source::find(store, &input.copy_source, &conditions)?;
    check_size(&source)?;
    // Also with REPLACE the checksums stay, as the bytes do.
    let mut attributes = std::mem::take(&mut source.attributes);
    if replaces {
        let encoding = content_encoding(input.content_encoding);
        attributes = attributes!(input, encoding, attributes.checksums);
    }
    let at = (&*input.bucket, &*input.key);
    let result = place_copy(store, source, at, attributes, &when)?;
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
}

fn check_change(replaces: bool, from: (&str, &str), to: (&str, &str)) -> S3Result<()> {
    if replaces || from != to {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "This copy request is illegal because it is trying to copy an object to itself without \
         changing the object's metadata."
    ))
}

fn check_size(source: &Found) -> S3Result<()> {
    if source.size_bytes <= MAX_COPY_BYTES {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "The specified copy source is larger than the maximum allowable size for a copy source: \
         {MAX_COPY_BYTES}"
    ))
}

// An ETag with a dash is that of a multipart object. The copy is one piece, so its ETag is the MD5
// of its bytes.
fn place_copy(
    store: &Store,
    source: Found,
    at: (&str, &str),
    attributes: Attributes,
    when: &Conditions,
) -> S3Result<CopyObjectResult> {
    let copy = copy_source::bytes(store, &source, 0..source.size_bytes)?;
    let etag = match source.etag.contains('-') {
        true => hex(&md5_of(copy.as_file()).map_err(internal)?),
        false => source.etag,
    };
    store.put(at, copy.into_temp_path(), etag.clone(), attributes, when)?;
    let modified = store.find(at.0, at.1).map(|found| whole_seconds(found.modified)).ok();
    Ok(CopyObjectResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: modified,
        ..Default::default()
    })
}

/// The conditions on a copy's target. The parsed request lacks them, so they are read from the
/// headers.
fn target_conditions(headers: &hyper::HeaderMap) -> S3Result<Conditions> {
    Ok(Conditions {
        if_match: header_condition(headers, "if-match")?,
        if_none_match: header_condition(headers, "if-none-match")?,
        ..Conditions::default()
    })
}

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

// One key that cannot be deleted does not stop the others: it is listed under Errors, and the
// request itself succeeds.
pub(crate) fn delete_batch(
    store: &Store,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let DeleteObjectsInput { bucket, delete, .. } = request.input;
    store.need_bucket(&bucket)?;
    check_count(delete.objects.len())?;
    let quiet = delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in delete.objects {
        match delete_one(store, &bucket, object) {
            Ok(_) if quiet => {}
            Ok(object) => deleted.push(object),
            Err(error) => errors.push(error),
        }
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..Default::default() })
}

fn check_count(keys: usize) -> S3Result<()> {
    if (1..=MAX_DELETE_KEYS).contains(&keys) {
        return Ok(());
    }
    Err(s3_error!(
        MalformedXML,
        "The XML you provided was not well-formed or did not validate against our published schema"
    ))
}

fn delete_one(
    store: &Store,
    bucket: &str,
    object: ObjectIdentifier,
) -> Result<DeletedObject, Error> {
    let when = Conditions {
        if_match: object.e_tag.map(ETagCondition::ETag),
        if_size: object.size,
        missing_is_fine: true,
        ..Conditions::default()
    };
    let key = Some(object.key.clone());
    match store.delete(bucket, &object.key, &when) {
        Ok(()) => Ok(DeletedObject { key, ..Default::default() }),
        Err(error) => Err(Error {
            code: Some(error.code().as_str().to_owned()),
            message: error.message().map(str::to_owned),
            key,
            ..Default::default()
        }),
    }
}
