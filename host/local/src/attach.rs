//! Several programs, one server. A program attaches to a folder: it joins the server that runs
//! there, or starts one that lives as long as someone is attached. In: the folder and the program
//! to start; out: an [`Attachment`]. See `lock` for who holds what.
//!
//! No wrong order is possible: a client has its share of `clients.lock` before it looks for a
//! server, and a server that leaves holds that lock alone until it is gone. So a client either
//! finds a server that cannot leave, or waits and then finds none.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::lock::{Lock, Mode};
use crate::postgres::log_tail;
use crate::server::{EndpointsFile, StateDir};
use crate::{Endpoints, LocalError, Server};

/// The first start on a slow machine makes a database; anything beyond this is a fault.
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(10);

/// A share in the server of a folder; it runs at least until this is dropped.
#[derive(Debug)]
pub struct Attachment {
    /// Where the server is.
    pub endpoints: Endpoints,
    _share: Lock,
}

/// Joins the server that runs on `dir`. When there is none, `program local --dir DIR --while-used`
/// is started, apart from this program's terminal and process group, with its output in
/// `DIR/.loader/server.log`.
///
/// Errors: [`LocalError::ServerEnded`] with the end of its log when the server does not start, for
/// example without PostgreSQL.
pub async fn attach(dir: &Path, program: &Path) -> Result<Attachment, LocalError> {
    let state = StateDir::of(dir)?;
    let share = wait_for(state.clients_lock(), Mode::Shared).await?;
    // One at a time from here, so that one server is started.
    let _turn = wait_for(state.attach_lock(), Mode::Exclusive).await?;
    let endpoints = join_or_start(dir, program, &state).await?;
    Ok(Attachment { endpoints, _share: share })
}

/// Serves until no client is attached, or until SIGINT or SIGTERM, then stops the server. Returns
/// at once when no client ever was.
///
/// Errors: as [`Server::stop`].
pub async fn serve_while_used(server: Server) -> Result<(), LocalError> {
    let mut terminated = signal(SignalKind::terminate())
        .map_err(LocalError::file(&server.state.0, "wait for signals while serving"))?;
    let alone = tokio::select! {
        alone = wait_for(server.state.clients_lock(), Mode::Exclusive) => alone.map(Some),
        _ = tokio::signal::ctrl_c() => Ok(None),
        _ = terminated.recv() => Ok(None),
    };
    let stopped = server.stop().await;
    // Only now may the next client look for a server.
    drop(alone?);
    stopped
}

/// Waits on a thread of its own: one of the runtime's would keep the runtime from ending while
/// others hold the lock.
async fn wait_for(path: PathBuf, mode: Mode) -> Result<Lock, LocalError> {
    let (sender, locked) = oneshot::channel();
    let file = path.clone();
    std::thread::spawn(move || {
        // Nobody waits any more: the lock goes with the message.
        let _ = sender.send(Lock::wait(&file, mode));
    });
    let locked = locked.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    locked.map_err(LocalError::file(path, "lock"))
}

async fn join_or_start(
    dir: &Path,
    program: &Path,
    state: &StateDir,
) -> Result<Endpoints, LocalError> {
    let started = Instant::now();
    let mut spawned: Option<Spawned> = None;
    while started.elapsed() < PATIENCE {
        let lock = state.server_lock();
        let serving = Lock::is_held(&lock).map_err(LocalError::file(&lock, "lock"))?;
        if serving && let Some(endpoints) = answering(state).await {
            return Ok(endpoints);
        }
        match spawned.as_mut().map(Spawned::ended) {
            None if !serving => spawned = Some(Spawned::start(dir, program, state)?),
            // It may have ended because another server came first; then we join that one.
            Some(Some(status)) if !serving => {
                return Err(server_ended(dir, state, spawned, &status));
            }
            None | Some(_) => {}
        }
        tokio::time::sleep(POLL).await;
    }
    Err(LocalError::ServerNotReady {
        dir: dir.to_path_buf(),
        seconds: PATIENCE.as_secs(),
        log: state.server_log(),
    })
}

/// The endpoints of the server that holds the lock, once it accepts connections.
async fn answering(state: &StateDir) -> Option<Endpoints> {
    let file = EndpointsFile::read(&state.0).filter(|file| file.ready)?;
    TcpStream::connect(("127.0.0.1", file.data_api_port)).await.ok()?;
    Some(file.endpoints)
}

fn server_ended(
    dir: &Path,
    state: &StateDir,
    spawned: Option<Spawned>,
    status: &str,
) -> LocalError {
    let log = state.server_log();
    let tail = log_tail(&log, spawned.map_or(0, |spawned| spawned.log_start));
    LocalError::ServerEnded { dir: dir.to_path_buf(), status: status.to_owned(), log, tail }
}

struct Spawned {
    exit: oneshot::Receiver<std::io::Result<ExitStatus>>,
    ended: Option<String>,
    log_start: u64,
}

impl Spawned {
    fn start(dir: &Path, program: &Path, state: &StateDir) -> Result<Spawned, LocalError> {
        let path = state.server_log();
        let open = || File::options().create(true).append(true).open(&path);
        let log = open().map_err(LocalError::file(&path, "write"))?;
        let log_start = log.metadata().map_or(0, |metadata| metadata.len());
        let errors = log.try_clone().map_err(LocalError::file(&path, "write"))?;
        let mut child = Command::new(program)
            .args(["local", "--dir"])
            .arg(dir)
            .arg("--while-used")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(LocalError::file(program, "start the local server"))?;
        let (sender, exit) = oneshot::channel();
        // It may outlive us. If it does not, someone has to collect it.
        std::thread::spawn(move || {
            let _ = sender.send(child.wait());
        });
        Ok(Spawned { exit, ended: None, log_start })
    }

    /// How the process ended, if it has.
    fn ended(&mut self) -> Option<String> {
        if self.ended.is_none()
            && let Ok(status) = self.exit.try_recv()
        {
            self.ended =
                Some(status.map_or_else(|error| error.to_string(), |status| status.to_string()));
        }
        self.ended.clone()
    }
}
