//! The outlook of a load: everything that it would do, found by doing all of it but the changes.
//! Reads the file and the catalog, transforms every row, and writes nowhere.

use std::sync::Arc;

use arrow::array::RecordBatch;
use serde::Serialize;

use crate::aws;
use crate::error::{Error, Result};
use crate::evolution::script::{Design, Step, ViewChange};
use crate::job::Job;
use crate::log::Kept;
use crate::pipeline::{Planned, Purpose, Run, blocking, host_values, in_file};
use crate::progress::Progress;
use crate::redshift::catalog::CatalogColumn;
use crate::redshift::load_batch::{Column, Fill};
use crate::report::Report;
use crate::steps::evolve::Evolve;
use crate::steps::plan::LoadPlan;
use crate::steps::recover;
use crate::steps::rejects::{self, Refused};
use crate::steps::transform::{self, Sink, Totals, Transform};
use crate::stop::Stop;

/// Rejected rows that are shown with their reasons; all of them are counted.
const SHOWN_REJECTS: usize = 20;

/// What a load would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outlook {
    pub source: String,
    pub target: String,
    pub outcome: Outcome,
    pub exit_code: u8,
    /// Why the load would fail.
    pub error: Option<String>,
    /// The run that loaded this very file before.
    pub loaded_by: Option<String>,
    pub columns: Vec<ColumnOutlook>,
    /// SQL of the changes, in order, with what is done for the views.
    pub statements: Vec<String>,
    /// How they are sent, in the same order.
    pub executions: Vec<Execution>,
    pub views: Vec<ViewChange>,
    pub notices: Vec<String>,
    pub rows: RowOutlook,
    /// The first rows that would be refused.
    pub rejects: Vec<Refused>,
    /// Views that an earlier run left dropped, which the load would bring back first.
    pub views_left_dropped: Vec<String>,
}

/// Some of the statements, sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Execution {
    pub kind: ExecutionKind,
    pub statements: usize,
}

/// What holds statements together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionKind {
    /// A transaction of their own.
    Transaction,
    /// The transaction that loads the rows too.
    WithTheLoad,
    /// None: a single statement that Redshift takes in no transaction.
    Alone,
}

/// How the load would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Rows would be loaded, the table stays as it is.
    NoChange,
    /// The table would change, then rows would be loaded.
    Changes,
    AlreadyLoaded,
    /// It would be refused, and nothing would change.
    #[default]
    Refused,
}

/// A column of the table or of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ColumnOutlook {
    pub name: String,
    pub action: ColumnAction,
    /// Its type in the table now.
    pub before: Option<String>,
    /// Its type in the table then.
    pub after: Option<String>,
    /// What rows get where the file has nothing for it.
    pub filled_with: Option<String>,
}

/// What happens to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnAction {
    Keep,
    Create,
    Add,
    Widen,
    /// The file lacks it.
    Fill,
    /// The table lacks it, and it is left out.
    Discard,
}

/// Where the rows would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowOutlook {
    pub read: u64,
    pub accepted: u64,
    pub rejected: u64,
}

/// Says what a load would do. Never fails: a failure is in the outlook.
pub async fn outlook(job: Job, stop: Stop, log: &Kept) -> Outlook {
    log.set_run_id(&job.run.text);
    let mut outlook = Outlook {
        source: job.layout.source().to_string(),
        target: job.target.to_string(),
        ..Outlook::default()
    };
    let ended = match aws::connect(&job.warehouse.access).await {
        Ok(aws) => {
            Box::pin(Run::new(Arc::new(job), &aws, stop, Report::default()).outlook(&mut outlook))
                .await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        outlook.refuse(&error);
    }
    outlook
}

impl Outlook {
    /// Of something that cannot even begin.
    pub fn refused(error: &Error) -> Outlook {
        let mut outlook = Outlook::default();
        outlook.refuse(error);
        outlook
    }

    fn refuse(&mut self, error: &Error) {
        (self.outcome, self.exit_code) = (Outcome::Refused, error.kind().exit_code());
        self.error = Some(error.to_string());
    }
}

impl Run {
    async fn outlook(&mut self, outlook: &mut Outlook) -> Result<()> {
        let job = Arc::clone(&self.job);
        match recover::left_dropped(&self.store, &self.api, job.layout.bucket(), &job.target).await
        {
            Ok(views) => {
                outlook.views_left_dropped = views.iter().map(ToString::to_string).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "views that earlier runs left dropped were not looked for")
            }
        }
        let ahead = self.look_ahead(Purpose::Plan).await;
        outlook.rows.read = self.report.rows.read;
        let Some(planned) = ahead? else {
            outlook.outcome = Outcome::AlreadyLoaded;
            outlook.loaded_by.clone_from(&self.loaded_by);
            return Ok(());
        };
        let totals = self.transform_for_nobody(&planned).await?;
        outlook.rows.accepted = totals.rows_staged;
        outlook.rows.rejected = totals.rows_rejected;
        outlook.rejects = rejects::list(&totals, &planned.spool, SHOWN_REJECTS);
        let design = self.design(&planned, &totals).await;
        let plan = &planned.plan;
        let wanted = plan.target_columns(&totals.max_text_bytes);
        outlook.columns = columns(plan, &wanted, planned.catalog.target.as_deref());
        let design = design?;
        outlook.outcome =
            if design.changes.is_empty() { Outcome::NoChange } else { Outcome::Changes };
        outlook.statements = design.statements();
        outlook.executions =
            design.steps.iter().map(|step| execution(step, plan.creates_table)).collect();
        outlook.views = design.views;
        outlook.notices = self.report.notices.iter().cloned().chain(design.notices).collect();
        rejects::judge(&totals, &planned.spool, job.transform.max_rejects)
            .map_err(|error| in_file(error, &job.layout.source()))
    }

    /// Every row goes through the plugins and is forgotten: only so is it known which are refused,
    /// and how long the texts are.
    async fn transform_for_nobody(&mut self, planned: &Planned) -> Result<Totals> {
        let (job, stop, spool, plan) = (
            Arc::clone(&self.job),
            self.stop.clone(),
            Arc::clone(&planned.spool),
            Arc::clone(&planned.plan),
        );
        let values = Arc::new(host_values(&job, &planned.source));
        let progress = Progress::start("transforming", spool.size_bytes);
        let bar = progress.clone();
        let work = move || {
            let settings = &job.transform;
            let transform = Transform {
                spool: &spool,
                plan: &plan,
                values,
                settings,
                stop: &stop,
                progress: &bar,
            };
            transform::run(&transform, || Ok(Nobody)).map(|(totals, _)| totals)
        };
        let totals = self.step("transform", blocking(work)).await;
        progress.finish();
        totals
    }

    async fn design(&self, planned: &Planned, totals: &Totals) -> Result<Design> {
        let Planned { catalog, plan, .. } = planned;
        let longest = &totals.max_text_bytes;
        let evolve = Evolve { job: &self.job, store: &self.store, api: &self.api, plan, longest };
        if evolve.is_needed(catalog.target.as_deref()) {
            evolve.design().await
        } else {
            Ok(Design::default())
        }
    }
}

/// Takes batches and forgets them.
struct Nobody;

impl Sink for Nobody {
    type Done = ();

    fn write(&mut self, _: &RecordBatch) -> Result<()> {
        Ok(())
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}

fn execution(step: &Step, creates_table: bool) -> Execution {
    let kind = match step {
        Step::Transaction(_) if creates_table => ExecutionKind::WithTheLoad,
        Step::Transaction(_) => ExecutionKind::Transaction,
        Step::Alone(_) => ExecutionKind::Alone,
    };
    Execution { kind, statements: step.statements().len() }
}

/// All columns: those of the table in its order, then the file's new ones.
fn columns(
    plan: &LoadPlan,
    wanted: &[Column],
    existing: Option<&[CatalogColumn]>,
) -> Vec<ColumnOutlook> {
    let existing = existing.unwrap_or_default();
    let known = existing.iter().map(|column| known_column(plan, wanted, column));
    let is_new = |column: &&Column| existing.iter().all(|known| known.name != column.name);
    let action = if plan.creates_table { ColumnAction::Create } else { ColumnAction::Add };
    let new = wanted.iter().filter(is_new).map(|column| ColumnOutlook {
        name: column.name.clone(),
        action,
        before: None,
        after: Some(column.column_type.to_string()),
        filled_with: None,
    });
    let discarded = plan.discarded.iter().map(|name| ColumnOutlook {
        name: name.clone(),
        action: ColumnAction::Discard,
        before: None,
        after: None,
        filled_with: None,
    });
    known.chain(new).chain(discarded).collect()
}

fn known_column(plan: &LoadPlan, wanted: &[Column], column: &CatalogColumn) -> ColumnOutlook {
    let before = column.column_type.to_string();
    let filled = plan.filled.iter().find(|filled| filled.name == column.name);
    let after =
        wanted.iter().find(|wanted| wanted.name == column.name).map(|wanted| &wanted.column_type);
    let after = after.map_or(before.clone(), ToString::to_string);
    ColumnOutlook {
        name: column.name.clone(),
        action: match filled {
            Some(_) => ColumnAction::Fill,
            None if after == before => ColumnAction::Keep,
            None => ColumnAction::Widen,
        },
        before: Some(before),
        after: Some(after),
        filled_with: filled.map(|filled| match filled.fill {
            Fill::Default => "DEFAULT".to_string(),
            Fill::Literal(literal) => literal.to_string(),
        }),
    }
}
