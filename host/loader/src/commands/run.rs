//! `loader run` and `loader stage`: decide the job, run it, print the report.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;

use crate::cli::RunArgs;
use crate::commands::print;
use crate::job::{self, Job};
use crate::report::Report;
use crate::report::log::RunLog;
use crate::run;
use crate::settings::Settings;

/// Loads a file. The report is printed once, whatever happened.
pub async fn load(args: RunArgs, stop: Stop, log: &RunLog) -> u8 {
    run(args, async |job| Box::pin(run::load(job, stop, log)).await).await
}

/// Stages a file, the first half of a load.
pub async fn stage(args: RunArgs, stop: Stop, log: &RunLog) -> u8 {
    run(args, async |job| Box::pin(run::stage(job, stop, log)).await).await
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

/// Loads with settings made by the program itself; the caller prints what it likes.
pub async fn load_settings(settings: Settings, stop: Stop, log: &RunLog) -> Result<Report> {
    Ok(Box::pin(run::load(Job::decide(settings)?, stop, log)).await)
}
