//! ListObjects and ListObjectsV2. In: parsed requests; out: one page of a bucket's objects. `list`
//! decides which keys are on a page.

use std::fs;
use std::time::SystemTime;

use s3s::dto::*;
use s3s::{S3Request, S3Result};

use super::conditions::whole_seconds;
use super::digest::MD5_OF_NOTHING;
use super::failure::internal;
use super::list::{self, After, Page, Query, url_encode};
use super::store::Store;
use crate::objects::ObjectEntry;

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
    let delimiter = input.delimiter.as_deref();
    let query = Query { prefix: &prefix, delimiter, after, max_keys };
    let encode = Encode::new(input.encoding_type.as_ref());
    let listed = Listed::read(store, &input.bucket, &query, &encode)?;
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(listed.key_count).ok(),
        max_keys: Some(max_keys),
        is_truncated: Some(listed.next.is_some()),
        next_continuation_token: listed.next.as_ref().map(After::token),
        common_prefixes: Some(listed.common_prefixes),
        contents: Some(listed.objects),
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
    let marker = input.marker.unwrap_or_default();
    let after = if marker.is_empty() { After::Start } else { After::Key(marker.clone()) };
    let max_keys = list::max_keys(input.max_keys)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = input.delimiter.as_deref();
    let query = Query { prefix: &prefix, delimiter, after, max_keys };
    let encode = Encode::new(input.encoding_type.as_ref());
    let listed = Listed::read(store, &input.bucket, &query, &encode)?;
    Ok(ListObjectsOutput {
        max_keys: Some(max_keys),
        is_truncated: Some(listed.next.is_some()),
        next_marker: listed.next.as_ref().and_then(After::text).map(|text| encode.text(text)),
        common_prefixes: Some(listed.common_prefixes),
        contents: Some(listed.objects),
        delimiter: input.delimiter.map(|delimiter| encode.text(delimiter)),
        encoding_type: input.encoding_type,
        marker: Some(encode.text(marker)),
        prefix: Some(encode.text(prefix)),
        name: Some(input.bucket),
        ..Default::default()
    })
}

/// A page in the types that both operations answer.
struct Listed {
    key_count: usize,
    common_prefixes: Vec<CommonPrefix>,
    objects: Vec<Object>,
    next: Option<After>,
}

impl Listed {
    fn read(store: &Store, bucket: &str, query: &Query<'_>, encode: &Encode) -> S3Result<Listed> {
        store.need_bucket(bucket)?;
        // The page is cut before ETags are looked up, because the ETag of a file that came by hand
        // costs reading the file.
        let page = list::page(entries(store, bucket, query.prefix)?, query);
        Ok(Listed {
            key_count: page.len(),
            common_prefixes: encode.common_prefixes(&page),
            next: page.next,
            objects: objects(store, bucket, page.objects, encode)?,
        })
    }
}

/// All objects whose keys start with `prefix`, sorted. A folder that a client made as an object
/// (`PUT in/`) is one of them, with the key `in/`.
// The folders come unsorted and behind the files, so the whole is sorted again: `in/` has to stand
// before `in/x.csv`.
pub(crate) fn entries(store: &Store, bucket: &str, prefix: &str) -> S3Result<Vec<ObjectEntry>> {
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

fn objects(
    store: &Store,
    bucket: &str,
    entries: Vec<ObjectEntry>,
    encode: &Encode,
) -> S3Result<Vec<Object>> {
    let mut objects = Vec::with_capacity(entries.len());
    for entry in entries {
        let etag = match entry.key.ends_with('/') {
            true => Some(MD5_OF_NOTHING.to_owned()),
            false => store.etag(bucket, &entry.key)?,
        };
        // Deleted since the folders were read. It is left out, as if that had happened before.
        let Some(etag) = etag else { continue };
        objects.push(object(entry, etag, encode));
    }
    Ok(objects)
}

fn object(entry: ObjectEntry, etag: String, encode: &Encode) -> Object {
    Object {
        key: Some(encode.text(entry.key)),
        size: i64::try_from(entry.size_bytes).ok(),
        last_modified: Some(whole_seconds(entry.modified)),
        e_tag: Some(ETag::Strong(etag)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Default::default()
    }
}

/// Writes keys as the request wants them: plain or URL-encoded.
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
