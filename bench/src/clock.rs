//! The thread's processor time, and medians.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::outcome::Result;

/// Processor time of this thread that `work` takes, with what it gives.
pub(crate) fn cpu<T>(work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    let before = now(ClockId::ThreadCPUTime);
    let done = work()?;
    Ok((now(ClockId::ThreadCPUTime).saturating_sub(before), done))
}

/// Processor time of all threads of this process so far.
pub(crate) fn process_cpu() -> Duration {
    now(ClockId::ProcessCPUTime)
}

fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// In milliseconds.
pub(crate) fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
