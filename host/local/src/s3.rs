//! The S3 protocol over the files of DIR. The crate `s3s` speaks HTTP, XML and signatures; the
//! modules here carry the operations out. In: parsed requests; out: answers or S3's own errors.
//! `store` has the objects, and each module beside it has one kind of operation.

mod access;
mod buckets;
mod conditions;
mod copy_source;
mod digest;
mod failure;
mod list;
mod listing;
mod members;
mod multipart;
mod permissions;
mod read;
mod records;
mod spool;
mod store;
#[cfg(test)]
mod tests;
mod uploads;
mod write;

use std::io;
use std::path::Path;
use std::sync::Arc;

use loader_attach::AccessKey;
use s3s::dto::*;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::objects::Objects;
use crate::policy::Policy;
use access::{Input, LocalHost, OneKey};
use failure::blocking;
use permissions::Permissions;
use store::Store;

/// The service of one DIR, for requests that are signed with `key` and that `policy` allows;
/// `state_dir` is its `.loader`.
pub(crate) fn service(
    objects: Objects,
    state_dir: &Path,
    key: AccessKey,
    policy: Policy,
) -> io::Result<S3Service> {
    let store = Arc::new(Store::open(objects.clone(), state_dir)?);
    let mut builder = S3ServiceBuilder::new(LocalS3 { store });
    builder.set_auth(OneKey(key));
    builder.set_access(Permissions { policy, objects });
    builder.set_host(LocalHost);
    Ok(builder.build())
}

struct LocalS3 {
    store: Arc<Store>,
}

impl LocalS3 {
    /// Runs an operation that has no body, on a thread for blocking work.
    // PutObject and UploadPart do not come here: they read a body, so they are async and move to a
    // blocking thread only to write.
    async fn run<I, O>(
        &self,
        request: S3Request<I>,
        operation: fn(&Store, S3Request<I>) -> S3Result<O>,
    ) -> S3Result<S3Response<O>>
    where
        I: Input + Send + 'static,
        O: Send + 'static,
    {
        let store = Arc::clone(&self.store);
        let run = move || {
            access::check(&store, &request)?;
            operation(&store, request)
        };
        blocking(run).await.map(S3Response::new)
    }
}

#[async_trait::async_trait]
impl S3 for LocalS3 {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        self.run(request, buckets::create).await
    }

    async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.run(request, buckets::delete).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.run(request, buckets::head).await
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.run(request, buckets::list).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.run(request, buckets::location).await
    }

    async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.run(request, buckets::versioning).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.run(request, read::head).await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.run(request, read::get).await
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        self.run(request, listing::list_objects).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.run(request, listing::list_objects_v2).await
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        access::check(&self.store, &request)?;
        write::put(&self.store, request).await.map(S3Response::new)
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        self.run(request, write::copy).await
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.run(request, write::delete).await
    }

    async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        self.run(request, write::delete_batch).await
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        self.run(request, multipart::create).await
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        access::check(&self.store, &request)?;
        multipart::upload_part(&self.store, request).await.map(S3Response::new)
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        self.run(request, multipart::upload_part_copy).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.run(request, multipart::complete).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.run(request, multipart::abort).await
    }

    async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        self.run(request, multipart::list_parts).await
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        self.run(request, multipart::list_uploads).await
    }
}
