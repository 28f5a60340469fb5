//! Sends to the collector, over the same TLS as everything else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use tokio::runtime::Handle;

use super::variables::{timeout, variable};
use crate::https;

/// The most of an answer that is read.
const LONGEST_ANSWER: usize = 64 << 10;

/// Sends one signal.
#[derive(Debug)]
pub(super) struct Client {
    /// What is sent comes from threads that have no runtime.
    runtime: Handle,
    /// Whether the last request was in vain: the log has the first of several in a row.
    is_in_vain: AtomicBool,
    /// How long a request may take.
    patience: Duration,
}

impl Client {
    /// `signal`: `TRACES` or `METRICS`.
    pub(super) fn new(signal: &str) -> Client {
        let patience = Duration::from_millis(timeout(signal, variable));
        Client { runtime: Handle::current(), is_in_vain: AtomicBool::new(false), patience }
    }

    /// Logs that sending has begun to fail, or has ceased to.
    fn notes(&self, why: Option<String>) {
        let was_in_vain = self.is_in_vain.swap(why.is_some(), Ordering::Relaxed);
        match why {
            Some(why) if !was_in_vain => {
                tracing::warn!(why, "traces or metrics did not reach OpenTelemetry's collector");
            }
            None if was_in_vain => tracing::info!("OpenTelemetry's collector is reached again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // The exporter, which is on a thread without a runtime, waits for this for ever.
        let (runtime, patience) = (self.runtime.clone(), self.patience);
        let in_time = async move {
            let sent = tokio::time::timeout(patience, send(request)).await;
            sent.unwrap_or_else(|_| Err(format!("no answer in {} ms", patience.as_millis()).into()))
        };
        let sent = runtime.spawn(in_time).await?;
        self.notes(match &sent {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answered {}", answer.status())),
            Err(error) => Some(https::with_causes(&**error)),
        });
        sent
    }
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let client = https::client()?;
    let (head, body) = request.into_parts();
    let answer = client.request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, LONGEST_ANSWER).collect().await?;
    Ok(Response::from_parts(head, body.to_bytes()))
}
