//! The pipeline: one file through all steps, from top to bottom, and one cleanup whatever happened.

use std::sync::Arc;
use std::time::Instant;

use loader_plugins::HostValues;

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
use crate::steps::infer::Spool;
use crate::steps::load::{Load, Loaded};
use crate::steps::plan::{LoadPlan, Wanted};
use crate::steps::source::SourceObject;
use crate::steps::stage::Staged;
use crate::steps::transform::{Totals, Transform};
use crate::steps::{cleanup, infer, load, plan, rejects, source, stage, transform};
use crate::stop::Stop;

/// How far a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All the way into the table.
    Load,
    /// To the staged parts, which stay; the warehouse is only looked at.
    Stage,
}

/// Runs a job to its end and says what it did. Never fails: a failure is in the report.
pub async fn run(job: Job, extent: Extent, stop: Stop, log: &Kept) -> Report {
    log.set_run_id(&job.run.text);
    tracing::info!(source = %job.layout.source(), target = %job.target, job = %job.job_name, "run started");
    let mut report = Report { run_id: job.run.text.clone(), target: job.target.to_string(), ..Report::default() };
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
}

/// What the steps before the load have found.
struct Prepared {
    source: SourceObject,
    load_id: String,
    plan: Arc<LoadPlan>,
    totals: Totals,
    staged: Staged,
}

impl Run {
    fn new(job: Arc<Job>, aws: &Aws, stop: Stop, report: Report) -> Run {
        let api = DataApi::new(aws, &job.warehouse, &format!("loader {}", job.run.text), stop.clone());
        Run { job, store: Store::new(aws), api, stop, report, source: None }
    }

    /// The main job.
    async fn load(&mut self) -> Result<Status> {
        let Some(prepared) = self.prepare(Extent::Load).await? else { return Ok(Status::AlreadyLoaded) };
        let Prepared { source, load_id, plan, totals, staged } = &prepared;
        let (job, api) = (Arc::clone(&self.job), self.api.clone());
        let load = Load { job: &job, source, load_id, plan, staged, totals };
        let loaded = self.step("load", load::run(&api, &load)).await?;
        crash::point("load");
        match loaded {
            Loaded::Already => Ok(Status::AlreadyLoaded),
            Loaded::Rows { inserted, updated, duplicates, schema_changes } => {
                let rows = &mut self.report.rows;
                (rows.inserted, rows.updated, rows.duplicates) = (inserted, updated, duplicates);
                self.report.schema_changes = schema_changes;
                tracing::info!(inserted, updated, duplicates, "rows loaded");
                Ok(Status::Success)
            }
        }
    }

    /// The data path alone; what was loaded before may be staged again.
    async fn stage_only(&mut self) -> Result<Status> {
        if let Some(Prepared { staged, .. }) = self.prepare(Extent::Stage).await? {
            let manifest =
                staged.manifest.map_or_else(|| "nothing: the file has no rows".into(), |uri| uri.to_string());
            self.report.staged_only = Some(manifest.clone());
            tracing::info!(manifest, parts = staged.parts, bytes = staged.bytes, "staged");
        }
        Ok(Status::Success)
    }

    /// Every step before the transaction; `None` when the ledger has this very file.
    async fn prepare(&mut self, extent: Extent) -> Result<Option<Prepared>> {
        let (job, store, api) = (Arc::clone(&self.job), self.store.clone(), self.api.clone());
        let plugins = self.plugins().await?;
        let source = self.step("source", source::pin(&store, job.layout.source())).await?;
        self.pinned(&source);
        let version = source.info.version_id.as_ref().unwrap_or(&source.info.etag);
        let load_id = load_id(&source.uri, version, source.info.size_bytes, &job.target);
        let (missing, known_is_enough) = match extent {
            Extent::Load => (Bookkeeping::Make, !job.force),
            Extent::Stage => (Bookkeeping::LeaveMissing, false),
        };
        let catalog = self.step("catalog", catalog::read(&api, &job.target, &load_id, missing)).await;
        let catalog = catalog.map_err(Error::unless_unknown)?;
        crash::point("catalog");
        if let Some(run_id) = catalog.loaded_by.as_ref().filter(|_| known_is_enough) {
            tracing::info!(by = run_id, "this very file was loaded before; --force loads it again");
            return Ok(None);
        }
        let spool = self.infer(&source).await?;
        crash::point("infer");
        let plan = Arc::new(self.plan(&spool, &catalog, &plugins)?);
        let (totals, staged) = self.stage(&source, &spool, &plan).await?;
        self.judge(&totals, &spool).await?;
        crash::point("stage");
        Ok(Some(Prepared { source, load_id, plan, totals, staged }))
    }

    async fn plugins(&mut self) -> Result<Vec<Configured>> {
        let job = Arc::clone(&self.job);
        let plugins = self.step("plugins", blocking(move || plugins::load(&job.transform))).await?;
        self.report.plugins = plugins::identities(&plugins);
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
        tracing::info!(records = spool.profile.records, columns = spool.header.names.len(), "file read");
        Ok(Arc::new(spool))
    }

    fn plan(&mut self, spool: &Spool, catalog: &Catalog, plugins: &[Configured]) -> Result<LoadPlan> {
        let started = Instant::now();
        let wanted = Wanted {
            header: &spool.header,
            profile: &spool.profile,
            target: &self.job.target,
            existing: catalog.target.as_deref(),
            keys: &self.job.keys,
            plugins,
        };
        let plan = plan::run(&wanted).map_err(|error| in_file(error, &self.job.layout.source()));
        self.took("plan", started);
        plan
    }

    async fn stage(
        &mut self,
        source: &SourceObject,
        spool: &Arc<Spool>,
        plan: &Arc<LoadPlan>,
    ) -> Result<(Totals, Staged)> {
        let job = Arc::clone(&self.job);
        let values = Arc::new(HostValues {
            run_started_at_micros: job.run.started_at.as_microsecond(),
            run_id: job.run.text.clone(),
            source_file_name: source.uri.file_name().to_string(),
            source_uri: source.uri.to_string(),
        });
        let format = stage::format(job.staging_format, &job.run.text);
        let (stager, uploader) = stage::pair(&self.store, job.layout.staging_prefix(), &plan.columns, format)?;
        let progress = Progress::start("staging", spool.size_bytes);
        let (spool, plan, stop, bar) = (Arc::clone(spool), Arc::clone(plan), self.stop.clone(), progress.clone());
        let staging = stage::run(stager, uploader, move |stager| {
            let settings = &job.transform;
            let transform = Transform { spool: &spool, plan: &plan, values, settings, stop: &stop, progress: &bar };
            transform::run(&transform, || Ok(stager.sink())).map(|(totals, _)| totals)
        });
        let ended = self.step("stage", staging).await;
        progress.finish();
        let (totals, staged) = ended?;
        log_plugins(&totals);
        (self.report.rows.staged, self.report.rows.rejected) = (totals.rows_staged, totals.rows_rejected);
        Ok((totals, staged))
    }

    /// Rejects are written where people find them, whether they are too many or not.
    async fn judge(&mut self, totals: &Totals, spool: &Spool) -> Result<()> {
        if totals.rows_rejected > 0 {
            let exported = cleanup::export_rejects(&self.store, &self.job, rejects::to_csv(totals, spool)).await;
            // When the file is refused anyway, that is what has to be said.
            rejects::judge(totals, spool, self.job.transform.max_rejects)
                .map_err(|error| in_file(error, &self.job.layout.source()))?;
            tracing::warn!(rows = totals.rows_rejected, uri = %exported?, "rows rejected");
        }
        let rows = &self.report.rows;
        if totals.rows_read != rows.read || rows.staged + rows.rejected != rows.read {
            let fact =
                format!("{} rows were read, but {} staged and {} rejected", rows.read, rows.staged, rows.rejected);
            return Err(Error::new(Kind::Internal, fact));
        }
        Ok(())
    }

    /// The same on success and on failure; only the file's way differs.
    async fn clean_up(&mut self, outcome: Result<Status, &Error>, extent: Extent) {
        if let Err(error) = outcome {
            tracing::error!(%error, "run failed");
            if error.kind() == Kind::OutcomeUnknown {
                // The statement may still be running, and reading what was staged.
                tracing::warn!(prefix = %self.job.layout.staging_prefix(), "the staged parts and the source were left");
                return;
            }
            if extent == Extent::Load {
                load::audit_failure(&self.api, &self.job, self.report.rows.read, error).await;
            }
        }
        if extent == Extent::Load || outcome.is_err() {
            cleanup::staging(&self.store, &self.job).await;
            crash::point("staging-deleted");
        }
        let Some(source) = self.source.clone().filter(|_| extent == Extent::Load) else { return };
        let moved = match outcome {
            Ok(_) => cleanup::archive(&self.store, &self.job, &source).await,
            Err(error) if error.kind().is_the_files_fault() => {
                cleanup::put_aside(&self.store, &self.job, &source).await
            }
            Err(_) => None,
        };
        crash::point("archived");
        self.report.archived_to = moved.map(|uri| uri.to_string());
    }

    async fn conclude(mut self, outcome: Result<Status>, log: &Kept, extent: Extent) -> Report {
        self.report.conclude(outcome.as_ref().copied());
        let (status, exit_code) = (self.report.status.word(), self.report.exit_code);
        tracing::info!(status, exit_code, peak_bytes = crate::memory::peak_bytes(), "run ended");
        if extent == Extent::Load {
            cleanup::export_log(&self.store, &self.job, log).await;
        }
        self.report.calls.s3 = self.store.calls().tally();
        self.report.calls.redshift_data = self.api.calls().tally();
        self.report
    }

    /// Runs a step, with a line of log when it ends and its time in the report.
    async fn step<T>(&mut self, name: &'static str, step: impl Future<Output = Result<T>>) -> Result<T> {
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

/// Names the file, where it is the file that is at fault.
fn in_file(error: Error, uri: &S3Uri) -> Error {
    if error.kind().is_the_files_fault() { error.with("uri", uri) } else { error }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, "a thread ended abruptly")?
}

fn log_plugins(totals: &Totals) {
    for plugin in &totals.plugins {
        let counters: Vec<String> = plugin.counters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        tracing::info!(
            plugin = plugin.plugin,
            rows = plugin.rows,
            rejected = plugin.rejected,
            sandbox_ms = plugin.sandbox.as_millis() as u64,
            encode_decode_ms = plugin.encode_decode.as_millis() as u64,
            peak_memory_bytes = plugin.peak_memory_bytes,
            counters = counters.join(" "),
            "plugin finished"
        );
    }
}
