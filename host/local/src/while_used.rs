//! The life of a server that was started for other programs: it ends with the last of them. What
//! the lock means is in the crate `loader-attach`.

use loader_attach::{Lock, Mode};

use crate::error::LocalError;
use crate::server::Server;

/// Serves until no client is attached, or until `stop` is ready, then stops the server. Returns at
/// once when no client ever was.
///
/// Errors: as [`Server::stop`].
pub async fn serve_while_used(
    server: Server,
    stop: impl Future<Output = ()>,
) -> Result<(), LocalError> {
    let alone = tokio::select! {
        alone = Lock::wait(server.state.clients_lock(), Mode::Exclusive) => alone.map(Some),
        () = stop => Ok(None),
    };
    let stopped = server.stop().await;
    // Only now may the next client look for a server.
    drop(alone?);
    stopped
}
