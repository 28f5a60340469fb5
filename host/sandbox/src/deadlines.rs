//! How long each call may take, and the clock that ends a call which takes longer.
//!
//! wasmtime counts time in epochs. A thread begins a new epoch at every tick. A guest that still
//! runs when the epoch of its deadline begins is interrupted.

use std::thread;
use std::time::Duration;

use wasmtime::Engine;

use crate::error::{Call, PluginError};
use crate::limits::Limits;

/// The length of an epoch. A call may run longer than its deadline by this much.
const TICK: Duration = Duration::from_millis(10);

/// Starts the clock. It is a thread of the operating system, so that no busy executor can hold it
/// up, and it ends with the engine.
// The thread holds the engine only weakly, and drops its strong reference before it sleeps. With a
// strong one the engine would never be freed, and the thread would tick for ever.
pub(crate) fn start_clock(engine: &Engine) -> Result<(), PluginError> {
    const NAME: &str = "plugin-epochs";
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    match thread::Builder::new().name(NAME.to_owned()).spawn(tick) {
        Ok(_) => Ok(()),
        Err(error) => Err(PluginError::host(format!("thread {NAME} does not start: {error}"))),
    }
}

/// The time of a call, with its key under `[limits]`.
pub(crate) struct TimeLimit {
    pub(crate) key: &'static str,
    pub(crate) seconds: u64,
}

impl TimeLimit {
    pub(crate) fn of(call: Call, limits: &Limits) -> TimeLimit {
        let (key, seconds) = match call {
            Call::Instantiate | Call::Open => ("open_seconds", limits.open_seconds),
            Call::ConfigSchema | Call::MakePlan => ("plan_seconds", limits.plan_seconds),
            Call::Process => ("process_seconds", limits.process_seconds),
            Call::Finish => ("finish_seconds", limits.finish_seconds),
        };
        TimeLimit { key, seconds }
    }

    /// Epochs from now until the deadline.
    pub(crate) fn epochs(&self) -> u64 {
        epochs(self.seconds)
    }
}

/// The number of epochs in so many seconds, and one more, because the current epoch has begun
/// already. For example, 10 s are 1,001 epochs of 10 ms.
fn epochs(seconds: u64) -> u64 {
    let per_second = 1_000 / TICK.as_millis() as u64;
    // wasmtime adds the result to the current epoch, which would overflow with `u64::MAX`.
    seconds.saturating_mul(per_second).saturating_add(1).min(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_never_in_the_past_nor_past_the_end_of_counting() {
        assert_eq!(epochs(0), 1);
        assert_eq!(epochs(10), 1001);
        assert_eq!(epochs(u64::MAX), u64::MAX / 2);
    }
}
