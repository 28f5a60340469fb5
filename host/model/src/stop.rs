//! The wish to stop a run, as worker threads see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::error::{Error, Kind, Result};

/// A flag that is raised when the program shall stop. Clones see the same flag.
// The number of the signal, or 0 while the flag is down. Relaxed order is enough for it: the number
// is all that the threads tell each other, and no other memory depends on it.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicI32>);

impl StopFlag {
    /// Raises the flag. `signal`: the number of the signal that asks for it, never 0.
    pub fn raise(&self, signal: i32) {
        self.0.store(signal, Ordering::Relaxed);
    }

    /// Errors: `Interrupted` when the flag is raised.
    pub fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(interrupted(signal)),
        }
    }
}

/// The error of a run that a signal has stopped.
pub fn interrupted(signal: i32) -> Error {
    Error::new(
        Kind::Interrupted(signal),
        format!("stopped by signal {signal}; the target is unchanged, run again"),
    )
}
