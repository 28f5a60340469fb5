//! A wish to stop (SIGINT, SIGTERM): async code can wait for it, worker threads see its flag.

use loader_model::error::{Error, Result};
use loader_model::stop::{StopFlag, interrupted};
use tokio::sync::watch;

/// Seen by the steps. Clones see the same wish.
#[derive(Clone, Debug)]
pub struct Stop {
    signal: watch::Receiver<Option<i32>>,
    flag: StopFlag,
}

/// Held by what listens for signals.
#[derive(Debug)]
pub struct Stopper {
    signal: watch::Sender<Option<i32>>,
    flag: StopFlag,
}

/// A connected pair.
pub fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(None);
    let flag = StopFlag::default();
    (Stopper { signal: sender, flag: flag.clone() }, Stop { signal: receiver, flag })
}

impl Stopper {
    /// Asks everything to stop because of a signal.
    pub fn stop(&self, signal: i32) {
        self.flag.raise(signal);
        self.signal.send_replace(Some(signal));
    }
}

impl Stop {
    /// A stop that never comes: for what must be done even then.
    pub fn never() -> Stop {
        channel().1
    }

    /// The same wish, for worker threads.
    pub fn flag(&self) -> &StopFlag {
        &self.flag
    }

    /// Errors: `Interrupted` when it is time to stop.
    pub fn check(&self) -> Result<()> {
        self.flag.check()
    }

    /// Returns when it is time to stop, with the reason; never when the [`Stopper`] is gone.
    pub async fn wanted(&self) -> Error {
        let mut receiver = self.signal.clone();
        match receiver.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => interrupted(signal),
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
