//! A wish to stop, as worker threads see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use crate::error::{Error, Kind, Result};

/// A flag that is raised when the program shall stop. Clones see the same flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicI32>);

impl StopFlag {
    /// Raises the flag. `signal`: the number of the signal that asks for it, never 0.
    pub fn raise(&self, signal: i32) {
        self.0.store(signal, Ordering::Relaxed);
    }

    /// Errors: `Interrupted` when it is time to stop.
    pub fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            signal => Err(interrupted(signal)),
        }
    }
}

/// Why a run ends that was stopped by a signal.
pub fn interrupted(signal: i32) -> Error {
    Error::new(
        Kind::Interrupted(signal),
        format!("stopped by signal {signal}; the target is unchanged, run again"),
    )
}
