//! The life of a server that was started for other programs: it ends with the last of them. The
//! crate `loader-attach` explains the lock.

use loader_attach::{Lock, Mode};

use crate::error::LocalError;
use crate::server::Server;

/// Serves until no client is attached, or until `stop` is ready, then stops the server. Returns at
/// once when no client has ever attached.
///
/// Errors: as [`Server::stop`].
pub async fn serve_while_used(
    server: Server,
    stop: impl Future<Output = ()>,
) -> Result<(), LocalError> {
    // Every client holds a share of the lock, so having it alone means that no client is left.
    let alone = tokio::select! {
        alone = Lock::wait(server.state.clients_lock(), Mode::Exclusive) => alone.map(Some),
        () = stop => Ok(None),
    };
    let stopped = server.stop().await;
    // Only now may the next client look for a server. Dropped before `stop`, the lock would let a
    // client in that finds the old endpoints and then loses its server.
    drop(alone?);
    stopped
}
