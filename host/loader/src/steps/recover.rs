//! Recover: brings back views that a killed run left dropped, before anything else.
//!
//! In: the journals below `data/journal/`. Out: nothing that the load depends on. A view that
//! cannot be restored stays in its journal, and the log says why.

use crate::redshift::journals::{self, RecoverScope};
use crate::step::Step;
use crate::tools::Tools;

/// Never fails: an error is only logged.
pub(crate) async fn run(tools: &Tools) {
    let scope = RecoverScope::Target(&tools.job.target);
    let recovering = journals::recover(&tools.store, &tools.api, tools.job.layout.bucket(), scope);
    match tools.step(Step::Recover, recovering).await {
        Ok(recovered) => {
            tools.record.views_recovered(recovered.iter().flat_map(|journal| &journal.views));
        }
        Err(error) => {
            tracing::warn!(%error, "views that earlier runs left dropped were not looked for");
        }
    }
}
