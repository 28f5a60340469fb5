//! What every step of a run works with: the decided job, the two services, the wish to stop, the
//! recorder. Steps share it by reference. Only the recorder and the trail take something in while a
//! run goes on, and both do so behind a lock of their own.

use std::sync::Arc;

use loader_aws::connect::Aws;
use loader_aws::data_api::DataApi;
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_model::error::{Context, Error, Kind, Result};
use tracing::{Instrument, Span, field};

use crate::crash;
use crate::data_path::DataPath;
use crate::job::Job;
use crate::progress::Progress;
use crate::report::recorder::Recorder;
use crate::step::Step;
use crate::values::{Goal, Trail};

/// The tools of one run.
pub struct Tools {
    pub job: Job,
    pub goal: Goal,
    pub data_path: Arc<DataPath>,
    pub store: Store,
    pub api: DataApi,
    pub stop: Stop,
    pub record: Recorder,
    pub progress: Progress,
    pub trail: Trail,
}

impl Tools {
    /// Tools for a job.
    pub fn new(job: Job, goal: Goal, aws: &Aws, stop: Stop, record: Recorder) -> Tools {
        let name = format!("loader {}", job.run.text);
        let progress = Progress::of_load(job.layout.source_name(), &job.run.text, job.progress);
        Tools {
            data_path: Arc::new(DataPath::of(&job, stop.flag().clone())),
            api: DataApi::new(aws, &job.warehouse.database, &name, stop.clone()),
            store: Store::new(aws, stop.clone()),
            trail: Trail::default(),
            progress,
            job,
            goal,
            stop,
            record,
        }
    }

    /// Runs a step, unless it is time to stop. (For example, Ctrl-C during `source` ends the run
    /// before `catalog`.)
    pub(crate) async fn step<T>(
        &self,
        step: Step,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.stop.check()?;
        // The steps are large, and what is around them would hold each several times.
        let work = Box::pin(work);
        let work = async {
            let ended = work.await;
            if let Err(error) = &ended
                && !self.is_attempt(error)
            {
                let span = Span::current();
                span.record("otel.status_code", "ERROR");
                span.record("otel.status_description", error.to_string());
            }
            ended
        };
        let ended = self.timed(step.name(), work).await;
        if ended.is_ok() {
            crash::after(step);
        }
        ended
    }

    /// Runs the cleanup, even when it is time to stop.
    pub async fn cleanup(&self, work: impl Future<Output = ()>) {
        self.timed(Step::Cleanup.name(), work).await;
    }

    /// Runs `work` in a span of its own, logs its end, and puts its time into the report.
    pub(crate) async fn timed<T>(&self, step: &'static str, work: impl Future<Output = T>) -> T {
        tracing::debug!(step, "step started");
        let span = tracing::info_span!(
            "step",
            otel.name = step,
            run_id = self.job.run.text,
            table = %self.job.target,
            file = %self.job.layout.source(),
            otel.status_code = field::Empty,
            otel.status_description = field::Empty,
        );
        let timer = self.record.step(step);
        let ended = work.instrument(span).await;
        tracing::info!(step, elapsed_ms = timer.elapsed().as_millis() as u64, "step ended");
        ended
    }

    /// Whether a failure ends no more than the attempt to load several files as one: they are
    /// loaded in smaller parts then, down to one by one.
    pub(crate) fn is_attempt(&self, error: &Error) -> bool {
        self.trail.group.get().is_some() && error.kind().lasts()
    }

    /// Adds the file's address to an error that is the file's fault.
    pub fn in_file(&self, error: Error) -> Error {
        match error.kind().is_the_files_fault() {
            true => error.with("uri", self.job.layout.source()),
            false => error,
        }
    }
}

/// Runs blocking work on a thread that is meant for it. Plugins run on such threads only: a guest
/// that loops must not hold up the requests of the async runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = Span::current();
    let work = move || span.in_scope(work);
    tokio::task::spawn_blocking(work).await.context(Kind::Internal, "a thread ended abruptly")?
}
