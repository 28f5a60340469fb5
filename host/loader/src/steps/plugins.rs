//! Plugins: the chain's plugins, compiled or taken from the cache, with their configs checked.
//!
//! In: the job's choice of plugins. Out: plugins that are ready to plan.

use std::sync::Arc;

use loader_model::error::Result;

use crate::data_path::chain::{self, Chain};
use crate::step::Step;
use crate::tools::{Tools, blocking};

/// Errors: `Config` (no such file, another file than the pinned one, a config that a plugin does
/// not take), `Plugin` (the file is no plugin for this program).
pub(crate) async fn run(tools: &Tools) -> Result<Chain> {
    let data_path = Arc::clone(&tools.data_path);
    let work = blocking(move || chain::load(&data_path.settings));
    let chain = tools.step(Step::Plugins, work).await?;
    tools.record.plugins(&chain.identities());
    tools.record.notices(tools.data_path.settings.notices.iter().cloned());
    Ok(chain)
}
