//! HTTP on one listener: accepts connections, serves each as a task, and ends in order. In: a
//! listener and a hyper service; out: answered requests, and a refusal (403) for those that address
//! another machine. Knows no protocol above HTTP.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::HOST;
use hyper::service::Service;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::host_header::addressed;

/// How long running requests may take after a stop.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until stopped or dropped.
pub(crate) struct HttpServer {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl HttpServer {
    pub(crate) fn start<S, B>(listener: TcpListener, service: S) -> HttpServer
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (stop, stopped) = oneshot::channel();
        HttpServer { stop: Some(stop), task: tokio::spawn(serve(listener, service, stopped)) }
    }

    /// Accepts no more connections, and waits for the running requests up to [`GRACE`].
    pub(crate) async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Err(error) = (&mut self.task).await {
            tracing::warn!(%error, "http server ended badly");
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// Ends in three steps. Dropping the listener refuses new connections. `graceful` closes idle
// connections and waits for the requests of the others, for GRACE at most. `shutdown` breaks off
// the rest, such as the connection of a client that takes its body slowly.
async fn serve<S, B>(listener: TcpListener, service: S, mut stopped: oneshot::Receiver<()>)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<AnyError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<AnyError>,
{
    let builder = auto::Builder::new(TokioExecutor::new());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
            // Collects ended tasks, else the set would grow with every connection.
            Some(_) = connections.join_next() => continue,
        };
        let Some(stream) = usable(accepted).await else { continue };
        let connection =
            builder.serve_connection(TokioIo::new(stream), BoxedBody(service.clone())).into_owned();
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    connections.shutdown().await;
}

/// The connection. After a failure, `None` and a short wait.
async fn usable(accepted: io::Result<(TcpStream, SocketAddr)>) -> Option<TcpStream> {
    match accepted {
        Ok((stream, _)) => {
            let _ = stream.set_nodelay(true);
            Some(stream)
        }
        Err(error) => {
            // Most likely the process is out of descriptors. Without the wait the loop would spin
            // until a connection ends and makes room.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(Duration::from_millis(20)).await;
            None
        }
    }
}

/// A service for requests to this machine, whose body is in a box, so that both servers send bodies
/// of one type.
#[derive(Clone)]
struct BoxedBody<S>(S);

type AnyError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Result<Response<UnsyncBoxBody<Bytes, AnyError>>, AnyError>;

impl<S, B> Service<Request<Incoming>> for BoxedBody<S>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<AnyError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<AnyError>,
{
    type Response = Response<UnsyncBoxBody<Bytes, AnyError>>;
    type Error = AnyError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        if host.and_then(addressed).is_none() {
            return Box::pin(std::future::ready(Ok(not_here())));
        }
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await.map_err(Into::into)?;
            Ok(response.map(|body| body.map_err(Into::into).boxed_unsync()))
        })
    }
}

fn not_here() -> Response<UnsyncBoxBody<Bytes, AnyError>> {
    const WORDS: &str = "this server answers to 127.0.0.1, localhost and BUCKET.localhost only\n";
    let body = Full::from(WORDS).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
