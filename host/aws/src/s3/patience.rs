//! How long S3 may take for requests that move much: the limit for an answer counts from the first
//! byte that is sent, so it grows with what is moved.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;

use crate::s3::store::Store;

/// The slowest connection that is not given up: a 64 MiB part may then take 17 minutes. One on
/// which nothing moves at all is given up by the SDK after 20 seconds.
const SLOWEST_BYTES_A_SECOND: u64 = 64 * 1024;

impl Store {
    /// The config of a request that moves so many bytes.
    pub(super) fn patient(&self, bytes: u64) -> Builder {
        let limits = self.client().config().timeout_config();
        let answer = limits.and_then(TimeoutConfig::read_timeout).unwrap_or_default();
        let moving = Duration::from_secs(bytes / SLOWEST_BYTES_A_SECOND);
        Builder::new()
            .timeout_config(TimeoutConfig::builder().read_timeout(answer + moving).build())
    }
}
