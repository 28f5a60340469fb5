//! Which permissions a request to S3 needs. In: the request and the caller's policy. Out: S3's
//! refusal where a permission is missing.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>

use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::{CopyObjectInput, CopySource, DeleteObjectsInput, UploadPartCopyInput};
use s3s::{S3Request, S3Result, s3_error};

use super::copy_source;
use crate::objects::Objects;
use crate::policy::Policy;

/// The caller's permissions.
pub(crate) struct Permissions {
    pub(crate) policy: Policy,
    pub(crate) objects: Objects,
}

#[async_trait::async_trait]
impl S3Access for Permissions {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        let is_conditional = request.headers().contains_key("if-match");
        let path = request.s3_path();
        match (path.get_bucket_name(), path.get_object_key()) {
            (Some(bucket), Some(key)) => {
                self.of_object(request.s3_op().name(), bucket, key, is_conditional)
            }
            (Some(bucket), None) => self.of_bucket(request.s3_op().name(), bucket),
            (None, _) => self.needs("s3:ListAllMyBuckets", "*"),
        }
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.of_source(&request.input.copy_source)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.of_source(&request.input.copy_source)
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let bucket = &request.input.bucket;
        let mut objects = request.input.delete.objects.iter();
        objects.try_for_each(|object| self.on_object("s3:DeleteObject", bucket, &object.key))
    }
}

impl Permissions {
    fn of_bucket(&self, operation: &str, bucket: &str) -> S3Result<()> {
        let action = match operation {
            "ListObjects" | "ListObjectsV2" | "HeadBucket" => "s3:ListBucket".to_owned(),
            // Its keys are in the body.
            "DeleteObjects" => return Ok(()),
            "ListMultipartUploads" => "s3:ListBucketMultipartUploads".to_owned(),
            other => format!("s3:{other}"),
        };
        self.needs(&action, &format!("arn:aws:s3:::{bucket}"))
    }

    fn of_object(
        &self,
        operation: &str,
        bucket: &str,
        key: &str,
        is_conditional: bool,
    ) -> S3Result<()> {
        match operation {
            "GetObject" | "HeadObject" => self.to_read(bucket, key),
            // What is deleted on a condition is looked at first.
            // Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-delete-enforce.html>
            "DeleteObject" if is_conditional => {
                self.on_object("s3:DeleteObject", bucket, key)?;
                self.on_object("s3:GetObject", bucket, key)
            }
            "DeleteObject" | "AbortMultipartUpload" => {
                self.on_object(&format!("s3:{operation}"), bucket, key)
            }
            "ListParts" => self.on_object("s3:ListMultipartUploadParts", bucket, key),
            _ => self.on_object("s3:PutObject", bucket, key),
        }
    }

    fn of_source(&self, source: &CopySource) -> S3Result<()> {
        let (bucket, key) = copy_source::name(source)?;
        self.to_read(bucket, key)
    }

    /// Without the right to list, S3 does not even say that an object is missing.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
    fn to_read(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.on_object("s3:GetObject", bucket, key)?;
        match self.objects.path(bucket, key) {
            Some(_) => Ok(()),
            None => self.needs("s3:ListBucket", &format!("arn:aws:s3:::{bucket}")),
        }
    }

    fn on_object(&self, action: &str, bucket: &str, key: &str) -> S3Result<()> {
        self.needs(action, &format!("arn:aws:s3:::{bucket}/{key}"))
    }

    fn needs(&self, action: &str, resource: &str) -> S3Result<()> {
        self.policy.check(action, resource).map_err(|denied| s3_error!(AccessDenied, "{denied}"))
    }
}
