//! A program's share in the server of a folder: joining the server that runs there,
//! or starting one. In: the folder and the program to start; out: an [`Attachment`].

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::endpoints::{Endpoints, EndpointsFile};
use crate::error::AttachError;
use crate::lock::{Lock, Mode};
use crate::program::Program;
use crate::spawned::Spawned;
use crate::state_dir::StateDir;

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

/// Joins the server that runs on `dir`. When there is none, `program --dir DIR --while-used` is
/// started, apart from this program's terminal and process group, with its output in
/// `DIR/.loader/server.log`.
///
/// Errors: [`AttachError::ServerEnded`] with the end of its log when the server does not start, for
/// example without PostgreSQL; [`AttachError::ProgramMissing`] when there is no program to start.
pub async fn attach(dir: &Path, program: &Program) -> Result<Attachment, AttachError> {
    let state = StateDir::of(dir)?;
    let share = Lock::wait(state.clients_lock(), Mode::Shared).await?;
    // One at a time from here, so that one server is started.
    let _turn = Lock::wait(state.attach_lock(), Mode::Exclusive).await?;
    let endpoints = join_or_start(dir, program, &state).await?;
    Ok(Attachment { endpoints, _share: share })
}

async fn join_or_start(
    dir: &Path,
    program: &Program,
    state: &StateDir,
) -> Result<Endpoints, AttachError> {
    let started = Instant::now();
    let mut spawned: Option<Spawned> = None;
    while started.elapsed() < PATIENCE {
        let serving = Lock::is_held(&state.server_lock())?;
        if serving && let Some(endpoints) = answering(state).await {
            return Ok(endpoints);
        }
        // While another server has the folder, ours may end: then we join that one.
        if !serving {
            match &mut spawned {
                None => spawned = Some(Spawned::start(&program.path()?, dir, state.server_log())?),
                Some(server) => server.check(dir)?,
            }
        }
        tokio::time::sleep(POLL).await;
    }
    let (dir, seconds) = (dir.to_path_buf(), PATIENCE.as_secs());
    Err(AttachError::ServerNotReady { dir, seconds, log: state.server_log() })
}

/// The endpoints of the server that holds the lock, once it accepts connections.
async fn answering(state: &StateDir) -> Option<Endpoints> {
    let file = EndpointsFile::read(state).filter(|file| file.ready)?;
    TcpStream::connect(("127.0.0.1", file.data_api_port)).await.ok()?;
    Some(file.endpoints)
}
