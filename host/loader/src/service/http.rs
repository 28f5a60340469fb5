//! What a service shows: whether it is well, its figures for Prometheus, and a page for people.
//!
//! It answers whoever can reach it and asks for no password, so it listens where it is told, and
//! nowhere else.

mod page;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use loader_model::error::{Context, Kind, Result};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

pub(crate) use page::LivePage;

use crate::figures;
use crate::service::board::Board;
use crate::service::post::Post;

/// How long an answer may take, the making of the page and its reading by the client.
const LONGEST_ANSWER: Duration = Duration::from_secs(120);
/// Connections at once; more wait.
const CONNECTIONS: usize = 64;
/// How long a client may take for the head of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an address waits that does not take connections for now.
const PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// What is shown.
pub(crate) struct Shown {
    pub(crate) board: Arc<Board>,
    pub(crate) post: Option<Post>,
    pub(crate) page: LivePage,
    /// How often the service looks at all tables.
    pub(crate) every: Duration,
}

/// Listens. Errors: `Config` for an address that cannot be had.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    let fact = || format!("--http {address}: the address cannot be listened at");
    TcpListener::bind(address).await.context(Kind::Config, fact())
}

/// The address that was given, with the port that port 0 has become.
pub(crate) fn address(listener: &TcpListener) -> String {
    listener.local_addr().map_or_else(|error| error.to_string(), |address| address.to_string())
}

/// Answers, in a local set of tasks. Never returns.
pub(crate) async fn serve(listener: TcpListener, shown: Arc<Shown>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let shown = Arc::clone(&shown);
        tokio::task::spawn_local(async move {
            let answer = service_fn(|request| {
                let shown = Arc::clone(&shown);
                async move { Ok::<_, Infallible>(answer(request, &shown).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            // A client that went away is no error, and neither is one that does not read.
            let _ = tokio::time::timeout(LONGEST_ANSWER, connection).await;
            drop(place);
        });
    }
}

async fn answer(request: Request<Incoming>, shown: &Shown) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n".to_owned());
    }
    match request.uri().path() {
        "/healthz" => health(shown),
        "/metrics" => metrics(),
        "/" => match shown.page.html(&shown.board, shown.post.as_ref()).await {
            Ok(html) => response(StatusCode::OK, HTML, html),
            Err(error) => response(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{error}\n")),
        },
        _ => response(StatusCode::NOT_FOUND, TEXT, "/, /healthz or /metrics\n".to_owned()),
    }
}

fn health(shown: &Shown) -> Response<Full<Bytes>> {
    let trouble = shown.board.trouble(shown.every);
    let status = match trouble {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let now = shown.board.now();
    let body = serde_json::json!({
        "status": if trouble.is_none() { "ok" } else { "failing" },
        "trouble": trouble,
        "version": env!("CARGO_PKG_VERSION"),
        "started_at": now.started_at.to_string(),
        "tables_at_work": now.at_work.len(),
        "files_pending": now.pending.values().map(|pending| pending.files).sum::<usize>(),
        "messages_in_hand": shown.post.as_ref().map(Post::in_hand),
    });
    response(status, JSON, format!("{body}\n"))
}

fn metrics() -> Response<Full<Bytes>> {
    match figures::of_process().text() {
        Ok(text) => response(StatusCode::OK, TEXT, text),
        Err(error) => response(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("{error}\n")),
    }
}

fn response(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The page has its style in itself, and nothing else to fetch or run.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
