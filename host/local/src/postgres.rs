//! The PostgreSQL behind the warehouse. Its data folder is made once; the server starts PostgreSQL
//! as a child process and stops it at its own end. In: the state folder of DIR and perhaps a folder
//! of binaries; out: a connection configuration for the database `dev`. Knows nothing of Redshift.
//!
//! `fsync` and `full_page_writes` are off on purpose: for a stand-in, speed matters more than a
//! power cut. `synchronous_commit` stays on: without `fsync` it is cheap, and committed rows
//! survive even when every process is killed.

mod cluster;
mod find;
mod leftover;
#[cfg(test)]
mod tests;
mod user;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use loader_attach::log_tail;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::error::LocalError;
use crate::roles::{FIRST_USER, MAKE, OWNER};
use cluster::Cluster;
use leftover::POLL;

/// The database that clients use. Redshift gives its first database this name.
const DATABASE: &str = "dev";
/// How long a start or a stop may take. Both take well under a second, crash recovery included;
/// the rest is for a machine under load.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running PostgreSQL. When it is dropped without [`Postgres::stop`], it is killed, and recovers
/// at the next start.
#[derive(Debug)]
pub(crate) struct Postgres {
    child: Child,
    watchdog: Option<Child>,
    config: tokio_postgres::Config,
    // Dropped after `child`: the folder goes when PostgreSQL was told to end.
    _sockets: TempDir,
}

impl Postgres {
    /// Starts PostgreSQL on the data under `state_dir`, and makes the data when it is missing. A
    /// PostgreSQL that a killed server has left running on the data is stopped first.
    pub(crate) async fn start(
        state_dir: &Path,
        bin: Option<&Path>,
    ) -> Result<Postgres, LocalError> {
        let binaries = find::binaries(bin)?;
        let cluster = Cluster::open(state_dir, &binaries).await?;
        let sockets = user::socket_dir(cluster.owner.as_ref())?;

        let log_start = std::fs::metadata(&cluster.log).map_or(0, |metadata| metadata.len());
        let mut child = spawn(&binaries, &cluster, sockets.path())?;
        let mut config = tokio_postgres::Config::new();
        config.host_path(sockets.path()).port(5432).user(OWNER).dbname("postgres");
        wait_until_ready(&mut child, &config, &cluster, log_start).await?;
        let watchdog = child.id().and_then(|pid| watch(pid, sockets.path()));

        make_database(&config).await?;
        config.dbname(DATABASE);
        Ok(Postgres { child, watchdog, config, _sockets: sockets })
    }

    /// How to connect to the database `dev` as PostgreSQL's superuser.
    pub(crate) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }

    /// Ends all sessions, writes a checkpoint and waits until PostgreSQL is gone.
    // SIGINT asks PostgreSQL to end its sessions itself. It does not wait until clients leave.
    pub(crate) async fn stop(mut self) -> Result<(), LocalError> {
        if let Some(mut watchdog) = self.watchdog.take() {
            // The watchdog first. Later it could signal a process that has PostgreSQL's number.
            watchdog.kill().await.map_err(|error| {
                LocalError::Postgres(format!("cannot end its watchdog: {error}"))
            })?;
        }
        if let Some(pid) = self.child.id() {
            leftover::signal(pid, rustix::process::Signal::INT);
        }
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                Err(LocalError::Postgres(format!("cannot wait for its end: {error}")))
            }
            Err(_) => Err(LocalError::Postgres(format!(
                "did not stop within {} s, so it is killed",
                PATIENCE.as_secs()
            ))),
        }
    }
}

fn spawn(
    binaries: &find::Binaries,
    cluster: &Cluster,
    sockets: &Path,
) -> Result<Child, LocalError> {
    let log = File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&cluster.log)
        .map_err(LocalError::file(&cluster.log, "write"))?;
    let mut command = std::process::Command::new(&binaries.postgres);
    command.arg("-D").arg(&cluster.data).arg("-k").arg(sockets);
    for setting in [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "fsync=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_connections=300",
        "logging_collector=off",
        "log_destination=stderr",
        "timezone=UTC",
        "log_timezone=UTC",
    ] {
        command.arg("-c").arg(setting);
    }
    // Its own process group: a Ctrl-C at the terminal then reaches only the server, which stops
    // PostgreSQL in order.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    user::run_as(&mut command, cluster.owner.as_ref());
    command.current_dir(&cluster.data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .map_err(LocalError::file(&binaries.postgres, "start PostgreSQL"))
}

/// Starts a process that waits for the end of this server and then stops PostgreSQL. A server that
/// is killed with SIGKILL cannot do that itself. A failure is ignored, since the next start stops a
/// PostgreSQL that is still there.
fn watch(pid: u32, sockets: &Path) -> Option<Child> {
    let mut command = std::process::Command::new("/bin/sh");
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    // `cat` reads from a pipe whose other end only this server has. The system closes that end when
    // the server ends, however it ends, and `cat` returns.
    command
        .args(["-c", r#"cat >/dev/null; kill -INT "$1"; rm -rf "$2""#, "watchdog"])
        .arg(pid.to_string())
        .arg(sockets);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    Command::from(command).spawn().ok()
}

// PostgreSQL may end during the wait (for example because postgresql.conf has a mistake), so each
// turn looks at the process before it tries to connect; else the error would come after 60 s.
async fn wait_until_ready(
    child: &mut Child,
    config: &tokio_postgres::Config,
    Cluster { data, log, .. }: &Cluster,
    log_start: u64,
) -> Result<(), LocalError> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(LocalError::file(log, "watch PostgreSQL"))? {
            return Err(ended(status, log, log_start));
        }
        match config.connect(NoTls).await {
            Ok((_client, _connection)) => return Ok(()),
            Err(error) if error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                return Err(LocalError::Postgres(format!(
                    "{} was made by an older version of this program; remove that folder to start \
                     with an empty warehouse",
                    data.display()
                )));
            }
            Err(_) => {}
        }
        if started.elapsed() > PATIENCE {
            let waited = PATIENCE.as_secs();
            return Err(LocalError::Postgres(format!(
                "accepts no connection after {waited} s; see its log, {}",
                log.display()
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn ended(status: ExitStatus, log: &Path, log_start: u64) -> LocalError {
    let tail = log_tail(log, log_start);
    LocalError::Postgres(format!(
        "ended at its start ({status}); its log, {}, says:\n{tail}",
        log.display()
    ))
}

/// Makes the roles of a warehouse, and the database of its first user.
async fn make_database(config: &tokio_postgres::Config) -> Result<(), LocalError> {
    let (client, connection) =
        config.connect(NoTls).await.map_err(LocalError::sql("cannot connect"))?;
    let connection = tokio::spawn(connection);
    client.batch_execute(MAKE).await.map_err(LocalError::sql("cannot make the roles"))?;
    let found = client
        .query_opt("SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1", &[&DATABASE])
        .await
        .map_err(LocalError::sql("cannot look for the database dev"))?;
    if found.is_none() {
        let create = format!("CREATE DATABASE {DATABASE} OWNER {FIRST_USER}");
        client
            .batch_execute(&create)
            .await
            .map_err(LocalError::sql("cannot create the database dev"))?;
    }
    drop(client);
    // The connection ends by itself now that its client is gone. An error of its end is ignored.
    let _ = connection.await;
    Ok(())
}
