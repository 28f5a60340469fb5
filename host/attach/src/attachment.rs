//! A program's share in the server of a folder: the program joins the server that runs there, or
//! starts one. In: the folder and the program to start; out: an [`Attachment`].

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::endpoints::{Endpoints, EndpointsFile};
use crate::error::AttachError;
use crate::lock::{Lock, Mode};
use crate::program::Program;
use crate::spawned::Spawned;
use crate::state_dir::StateDir;

/// How long a server may take to answer. The first start in a folder makes a database, which is
/// slow on a slow machine; a longer wait means a fault.
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(10);

/// A share in the server of a folder. The server runs at least until the share is dropped.
#[derive(Debug)]
pub struct Attachment {
    /// Where the server is.
    pub endpoints: Endpoints,
    _share: Lock,
}

/// Joins the server that runs on `dir`. When none runs, starts `program --dir DIR --while-used`,
/// apart from this program's terminal and process group, with its output in
/// `DIR/.loader/server.log`.
///
/// Errors: [`AttachError::ServerEnded`] with the end of its log when the server does not start, for
/// example without PostgreSQL; [`AttachError::ProgramMissing`] when there is no program to start.
pub async fn attach(dir: &Path, program: &Program) -> Result<Attachment, AttachError> {
    let state = StateDir::of(dir)?;
    let share = Lock::wait(state.clients_lock(), Mode::Shared).await?;
    // One program at a time from here, and until its server answers: two programs that both found
    // no server would start one each. The order of the two locks matters (see the crate's
    // documentation): the share first, else a server could leave while we look at it.
    let _turn = Lock::wait(state.attach_lock(), Mode::Exclusive).await?;
    let endpoints = join_or_start(dir, program, &state).await?;
    Ok(Attachment { endpoints, _share: share })
}

// Each turn looks anew, as the state may change in between. A server may be starting (the lock is
// held, but nothing answers yet) or may have been killed (the lock is free again). Ours may have
// ended because a server that a user started by hand was faster; then we join that one.
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
        // Ours may fail only while no server has the folder.
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
// `ready` alone is not enough: a killed server leaves it true until the next server writes the
// file, and the port of a killed server refuses the connection.
async fn answering(state: &StateDir) -> Option<Endpoints> {
    let file = EndpointsFile::read(state).filter(|file| file.ready)?;
    TcpStream::connect(("127.0.0.1", file.data_api_port)).await.ok()?;
    Some(file.endpoints)
}
