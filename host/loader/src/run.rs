//! A run from its first line of log to its report: the line of steps, and then one cleanup, however
//! the steps ended. Cleanup is called here and not in `Drop`, where no async code can run.

use loader_aws::connect::{self, Aws};
use loader_aws::stop::Stop;
use loader_model::error::Result;
use tracing::{Instrument, Span};

use crate::hooks;
use crate::job::Job;
use crate::report::exports;
use crate::report::log::{Logs, RUN_FAILED, RunLog};
use crate::report::memory;
use crate::report::recorder::Recorder;
use crate::report::{CallCounts, Report, Status};
use crate::steps::cleanup;
use crate::tools::Tools;
use crate::values::Goal;

/// Runs a line of steps to its end and returns the report. Never fails: a failure is in the report.
// Without a connection there is nothing to clean up: no step has run. Any other error goes through
// cleanup, which must see the outcome to decide where the file goes.
pub(crate) async fn run(
    job: Job,
    goal: Goal,
    line: impl AsyncFnOnce(&Tools) -> Result<Status>,
    stop: Stop,
    logs: &Logs,
) -> Report {
    let log = logs.of_run(&job.run.text);
    let span = log.span(goal.word(), &job);
    let connected_run = async {
        match connect::connect(&job.warehouse.access).await {
            Ok(aws) => connected(job, goal, line, stop, &aws, &log).await,
            Err(error) => {
                tracing::error!(%error, "{RUN_FAILED}");
                let record = Recorder::start(&job);
                record.conclude(Err(&error));
                let report = record.into_report();
                fill_in(&Span::current(), &report);
                report
            }
        }
    };
    Box::pin(connected_run).instrument(span).await
}

/// The same over a connection that other runs use, too.
pub(crate) async fn run_on(
    aws: &Aws,
    job: Job,
    goal: Goal,
    line: impl AsyncFnOnce(&Tools) -> Result<Status>,
    stop: Stop,
    logs: &Logs,
) -> Report {
    let log = logs.of_run(&job.run.text);
    let span = log.span(goal.word(), &job);
    Box::pin(connected(job, goal, line, stop, aws, &log)).instrument(span).await
}

async fn connected(
    job: Job,
    goal: Goal,
    line: impl AsyncFnOnce(&Tools) -> Result<Status>,
    stop: Stop,
    aws: &Aws,
    log: &RunLog,
) -> Report {
    let record = Recorder::start(&job);
    let tools = Tools::new(job, goal, aws, stop, record);
    let (source, target, name) =
        (tools.job.layout.source(), &tools.job.target, &tools.job.job_name);
    tracing::info!(source = %source, %target, job = %name, "run started");
    let outcome = to_its_end(&tools, line).await;
    conclude(tools, outcome, log).await
}

/// Runs a line of steps with its cleanup.
pub(crate) async fn to_its_end(
    tools: &Tools,
    line: impl AsyncFnOnce(&Tools) -> Result<Status>,
) -> Result<Status> {
    // The futures of all steps are part of this one; on the stack they would be large.
    let outcome = Box::pin(line(tools)).await;
    tools.progress.waits_for("cleaning up");
    let cleanup = Box::pin(tools.cleanup(cleanup::run(tools, outcome.as_ref().copied())));
    if tools.stop.bounds_last(cleanup).await.is_err() {
        tracing::warn!("the cleanup was given up; the next run finds what is left");
    }
    tools.progress.finish();
    outcome
}

// The order matters: the log is exported when its last line is written, which is the report, and
// the requests are counted once more after that, so that they include the export. `loader stage`
// exports no log, and neither does the attempt to load several files as one: the loads of its files
// do.
async fn conclude(tools: Tools, outcome: Result<Status>, log: &RunLog) -> Report {
    let (status, exit_code) = match &outcome {
        Ok(status) => (*status, 0),
        Err(error) => (Status::Failed, error.kind().exit_code()),
    };
    let peak_bytes = memory::peak_bytes();
    tracing::info!(status = status.word(), exit_code, peak_bytes, "run ended");
    let is_attempt = outcome.as_ref().is_err_and(|error| tools.is_attempt(error));
    let Tools { goal, store, api, job, record, stop, .. } = tools;
    record.conclude(outcome.as_ref().copied());
    let mut report = record.into_report();
    report.calls = CallCounts::of(&store, &api);
    if is_attempt {
        // Several files were not loaded as one; the loads of smaller parts tell what becomes of
        // them.
        Span::current().record("status", "attempt");
    } else {
        fill_in(&Span::current(), &report);
    }
    if goal == Goal::Load && !is_attempt {
        log.keep_report(&report);
        let last = store.to_the_end();
        let exported = Box::pin(exports::write_log(&last, &job.layout, log));
        if stop.bounds_last(exported).await.is_err() {
            tracing::warn!("the log was not exported before the run had to end");
        }
        report.calls = CallCounts::of(&store, &api);
        hooks::tell(&job.hooks, &report);
    }
    report
}

/// Puts what a run has come to into its span.
fn fill_in(span: &Span, report: &Report) {
    // Traces have no unsigned numbers.
    let rows = &report.rows;
    span.record("files", report.files.len().max(1) as i64);
    span.record("status", report.status.word());
    span.record("exit_code", i64::from(report.exit_code));
    span.record("rows.read", rows.read as i64);
    span.record("rows.inserted", rows.inserted as i64);
    span.record("rows.updated", rows.updated as i64);
    span.record("rows.rejected", rows.rejected as i64);
    if let Some(error) = &report.error {
        span.record("otel.status_code", "ERROR");
        span.record("otel.status_description", error);
    }
}
