//! `loader ls`: what lies in a folder of the bucket, with size and time.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;
use loader_model::names::utc;
use serde_json::json;

use crate::backlog::place::Place;
use crate::cli::seeing::LsArgs;
use crate::commands::{conclude, print};
use crate::job::Project;
use crate::report::indented_json;
use crate::words::{count, size};

/// Prints the objects in the order of their keys.
pub async fn run(args: LsArgs, stop: Stop) -> u8 {
    conclude(list(args, &stop).await)
}

async fn list(args: LsArgs, stop: &Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let place = Place::connect(&project, stop).await?;
    let folder = place.at(args.folder.prefix());
    let objects = place.store.list_objects(&folder).await?;
    let at = |at: Option<jiff::Timestamp>| at.map(|at| utc(at, "%Y-%m-%d %H:%M:%S"));
    if project.report_format() == Some(ReportFormat::Json) {
        let object = |object: &loader_aws::s3::Listed| {
            json!({
                "uri": object.uri.to_string(),
                "size_bytes": object.size_bytes,
                "written_at": at(object.last_modified),
            })
        };
        print(&indented_json(&objects.iter().map(object).collect::<Vec<_>>()));
        return Ok(());
    }
    for object in &objects {
        let name = object.uri.key.strip_prefix(args.folder.prefix()).unwrap_or(&object.uri.key);
        let (size, at) = (size(object.size_bytes), at(object.last_modified).unwrap_or_default());
        print(&format!("{at:19}  {size:>8}  {name}\n"));
    }
    print(&format!("{} in {folder}\n", count(objects.len(), "object")));
    Ok(())
}
