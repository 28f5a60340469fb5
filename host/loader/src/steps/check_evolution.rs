//! Check evolution: finds what is in the way of changing the table before anything is staged, as
//! far as the file alone tells.
//!
//! In: the plan and the catalog. Out: nothing, that the table is another by now, or an error that
//! names everything in the way: for example, a sort key that cannot grow and a materialized view.
//! How long the texts are that plugins compute is known only after staging; `evolve` plans anew
//! then.

use loader_model::error::{Error, Result};

use crate::redshift::evolution::{Evolution, Outlook};
use crate::step::Step;
use crate::tools::Tools;
use crate::values::Work;

/// `Some`: the table is another by now than the plan was made for.
///
/// Errors: `SchemaConflict` (keys, views that could not come back), `Config` (view_config.json).
pub(crate) async fn run(tools: &Tools, work: &Work) -> Result<Option<Error>> {
    let longest = work.plan.longest_known();
    let evolution = Evolution::new(tools, work, &longest);
    if !evolution.is_needed() {
        return Ok(None);
    }
    match tools.step(Step::CheckEvolution, evolution.plan()).await? {
        Outlook::Plan { .. } => Ok(None),
        Outlook::TargetChanged(error) => Ok(Some(error)),
    }
}
