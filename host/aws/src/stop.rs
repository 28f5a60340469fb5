//! The wish to stop a run (SIGINT, SIGTERM). Async code waits for it, and worker threads look at
//! its flag.

use std::time::Duration;

use loader_model::error::{Error, Result};
use loader_model::stop::{StopFlag, interrupted};
use tokio::sync::watch;

/// How long a run that shall stop still waits for its last requests: services that are well answer
/// them in less.
pub const GRACE: Duration = Duration::from_secs(10);

/// The end that the steps hold. Clones see the same wish.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: watch::Receiver<Option<i32>>,
    flag: StopFlag,
}

/// The end that listens for signals and passes the wish on.
#[derive(Debug)]
pub struct Stopper {
    signal: watch::Sender<Option<i32>>,
    flag: StopFlag,
}

/// Makes a connected pair.
pub fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(None);
    let flag = StopFlag::default();
    (Stopper { signal: sender, flag: flag.clone() }, Stop { signal: receiver, flag })
}

impl Stopper {
    /// Asks all steps and worker threads to stop. `signal`: the number of the signal, such as 15
    /// for SIGTERM.
    pub fn stop(&self, signal: i32) {
        // The flag goes up first, so that a task which wakes from `wanted` also finds it raised.
        self.flag.raise(signal);
        self.signal.send_replace(Some(signal));
    }
}

impl Stop {
    /// A wish that never comes, for work that must be done even when the run is stopped.
    pub fn never() -> Stop {
        // The other end is dropped here, so the flag stays down and `wanted` waits for ever.
        channel().1
    }

    /// The same wish, for worker threads.
    pub fn flag(&self) -> &StopFlag {
        &self.flag
    }

    /// Errors: `Interrupted` when the run shall stop.
    pub fn check(&self) -> Result<()> {
        self.flag.check()
    }

    /// Waits for some work, but no longer than until the run shall stop. Errors: `Interrupted`.
    pub async fn bounds<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        tokio::select! {
            biased;
            stopped = self.wanted() => Err(stopped),
            done = work => Ok(done),
        }
    }

    /// Waits for some work, but no longer than [`GRACE`] once the run shall stop. For work that is
    /// to be done even then. Errors: `Interrupted`; the work is not done.
    pub async fn bounds_last<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let given_up = async {
            let stopped = self.wanted().await;
            tokio::time::sleep(GRACE).await;
            stopped
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            stopped = given_up => Err(stopped),
        }
    }

    /// Waits until the run shall stop, and returns the reason. Never returns when the [`Stopper`]
    /// was dropped.
    pub async fn wanted(&self) -> Error {
        let mut receiver = self.signal.clone();
        match receiver.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => interrupted(signal),
            // The `Stopper` is gone, so no wish can come any more. To return here would end a run
            // for no reason.
            _ => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use loader_model::error::Kind;

    use super::*;

    #[tokio::test]
    async fn a_wish_reaches_every_clone() {
        let (stopper, stop) = channel();
        let other = stop.clone();
        assert!(stop.check().is_ok());
        stopper.stop(15);
        assert_eq!(other.check().expect_err("must stop").kind(), Kind::Interrupted(15));
        assert_eq!(stop.wanted().await.kind(), Kind::Interrupted(15));
    }
}
