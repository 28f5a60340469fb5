//! What can go wrong when the stand-in starts or stops. Errors of single requests never come here:
//! clients get those over the protocol, as AWS would answer them.

use std::io;
use std::path::PathBuf;

use loader_attach::AttachError;

/// Why the stand-in could not be started or stopped. Each message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// A file or folder under DIR could not be used.
    #[error("{}: cannot {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Another server holds DIR.
    #[error(
        "{}: another `loader local` is serving this folder; use its endpoints (in \
         .loader/endpoints.json) or stop it first",
        dir.display()
    )]
    Running {
        /// The folder that both servers want.
        dir: PathBuf,
    },
    /// A port that was asked for is taken.
    #[error("port {port} of 127.0.0.1: {source}; choose another port, or 0 for any free one")]
    Bind {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// PostgreSQL's programs were not found.
    #[error(
        "no PostgreSQL found (looked for `initdb` and `postgres` in {looked}); install it (Debian, \
         Ubuntu: apt-get install postgresql; macOS: brew install postgresql) or set \
         LOADER_POSTGRES_BIN to the folder that has them"
    )]
    PostgresMissing {
        /// The folders that were tried.
        looked: String,
    },
    /// PostgreSQL did not start, stop, or take its data folder.
    #[error("postgresql: {0}")]
    Postgres(String),
    /// The warehouse (the Data API over PostgreSQL) could not be set up.
    #[error("local warehouse: {0}")]
    Warehouse(String),
    /// PostgreSQL refused a statement of the set-up.
    #[error("postgresql: {action}: {source}")]
    Sql {
        /// What was tried.
        action: &'static str,
        /// What PostgreSQL said.
        source: tokio_postgres::Error,
    },
    /// A file or lock that programs on DIR share could not be used.
    #[error(transparent)]
    Shared(#[from] AttachError),
}

impl LocalError {
    /// For `map_err`: names the file and what was tried with it.
    pub(crate) fn file(
        path: impl Into<PathBuf>,
        action: &'static str,
    ) -> impl FnOnce(io::Error) -> LocalError {
        let path = path.into();
        move |source| LocalError::File { path, action, source }
    }

    /// For `map_err`: names the step of the set-up.
    pub(crate) fn sql(action: &'static str) -> impl FnOnce(tokio_postgres::Error) -> LocalError {
        move |source| LocalError::Sql { action, source }
    }
}
