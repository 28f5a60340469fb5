//! Plan: what every column of the file becomes, decided before a row is decoded.
//!
//! In: the plugins, the file's profile, the target's columns. Out: how to decode, the plugins'
//! plans, the staged columns. For example, a column of `1` and `2` is decoded as text when it lands
//! in a VARCHAR. Changes nothing.

use std::sync::Arc;

use loader_data::infer::Spool;
use loader_data::plan::LoadPlan;
use loader_model::error::Result;
use loader_warehouse::catalog::Catalog;

use crate::data_path::chain::Chain;
use crate::step::Step;
use crate::tools::{Tools, blocking};

/// Errors: `Config` (a key that is no column), `Plugin`, `Data` (values that the target cannot
/// take), `SchemaConflict` (a change of the table that is impossible or not allowed).
pub(crate) async fn run(
    tools: &Tools,
    chain: &Chain,
    spool: &Arc<Spool>,
    catalog: &Catalog,
) -> Result<Arc<LoadPlan>> {
    let (data_path, chain) = (Arc::clone(&tools.data_path), chain.clone());
    let (spool, existing) = (Arc::clone(spool), catalog.target.clone());
    // Planning calls the plugins, and guests only run on threads for blocking work.
    let planning = blocking(move || data_path.plan(chain.plugins(), &spool, existing.as_deref()));
    let plan = tools.step(Step::Plan, planning).await;
    let plan = plan.map_err(|error| tools.in_file(error))?;
    if !plan.discarded.is_empty() {
        let columns = plan.discarded.join(", ");
        tracing::warn!(columns, "columns of the file were left out");
    }
    tools.record.plan(&plan);
    Ok(Arc::new(plan))
}
