//! Who may send requests to S3, and what addresses them. In: the folder's access key, and requests
//! whose signature `s3s` checks. Out: S3's own refusals.

use loader_attach::AccessKey;
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::{S3Host, VirtualHost};
use s3s::{S3Request, S3Result, s3_error};

use crate::host_header::{Addressed, addressed};

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
/// this one (Signature Version 2), which knows no Region.
pub(crate) fn check<I>(request: &S3Request<I>) -> S3Result<()> {
    if request.region.is_some() {
        return Ok(());
    }
    Err(s3_error!(
        InvalidRequest,
        "The authorization mechanism you have provided is not supported. Please use \
         AWS4-HMAC-SHA256."
    ))
}
