//! Work of the host on a thread of its own, for as long as it may take.
//!
//! A compiler or a validator cannot be interrupted. When its time is up, its thread is left behind,
//! and the load goes on to its end.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Unfinished {
    NotStarted(io::Error),
    TimeIsUp,
    Panicked,
}

/// The result of `work`, if it comes within `seconds`.
pub(crate) fn within<T: Send + 'static>(
    thread: thread::Builder,
    seconds: u64,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (send, receive) = sync_channel(1);
    let work = move || {
        // After the deadline the result has no receiver.
        let _ = send.send(work());
    };
    thread.spawn(work).map_err(Unfinished::NotStarted)?;
    receive.recv_timeout(Duration::from_secs(seconds)).map_err(|error| match error {
        RecvTimeoutError::Timeout => Unfinished::TimeIsUp,
        RecvTimeoutError::Disconnected => Unfinished::Panicked,
    })
}
