//! `loader run` and `loader stage`: decide the job, run it, print the report.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;

use crate::cli::RunArgs;
use crate::commands::print;
use crate::job::{self, Job};
use crate::line;
use crate::report::Report;
use crate::report::log::RunLog;
use crate::run;
use crate::values::Goal;

/// Loads a file: all steps of the line. Prints the report once, also when the settings are wrong
/// and no step ran.
pub async fn load(args: RunArgs, stop: Stop, log: &RunLog) -> u8 {
    run(args, async |job| load_job(job, stop, log).await).await
}

/// Stages a file: the line up to the staged parts.
pub async fn stage(args: RunArgs, stop: Stop, log: &RunLog) -> u8 {
    let stage = async |job| Box::pin(run::run(job, Goal::Stage, line::stage, stop, log)).await;
    run(args, stage).await
}

/// Loads a job that was decided already. The caller prints the report, or a part of it.
pub async fn load_job(job: Job, stop: Stop, log: &RunLog) -> Report {
    Box::pin(run::run(job, Goal::Load, line::load, stop, log)).await
}

async fn run(args: RunArgs, work: impl AsyncFnOnce(Job) -> Report) -> u8 {
    let (job, format) = job::of_arguments(args);
    let report = match job {
        Ok(job) => work(job).await,
        Err(error) => {
            let mut report = Report::default();
            report.conclude(Err(&error));
            report
        }
    };
    show(&report, format)
}

/// Prints the report and gives the exit code.
pub fn show(report: &Report, format: ReportFormat) -> u8 {
    print(&report.render(format));
    report.exit_code
}
