//! Operations on buckets. In: parsed requests; out: answers. A folder of DIR is a bucket, also a
//! folder that a person made with `mkdir`.

use std::fs;
use std::time::SystemTime;

use loader_attach::REGION;
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::whole_seconds;
use super::failure::internal;
use super::listing::entries;
use super::store::Store;

/// Creates the bucket. Succeeds when the bucket exists, as S3 does in its first region.
pub(crate) fn create(
    store: &Store,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let bucket = request.input.bucket;
    let path = store.objects.bucket_path(&bucket).ok_or_else(|| s3_error!(InvalidBucketName))?;
    fs::create_dir_all(path).map_err(internal)?;
    if store.objects.bucket(&bucket).is_none() {
        return Err(s3_error!(
            BucketAlreadyExists,
            "the name is taken by a link that leads out of the buckets"
        ));
    }
    Ok(CreateBucketOutput { location: Some(format!("/{bucket}")) })
}

pub(crate) fn delete(
    store: &Store,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<DeleteBucketOutput> {
    let bucket = request.input.bucket;
    let path = store.need_bucket(&bucket)?;
    // From here on no object can be put between the check and the removal.
    let _changing = store.lock();
    if !entries(store, &bucket, "")?.is_empty() {
        return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
    }
    // Only empty folders can be left, and S3 has no folders: the bucket counts as empty.
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

/// No bucket here is versioned. S3 says that by an answer without a status.
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
