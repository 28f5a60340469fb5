//! `loader run` and `loader stage`: decide the job, run the pipeline, print the report.

use crate::cli::RunArgs;
use crate::commands::print;
use crate::error::Result;
use crate::job::{self, Job};
use crate::log::Kept;
use crate::pipeline::{self, Extent};
use crate::report::Report;
use crate::settings::{ReportFormat, Settings};
use crate::stop::Stop;

/// Runs a load, or its first half. The report is printed once, whatever happened.
pub async fn run(args: RunArgs, extent: Extent, stop: Stop, log: &Kept) -> u8 {
    let asked = args.settings.report;
    let settings = job::settings(args);
    let format = settings.as_ref().map_or(asked.unwrap_or_default(), job::report_format);
    let report = match settings.and_then(Job::decide) {
        Ok(job) => Box::pin(pipeline::run(job, extent, stop, log)).await,
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

/// The same from settings made by the program itself; the caller prints what it likes.
pub async fn run_settings(settings: Settings, stop: Stop, log: &Kept) -> Result<Report> {
    Ok(Box::pin(pipeline::run(Job::decide(settings)?, Extent::Load, stop, log)).await)
}
