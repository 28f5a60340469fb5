//! `loader run` and `loader stage`: decide what is loaded, load it, print the report.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;

use crate::backlog::chosen::{Chosen, chosen};
use crate::backlog::doing::{Again, Doing};
use crate::backlog::outcome::End;
use crate::backlog::{self, summary};
use crate::cli::{LoadArgs, RunArgs};
use crate::commands::{plan, print};
use crate::figures;
use crate::job::{self, Job, Project};
use crate::line;
use crate::report::Report;
use crate::report::log::Logs;
use crate::run;
use crate::values::Goal;

/// Loads one file or many. Prints the report once, also when the settings are wrong and no step
/// ran.
pub async fn load(args: LoadArgs, stop: Stop, logs: &Logs) -> u8 {
    let LoadArgs { words, dry_run, run } = args;
    let flag = run.settings.report.unwrap_or_default();
    let project = match Project::read(run) {
        Ok(project) => project,
        Err(error) => return show(&Report::of_error(&error), flag),
    };
    let format = project.report_format().unwrap_or(flag);
    match chosen(&project, &words) {
        Ok(Some(chosen)) => {
            let again = match chosen {
                Chosen::Pending { .. } => Again::IfChanged,
                Chosen::Files { .. } => Again::Always,
            };
            let doing = if dry_run { Doing::Preview } else { Doing::Load(again) };
            many(&project, chosen, doing, stop, logs).await
        }
        Ok(None) => {
            let job = project.settings().and_then(Job::decide);
            match dry_run {
                true => plan::show(&plan::of(job, stop, logs).await, format),
                false => run_job(job, format, async |job| load_job(job, stop, logs).await).await,
            }
        }
        Err(error) => show(&Report::of_error(&error), format),
    }
}

/// Loads what was chosen. One file that was named has the report of its own run; otherwise all have
/// one report together.
pub(super) async fn many(
    project: &Project,
    chosen: Chosen,
    doing: Doing,
    stop: Stop,
    logs: &Logs,
) -> u8 {
    let format = project.report_format().unwrap_or_default();
    let is_one = matches!(&chosen, Chosen::Files { files, .. } if files.len() == 1);
    match Box::pin(backlog::run(project, chosen, doing, stop, logs)).await {
        Err(error) => show(&Report::of_error(&error), format),
        Ok(outcomes) => match outcomes.files.first().map(|file| &file.end) {
            Some(End::Ran(report)) if is_one => show(report, format),
            Some(End::Previewed(preview)) if is_one => plan::show(preview, format),
            Some(End::Refused(error)) if is_one => show(&Report::of_error(error), format),
            _ => {
                print(&summary::text(&outcomes, format));
                outcomes.exit_code()
            }
        },
    }
}

/// Stages a file: the line up to the staged parts.
pub async fn stage(args: RunArgs, stop: Stop, logs: &Logs) -> u8 {
    let (job, format) = job::of_arguments(args);
    let stage = async |job| Box::pin(run::run(job, Goal::Stage, line::stage, stop, logs)).await;
    run_job(job, format, stage).await
}

/// Loads a job that was decided already. The caller prints the report, or a part of it.
pub async fn load_job(job: Job, stop: Stop, logs: &Logs) -> Report {
    let report = Box::pin(run::run(job, Goal::Load, line::load, stop, logs)).await;
    figures::of_process().loaded(&report);
    report
}

async fn run_job(
    job: Result<Job>,
    format: ReportFormat,
    work: impl AsyncFnOnce(Job) -> Report,
) -> u8 {
    let report = match job {
        Ok(job) => work(job).await,
        Err(error) => Report::of_error(&error),
    };
    show(&report, format)
}

/// Prints the report and gives the exit code.
pub fn show(report: &Report, format: ReportFormat) -> u8 {
    print(&report.render(format));
    report.exit_code
}
