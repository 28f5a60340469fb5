//! A server process that was started for this program: apart from its terminal and process group,
//! with its output in `DIR/.loader/server.log`. It may outlive the program.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use tokio::sync::oneshot;

use crate::error::AttachError;
use crate::log_tail::log_tail;

pub(crate) struct Spawned {
    exit: oneshot::Receiver<std::io::Result<ExitStatus>>,
    log: PathBuf,
    /// The size of the log before this server wrote to it.
    log_start: u64,
}

impl Spawned {
    /// Starts `program --dir DIR --while-used`.
    // The process group is its own, since a Ctrl-C at this program's terminal must not stop the
    // server of other programs. The thread waits for the server, which may outlive this program.
    // When it ends earlier, it must be collected, and `check` reads how it ended.
    pub(crate) fn start(program: &Path, dir: &Path, log: PathBuf) -> Result<Spawned, AttachError> {
        let log_start = std::fs::metadata(&log).map_or(0, |metadata| metadata.len());
        let mut child = Command::new(program)
            .arg("--dir")
            .arg(dir)
            .arg("--while-used")
            .stdin(Stdio::null())
            .stdout(append_to(&log)?)
            .stderr(append_to(&log)?)
            .process_group(0)
            .spawn()
            .map_err(AttachError::file(program, "start the local server"))?;
        let (sender, exit) = oneshot::channel();
        std::thread::spawn(move || {
            let _ = sender.send(child.wait());
        });
        Ok(Spawned { exit, log, log_start })
    }

    /// Fails when the process has ended, with the end of its log.
    pub(crate) fn check(&mut self, dir: &Path) -> Result<(), AttachError> {
        let Ok(status) = self.exit.try_recv() else { return Ok(()) };
        Err(AttachError::ServerEnded {
            dir: dir.to_path_buf(),
            status: status.map_or_else(|error| error.to_string(), |status| status.to_string()),
            log: self.log.clone(),
            tail: log_tail(&self.log, self.log_start),
        })
    }
}

fn append_to(log: &Path) -> Result<File, AttachError> {
    let options = File::options().create(true).append(true).mode(0o600).open(log);
    options.map_err(AttachError::file(log, "write"))
}
