//! A command that gets a report on its stdin.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::failed::Failed;
use crate::job::FRAMES;

/// How long a command may take; then it is killed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a command. It has `LOADER_EVENT` in its environment, and writes to our stderr.
pub(super) async fn run(words: &[String], event: &str, body: &str) -> Result<(), Failed> {
    let failed = |why: String, passes| Failed { why, passes };
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments).env("LOADER_EVENT", event).stdin(Stdio::piped()).stdout(Stdio::null());
    // A hook that runs this program has no part in our cluster.
    command.env_remove(FRAMES);
    let mut child = command
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("it does not start: {error}"), false))?;
    let run = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read is no failed one.
            let _ = stdin.write_all(body.as_bytes()).await;
        }
        child.wait().await
    };
    match tokio::time::timeout(PATIENCE, run).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("it ended with {status}"), true)),
        Ok(Err(error)) => Err(failed(error.to_string(), true)),
        Err(_) => Err(failed(format!("it took longer than {} s", PATIENCE.as_secs()), true)),
    }
}
