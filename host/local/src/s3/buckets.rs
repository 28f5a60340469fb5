//! Operations on buckets, listings among them. In: parsed requests; out: answers. A bucket is a
//! folder, whoever made it.

use std::fs;
use std::time::SystemTime;

use loader_attach::REGION;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::whole_seconds;
use super::list::{self, After, Page, Query, url_encode};
use super::store::{MD5_OF_NOTHING, Store, internal};
use crate::objects::ObjectEntry;

/// Succeeds for a bucket that is there, as S3 does in its first region.
pub(crate) fn create(
    store: &Store,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let bucket = request.input.bucket;
    let path = store.objects.bucket_path(&bucket).ok_or_else(|| s3_error!(InvalidBucketName))?;
    fs::create_dir_all(path).map_err(internal)?;
    Ok(CreateBucketOutput { location: Some(format!("/{bucket}")) })
}

pub(crate) fn delete(
    store: &Store,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<DeleteBucketOutput> {
    let bucket = request.input.bucket;
    let path = store.need_bucket(&bucket)?;
    let _changing = store.lock();
    if !entries(store, &bucket, "")?.is_empty() {
        return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
    }
    // Folders without objects are no objects.
    fs::remove_dir_all(path).map_err(internal)?;
    Ok(DeleteBucketOutput::default())
}

pub(crate) fn head(
    store: &Store,
    request: S3Request<HeadBucketInput>,
) -> S3Result<HeadBucketOutput> {
    store.need_bucket(&request.input.bucket)?;
    Ok(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..Default::default() })
}

pub(crate) fn location(
    store: &Store,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    store.need_bucket(&request.input.bucket)?;
    Ok(GetBucketLocationOutput::default())
}

/// Never versioned, which S3 says by saying nothing.
pub(crate) fn versioning(
    store: &Store,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<GetBucketVersioningOutput> {
    store.need_bucket(&request.input.bucket)?;
    Ok(GetBucketVersioningOutput::default())
}

pub(crate) fn list(
    store: &Store,
    request: S3Request<ListBucketsInput>,
) -> S3Result<ListBucketsOutput> {
    let prefix = request.input.prefix.unwrap_or_default();
    let mut buckets = Vec::new();
    for name in store.objects.buckets().map_err(internal)? {
        if name.starts_with(&prefix) {
            let path = store.need_bucket(&name)?;
            let made = fs::metadata(path)
                .and_then(|metadata| metadata.modified())
                .unwrap_or_else(|_| SystemTime::now());
            buckets.push(Bucket {
                creation_date: Some(whole_seconds(made)),
                name: Some(name),
                ..Default::default()
            });
        }
    }
    Ok(ListBucketsOutput { buckets: Some(buckets), ..Default::default() })
}

pub(crate) fn list_objects_v2(
    store: &Store,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<ListObjectsV2Output> {
    let input = request.input;
    let after = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => After::from_token(token)?,
        (None, Some(key)) if !key.is_empty() => After::Key(key.clone()),
        (None, _) => After::Start,
    };
    let max_keys = list::max_keys(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let page = page(
        store,
        &input.bucket,
        &Query { prefix: &prefix, delimiter: input.delimiter.as_deref(), after, max_keys },
    )?;
    let encode = Encode::new(input.encoding_type.as_ref());
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(page.len()).ok(),
        max_keys: Some(max_keys),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(After::token),
        common_prefixes: Some(encode.common_prefixes(&page)),
        contents: Some(objects(store, &input.bucket, page, &encode)?),
        continuation_token: input.continuation_token,
        delimiter: input.delimiter.map(|delimiter| encode.text(delimiter)),
        encoding_type: input.encoding_type,
        prefix: Some(encode.text(prefix)),
        start_after: input.start_after.map(|key| encode.text(key)),
        name: Some(input.bucket),
        ..Default::default()
    })
}

pub(crate) fn list_objects(
    store: &Store,
    request: S3Request<ListObjectsInput>,
) -> S3Result<ListObjectsOutput> {
    let input = request.input;
    let marker = input.marker.clone().unwrap_or_default();
    let after = if marker.is_empty() { After::Start } else { After::Key(marker.clone()) };
    let max_keys = list::max_keys(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let page = page(
        store,
        &input.bucket,
        &Query { prefix: &prefix, delimiter: input.delimiter.as_deref(), after, max_keys },
    )?;
    let encode = Encode::new(input.encoding_type.as_ref());
    let next = match &page.next {
        Some(After::Key(text) | After::Prefix(text)) => Some(encode.text(text.clone())),
        Some(After::Start) | None => None,
    };
    Ok(ListObjectsOutput {
        max_keys: Some(max_keys),
        is_truncated: Some(page.next.is_some()),
        next_marker: next,
        common_prefixes: Some(encode.common_prefixes(&page)),
        contents: Some(objects(store, &input.bucket, page, &encode)?),
        delimiter: input.delimiter.map(|delimiter| encode.text(delimiter)),
        encoding_type: input.encoding_type,
        marker: Some(encode.text(marker)),
        prefix: Some(encode.text(prefix)),
        name: Some(input.bucket),
        ..Default::default()
    })
}

fn page(store: &Store, bucket: &str, query: &Query<'_>) -> S3Result<Page> {
    store.need_bucket(bucket)?;
    Ok(list::page(entries(store, bucket, query.prefix)?, query))
}

/// All objects, the folders that were made as objects among them.
fn entries(store: &Store, bucket: &str, prefix: &str) -> S3Result<Vec<ObjectEntry>> {
    let mut entries = store.objects.list(bucket, prefix).map_err(internal)?;
    let files = entries.len();
    for folder in store.objects.folders(bucket, prefix).map_err(internal)? {
        if store.is_marker(bucket, &folder) {
            let path = store.objects.object_path(bucket, folder.trim_end_matches('/'));
            let modified = path
                .and_then(|path| fs::metadata(path).ok()?.modified().ok())
                .unwrap_or_else(SystemTime::now);
            entries.push(ObjectEntry { key: folder, size_bytes: 0, modified });
        }
    }
    if entries.len() > files {
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    }
    Ok(entries)
}

fn objects(store: &Store, bucket: &str, page: Page, encode: &Encode) -> S3Result<Vec<Object>> {
    let mut objects = Vec::with_capacity(page.objects.len());
    for entry in page.objects {
        let etag = match entry.key.ends_with('/') {
            true => Some(MD5_OF_NOTHING.to_owned()),
            false => store.etag(bucket, &entry.key)?,
        };
        // Deleted since the folders were read: as if it had been earlier.
        let Some(etag) = etag else { continue };
        objects.push(Object {
            key: Some(encode.text(entry.key)),
            size: i64::try_from(entry.size_bytes).ok(),
            last_modified: Some(whole_seconds(entry.modified)),
            e_tag: Some(ETag::Strong(etag)),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Default::default()
        });
    }
    Ok(objects)
}

/// Writes keys as the request wants them.
struct Encode {
    url: bool,
}

impl Encode {
    fn new(encoding: Option<&EncodingType>) -> Encode {
        Encode { url: encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL) }
    }

    fn text(&self, text: String) -> String {
        if self.url { url_encode(&text) } else { text }
    }

    fn common_prefixes(&self, page: &Page) -> Vec<CommonPrefix> {
        page.common_prefixes
            .iter()
            .map(|prefix| CommonPrefix { prefix: Some(self.text(prefix.clone())) })
            .collect()
    }
}
