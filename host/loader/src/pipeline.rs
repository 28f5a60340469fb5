//! The pipeline: one file through all steps, from top to bottom, and one cleanup whatever happened.

mod ending;
mod outlook;

use std::sync::Arc;
use std::time::Instant;

use loader_sandbox::HostValues;

use crate::aws::{self, Aws};
use crate::crash;
use crate::error::{Context, Error, Kind, Result};
use crate::job::Job;
use crate::log::Kept;
use crate::names::{S3Uri, load_id};
use crate::plugins::{self, Configured};
use crate::progress::Progress;
use crate::redshift::catalog::{self, Bookkeeping, Catalog};
use crate::redshift::data_api::DataApi;
use crate::report::{Report, Source, Status, StepTime};
use crate::s3::Store;
use crate::steps::evolve::{Evolve, Evolved};
use crate::steps::infer::Spool;
use crate::steps::load::{Load, Loaded};
use crate::steps::plan::{LoadPlan, Wanted};
use crate::steps::recover::{self, Whose};
use crate::steps::source::SourceObject;
use crate::steps::stage::Staged;
use crate::steps::transform::{Totals, Transform};
use crate::steps::{cleanup, infer, load, plan, rejects, source, stage, transform};
use crate::stop::Stop;

pub use outlook::{ColumnAction, ExecutionKind, Outcome, Outlook, outlook};

/// How far a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All the way into the table.
    Load,
    /// To the staged parts, which stay; the warehouse is only looked at.
    Stage,
}

/// What the first steps are run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Load,
    Stage,
    /// To say what a load would do; nothing is changed anywhere.
    Plan,
}

/// Runs a job to its end and says what it did. Never fails: a failure is in the report.
pub async fn run(job: Job, extent: Extent, stop: Stop, log: &Kept) -> Report {
    log.set_run_id(&job.run.text);
    tracing::info!(
        source = %job.layout.source(), target = %job.target, job = %job.job_name, "run started"
    );
    let mut report = Report {
        run_id: job.run.text.clone(),
        target: job.target.to_string(),
        ..Report::default()
    };
    report.source.uri = job.layout.source().to_string();
    let aws = match aws::connect(&job.warehouse.access).await {
        Ok(aws) => aws,
        Err(error) => {
            tracing::error!(%error, "run failed");
            report.conclude(Err(&error));
            return report;
        }
    };
    let mut run = Run::new(Arc::new(job), &aws, stop, report);
    let outcome = match extent {
        Extent::Load => run.load().await,
        Extent::Stage => run.stage_only().await,
    };
    run.clean_up(outcome.as_ref().copied(), extent).await;
    run.conclude(outcome, log, extent).await
}

/// A run under way: its tools, and what cleanup and report must know whatever happens.
struct Run {
    job: Arc<Job>,
    store: Store,
    api: DataApi,
    stop: Stop,
    report: Report,
    source: Option<SourceObject>,
    /// The run that loaded this very file before.
    loaded_by: Option<String>,
}

/// What the steps before the load have found.
struct Prepared {
    source: SourceObject,
    load_id: String,
    catalog: Catalog,
    plan: Arc<LoadPlan>,
    totals: Totals,
    staged: Staged,
}

/// The steps before a row is transformed; the same for a load and for the plan of one.
struct Planned {
    source: SourceObject,
    load_id: String,
    catalog: Catalog,
    spool: Arc<Spool>,
    plan: Arc<LoadPlan>,
}

impl Run {
    fn new(job: Arc<Job>, aws: &Aws, stop: Stop, report: Report) -> Run {
        let api =
            DataApi::new(aws, &job.warehouse, &format!("loader {}", job.run.text), stop.clone());
        Run { job, store: Store::new(aws), api, stop, report, source: None, loaded_by: None }
    }

    /// The main job.
    async fn load(&mut self) -> Result<Status> {
        self.recover().await;
        let Some(prepared) = self.prepare(Purpose::Load).await? else {
            return Ok(Status::AlreadyLoaded);
        };
        let evolved = self.evolve(&prepared).await?;
        let Prepared { source, load_id, catalog, plan, totals, staged } = &prepared;
        let (job, api) = (Arc::clone(&self.job), self.api.clone());
        let plugins = catalog.ledger_has_plugins.then(|| plugins::for_ledger(&self.report.plugins));
        let (plugins, creation) = (plugins.as_deref(), &evolved.creation);
        let load = Load { job: &job, source, load_id, plan, staged, totals, plugins, creation };
        let loaded = self.step("load", load::run(&api, &load)).await?;
        crash::point("load");
        match loaded {
            Loaded::Already => Ok(Status::AlreadyLoaded),
            Loaded::Rows { inserted, updated, duplicates } => {
                let rows = &mut self.report.rows;
                (rows.inserted, rows.updated, rows.duplicates) = (inserted, updated, duplicates);
                self.report.schema_changes.extend(evolved.creation);
                tracing::info!(inserted, updated, duplicates, "rows loaded");
                Ok(Status::Success)
            }
        }
    }

    /// Views that a killed run left dropped come back first. The load does not depend on them: a
    /// view that cannot be restored stays in its journal, and the log says why.
    async fn recover(&mut self) {
        let (job, store, api) = (Arc::clone(&self.job), self.store.clone(), self.api.clone());
        let whose = Whose::Target(&job.target);
        match self.step("recover", recover::run(&store, &api, job.layout.bucket(), whose)).await {
            Ok(recovered) => {
                let views = recovered.iter().flat_map(|one| &one.views).map(ToString::to_string);
                self.report.views_recovered.extend(views);
            }
            Err(error) => {
                tracing::warn!(%error, "views that earlier runs left dropped were not looked for")
            }
        }
    }

    /// Changes the target where the file needs it.
    async fn evolve(&mut self, prepared: &Prepared) -> Result<Evolved> {
        let (job, store, api) = (Arc::clone(&self.job), self.store.clone(), self.api.clone());
        let Prepared { catalog, plan, totals, .. } = prepared;
        let evolve =
            Evolve { job: &job, store: &store, api: &api, plan, longest: &totals.max_text_bytes };
        if !evolve.is_needed(catalog.target.as_deref()) {
            return Ok(Evolved::default());
        }
        let mut evolved = Evolved::default();
        let ended = self.step("evolve", evolve.run(&mut evolved)).await;
        for change in &evolved.design.changes {
            tracing::info!(change = change.sentence(), "schema change");
        }
        self.report.schema_changes.clone_from(&evolved.statements);
        self.report.views.clone_from(&evolved.design.views);
        self.report.notices.extend(evolved.notices.iter().cloned());
        ended?;
        crash::point("evolved");
        Ok(evolved)
    }

    /// The data path alone; what was loaded before may be staged again.
    async fn stage_only(&mut self) -> Result<Status> {
        if let Some(Prepared { staged, .. }) = self.prepare(Purpose::Stage).await? {
            let manifest = staged
                .manifest
                .map_or_else(|| "nothing: the file has no rows".into(), |uri| uri.to_string());
            self.report.staged_only = Some(manifest.clone());
            tracing::info!(manifest, parts = staged.parts, bytes = staged.bytes, "staged");
        }
        Ok(Status::Success)
    }

    /// Every step before the table is touched; `None` when the ledger has this very file.
    async fn prepare(&mut self, purpose: Purpose) -> Result<Option<Prepared>> {
        let Some(planned) = self.look_ahead(purpose).await? else { return Ok(None) };
        let Planned { source, load_id, catalog, spool, plan } = planned;
        let (totals, staged) = self.stage(&source, &spool, &plan).await?;
        self.judge(&totals, &spool).await?;
        crash::point("stage");
        Ok(Some(Prepared { source, load_id, catalog, plan, totals, staged }))
    }

    /// Everything that is known before a row is transformed; `None` when the ledger has this very
    /// file.
    async fn look_ahead(&mut self, purpose: Purpose) -> Result<Option<Planned>> {
        let (job, store, api) = (Arc::clone(&self.job), self.store.clone(), self.api.clone());
        let plugins = self.plugins().await?;
        let source = self.step("source", source::pin(&store, job.layout.source())).await?;
        self.pinned(&source);
        let version = source.info.version_id.as_ref().unwrap_or(&source.info.etag);
        let load_id = load_id(&source.uri, version, source.info.size_bytes, &job.target);
        let (missing, known_is_enough) = match purpose {
            Purpose::Load => (Bookkeeping::Make, !job.force),
            Purpose::Plan => (Bookkeeping::LeaveMissing, !job.force),
            Purpose::Stage => (Bookkeeping::LeaveMissing, false),
        };
        let catalog =
            self.step("catalog", catalog::read(&api, &job.target, &load_id, missing)).await;
        let catalog = catalog.map_err(Error::unless_unknown)?;
        crash::point("catalog");
        if let Some(run_id) = catalog.loaded_by.as_ref().filter(|_| known_is_enough) {
            tracing::info!(by = run_id, "this very file was loaded before; --force loads it again");
            if job.transform.capture.is_some() {
                tracing::warn!(
                    "no case captured: the rows are not looked at again without --force"
                );
            }
            self.loaded_by = Some(run_id.clone());
            return Ok(None);
        }
        let spool = self.infer(&source).await?;
        crash::point("infer");
        let plan = Arc::new(self.plan(&spool, &catalog, &plugins)?);
        if purpose == Purpose::Load {
            self.foresee(&catalog, &plan).await?;
        }
        Ok(Some(Planned { source, load_id, catalog, spool, plan }))
    }

    /// What is in the way of changing the table is found before anything is staged, as far as the
    /// file alone tells.
    async fn foresee(&mut self, catalog: &Catalog, plan: &LoadPlan) -> Result<()> {
        let (job, store, api) = (Arc::clone(&self.job), self.store.clone(), self.api.clone());
        let longest = plan.longest_known();
        let evolve = Evolve { job: &job, store: &store, api: &api, plan, longest: &longest };
        if evolve.is_needed(catalog.target.as_deref()) {
            self.step("foresee", evolve.design()).await?;
        }
        Ok(())
    }

    async fn plugins(&mut self) -> Result<Vec<Configured>> {
        let job = Arc::clone(&self.job);
        let plugins = self.step("plugins", blocking(move || plugins::load(&job.transform))).await?;
        self.report.plugins = plugins::identities(&plugins);
        self.report.notices.extend(self.job.transform.notices.iter().cloned());
        Ok(plugins)
    }

    fn pinned(&mut self, source: &SourceObject) {
        self.report.source = Source {
            uri: source.uri.to_string(),
            etag: Some(source.info.etag.trim_matches('"').to_string()),
            size_bytes: Some(source.info.size_bytes),
        };
        self.source = Some(source.clone());
    }

    async fn infer(&mut self, source: &SourceObject) -> Result<Arc<Spool>> {
        let (job, stop, uri) = (Arc::clone(&self.job), self.stop.clone(), source.uri.clone());
        let progress = Progress::start("reading", source.info.size_bytes);
        let input = source::open(&self.store, source, progress.clone()).await?;
        let name = source.uri.file_name().to_string();
        let work = move || infer::run(source::decompress(&name, input), &job.transform, &stop);
        let spool = self.step("infer", blocking(work)).await;
        progress.finish();
        let spool = spool.map_err(|error| in_file(error, &uri))?;
        self.report.rows.read = spool.profile.records;
        tracing::info!(
            records = spool.profile.records,
            columns = spool.header.names.len(),
            "file read"
        );
        Ok(Arc::new(spool))
    }

    fn plan(
        &mut self,
        spool: &Spool,
        catalog: &Catalog,
        plugins: &[Configured],
    ) -> Result<LoadPlan> {
        let started = Instant::now();
        let wanted = Wanted {
            header: &spool.header,
            profile: &spool.profile,
            target: &self.job.target,
            existing: catalog.target.as_deref(),
            keys: &self.job.keys,
            plugins,
            schema_policy: self.job.schema_policy,
            missing_columns: self.job.missing_columns,
        };
        let plan = plan::run(&wanted).map_err(|error| in_file(error, &self.job.layout.source()));
        self.took("plan", started);
        let plan = plan?;
        if !plan.discarded.is_empty() {
            let columns = plan.discarded.join(", ");
            tracing::warn!(columns, "columns of the file were left out");
            self.report.columns_discarded.clone_from(&plan.discarded);
        }
        self.report.columns_filled = plan.filled.iter().map(|filled| filled.name.clone()).collect();
        Ok(plan)
    }

    async fn stage(
        &mut self,
        source: &SourceObject,
        spool: &Arc<Spool>,
        plan: &Arc<LoadPlan>,
    ) -> Result<(Totals, Staged)> {
        let job = Arc::clone(&self.job);
        let values = Arc::new(host_values(&job, source));
        let format = stage::format(job.staging_format, &job.run.text);
        let (stager, uploader) =
            stage::pair(&self.store, job.layout.staging_prefix(), &plan.columns, format)?;
        let progress = Progress::start("staging", spool.size_bytes);
        let (spool, plan, stop, bar) =
            (Arc::clone(spool), Arc::clone(plan), self.stop.clone(), progress.clone());
        let staging = stage::run(stager, uploader, move |stager| {
            let settings = &job.transform;
            let transform = Transform {
                spool: &spool,
                plan: &plan,
                values,
                settings,
                stop: &stop,
                progress: &bar,
            };
            transform::run(&transform, || Ok(stager.sink())).map(|(totals, _)| totals)
        });
        let ended = self.step("stage", staging).await;
        progress.finish();
        let (totals, staged) = ended?;
        self.account(&totals);
        Ok((totals, staged))
    }

    /// Rejects are written where people find them, whether they are too many or not.
    async fn judge(&mut self, totals: &Totals, spool: &Spool) -> Result<()> {
        if totals.rows_rejected > 0 {
            let exported =
                cleanup::export_rejects(&self.store, &self.job, rejects::to_csv(totals, spool))
                    .await;
            // When the file is refused anyway, that is what has to be said.
            rejects::judge(totals, spool, self.job.transform.max_rejects)
                .map_err(|error| in_file(error, &self.job.layout.source()))?;
            tracing::warn!(rows = totals.rows_rejected, uri = %exported?, "rows rejected");
        }
        let rows = &self.report.rows;
        if totals.rows_read != rows.read || rows.staged + rows.rejected != rows.read {
            let fact = format!(
                "{} rows were read, but {} staged and {} rejected",
                rows.read, rows.staged, rows.rejected
            );
            return Err(Error::new(Kind::Internal, fact));
        }
        Ok(())
    }

    /// Runs a step, with a line of log when it ends and its time in the report.
    async fn step<T>(
        &mut self,
        name: &'static str,
        step: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.stop.check()?;
        tracing::debug!(step = name, "step started");
        let started = Instant::now();
        let ended = step.await;
        self.took(name, started);
        ended
    }

    fn took(&mut self, name: &'static str, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        tracing::info!(step = name, elapsed_ms = (seconds * 1000.0) as u64, "step ended");
        self.report.steps.push(StepTime { name, seconds });
    }
}

fn host_values(job: &Job, source: &SourceObject) -> HostValues {
    HostValues {
        run_started_at_micros: job.run.started_at.as_microsecond(),
        run_id: job.run.text.clone(),
        source_file_name: source.uri.file_name().to_string(),
        source_uri: source.uri.to_string(),
    }
}

/// Names the file, where it is the file that is at fault.
fn in_file(error: Error, uri: &S3Uri) -> Error {
    if error.kind().is_the_files_fault() { error.with("uri", uri) } else { error }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, "a thread ended abruptly")?
}
