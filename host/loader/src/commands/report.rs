//! `loader report`: the past runs of a bucket, or of a table, on a page.

use loader_aws::stop::Stop;
use loader_model::error::{Context, Kind, Result};

use crate::backlog::place::Place;
use crate::backlog::status;
use crate::cli::seeing::ReportArgs;
use crate::commands::{conclude, print};
use crate::job::Project;
use crate::page::Page;
use crate::past;
use crate::words::count;

/// Writes the page, and says how many runs are on it.
pub async fn run(args: ReportArgs, stop: Stop) -> u8 {
    conclude(write(args, &stop).await)
}

async fn write(args: ReportArgs, stop: &Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let place = Place::connect(&project, stop).await?;
    let (mut runs, has_more) = past::of_days(&place, args.days).await?;
    let of_table = args.of_table.or(project.settings()?.target_table);
    let of_table = of_table.map(|name| project.known_table(&name)).transpose()?;
    // Without tables of a settings file there is nothing that could be pending.
    let not_loaded = match project.tables().next() {
        Some(_) => status::look(&project, &place, of_table).await?.not_loaded(),
        None => Vec::new(),
    };
    let mut title = format!("s3://{}", place.bucket);
    if let Some(name) = of_table {
        let target = project.target_of(name)?.to_string();
        runs.retain(|past| past.report.target == target);
        title = format!("{target} from {title}");
    }
    let made_at = jiff::Timestamp::now();
    let (runs, not_loaded) = (&runs, &not_loaded);
    let live = None;
    let page = Page { title, days: args.days, runs, not_loaded, has_more, made_at, live };
    let cannot = || format!("{} cannot be written", args.output.display());
    std::fs::write(&args.output, page.html()).context(Kind::Config, cannot())?;
    print(&format!("{} has {}\n", args.output.display(), count(runs.len(), "run")));
    Ok(())
}
