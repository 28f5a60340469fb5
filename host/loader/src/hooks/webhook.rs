//! A webhook: a report as the body of a POST request.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, USER_AGENT};
use hyper::{Request, StatusCode};

use super::failed::Failed;
use crate::https;

/// How long a server may take for its answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends it. Any 2xx is fine.
pub(super) async fn post(url: &str, body: &str) -> Result<(), Failed> {
    let failed = |why: String, passes| Failed { why, passes };
    let client = https::client().map_err(|why| failed(why, false))?;
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("loader/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .map_err(|error| failed(format!("it is no address: {error}"), false))?;
    match tokio::time::timeout(PATIENCE, client.request(request)).await {
        Ok(Ok(answer)) => match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(failed(format!("it answered {status}"), passes(status))),
        },
        Ok(Err(error)) => {
            Err(failed(format!("it was not reached: {}", https::with_causes(&error)), true))
        }
        Err(_) => Err(failed(format!("no answer in {} s", PATIENCE.as_secs()), true)),
    }
}

/// Whether the same request may be answered otherwise later.
fn passes(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}
