//! Catalog: the target's columns, and whether this very file was loaded before. One execution, once
//! the schema has its bookkeeping tables.
//!
//! In: the pinned source. Out: the warehouse as far as this load is concerned. `loaded_by` is only
//! set where an earlier load is a reason to stop: `--force` and `loader stage` go on.

use std::future::ready;

use loader_model::error::{Error, Result};
use loader_warehouse::catalog::Catalog;

use crate::habit;
use crate::layout::RunId;
use crate::redshift::catalog::{self, Bookkeeping};
use crate::step::Step;
use crate::tools::Tools;
use crate::values::{Goal, SourceObject};

/// `may_make`: ends once tables may be made. What only asks does not wait for it.
///
/// Errors: `Transient`, `Config` (permissions, no such schema, other keys than the table has).
// `unless_unknown`: queries and CREATE TABLE IF NOT EXISTS may be sent twice, so a lost answer
// leaves nothing to find out. The user is told to run again, and not to look into the warehouse.
pub(crate) async fn run(
    tools: &Tools,
    source: &SourceObject,
    may_make: impl Future<Output = ()>,
) -> Result<Catalog> {
    let missing = match tools.goal {
        Goal::Load => Bookkeeping::Make,
        Goal::Stage | Goal::Preview => Bookkeeping::LeaveMissing,
    };
    let read = catalog::read(&tools.api, &tools.job.target, &source.load_id, missing, may_make);
    let read = async { read.await.map_err(Error::unless_unknown) };
    let catalog = tools.step(Step::Catalog, read).await?;
    let loaded_by = catalog.loaded_by.clone().filter(|_| !may_load_again(tools));
    match &loaded_by {
        Some(run_id) => say_loaded_before(tools, run_id),
        None => habit::check(&tools.job, &catalog)?,
    }
    Ok(Catalog { loaded_by, ..catalog })
}

/// Asks which run has loaded the file meanwhile, for the name under which it is archived. Without
/// an answer this run's own name will do.
pub(crate) async fn ask_who_loaded(tools: &Tools, source: &SourceObject) {
    if let Err(error) = run(tools, source, ready(())).await {
        tracing::warn!(%error, "nothing tells which run has loaded the file meanwhile");
    }
}

/// Those of the files that were loaded before, by their places. Errors: as of [`run`].
pub(crate) async fn known(tools: &Tools, sources: &[SourceObject]) -> Result<Vec<usize>> {
    if may_load_again(tools) {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = sources.iter().map(|source| source.load_id.as_str()).collect();
    let known = catalog::loaded_before(&tools.api, &tools.job.target, &ids).await;
    let known = known.map_err(Error::unless_unknown)?;
    let places = ids.iter().enumerate().filter(|(_, id)| known.contains(**id));
    Ok(places.map(|(place, _)| place).collect())
}

/// Whether a file that was loaded before is no reason to stop: `loader stage` loads nothing, and
/// `--force` asks for a second load.
fn may_load_again(tools: &Tools) -> bool {
    tools.goal == Goal::Stage || tools.job.force
}

fn say_loaded_before(tools: &Tools, run_id: &str) {
    if let Some(run) = RunId::parse(run_id) {
        // Known from the first look on: a second one finds the same run.
        let _ = tools.trail.loaded_by.set(run);
    }
    tracing::info!(by = run_id, "this very file was loaded before; --force loads it again");
    if tools.data_path.settings.capture.is_some() {
        tracing::warn!("no case captured: the rows are not looked at again without --force");
    }
}
