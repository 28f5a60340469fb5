//! The server of one folder: two ports and the PostgreSQL behind them. In: [`LocalOptions`]; out:
//! [`Endpoints`] that answer until the server is stopped. The protocols are in `s3` and `data_api`.

mod http;

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loader_attach::{AccessKey, Endpoints, EndpointsFile, Lock, StateDir};
use tokio::net::TcpListener;

use crate::data_api::{self, Warehouse};
use crate::error::LocalError;
use crate::objects::Objects;
use crate::policy::Policy;
use crate::postgres::Postgres;
use crate::s3;
pub(crate) use http::HttpServer;

/// What to serve, and where.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// The folder of the buckets; made when missing.
    pub dir: PathBuf,
    /// Where `initdb` and `postgres` are; `None` searches `LOADER_POSTGRES_BIN`, or PATH and the
    /// usual folders.
    pub postgres_bin: Option<PathBuf>,
    /// Port of S3 on 127.0.0.1; 0 takes the port of the last start, or any free port.
    pub s3_port: u16,
    /// Port of the Data API on 127.0.0.1; 0 as above.
    pub data_api_port: u16,
    /// File with the IAM policy of the caller; `None` allows everything.
    pub policy: Option<PathBuf>,
    /// File with the IAM policy of the role that COPY names; `None` allows everything.
    pub role_policy: Option<PathBuf>,
}

/// A running stand-in. Stop it with [`Server::stop`]. When it is dropped instead, it closes its
/// ports and kills its PostgreSQL.
pub struct Server {
    file: EndpointsFile,
    pub(crate) state: StateDir,
    http: [HttpServer; 2],
    postgres: Postgres,
    // Fields are dropped in this order. The lock is last, so that the next server does not open the
    // folder while this one's PostgreSQL still runs.
    _lock: Lock,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("endpoints", self.endpoints()).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts PostgreSQL and serves both ports. The first start on a folder makes the database,
    /// which takes about a second.
    ///
    /// Errors: [`LocalError::Running`] when another server has the folder,
    /// [`LocalError::PostgresMissing`], [`LocalError::Bind`] when a named port is taken.
    // The lock comes first, since everything after it writes to the folder. The file of endpoints
    // comes last: clients connect as soon as it says that the server is ready.
    pub async fn start(options: LocalOptions) -> Result<Server, LocalError> {
        let state = StateDir::of(&options.dir)?;
        let lock = lock_server(&options.dir, &state).await?;
        state.make_private()?;
        let key = AccessKey::of(&state)?;
        let last = last_ports(&state)?;
        let (policy, role) = (Policy::new(options.policy), Policy::new(options.role_policy));
        let objects =
            Objects::open(&options.dir).map_err(LocalError::file(&options.dir, "open"))?;
        let (s3_listener, s3_port) = bind(options.s3_port, last.0).await?;
        let (data_api_listener, data_api_port) = bind(options.data_api_port, last.1).await?;

        let s3_service = s3::service(objects.clone(), state.path(), key.clone(), policy.clone())
            .map_err(LocalError::file(state.path(), "open the state of S3 in"))?;
        let postgres = Postgres::start(state.path(), options.postgres_bin.as_deref()).await?;
        let (postgres, warehouse) = open_warehouse(postgres, objects, role).await?;
        let data_api = data_api::Service::new(warehouse, key.clone(), policy);
        let http = [
            HttpServer::start(s3_listener, s3_service),
            serve_data_api(data_api_listener, data_api),
        ];

        let file = EndpointsFile::of_this_process(s3_port, data_api_port, key);
        file.write(&state)?;
        let Endpoints { s3, redshift_data, .. } = &file.endpoints;
        tracing::info!(s3, redshift_data, "local server ready");
        Ok(Server { file, state, http, postgres, _lock: lock })
    }

    /// Where clients find this server.
    pub fn endpoints(&self) -> &Endpoints {
        &self.file.endpoints
    }

    /// Waits a few seconds for running requests, stops PostgreSQL in order and frees the folder.
    pub async fn stop(self) -> Result<(), LocalError> {
        let Server { mut file, state, http: [s3, data_api], postgres, _lock } = self;
        file.ready = false;
        let written = file.write(&state);
        // COPY reads the files itself, not over the S3 port, so both ports can end at once.
        tokio::join!(s3.stop(), data_api.stop());
        // A file that could not be written must not keep PostgreSQL from being stopped.
        postgres.stop().await?;
        Ok(written?)
    }
}

/// The ports of the server before this one, S3's first; 0 when this is the first server. A killed
/// server has left its file with `ready: true`, so that is corrected.
fn last_ports(state: &StateDir) -> Result<(u16, u16), LocalError> {
    let Some(file) = EndpointsFile::read(state) else { return Ok((0, 0)) };
    let ports = (file.s3_port, file.data_api_port);
    EndpointsFile { ready: false, ..file }.write(state)?;
    Ok(ports)
}

fn serve_data_api(listener: TcpListener, service: data_api::Service) -> HttpServer {
    let service = Arc::new(service);
    let service = hyper::service::service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.handle(request).await) }
    });
    HttpServer::start(listener, service)
}

/// Opens the warehouse in a PostgreSQL. When that fails, stops the PostgreSQL in order.
async fn open_warehouse(
    postgres: Postgres,
    objects: Objects,
    role: Policy,
) -> Result<(Postgres, Arc<Warehouse>), LocalError> {
    match Warehouse::start(postgres.config().clone(), objects, role).await {
        Ok(warehouse) => Ok((postgres, warehouse)),
        Err(error) => {
            if let Err(also) = postgres.stop().await {
                tracing::warn!(error = %also, "cannot stop postgresql");
            }
            Err(error)
        }
    }
}

/// Takes the lock of the server. A program that attaches looks at the lock by taking it for an
/// instant, so a refusal counts only when it lasts for 200 ms.
async fn lock_server(dir: &Path, state: &StateDir) -> Result<Lock, LocalError> {
    const TRIES: u32 = 20;
    let path = state.server_lock();
    for _ in 0..TRIES {
        if let Some(lock) = Lock::try_exclusive(&path)? {
            return Ok(lock);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(LocalError::Running { dir: dir.to_path_buf() })
}

/// Listens on the port that was asked for. For 0, listens on the last port, so that the settings of
/// clients stay right, and on any free port when that is taken.
async fn bind(asked: u16, last: u16) -> Result<(TcpListener, u16), LocalError> {
    let candidates: &[u16] = match (asked, last) {
        (0, 0) => &[0],
        (0, last) => &[last, 0],
        (asked, _) => &[asked],
    };
    let mut refusal = None;
    for &port in candidates {
        let bound = match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => listener.local_addr().map(|address| (listener, address.port())),
            Err(error) => Err(error),
        };
        match bound {
            Ok(bound) => return Ok(bound),
            Err(source) => refusal = Some(LocalError::Bind { port, source }),
        }
    }
    Err(refusal.unwrap_or_else(|| LocalError::Warehouse("no port to try".to_owned())))
}
