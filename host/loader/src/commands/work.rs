//! `loader work`: does tasks of a load that a cluster works on.

use loader_aws::stop::Stop;
use tokio::runtime::Handle;

use crate::engine;
use crate::tools::blocking;

/// Works until stdin ends.
pub async fn run(stop: Stop) -> u8 {
    let runtime = Handle::current();
    match blocking(move || engine::work::run(&runtime, &stop)).await {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!(%error, "the worker ended");
            error.kind().exit_code()
        }
    }
}
