//! The server of one folder: both ports and the PostgreSQL behind them. In: [`LocalOptions`]; out:
//! [`Endpoints`] until it is stopped. The protocols themselves are in `s3` and `data_api`.

mod http;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::data_api::{self, Warehouse};
use crate::lock::Lock;
use crate::objects::{Objects, STATE_DIR};
use crate::postgres::Postgres;
use crate::{LocalError, s3};
pub(crate) use http::HttpServer;

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCESS_KEY_ID: &str = "loader-local";
pub(crate) const SECRET_ACCESS_KEY: &str = "loader-local-secret";
const IAM_ROLE: &str = "arn:aws:iam::000000000000:role/loader-local";

/// What to serve, and where.
#[derive(Debug, Clone, Default)]
pub struct LocalOptions {
    /// The folder of the buckets; made when missing.
    pub dir: PathBuf,
    /// Where `initdb` and `postgres` are; `None`: `LOADER_POSTGRES_BIN`, PATH, then the usual
    /// folders.
    pub postgres_bin: Option<PathBuf>,
    /// Port of S3 on 127.0.0.1; 0: the one of the last time, or any free one.
    pub s3_port: u16,
    /// Port of the Data API on 127.0.0.1; 0 as above.
    pub data_api_port: u16,
}

/// How a client reaches the server: what goes into an AWS client's configuration. The keys are
/// fixed and no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// `http://127.0.0.1:PORT`; path-style addresses only.
    pub s3: String,
    /// `http://127.0.0.1:PORT`.
    pub redshift_data: String,
    /// The region to sign for; any other works too.
    pub region: String,
    /// The access key.
    pub access_key_id: String,
    /// The secret key, which every request must be signed with.
    pub secret_access_key: String,
    /// A role name for COPY's `IAM_ROLE`; its form is checked, nothing else.
    pub iam_role: String,
}

impl Endpoints {
    fn new(s3_port: u16, data_api_port: u16) -> Endpoints {
        Endpoints {
            s3: format!("http://127.0.0.1:{s3_port}"),
            redshift_data: format!("http://127.0.0.1:{data_api_port}"),
            region: REGION.to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            iam_role: IAM_ROLE.to_owned(),
        }
    }

    /// The environment variables that make the AWS CLI, boto3 and the AWS SDKs use this server.
    ///
    /// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_S3", self.s3.clone()),
            ("AWS_ENDPOINT_URL_REDSHIFT_DATA", self.redshift_data.clone()),
            ("AWS_REGION", self.region.clone()),
            // boto3 knows only this name.
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }
}

/// What `DIR/.loader/endpoints.json` holds: for clients the endpoints, for the next start the
/// ports.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EndpointsFile {
    /// Whether a server answers there, if one runs at all (`server.lock` tells).
    pub(crate) ready: bool,
    /// The process that serves, or served last.
    pid: u32,
    pub(crate) s3_port: u16,
    pub(crate) data_api_port: u16,
    pub(crate) endpoints: Endpoints,
}

impl EndpointsFile {
    /// The file of a state folder, if there is one and we understand it.
    pub(crate) fn read(state_dir: &Path) -> Option<EndpointsFile> {
        serde_json::from_slice(&std::fs::read(Self::path(state_dir)).ok()?).ok()
    }

    fn write(&self, state_dir: &Path) -> Result<(), LocalError> {
        let path = Self::path(state_dir);
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(state_dir)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(LocalError::file(&path, "write"))
    }

    fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("endpoints.json")
    }
}

/// The files in the state folder that programs on one DIR agree by.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(pub(crate) PathBuf);

impl StateDir {
    /// The state folder of `dir`. Both are made when missing.
    pub(crate) fn of(dir: &Path) -> Result<StateDir, LocalError> {
        let path = dir.join(STATE_DIR);
        std::fs::create_dir_all(&path).map_err(LocalError::file(&path, "make the folder"))?;
        let path = path.canonicalize().map_err(LocalError::file(&path, "find"))?;
        Ok(StateDir(path))
    }

    pub(crate) fn server_lock(&self) -> PathBuf {
        self.0.join("server.lock")
    }

    pub(crate) fn clients_lock(&self) -> PathBuf {
        self.0.join("clients.lock")
    }

    pub(crate) fn attach_lock(&self) -> PathBuf {
        self.0.join("attach.lock")
    }

    pub(crate) fn server_log(&self) -> PathBuf {
        self.0.join("server.log")
    }
}

/// A running stand-in. Stop it with [`Server::stop`]; dropped, it closes its ports and kills its
/// PostgreSQL.
pub struct Server {
    endpoints: Endpoints,
    file: EndpointsFile,
    pub(crate) state: StateDir,
    http: [HttpServer; 2],
    postgres: Postgres,
    // Last: the folder is ours until everything else has ended.
    _lock: Lock,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts PostgreSQL and serves both ports. The first start on a folder makes the database,
    /// which takes about a second.
    ///
    /// Errors: [`LocalError::Running`] when another server has the folder; no PostgreSQL; a port
    /// that was asked for is taken.
    pub async fn start(options: LocalOptions) -> Result<Server, LocalError> {
        let state = StateDir::of(&options.dir)?;
        let lock = lock_server(&options.dir, &state).await?;
        let last = EndpointsFile::read(&state.0);
        let (last_s3, last_data_api) =
            last.as_ref().map_or((0, 0), |file| (file.s3_port, file.data_api_port));
        if let Some(file) = last {
            // What a killed server left says that it is ready; it is not.
            EndpointsFile { ready: false, ..file }.write(&state.0)?;
        }
        let objects =
            Objects::open(&options.dir).map_err(LocalError::file(&options.dir, "open"))?;
        let (s3_listener, s3_port) = bind(options.s3_port, last_s3).await?;
        let (data_api_listener, data_api_port) = bind(options.data_api_port, last_data_api).await?;

        let s3_service = s3::service(objects.clone(), &state.0)
            .map_err(LocalError::file(&state.0, "open the state of S3 in"))?;
        let postgres = Postgres::start(&state.0, options.postgres_bin.as_deref()).await?;
        let warehouse = match Warehouse::start(postgres.config().clone(), objects).await {
            Ok(warehouse) => warehouse,
            Err(error) => {
                if let Err(also) = postgres.stop().await {
                    tracing::warn!(error = %also, "cannot stop postgresql");
                }
                return Err(error);
            }
        };
        let data_api_service = hyper::service::service_fn(move |request| {
            let warehouse = Arc::clone(&warehouse);
            async move { Ok::<_, std::convert::Infallible>(data_api::handle(warehouse, request).await) }
        });
        let http = [
            HttpServer::start(s3_listener, s3_service),
            HttpServer::start(data_api_listener, data_api_service),
        ];

        let endpoints = Endpoints::new(s3_port, data_api_port);
        let file = EndpointsFile {
            ready: true,
            pid: std::process::id(),
            s3_port,
            data_api_port,
            endpoints: endpoints.clone(),
        };
        let server = Server { endpoints, file, state, http, postgres, _lock: lock };
        server.file.write(&server.state.0)?;
        tracing::info!(
            s3 = server.endpoints.s3,
            redshift_data = server.endpoints.redshift_data,
            "local server ready"
        );
        Ok(server)
    }

    /// Where clients find this server.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Lets running requests finish (for a few seconds), stops PostgreSQL in order and gives the
    /// folder free.
    pub async fn stop(self) -> Result<(), LocalError> {
        let Server { mut file, state, http: [s3, data_api], postgres, _lock, .. } = self;
        file.ready = false;
        let written = file.write(&state.0);
        // COPY reads files, not our S3 port, so both can end at once.
        tokio::join!(s3.stop(), data_api.stop());
        postgres.stop().await?;
        written
    }
}

/// Attaching programs look at the lock by taking it for an instant, so a refusal is believed only
/// when it lasts.
async fn lock_server(dir: &Path, state: &StateDir) -> Result<Lock, LocalError> {
    const TRIES: u32 = 20;
    let path = state.server_lock();
    for _ in 0..TRIES {
        if let Some(lock) = Lock::try_exclusive(&path).map_err(LocalError::file(&path, "lock"))? {
            return Ok(lock);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(LocalError::Running { dir: dir.to_path_buf() })
}

/// The port that was asked for; or the last one, so that clients' settings stay good; or any.
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
