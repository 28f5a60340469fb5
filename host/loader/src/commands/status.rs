//! `loader status`: what is pending, held and put aside, and what can be done about it.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;

use crate::backlog::place::Place;
use crate::backlog::status;
use crate::cli::seeing::StatusArgs;
use crate::commands::{conclude, print};
use crate::job::Project;

/// Prints the status.
pub async fn run(args: StatusArgs, stop: Stop) -> u8 {
    conclude(show(args, &stop).await)
}

async fn show(args: StatusArgs, stop: &Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let place = Place::connect(&project, stop).await?;
    let of_table = args.of_table.or(project.settings()?.target_table);
    let of_table = of_table.map(|name| project.known_table(&name)).transpose()?;
    let status = status::look(&project, &place, of_table).await?;
    print(&match project.report_format().unwrap_or_default() {
        ReportFormat::Json => status.json(),
        ReportFormat::Human => status.human(),
    });
    Ok(())
}
