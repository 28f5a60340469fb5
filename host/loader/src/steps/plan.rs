//! Plan: what every column of the file becomes, decided before a row is decoded.
//!
//! In: the plugins, the file's profile, the target's columns. Out: how to decode, the plugins'
//! plans, the staged columns. For example, a column of `1` and `2` is decoded as text when it lands
//! in a VARCHAR. Changes nothing.

use std::sync::Arc;

use loader_data::infer::Spool;
use loader_data::plan::LoadPlan;
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::{MissingColumns, Strategy};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::catalog::Catalog;

use crate::data_path::chain::Chain;
use crate::job::Job;
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
    check_kept(&tools.job, &plan, catalog.target.as_deref())?;
    if !plan.discarded.is_empty() {
        let columns = plan.discarded.join(", ");
        tracing::warn!(columns, "columns of the file were left out");
    }
    tools.record.plan(&plan);
    Ok(Arc::new(plan))
}

/// Refuses a merge whose known rows should keep values, and are replaced by all rows of their key.
/// (For example, two rows of order_id 7 replace the table's one, and only one of them could take
/// over its `amount`.) An IDENTITY numbers the new rows anew, so it is no value to keep.
fn check_kept(job: &Job, plan: &LoadPlan, target: Option<&[CatalogColumn]>) -> Result<()> {
    let is_merge = job.strategy == Strategy::Merge;
    if !is_merge || job.missing_columns != MissingColumns::Keep || job.keeps_known {
        return Ok(());
    }
    let is_lost = |column: &&CatalogColumn| {
        let is_missing = plan.filled.iter().any(|filled| filled.name == column.name);
        is_missing && !matches!(column.default, ColumnDefault::Identity { .. })
    };
    let lost = target.unwrap_or_default().iter().filter(is_lost);
    let lost: Vec<&str> = lost.map(|column| column.name.as_str()).collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(not_kept(&job.target, &lost)),
    }
}

fn not_kept(target: &TableName, columns: &[&str]) -> Error {
    let fact = format!(
        "the file lacks columns of {target}: {}; with --duplicates keep, known rows are replaced and \
         cannot keep what they have there; give --missing-columns default or null, or --duplicates \
         last",
        columns.join(", ")
    );
    Error::new(Kind::Config, fact)
}
