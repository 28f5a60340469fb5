//! How long S3 may take for requests that move much: the limit for an answer counts from the first
//! byte that is sent, so it grows with what is moved.

use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;

use crate::s3::store::Store;

/// The slowest connection that is not given up: a 64 MiB part may then take 17 minutes. One on
/// which nothing moves at all is given up by the SDK after 20 seconds.
const SLOWEST_BYTES_A_SECOND: u64 = 64 * 1024;
/// The sizes between which the limit is the same. For each limit the SDK keeps connections of its
/// own, so there are few; and what has at most a MiB has the connections of all other requests.
const SIZES: [u64; 4] = [1 << 20, 64 << 20, 1 << 30, 8 << 30];

/// S3 copies an object within itself, much faster than it takes one from here: so many copied bytes
/// get the time of one sent byte. A copy of 5 GiB is given up after 17 minutes without an answer, so
/// 5 MB/s are enough.
const COPIED_FOR_ONE_SENT: u64 = 128;

impl Store {
    /// The config of a request by which S3 copies so many bytes.
    pub(super) fn patient_copy(&self, bytes: u64) -> Builder {
        self.patient(bytes / COPIED_FOR_ONE_SENT)
    }

    /// The config of a request that moves so many bytes.
    pub(super) fn patient(&self, bytes: u64) -> Builder {
        let limits = self.client().config().timeout_config();
        let answer = limits.and_then(TimeoutConfig::read_timeout);
        let Some(answer) = answer.filter(|_| bytes > SIZES[0]) else { return Builder::new() };
        let size = SIZES.into_iter().find(|size| bytes <= *size).unwrap_or(u64::MAX >> 20);
        let limit = answer + Duration::from_secs(size / SLOWEST_BYTES_A_SECOND);
        Builder::new().timeout_config(TimeoutConfig::builder().read_timeout(limit).build())
    }
}
