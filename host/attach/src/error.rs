//! What can go wrong when programs share a stand-in: using its files, finding its program, starting
//! it. The errors of the server itself are `loader_local::LocalError`.

use std::io;
use std::path::PathBuf;

/// Why the stand-in could not be joined or started. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// A file or folder under DIR could not be used.
    #[error("{}: cannot {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb phrase, for example "make the folder".
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The stand-in's program was not found.
    #[error(
        "no program `loader-local` found (looked in {looked}); build it (cargo build --package \
         loader-local), put it beside loader, or set LOADER_LOCAL_PROGRAM to its path"
    )]
    ProgramMissing {
        /// The places that were tried.
        looked: String,
    },
    /// The server that was started for this program ended before it was ready.
    #[error("the local server for {} did not start ({status}); its log, {}, ends \
             with:\n{tail}", dir.display(), log.display())]
    ServerEnded {
        /// The folder to be served.
        dir: PathBuf,
        /// How it ended, for example "exit status: 2".
        status: String,
        /// Where its whole log is.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server took too long.
    #[error("the local server for {} is not ready after {seconds} s; see its log, \
             {}", dir.display(), log.display())]
    ServerNotReady {
        /// The folder to be served.
        dir: PathBuf,
        /// How long the program waited for it.
        seconds: u64,
        /// Where its log is.
        log: PathBuf,
    },
}

impl AttachError {
    /// For `map_err`: names the file and what was tried with it.
    pub(crate) fn file(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> AttachError {
        let path = path.into();
        move |source| AttachError::File { path, action, source }
    }
}
