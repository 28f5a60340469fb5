//! How long each call may take, and the clock that ends a call which takes longer.
//!
//! wasmtime counts time in epochs. A thread begins an epoch at every tick, and a guest that still
//! runs when the epoch of its deadline begins is interrupted.

use std::thread;
use std::time::Duration;

use wasmtime::Engine;

use crate::error::{Call, PluginError};
use crate::limits::Limits;

/// How long an epoch is; deadlines are kept to within this.
const TICK: Duration = Duration::from_millis(10);

/// The clock is a thread of the operating system, so that no busy executor can hold it up. It ends
/// with the engine.
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

/// One more than the time has, because the epoch at hand has begun already.
fn epochs(seconds: u64) -> u64 {
    let per_second = 1_000 / TICK.as_millis() as u64;
    // wasmtime adds it to the current epoch, so the largest value would overflow.
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
