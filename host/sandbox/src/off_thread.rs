//! Work of the host on a thread of its own, with a deadline.
//!
//! A compiler or a validator cannot be interrupted. When its time is up, its thread is left behind:
//! the load ends with an error, although the thread still runs.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// The reason why there is no result.
#[derive(Debug)]
pub(crate) enum Unfinished {
    NotStarted(io::Error),
    TimeIsUp,
    Panicked,
}

/// The result of `work`, if it comes within `seconds`.
// The thread is never joined, since a join would wait past the deadline. When `work` panics, `send`
// is dropped without a value, and `recv_timeout` reports that at once.
pub(crate) fn within<T: Send + 'static>(
    thread: thread::Builder,
    seconds: u64,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unfinished> {
    let (send, receive) = sync_channel(1);
    let work = move || {
        // Sending fails when the deadline has passed and the receiver is gone; that is fine.
        let _ = send.send(work());
    };
    thread.spawn(work).map_err(Unfinished::NotStarted)?;
    receive.recv_timeout(Duration::from_secs(seconds)).map_err(|error| match error {
        RecvTimeoutError::Timeout => Unfinished::TimeIsUp,
        RecvTimeoutError::Disconnected => Unfinished::Panicked,
    })
}
