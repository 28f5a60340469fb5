//! `loader show`: the report of a past run.

use loader_aws::stop::Stop;
use loader_model::error::Result;

use crate::backlog::place::Place;
use crate::cli::seeing::ShowArgs;
use crate::commands::{conclude, print};
use crate::job::Project;
use crate::past;

/// Prints the report as the run has printed it.
pub async fn run(args: ShowArgs, stop: Stop) -> u8 {
    conclude(show(args, &stop).await)
}

async fn show(args: ShowArgs, stop: &Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let place = Place::connect(&project, stop).await?;
    let report = past::of_run(&place, &args.of_run).await?;
    print(&report.render(project.report_format().unwrap_or_default()));
    Ok(())
}
