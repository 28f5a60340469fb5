//! Who may send requests to S3, and where. In: the folder's access key, and requests whose signature
//! `s3s` checks. Out: S3's own refusals.

use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use loader_attach::AccessKey;
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::*;
use s3s::host::{S3Host, VirtualHost};
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::store::Store;
use crate::host_header::{Addressed, addressed};
use crate::throttle;

/// The one key that S3 takes.
pub(crate) struct OneKey(pub(crate) AccessKey);

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key_id: &str) -> S3Result<SecretKey> {
        if access_key_id != self.0.access_key_id {
            return Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            ));
        }
        Ok(SecretKey::from(self.0.secret_access_key.as_str()))
    }
}

/// Finds the bucket in a request's host: `demo` in `demo.localhost:9000`.
pub(crate) struct LocalHost;

impl S3Host for LocalHost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        match addressed(host) {
            Some(Addressed::Server) => Ok(VirtualHost::new(host)),
            Some(Addressed::Bucket(bucket)) => Ok(VirtualHost::new(host).with_bucket(bucket)),
            // The server has refused such a request before (see `server::http`).
            None => Err(s3_error!(InvalidRequest, "Invalid host header")),
        }
    }
}

/// Refuses a request that `s3s` has taken and S3 would not: one that is signed by the method before
/// this one (Signature Version 2), and one that is signed for another Region than its bucket's. Also
/// one that a test wants to be refused.
pub(crate) fn check<I: Input>(store: &Store, request: &S3Request<I>) -> S3Result<()> {
    let Some(region) = &request.region else {
        return Err(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use \
             AWS4-HMAC-SHA256."
        ));
    };
    if throttle::refusal(store.objects.root(), I::operation()).is_some() {
        return Err(s3_error!(SlowDown, "Please reduce your request rate."));
    }
    match request.input.bucket().and_then(|bucket| store.objects.region(bucket)) {
        Some(home) if home != region.as_str() => Err(elsewhere(&home)),
        _ => Ok(()),
    }
}

/// S3 answers with the Region in a header, which clients read to try there.
fn elsewhere(region: &str) -> S3Error {
    let mut error = s3_error!(
        PermanentRedirect,
        "The bucket you are attempting to access must be addressed using the specified endpoint. \
         Please send all future requests to this endpoint."
    );
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(region) = HeaderValue::from_str(region) {
        headers.insert("x-amz-bucket-region", region);
    }
    error.set_headers(headers);
    error
}

/// What requests have in common.
pub(crate) trait Input {
    /// The operation, such as `GetObject`.
    fn operation() -> &'static str;

    /// The bucket that decides to which Region the request belongs.
    fn bucket(&self) -> Option<&str>;
}

macro_rules! inputs {
    ($($of_bucket:ident),*; anywhere: $($anywhere:ident),*) => {
        $(impl Input for $of_bucket {
            fn operation() -> &'static str {
                stringify!($of_bucket).trim_end_matches("Input")
            }

            fn bucket(&self) -> Option<&str> {
                Some(&self.bucket)
            }
        })*
        $(impl Input for $anywhere {
            fn operation() -> &'static str {
                stringify!($anywhere).trim_end_matches("Input")
            }

            fn bucket(&self) -> Option<&str> {
                None
            }
        })*
    };
}

// Of a copy, the target's bucket counts; its source may be in any Region.
inputs!(
    DeleteBucketInput, HeadBucketInput, GetBucketVersioningInput, HeadObjectInput, GetObjectInput,
    ListObjectsInput, ListObjectsV2Input, PutObjectInput, CopyObjectInput, DeleteObjectInput,
    DeleteObjectsInput, CreateMultipartUploadInput, UploadPartInput, UploadPartCopyInput,
    CompleteMultipartUploadInput, AbortMultipartUploadInput, ListPartsInput,
    ListMultipartUploadsInput;
    anywhere: CreateBucketInput, ListBucketsInput, GetBucketLocationInput
);
