//! Cleans up after a killed server: it may have left a PostgreSQL that still runs on the data, or
//! only the pid file. In: the data folder; out: a data folder that is not in use. Never signals a
//! process that is not a PostgreSQL on this very folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::user;
use crate::error::LocalError;

/// How long a waiting loop sleeps between two looks.
pub(crate) const POLL: Duration = Duration::from_millis(10);
/// How long a left-over PostgreSQL may take after SIGINT, and again after SIGQUIT.
const PATIENCE: Duration = Duration::from_secs(10);

/// The file that names the running postmaster of a data folder.
pub(crate) fn pid_file(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

/// Stops the PostgreSQL that still runs on `data`, if one does, and removes its pid file.
// The pid file may be damaged or old, so nothing in it is believed. The process must be a
// PostgreSQL on this folder before it gets a signal, and a folder must have the name of a socket
// folder before it is deleted.
pub(crate) async fn clear(data: &Path) -> Result<(), LocalError> {
    let file = pid_file(data);
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    let mut lines = text.lines();
    let pid = lines.next().and_then(|line| line.trim().parse::<u32>().ok());
    if let Some(pid) = pid.filter(|&pid| runs_on(pid, data)) {
        stop(pid, data).await?;
    }
    // The fifth line is the folder of its socket; the first is read already.
    if let Some(sockets) = lines.nth(3).map(Path::new)
        && user::is_socket_dir(sockets)
    {
        let _ = fs::remove_dir_all(sockets);
    }
    remove_if_there(&file).map_err(LocalError::file(file, "remove a stale pid file"))
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn stop(pid: u32, data: &Path) -> Result<(), LocalError> {
    // SIGINT asks PostgreSQL to shut down in order, SIGQUIT to end at once.
    for kind in [Signal::INT, Signal::QUIT] {
        signal(pid, kind);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if !runs_on(pid, data) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Err(LocalError::Postgres(format!(
        "process {pid} still runs on {} and does not stop; end it",
        data.display()
    )))
}

/// Sends a signal. Succeeds also when the process has ended already.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether the process is a PostgreSQL on this data folder. The pid file alone does not prove that:
/// the system gives the number of an ended process to a new one.
fn runs_on(pid: u32, data: &Path) -> bool {
    if !Path::new("/proc/self").exists() {
        return is_listed(pid, data);
    }
    // The working folder of a postmaster is its data folder. A process that has ended and was not
    // collected yet has none, so it counts as ended.
    let proc = Path::new("/proc").join(pid.to_string());
    fs::read(proc.join("cmdline")).is_ok_and(|line| contains(&line, b"postgres"))
        && fs::read_link(proc.join("cwd"))
            .is_ok_and(|cwd| data.canonicalize().is_ok_and(|data| cwd == data))
}

/// The same without /proc, as on macOS: the process's command line names the folder.
fn is_listed(pid: u32, data: &Path) -> bool {
    let output = std::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output();
    let data = data.as_os_str().as_encoded_bytes();
    output
        .is_ok_and(|output| contains(&output.stdout, b"postgres") && contains(&output.stdout, data))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pid_file_that_names_another_process_is_only_removed() {
        let data = tempfile::tempdir().unwrap();
        // Our own number: alive, and no PostgreSQL. A signal to it would end this test.
        fs::write(
            pid_file(data.path()),
            format!("{}\n/data\n1\n5432\n/tmp\n\n", std::process::id()),
        )
        .unwrap();
        clear(data.path()).await.unwrap();
        assert!(!pid_file(data.path()).exists());
    }

    #[tokio::test]
    async fn a_broken_pid_file_is_removed() {
        let data = tempfile::tempdir().unwrap();
        fs::write(pid_file(data.path()), "").unwrap();
        clear(data.path()).await.unwrap();
        assert!(!pid_file(data.path()).exists());
        clear(data.path()).await.unwrap();
    }
}
