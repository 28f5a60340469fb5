//! The client for everything that is not AWS: webhooks, and OpenTelemetry's collector.

use std::error::Error;
use std::sync::LazyLock;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

pub(crate) type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// One client, which keeps its connections. The text: why there is none.
static CLIENT: LazyLock<Result<HttpsClient, String>> = LazyLock::new(|| {
    let provider = rustls::crypto::ring::default_provider();
    let connector = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
    let connector = connector.map_err(|error| format!("there are no certificates: {error}"))?;
    let connector = connector.https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
});

/// The client of the process. Errors: why there is none.
pub(crate) fn client() -> Result<&'static HttpsClient, String> {
    CLIENT.as_ref().map_err(Clone::clone)
}

/// An error with its causes, of which those of a client have several.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
