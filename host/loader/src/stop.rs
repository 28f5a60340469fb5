//! A wish to stop (SIGINT, SIGTERM) that every step can see, from async code and from worker
//! threads.

use tokio::sync::watch;

use crate::error::{Error, Kind, Result};

/// Seen by the steps. Clones see the same wish.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Option<i32>>);

/// Held by whoever hears the signals.
#[derive(Debug)]
pub struct Stopper(watch::Sender<Option<i32>>);

/// A connected pair.
pub fn channel() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(None);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Asks everyone to stop because of a signal.
    pub fn stop(&self, signal: i32) {
        self.0.send_replace(Some(signal));
    }

    /// Waits for SIGINT or SIGTERM and passes the first one on; the second one ends the process at
    /// once. Never returns.
    pub async fn listen(self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return std::future::pending().await;
        };
        let mut stopping = false;
        loop {
            let signal = tokio::select! {
                _ = interrupt.recv() => 2,
                _ = terminate.recv() => 15,
            };
            if stopping {
                std::process::exit(128 + signal);
            }
            tracing::warn!(signal, "stopping; once more to stop at once");
            self.stop(signal);
            stopping = true;
        }
    }
}

impl Stop {
    /// Nobody will ever ask for a stop: for what must be done even then.
    pub fn never() -> Stop {
        channel().1
    }

    /// `Interrupted` when it is time to stop.
    pub fn check(&self) -> Result<()> {
        match *self.0.borrow() {
            None => Ok(()),
            Some(signal) => Err(interrupted(signal)),
        }
    }

    /// Returns when it is time to stop, with the reason; never when nobody can ask for it any more.
    pub async fn wanted(&self) -> Error {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await.map(|signal| *signal) {
            Ok(Some(signal)) => interrupted(signal),
            _ => std::future::pending().await,
        }
    }
}

fn interrupted(signal: i32) -> Error {
    Error::new(
        Kind::Interrupted(signal),
        format!("stopped by signal {signal}; the target is unchanged, run again"),
    )
}

#[cfg(test)]
mod tests {
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
