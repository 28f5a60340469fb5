//! The bucket's Region, where it is another one than that of the settings. S3 refuses a request
//! that was signed for the wrong Region and names the right one in a header; the request is then
//! sent there, and so are all that follow. (For example, HEAD of an object of a bucket in eu-west-1
//! is answered in us-east-1 with 301 and `x-amz-bucket-region: eu-west-1`.)
//!
//! Only reads are sent again, because every run reads from its bucket before it writes.
//! Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>, and
//! <https://github.com/boto/botocore/blob/develop/botocore/utils.py> (`S3RegionRedirector`).

use std::sync::OnceLock;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use crate::failure::status;
use crate::s3::store::Store;

/// The header in which S3 names the Region of a bucket, in refusals too.
const HEADER: &str = "x-amz-bucket-region";

/// A client for the bucket's own Region, once S3 has named that.
#[derive(Default)]
pub(super) struct Elsewhere(OnceLock<(String, Client)>);

impl Store {
    /// The bucket's Region, where it is another one than that of the settings, in which the
    /// warehouse is. Known once something was read from the bucket.
    pub fn other_region(&self) -> Option<&str> {
        self.elsewhere.0.get().map(|(region, _)| region.as_str())
    }

    /// The Region of the settings.
    pub fn own_region(&self) -> &str {
        region_of(&self.own)
    }

    /// The client for the bucket's Region, as far as that is known.
    pub(super) fn client(&self) -> &Client {
        self.elsewhere.0.get().map_or(&self.own, |(_, client)| client)
    }

    /// Sends a request about a bucket, and once more when the bucket turns out to be elsewhere.
    pub(super) async fn read_in_its_region<T, E>(
        &self,
        bucket: &str,
        send: impl AsyncFn(&Client) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, SdkError<E, HttpResponse>> {
        let client = self.client();
        let answer = send(client).await;
        let Err(error) = &answer else { return answer };
        match self.named_region(bucket, error).await.filter(|named| named != region_of(client)) {
            Some(named) => send(self.client_for(&named)).await,
            None => answer,
        }
    }

    /// The Region that S3 names in its refusal, or in its answer about the bucket itself.
    // A refusal does not always have the header. (For example, HEAD of an object that was signed
    // for the wrong Region and reached the right one is answered with a bare 400.) HEAD of a bucket
    // has it always, also where the bucket may not be looked at.
    async fn named_region<E>(
        &self,
        bucket: &str,
        error: &SdkError<E, HttpResponse>,
    ) -> Option<String> {
        if let Some(region) = header(error) {
            return Some(region);
        }
        if !matches!(status(error), Some(301 | 307 | 400)) {
            return None;
        }
        self.calls.count("HeadBucket");
        match self.sent(self.own.head_bucket().bucket(bucket).send()).await {
            Ok(answer) => answer.bucket_region,
            Err(error) => header(&error),
        }
    }

    fn client_for(&self, region: &str) -> &Client {
        let (_, client) = self.elsewhere.0.get_or_init(|| {
            tracing::debug!(region, "the bucket is in another Region");
            let config = self.own.config().to_builder().region(Region::new(region.to_owned()));
            (region.to_owned(), Client::from_conf(config.build()))
        });
        client
    }
}

fn header<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    error.raw_response()?.headers().get(HEADER).map(str::to_owned)
}

fn region_of(client: &Client) -> &str {
    client.config().region().map_or("", Region::as_ref)
}

#[cfg(test)]
mod tests {
    use loader_model::names::S3Uri;

    use super::*;
    use crate::s3::fake::{self, on_runtime};

    const NAMED: &str = "301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1";

    /// An S3 whose buckets are all in eu-west-1. Answers requests for an object that are signed for
    /// another Region with `refusal`.
    async fn store(region: &'static str, refusal: &'static str) -> Store {
        fake::store(region, move |head| {
            let of_object = ["HEAD /b/k ", "GET /b/k?", "PUT "];
            let status = match of_object.iter().any(|request| head[0].starts_with(request)) {
                false => "403 Forbidden\r\nx-amz-bucket-region: eu-west-1",
                true if head.iter().any(|line| line.contains("/eu-west-1/s3/")) => "200 OK",
                true => refusal,
            };
            format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")
        })
        .await
    }

    #[test]
    fn a_bucket_elsewhere_is_read_where_it_is_and_remembered() {
        on_runtime(async {
            let store = store("us-east-1", NAMED).await;
            assert_eq!((store.own_region(), store.other_region()), ("us-east-1", None));
            let uri = S3Uri::new("b", "k");
            assert!(store.head(&uri).await.expect("redirected").is_some());
            assert_eq!(
                (store.own_region(), store.other_region()),
                ("us-east-1", Some("eu-west-1"))
            );
            // Writes go there too, and nothing asks the wrong Region again.
            store.write(&uri, b"content".to_vec()).await.expect("written");
            assert!(store.head(&uri).await.expect("found").is_some());
            assert_eq!(store.calls().tally()["HeadObject"], 3);
        });
    }

    #[test]
    fn an_object_elsewhere_is_opened_where_it_is() {
        on_runtime(async {
            let store = store("us-east-1", NAMED).await;
            let opened = store.open(&S3Uri::new("b", "k")).await.expect("redirected");
            assert_eq!(opened.map(|(info, _)| info.size_bytes), Some(0));
            assert_eq!(store.other_region(), Some("eu-west-1"));
            assert_eq!(store.calls().tally()["GetObject"], 2);
        });
    }

    #[test]
    fn a_bucket_of_the_own_region_costs_no_second_request() {
        on_runtime(async {
            let store = store("eu-west-1", NAMED).await;
            assert!(store.head(&S3Uri::new("b", "k")).await.expect("found").is_some());
            assert_eq!((store.other_region(), store.calls().tally()["HeadObject"]), (None, 1));
        });
    }

    #[test]
    fn a_refusal_that_names_no_region_is_followed_by_a_question_about_the_bucket() {
        on_runtime(async {
            let store = store("us-east-1", "400 Bad Request").await;
            assert!(store.head(&S3Uri::new("b", "k")).await.expect("redirected").is_some());
            assert_eq!(store.other_region(), Some("eu-west-1"));
            let calls = store.calls().tally();
            assert_eq!((calls["HeadObject"], calls["HeadBucket"]), (2, 1));
        });
    }
}
