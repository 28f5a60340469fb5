//! The preview of a load: everything that it would do, found by doing all of it but the changes. It
//! reads the file and the catalog, transforms every row, and writes nowhere.

mod columns;

use std::sync::Arc;

use arrow::array::RecordBatch;
use loader_aws::connect::{self, Aws};
use loader_aws::stop::Stop;
use loader_data::rejects::{self, RejectedRow};
use loader_data::transform::{FileRows, Sink, Totals};
use loader_model::error::{Error, Result};
use loader_warehouse::evolution::script::{EvolutionPlan, Execution, ViewChange};
use serde::Serialize;
use tracing::Instrument;

use crate::job::Job;
use crate::redshift::evolution::{Evolution, Outlook};
use crate::report::log::Logs;
use crate::report::recorder::Recorder;
use crate::steps::load;
use crate::tools::{Tools, blocking};
use crate::values::{Goal, Planned, Staged, Work};
use crate::{data_path::host_values, data_path::part_upload, line, plugin_identity};

pub(crate) use columns::{ColumnAction, ColumnPreview};

/// Rejected rows that are shown with their reasons; all of them are counted.
const SHOWN_REJECTS: usize = 20;

/// What a load would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Preview {
    pub source: String,
    pub target: String,
    pub outcome: LoadOutcome,
    pub exit_code: u8,
    /// Why the load would fail.
    pub error: Option<String>,
    /// The run that loaded this very file before.
    pub loaded_by: Option<String>,
    pub columns: Vec<ColumnPreview>,
    /// SQL of the changes, in order, with the statements for views.
    pub statements: Vec<String>,
    /// How the statements are sent, in the same order.
    pub executions: Vec<ExecutionPreview>,
    /// SQL of the load as one transaction, in order; a large load sends the same statements in two.
    /// The run's id, the ETag and the staging prefix are those of this preview; a load has its own.
    pub load_statements: Vec<String>,
    pub views: Vec<ViewChange>,
    pub notices: Vec<String>,
    pub rows: RowPreview,
    /// The first rows that would be refused.
    pub rejects: Vec<RejectedRow>,
    /// Views that an earlier run left dropped, which the load would bring back first.
    pub views_left_dropped: Vec<String>,
}

/// Statements that are sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExecutionPreview {
    pub kind: ExecutionKind,
    pub statements: usize,
}

/// What holds statements together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionKind {
    /// A transaction of the statements' own.
    Transaction,
    /// The transaction that loads the rows too.
    WithTheLoad,
    /// None: a single statement that Redshift refuses in a transaction. (For example, ALTER COLUMN
    /// TYPE VARCHAR(1024).)
    Alone,
}

/// How the load would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadOutcome {
    /// Rows would be loaded, the table stays as it is.
    NoChange,
    /// The table would change, then rows would be loaded.
    Changes,
    AlreadyLoaded,
    /// It would be refused, and nothing would change.
    #[default]
    Refused,
}

/// Where the rows would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RowPreview {
    pub read: u64,
    pub accepted: u64,
    pub rejected: u64,
}

/// Says what a load would do. Never fails: a failure is in the preview.
pub(crate) async fn preview(job: Job, stop: Stop, logs: &Logs) -> Preview {
    let log = logs.of_run(&job.run.text);
    let span = log.span(Goal::Preview.word(), &job);
    let connected = async {
        match connect::connect(&job.warehouse.access).await {
            Ok(aws) => preview_on(&aws, job, stop).await,
            Err(error) => {
                let mut preview = Preview::of(&job);
                preview.refuse(&error);
                preview
            }
        }
    };
    Box::pin(connected).instrument(span).await
}

/// The same over a connection that others use, too.
pub(crate) async fn preview_on(aws: &Aws, job: Job, stop: Stop) -> Preview {
    let mut preview = Preview::of(&job);
    let record = Recorder::start(&job);
    let tools = Tools::new(job, Goal::Preview, aws, stop, record);
    let ended = Box::pin(look_ahead(&tools, &mut preview)).await;
    tools.progress.finish();
    if let Err(error) = ended {
        preview.refuse(&error);
    }
    preview
}

impl Preview {
    fn of(job: &Job) -> Preview {
        Preview {
            source: job.layout.source().to_string(),
            target: job.target.to_string(),
            ..Preview::default()
        }
    }

    /// The preview of a job that cannot be decided, for example because `--target-table` is
    /// missing.
    pub fn refused(error: &Error) -> Preview {
        let mut preview = Preview::default();
        preview.refuse(error);
        preview
    }

    fn evolution(&mut self, plan: EvolutionPlan, creates_table: bool) {
        self.outcome = match plan.changes.is_empty() {
            true => LoadOutcome::NoChange,
            false => LoadOutcome::Changes,
        };
        self.statements = plan.statements();
        let preview = |execution| ExecutionPreview::of(execution, creates_table);
        self.executions = plan.executions.iter().map(preview).collect();
        self.views = plan.views;
        self.notices = plan.notices;
    }

    fn refuse(&mut self, error: &Error) {
        (self.outcome, self.exit_code) = (LoadOutcome::Refused, error.kind().exit_code());
        self.error = Some(error.to_string());
    }
}

// `rows.read` and the views are set before the error of `line::plan` is returned, so that a refused
// file still shows them.
async fn look_ahead(tools: &Tools, preview: &mut Preview) -> Result<()> {
    let planned = line::plan(tools).await;
    preview.rows.read = tools.trail.rows_read.get().copied().unwrap_or(0);
    let left_dropped = tools.trail.left_dropped.get().into_iter().flatten();
    preview.views_left_dropped = left_dropped.map(ToString::to_string).collect();
    match planned? {
        Planned::AlreadyLoaded { by } => {
            preview.outcome = LoadOutcome::AlreadyLoaded;
            preview.loaded_by = Some(by);
            Ok(())
        }
        Planned::Work(work) => preview_work(tools, &work, preview).await,
    }
}

/// Finds what would become of the table and of the rows.
// An error of the evolution, and then too many rejects, are returned as late as possible: a refused
// preview still shows its rows and columns. `Preview::evolution` sets the notices, so the notices
// about plugins, names, the file and types are put in front of them afterwards.
async fn preview_work(tools: &Tools, work: &Work, preview: &mut Preview) -> Result<()> {
    let totals = transform_to_nothing(tools, work).await?;
    preview.rows.accepted = totals.rows_staged;
    preview.rows.rejected = totals.rows_rejected;
    preview.rejects = rejects::list(&totals, &work.files.first().spool, SHOWN_REJECTS);
    let evolution = Evolution::new(tools, work, &totals.max_text_bytes);
    let evolved = match evolution.is_needed() {
        true => match evolution.plan().await {
            Ok(Outlook::Plan { plan, .. }) => Ok(plan),
            Ok(Outlook::TargetChanged(error)) | Err(error) => Err(error),
        },
        false => Ok(EvolutionPlan::default()),
    };
    let wanted = work.plan.target_columns(&totals.max_text_bytes);
    let existing = work.catalog.target.as_deref();
    preview.columns = columns::preview(&work.plan, &wanted, existing, tools.job.keeps_known);
    preview.evolution(evolved?, work.plan.creates_table);
    let staged = would_be_staged(tools, work, totals);
    let creation = if work.plan.creates_table { preview.statements.as_slice() } else { &[] };
    preview.load_statements = load::preview(tools, work, &staged, creation);
    let notices =
        tools.data_path.settings.notices.iter().cloned().chain(work.files.first().spool.notices());
    let notices = notices.chain(work.plan.notices.iter().cloned());
    let notices = notices.chain(load::notice_of_audit(tools, work));
    let notices = notices.chain(load::notice_of_keys(tools, work, &staged, creation));
    preview.notices.splice(0..0, notices);
    rejects::judge(&staged.totals, &work.files.first().spool, tools.data_path.settings.max_rejects)
        .map_err(|error| tools.in_file(error))
}

/// Runs every row through the plugins and drops the result. This is the only way to learn which
/// rows would be rejected, and how long the texts are that plugins compute.
// This is no step of a load, so it runs under `timed`, which has no crash point. `timed` does not
// look for a wish to stop either, so the function does.
async fn transform_to_nothing(tools: &Tools, work: &Work) -> Result<Totals> {
    tools.stop.check()?;
    let data_path = Arc::clone(&tools.data_path);
    let file = work.files.first().clone();
    let values = Arc::new(host_values::of(&tools.job.run, &file.source));
    let plan = Arc::clone(&work.plan);
    let progress = tools.progress.clone();
    progress.begin("transforming", file.spool.size_bytes);
    let transforming = blocking(move || {
        let files = [FileRows { spool: &file.spool, values }];
        let totals = data_path.transform(&files, &plan, &progress, || Ok(NullSink));
        totals.map(Totals::of_all)
    });
    tools.timed("transform", transforming).await
}

/// What a load would stage: as many rows, and a manifest that nothing writes now.
fn would_be_staged(tools: &Tools, work: &Work, totals: Totals) -> Staged {
    let manifest = part_upload::manifest_uri(&tools.job.layout.staging_prefix());
    let plugins = plugin_identity::counted(&work.plugins, &totals.plugins);
    let manifest = (totals.rows_staged > 0).then_some(manifest);
    let files = Vec::new();
    Staged { manifest, parts: 0, bytes: 0, totals, files, list: None, plugins }
}

/// Takes batches and drops them.
struct NullSink;

impl Sink for NullSink {
    fn write(&mut self, _: &RecordBatch) -> Result<()> {
        Ok(())
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}

impl ExecutionPreview {
    fn of(execution: &Execution, creates_table: bool) -> ExecutionPreview {
        let kind = match execution {
            Execution::Transaction(_) if creates_table => ExecutionKind::WithTheLoad,
            Execution::Transaction(_) => ExecutionKind::Transaction,
            Execution::Alone(_) => ExecutionKind::Alone,
        };
        ExecutionPreview { kind, statements: execution.statements().len() }
    }
}
