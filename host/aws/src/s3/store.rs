//! The client that all requests to S3 go through, and what S3 says about one object.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::calls::Calls;
use crate::connect::{Aws, boxed};
use crate::failure;
use crate::s3::region::Elsewhere;
use crate::stop::Stop;

/// The condition `If-None-Match` by which a write takes only a name that is free.
pub(super) const ANYTHING: &str = "*";

/// S3 through the AWS SDK. Every request is counted.
#[derive(Clone)]
pub struct Store {
    /// The client for the Region of the settings. Requests go through [`Store::client`].
    pub(super) own: Client,
    pub(super) elsewhere: Arc<Elsewhere>,
    pub(super) calls: Calls,
    pub(super) stop: Stop,
    /// Keeps the stand-in running.
    _aws: Aws,
}

/// What S3 says about an object without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// With its quotes, as S3 gives it.
    pub etag: String,
    /// The version of the object, in a bucket with versions.
    pub version_id: Option<String>,
    pub size_bytes: u64,
}

impl ObjectInfo {
    /// What the headers of an answer say.
    pub(super) fn of(
        etag: &Option<String>,
        version_id: &Option<String>,
        length: Option<i64>,
    ) -> ObjectInfo {
        ObjectInfo {
            etag: etag.clone().unwrap_or_default(),
            version_id: version(version_id),
            size_bytes: u64::try_from(length.unwrap_or(0)).unwrap_or(0),
        }
    }
}

impl Store {
    /// A client for the service, or for the stand-in. What it is asked for ends with `Interrupted`
    /// at once when the run shall stop.
    pub fn new(aws: &Aws, stop: Stop) -> Store {
        let mut config = aws_sdk_s3::config::Builder::from(&aws.config);
        if let Some(endpoints) = &aws.endpoints {
            // The stand-in has one address for all buckets, so the bucket is a part of the path.
            config = config.endpoint_url(&endpoints.s3).force_path_style(true);
        }
        Store {
            own: Client::from_conf(config.build()),
            elsewhere: Arc::default(),
            calls: Calls::default(),
            stop,
            _aws: aws.clone(),
        }
    }

    /// The same client, but deaf to a wish to stop, for what must be done even then. (For example,
    /// the parts of a run that a signal has ended are deleted.)
    #[must_use]
    pub fn to_the_end(&self) -> Store {
        Store { stop: Stop::never(), ..self.clone() }
    }

    /// Sends a request, unless the run shall stop: then the answer is not waited for any more.
    // What was on its way may still arrive. Whatever it writes is found by the cleanup, or by the
    // next run, as after a kill.
    pub(super) fn sent<T, E>(
        &self,
        request: impl Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = std::result::Result<T, SdkError<E, HttpResponse>>> {
        // The heap has it at once, and no future that waits here is as large.
        let request = boxed(request);
        async {
            match self.stop.bounds(request).await {
                Ok(answer) => answer,
                Err(stopped) => Err(failure::stopped(&stopped)),
            }
        }
    }

    /// The requests made so far.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Looks at an object without reading it; `None` when it does not exist.
    pub async fn head(&self, uri: &S3Uri) -> Result<Option<ObjectInfo>> {
        let head = self.read_in_its_region(&uri.bucket, async |client: &Client| {
            self.calls.count("HeadObject");
            self.sent(client.head_object().bucket(&uri.bucket).key(&uri.key).send()).await
        });
        match head.await {
            Ok(head) => {
                Ok(Some(ObjectInfo::of(&head.e_tag, &head.version_id, head.content_length)))
            }
            Err(error) if failure::is_missing(&error) => Ok(None),
            Err(error) => {
                // HEAD answers without a body, so S3 cannot say why. The hint has the usual causes.
                let hint = "is this a valid bucket, and may you read it?";
                Err(failure::read_failure(&format!("looking at {uri} ({hint})"), error))
            }
        }
    }

    /// Looks at the bucket itself. Afterwards its Region is known.
    pub async fn head_bucket(&self, bucket: &str) -> Result<()> {
        let head = self.read_in_its_region(bucket, async |client: &Client| {
            self.calls.count("HeadBucket");
            self.sent(client.head_bucket().bucket(bucket).send()).await
        });
        let doing = format!("looking at the bucket {bucket}");
        head.await.map(drop).map_err(|error| failure::read_failure(&doing, error))
    }

    /// Makes a bucket, for the demo and the stand-in. A bucket that exists and is ours is no error.
    pub async fn create_bucket(&self, bucket: &str) -> Result<()> {
        self.calls.count("CreateBucket");
        match self.sent(self.client().create_bucket().bucket(bucket).send()).await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|e| e.is_bucket_already_owned_by_you()) =>
            {
                Ok(())
            }
            Err(error) => Err(failure::read_failure(&format!("making the bucket {bucket}"), error)),
        }
    }
}

/// A version as S3 says it: it writes `null` for an object without one.
pub(super) fn version(id: &Option<String>) -> Option<String> {
    id.clone().filter(|id| id != "null")
}

/// The error for an object that was written anew after the program had looked at it.
pub(super) fn replaced(uri: &S3Uri) -> Error {
    let fact = format!(
        "{uri} was replaced while it was being loaded; the new file was left alone, run again for \
         it"
    );
    Error::new(Kind::Transient, fact)
}
