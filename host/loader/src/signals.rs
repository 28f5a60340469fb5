//! Turns SIGINT and SIGTERM into a wish to stop.

use loader_aws::stop::Stopper;

/// Waits for SIGINT or SIGTERM and passes the first one on; the second one ends the process at
/// once. Never returns.
// The first signal only sets a wish: the steps end in order and cleanup runs. The second means that
// the user does not want to wait for that, so the process ends without a cleanup, as after a kill.
// The exit code is the shell's: SIGINT gives 130 and SIGTERM 143.
pub async fn listen(stopper: Stopper) {
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
        tracing::warn!(signal, "stopping in order; send the signal again to stop at once");
        stopper.stop(signal);
        stopping = true;
    }
}
