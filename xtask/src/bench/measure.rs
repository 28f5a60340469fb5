//! A program from its start to its end: seconds, processor time, peak memory.
//!
//! In: a command. Out: what the kernel counted of its process, as wait4 tells it, and what it said.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wait4::Wait4;

use crate::failure::{Failure, failure};

/// So many of the last lines of a program that failed are shown.
const LAST_LINES: usize = 12;

/// What one run of a program took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    /// From the process's start to its end.
    pub(super) wall_seconds: f64,
    /// User and system time of all its threads.
    pub(super) cpu_seconds: f64,
    /// The most memory that it had at once (resident).
    pub(super) peak_bytes: u64,
    /// Requests to S3, where they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) s3_requests: Option<u64>,
}

/// A program that has ended well.
pub(super) struct Ended {
    pub(super) run: Run,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs a program to its end. Errors: it does not start, or ends with a status other than 0.
// Its output goes to files: a pipe would have to be emptied beside it.
pub(super) fn measure(name: &str, command: &mut Command) -> Result<Ended, Failure> {
    let (mut stdout, mut stderr) = (output_file()?, output_file()?);
    command.stdin(Stdio::null()).stdout(shared(&stdout)?).stderr(shared(&stderr)?);
    let start = Instant::now();
    let child = command.spawn();
    let child = child.or_else(|error| failure(format!("{name} does not start: {error}")))?;
    let ended = child.wait4();
    let wall_seconds = start.elapsed().as_secs_f64();
    let ended = ended.or_else(|error| failure(format!("{name} is not waited for: {error}")))?;
    let (stdout, stderr) = (text(&mut stdout)?, text(&mut stderr)?);
    if !ended.status.success() {
        let said = last_lines(&stderr);
        return failure(format!("{name} ended with {}: {said}", ended.status));
    }
    let run = Run {
        wall_seconds,
        cpu_seconds: (ended.rusage.utime + ended.rusage.stime).as_secs_f64(),
        peak_bytes: ended.rusage.maxrss,
        s3_requests: None,
    };
    Ok(Ended { run, stdout, stderr })
}

fn output_file() -> Result<File, Failure> {
    tempfile::tempfile().or_else(|error| failure(format!("no temporary file: {error}")))
}

fn shared(file: &File) -> Result<File, Failure> {
    file.try_clone().or_else(|error| failure(format!("no temporary file: {error}")))
}

fn text(file: &mut File) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.or_else(|error| failure(format!("the output of a program cannot be read: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a program said last.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_measured_from_start_to_end() {
        let mut shell = Command::new("sh");
        let ended = measure("a shell", shell.args(["-c", "echo out; echo err >&2; sleep 0.05"]));
        let Ended { run, stdout, stderr } = ended.unwrap();
        assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
        assert!(run.wall_seconds >= 0.05 && run.cpu_seconds < run.wall_seconds);
        assert!(run.peak_bytes > 100_000);
        let mut shell = Command::new("sh");
        let failed = measure("a shell", shell.args(["-c", "echo so it is >&2; exit 3"]));
        let said = failed.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(said.contains("a shell ended with") && said.contains("so it is"), "{said}");
    }
}
