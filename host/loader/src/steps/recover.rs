//! Recover: brings back views that earlier runs left dropped, before anything else is done to the
//! target.
//!
//! In: what the catalog step has read from the journal of dropped views, and what there is to say
//! of journals that earlier versions left in the bucket, of which nothing is run. Out: nothing that
//! the load depends on. A view that cannot be restored stays in the journal, and the report says
//! why.

use loader_model::error::Result;
use loader_warehouse::catalog::Catalog;

use crate::old_journals;
use crate::redshift::journals::{self, RecoverScope};
use crate::step::Step;
use crate::tools::Tools;
use crate::values::Goal;

/// Looks for journals of earlier versions, for which the catalog is not needed. Gives a sentence
/// for each.
pub(crate) async fn of_earlier_versions(tools: &Tools) -> Vec<String> {
    match tools.goal {
        Goal::Load => old_journals::notices(&tools.store, tools.job.layout.bucket()).await,
        Goal::Preview | Goal::Stage => Vec::new(),
    }
}

/// `old`: the sentences about journals of earlier versions.
///
/// Errors: `Transient`, when others hold the target's fence for too long, which the load needs too;
/// `Interrupted`. Any other failure is a notice.
pub(crate) async fn run(tools: &Tools, catalog: &Catalog, old: Vec<String>) -> Result<()> {
    match tools.goal {
        Goal::Load => tools.step(Step::Recover, recover(tools, catalog, old)).await,
        Goal::Preview => {
            look_ahead(tools, catalog).await;
            Ok(())
        }
        Goal::Stage => Ok(()),
    }
}

async fn recover(tools: &Tools, catalog: &Catalog, old: Vec<String>) -> Result<()> {
    let (target, wait) = (&tools.job.target, tools.job.warehouse.lock_timeout);
    let scope = RecoverScope::Target(target);
    let recovered = journals::recover(&tools.api, &catalog.left, wait, scope).await?;
    tools.record.views_recovered(recovered.iter().flat_map(|journal| &journal.views));
    tools.record.notices(old);
    for one in recovered {
        // A file that was loaded before needs no fence.
        let waits = catalog.loaded_by.is_none() && one.waits_for_others(target);
        match one.failure {
            Some(failure) if waits => return Err(failure),
            failure => tools.record.notices(failure.map(|failure| failure.to_string())),
        }
    }
    Ok(())
}

/// Says which views a load would bring back first. A failure is only logged.
async fn look_ahead(tools: &Tools, catalog: &Catalog) {
    match journals::left_dropped(&tools.api, &catalog.left, &tools.job.target).await {
        Ok(views) => {
            // Set once: a preview reads the catalog once.
            let _ = tools.trail.left_dropped.set(views);
        }
        Err(error) => {
            tracing::warn!(%error, "views that earlier runs left dropped were not looked for");
        }
    }
}
