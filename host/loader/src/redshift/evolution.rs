//! Plans the evolution of the target: reads what the plan depends on, a moment before it would be
//! carried out. Changes nothing.
//!
//! The catalog is read anew each time, so a change that another program has made meanwhile is no
//! longer planned. (For example, two files bring the column `discount`: the second run finds it and
//! has nothing to add.)

use loader_model::catalog_column::CatalogColumn;
use loader_model::error::{Context, Error, Kind, Result};
use loader_model::names::TableName;
use loader_model::target_column::TargetColumn;
use loader_warehouse::catalog::TableState;
use loader_warehouse::dependents::Dependents;
use loader_warehouse::evolution::change::{self, SchemaChange};
use loader_warehouse::evolution::script::{self, EvolutionPlan, Situation};
use loader_warehouse::evolution::view_config::{self, ConfiguredView, ViewConfig};

use crate::redshift::{catalog, dependents};
use crate::tools::Tools;
use crate::values::Work;

/// The largest `view_config.json` that is read.
pub(crate) const MAX_VIEW_CONFIG_BYTES: usize = 16 << 20;

/// What planning an evolution comes to.
pub enum Outlook {
    Plan {
        plan: EvolutionPlan,
        /// What depends on the table.
        dependents: Box<Dependents>,
    },
    /// The table is another by now than the rows were planned for. The error is for a load that is
    /// not planned anew.
    TargetChanged(Error),
}

impl Outlook {
    fn nothing() -> Outlook {
        Outlook::Plan { plan: EvolutionPlan::default(), dependents: Box::default() }
    }

    /// `fact`: what has changed.
    pub fn changed(target: &TableName, fact: &str) -> Outlook {
        Outlook::TargetChanged(Error::new(
            Kind::Transient,
            format!("{target} changed while the file was being loaded ({fact}); run again"),
        ))
    }
}

/// What the target would have to become for a file.
pub struct Evolution<'a> {
    tools: &'a Tools,
    work: &'a Work,
    /// The target's columns that the file fills, wide enough for it.
    wanted: Vec<TargetColumn>,
}

impl<'a> Evolution<'a> {
    /// `longest`: the longest text of each planned column, in bytes, as far as it is known.
    pub fn new(tools: &'a Tools, work: &'a Work, longest: &[u32]) -> Evolution<'a> {
        Evolution { tools, work, wanted: work.plan.target_columns(longest) }
    }

    /// Whether the table as the catalog step saw it would have to change. Also true when it cannot
    /// become what the file needs, since `plan` then returns the reasons. No I/O.
    pub fn is_needed(&self) -> bool {
        let changes = self.changes(self.work.catalog.target.as_deref());
        !changes.is_ok_and(|changes| changes.is_empty())
    }

    fn changes(
        &self,
        existing: Option<&[CatalogColumn]>,
    ) -> Result<Vec<SchemaChange>, Vec<String>> {
        change::changes(&self.wanted, existing, &self.tools.job.new_table)
    }

    /// What would be done now. Errors: `SchemaConflict` (keys, views that could not come back),
    /// `Config` (view_config.json).
    // A table that the load creates has no columns and no dependents to ask for. Views of
    // `view_config.json` are read when columns are added, and a new table counts: they are made
    // with it, and made anew later so that their `SELECT *` shows a new column.
    pub async fn plan(&self) -> Result<Outlook> {
        let target = &self.tools.job.target;
        let state = match self.creates_table() {
            true => None,
            false => catalog::read_table(&self.tools.api, target).await?,
        };
        if state.is_none() && !self.creates_table() {
            return Ok(Outlook::changed(target, "it is gone"));
        }
        let existing = state.as_ref().map(|state| state.columns.as_slice());
        let changes = match self.changes(existing) {
            Ok(changes) if changes.is_empty() => return Ok(Outlook::nothing()),
            Ok(changes) => changes,
            Err(reasons) => return Ok(Outlook::changed(target, &reasons.join("; "))),
        };
        self.plan_changes(changes, state).await
    }

    async fn plan_changes(
        &self,
        changes: Vec<SchemaChange>,
        state: Option<TableState>,
    ) -> Result<Outlook> {
        let target = &self.tools.job.target;
        let adds_columns = changes.iter().any(SchemaChange::adds_columns);
        let ViewConfig { views: configured, notices } =
            if adds_columns { self.view_config().await? } else { ViewConfig::default() };
        let dependents = self.dependents(&changes, &configured).await?;
        let attributes = state.map(|state| state.attributes).unwrap_or_default();
        let (attributes, configured) = (attributes.as_slice(), configured.as_slice());
        let situation = Situation { target, attributes, dependents: &dependents, configured };
        let hint = as_texts(&changes);
        let plan = script::plan(changes, &situation);
        let mut plan = plan.map_err(|obstacles| self.in_the_way(&obstacles, hint))?;
        plan.notices.extend(notices);
        Ok(Outlook::Plan { plan, dependents: Box::new(dependents) })
    }

    /// Whether the target is missing, so that the load makes it in its own transaction.
    pub fn creates_table(&self) -> bool {
        self.work.plan.creates_table
    }

    /// What `view_config.json` has for the target.
    async fn view_config(&self) -> Result<ViewConfig> {
        let uri = self.tools.job.layout.view_config();
        let content = self.tools.store.read_whole(&uri, MAX_VIEW_CONFIG_BYTES).await?;
        let Some(bytes) = content else { return Ok(ViewConfig::default()) };
        let text = String::from_utf8(bytes).context(Kind::Config, format!("{uri} is not UTF-8"))?;
        view_config::parse(&text, &uri, &self.tools.job.target)
    }

    /// The dependents of the table, if the changes could touch them.
    // Only a changed type does: no view is in the way of ADD COLUMN. Views of `view_config.json`
    // are dropped to be made anew, though, and so are the views that read them.
    async fn dependents(
        &self,
        changes: &[SchemaChange],
        configured: &[ConfiguredView],
    ) -> Result<Dependents> {
        let keeps = changes.iter().all(|change| change.altered_column().is_none());
        if self.creates_table() || (keeps && configured.is_empty()) {
            return Ok(Dependents::default());
        }
        let names: Vec<TableName> = configured.iter().map(|view| view.name.clone()).collect();
        // A view that another transaction has just dropped cannot be read until that has ended.
        let api = self.tools.api.with_time_limit(self.tools.job.warehouse.lock_timeout);
        dependents::read(&api, &self.tools.job.target, &names).await
    }

    fn in_the_way(&self, obstacles: &[String], hint: &str) -> Error {
        let target = &self.tools.job.target;
        let fact = format!(
            "{target} cannot be changed for the file: {}{hint}; nothing was touched",
            obstacles.join("; ")
        );
        Error::new(Kind::SchemaConflict, fact)
    }
}

/// What can be done without the change, where a column is to be given its type.
pub fn as_texts(changes: &[SchemaChange]) -> &'static str {
    match changes.iter().any(|change| matches!(change, SchemaChange::GiveType { .. })) {
        true => {
            "; with --schema-policy freeze, columns that have no value yet stay VARCHAR and take \
             the file's texts"
        }
        false => "",
    }
}
