//! The commands: each turns its arguments into work and the outcome into an exit code.

pub mod run;

pub mod plan;

pub mod retry;

pub mod transform;

pub mod local;

pub mod demo;

pub mod sql;

pub mod plugin;

mod table;

use std::io::Write;

use loader_model::error::{Error, Result};

/// Says on stderr what went wrong and gives the exit code.
fn conclude(outcome: Result<()>) -> u8 {
    match outcome {
        Ok(()) => 0,
        Err(error) => fail(&error),
    }
}

/// The same for an error.
fn fail(error: &Error) -> u8 {
    tracing::error!(%error, "failed");
    error.kind().exit_code()
}

/// Writes to stdout; a reader that went away (`| head`) is not an error.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
