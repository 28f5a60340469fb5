//! The commands: each turns its arguments into work and the outcome into an exit code.

pub mod run;

pub mod plan;

pub mod watch;

pub mod work;

pub mod lambda;

pub mod retry;

pub mod gc;
pub mod prune;

pub mod transform;

pub mod local;

pub mod demo;

pub mod doctor;

pub mod sql;

pub mod sniff;

pub mod status;

pub mod history;

pub mod show;

pub mod report;

pub mod ls;

pub mod init;

pub mod config;

pub mod plugin;

mod table;

use std::io::Write;

use loader_model::error::{Error, Result};

use crate::words::for_people;

/// Logs what went wrong, if anything did, and returns the exit code.
fn conclude(outcome: Result<()>) -> u8 {
    match outcome {
        Ok(()) => 0,
        Err(error) => fail(&error),
    }
}

/// Logs an error and returns its exit code.
fn fail(error: &Error) -> u8 {
    tracing::error!(%error, "failed");
    error.kind().exit_code()
}

/// Writes a text for people, or JSON, to stdout. What a terminal would obey is replaced.
fn print(text: &str) {
    print_as_it_is(&for_people(text));
}

/// Writes values to stdout, for programs that take them as they are. A reader that went away is not
/// an error. (For example, `head -1` behind `loader sql …` closes the pipe after the first line.)
fn print_as_it_is(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
