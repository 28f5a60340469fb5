//! Processor time, and medians.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::outcome::Result;

/// Runs `work`, and returns the processor time of this thread that it took, and its result.
pub(crate) fn cpu<T>(work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
    // Work that other threads do for this one is not counted, and neither is time that it waits.
    let before = now(ClockId::ThreadCPUTime);
    let done = work()?;
    Ok((now(ClockId::ThreadCPUTime).saturating_sub(before), done))
}

/// Processor time of all threads of this process so far.
pub(crate) fn process_cpu() -> Duration {
    now(ClockId::ProcessCPUTime)
}

fn now(clock: ClockId) -> Duration {
    // Nanoseconds are below a thousand million, so the cast loses nothing.
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// The median in milliseconds, NaN without times. Of an even number of times it is the upper one of
/// the two in the middle, such as 3 of 1, 2, 3, 4.
pub(crate) fn median(times: &[Duration]) -> f64 {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
