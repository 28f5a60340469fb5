//! Operations on buckets. In: parsed requests; out: answers. A folder of DIR is a bucket, also a
//! folder that a person made with `mkdir`.

use std::fs;
use std::time::SystemTime;

use loader_attach::REGION;
use s3s::dto::*;
use s3s::region::Region;
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::whole_seconds;
use super::failure::internal;
use super::listing::entries;
use super::store::Store;

/// Creates the bucket, in the Region that the request names or is signed for. Succeeds when the
/// bucket exists in the first Region, as S3 does there.
pub(crate) fn create(
    store: &Store,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let CreateBucketInput { bucket, create_bucket_configuration: wanted, .. } = request.input;
    let wanted = wanted.and_then(|wanted| wanted.location_constraint);
    let signed = request.region.as_ref().map_or(REGION, |region| region.as_str());
    let region = region_of_new(wanted.as_ref().map(|wanted| wanted.as_str()), signed)?;
    let path = store.objects.bucket_path(&bucket).ok_or_else(|| s3_error!(InvalidBucketName))?;
    let _changing = store.lock();
    match store.objects.region(&bucket) {
        Some(found) if found == region && region == REGION => {}
        Some(_) => {
            return Err(s3_error!(
                BucketAlreadyOwnedByYou,
                "Your previous request to create the named bucket succeeded and you already own it."
            ));
        }
        None if path.is_symlink() => {
            return Err(s3_error!(
                BucketAlreadyExists,
                "the name is taken by a link that leads out of the buckets"
            ));
        }
        None => store.objects.make_bucket(&bucket, region).map_err(internal)?,
    }
    Ok(CreateBucketOutput { location: Some(format!("/{bucket}")) })
}

/// The Region of a new bucket. From the first Region a bucket can be made in any other; elsewhere
/// the request has to name the Region that it is signed for.
fn region_of_new<'a>(wanted: Option<&'a str>, signed: &str) -> S3Result<&'a str> {
    // What the constraint was called before it was a Region.
    let wanted = if wanted == Some("EU") { Some("eu-west-1") } else { wanted };
    match wanted {
        None if signed == REGION => Ok(REGION),
        Some(wanted) if Region::new(wanted.into()).is_err() => Err(s3_error!(
            InvalidLocationConstraint,
            "The specified location-constraint is not valid"
        )),
        Some(wanted) if signed == REGION || signed == wanted => Ok(wanted),
        _ => Err(s3_error!(
            IllegalLocationConstraintException,
            "The {} location constraint is incompatible for the region specific endpoint this \
             request was sent to.",
            wanted.unwrap_or("unspecified")
        )),
    }
}

pub(crate) fn delete(
    store: &Store,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<DeleteBucketOutput> {
    let bucket = request.input.bucket;
    store.need_bucket(&bucket)?;
    // From here on no object can be put between the check and the removal.
    let _changing = store.lock();
    if !entries(store, &bucket, "")?.is_empty() {
        return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
    }
    // Only empty folders can be left, and S3 has no folders: the bucket counts as empty.
    store.objects.remove_bucket(&bucket).map_err(internal)?;
    Ok(DeleteBucketOutput::default())
}

pub(crate) fn head(
    store: &Store,
    request: S3Request<HeadBucketInput>,
) -> S3Result<HeadBucketOutput> {
    let bucket = request.input.bucket;
    store.need_bucket(&bucket)?;
    Ok(HeadBucketOutput { bucket_region: store.objects.region(&bucket), ..Default::default() })
}

pub(crate) fn location(
    store: &Store,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    let bucket = request.input.bucket;
    store.need_bucket(&bucket)?;
    // S3 says nothing of its first Region.
    let region = store.objects.region(&bucket).filter(|region| region != REGION);
    let location_constraint = region.map(BucketLocationConstraint::from);
    Ok(GetBucketLocationOutput { location_constraint })
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
                bucket_region: store.objects.region(&name),
                creation_date: Some(whole_seconds(made)),
                name: Some(name),
            });
        }
    }
    Ok(ListBucketsOutput { buckets: Some(buckets), ..Default::default() })
}
