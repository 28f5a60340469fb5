//! Plan: what every column of the file becomes, decided before a row is decoded.
//!
//! In: the plugins, the file's profile, the target's columns. Out: how to decode, the plugins'
//! plans, the staged columns. For example, a column of `1` and `2` is decoded as text when it lands
//! in a VARCHAR. Changes nothing. Where the file would give columns of the table their type, the
//! warehouse is asked whether they have values by now.

use std::sync::Arc;

use loader_data::joined::Joined;
use loader_data::plan::LoadPlan;
use loader_model::catalog_column::{CatalogColumn, ColumnDefault};
use loader_model::choices::{MissingColumns, Strategy};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::catalog::{Catalog, untyped};

use crate::data_path::chain::Chain;
use crate::job::Job;
use crate::redshift::catalog;
use crate::step::Step;
use crate::tools::{Tools, blocking};

/// Errors: `Config` (a key that is no column), `Plugin`, `Data` (values that the target cannot
/// take), `SchemaConflict` (a change of the table that is impossible or not allowed), `Transient`.
pub(crate) async fn run(
    tools: &Tools,
    chain: &Chain,
    files: &Arc<Joined>,
    catalog: &Catalog,
) -> Result<Arc<LoadPlan>> {
    let planner = Planner { tools, chain, files, existing: catalog.target.as_deref() };
    let plan = tools.step(Step::Plan, planner.plan()).await?;
    check_kept(&tools.job, &plan, catalog.target.as_deref())?;
    check_new_table(&tools.job, &plan)?;
    if !plan.discarded.is_empty() {
        let columns = plan.discarded.join(", ");
        tracing::warn!(columns, "columns of the file were left out");
    }
    tools.record.plan(&plan);
    Ok(Arc::new(plan))
}

struct Planner<'a> {
    tools: &'a Tools,
    chain: &'a Chain,
    files: &'a Arc<Joined>,
    existing: Option<&'a [CatalogColumn]>,
}

impl Planner<'_> {
    /// The plan. Which columns have no value is only asked where the plan depends on it, as the
    /// answer takes a scan of these columns. (For example, `note` was made without a type and has
    /// texts by now. A file with more texts for it asks nothing, a file with numbers asks.)
    async fn plan(&self) -> Result<LoadPlan> {
        let supposed = untyped::names(self.existing.unwrap_or_default());
        let plan = self.supposing(&supposed).await;
        let relied_on = match &plan {
            Ok(plan) => plan.relied_on(&supposed),
            Err(_) => supposed,
        };
        let target = &self.tools.job.target;
        let empty = catalog::without_values(&self.tools.api, target, &relied_on).await?;
        if empty == relied_on {
            return plan;
        }
        let typed = plan.map(|plan| plan.typed).unwrap_or_default();
        let texts: Vec<String> = typed.into_iter().filter(|name| !empty.contains(name)).collect();
        self.tools.record.notices(stay_texts(&texts));
        self.supposing(&empty).await
    }

    /// The plan, if these columns have no value.
    async fn supposing(&self, without_values: &[String]) -> Result<LoadPlan> {
        let (data_path, chain) = (Arc::clone(&self.tools.data_path), self.chain.clone());
        let (files, existing) = (Arc::clone(self.files), self.existing.map(<[_]>::to_vec));
        let without_values = without_values.to_vec();
        // Planning calls the plugins, and guests only run on threads for blocking work.
        let planning = blocking(move || {
            data_path.plan(chain.plugins(), &files, existing.as_deref(), &without_values)
        });
        planning.await.map_err(|error| self.tools.in_file(error))
    }
}

/// A notice of columns that would have got their type, if they had no value.
fn stay_texts(columns: &[String]) -> Option<String> {
    let names: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "columns of the table that were made without a type have texts by now, so they stay \
             VARCHAR, and this file's values are stored there as texts, though none is one: {}",
            names.join(", ")
        )
    })
}

/// Refuses keys that the table which is made cannot have.
fn check_new_table(job: &Job, plan: &LoadPlan) -> Result<()> {
    let columns = plan.target_columns(&plan.longest_known());
    let unfit = job.new_table.unfit(&columns).filter(|_| plan.creates_table);
    unfit.map_or(Ok(()), |fact| Err(Error::new(Kind::Config, fact)))
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
