//! `loader gc`: removes what killed runs left behind.

use std::collections::BTreeSet;

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;
use serde_json::json;

use crate::backlog::place::Place;
use crate::cli::GcArgs;
use crate::commands::{conclude, print};
use crate::job::Project;
use crate::leftovers::{self, Leftover};
use crate::report::indented_json;
use crate::words::count;

/// Prints what was removed, or with `--dry-run` what would be.
pub async fn run(args: GcArgs, stop: Stop) -> u8 {
    conclude(gc(args, &stop).await)
}

async fn gc(args: GcArgs, stop: &Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let place = Place::connect(&project, stop).await?;
    // Any name of a table will do: only its schema counts.
    let schemas = [project.settings()?.table_named("t")?.schema].into_iter();
    let tables = project.tables().map(|table| project.target_of(table).map(|target| target.schema));
    let schemas = schemas.map(Ok).chain(tables).collect::<Result<BTreeSet<String>>>()?;
    let (days, dry_run) = (args.older_than, args.dry_run);
    let found = leftovers::clear(&place, &schemas, days, dry_run, stop).await?;
    print(&match project.report_format().unwrap_or_default() {
        ReportFormat::Json => indented_json(&json!({ "dry_run": dry_run, "removed": found })),
        ReportFormat::Human => as_text(&found, dry_run),
    });
    Ok(())
}

fn as_text(found: &[Leftover], dry_run: bool) -> String {
    let mut text = String::new();
    for Leftover { kind, what, since } in found {
        let since = since.as_ref().map(|since| format!(", of {since} UTC")).unwrap_or_default();
        text.push_str(&format!("{}: {what}{since}\n", kind.word()));
    }
    let does = if dry_run { "would be removed" } else { "removed" };

    text.push_str(&match !found.is_empty() {
        true => format!("{} {does}\n", count(found.len(), "leftover")),
        false => "nothing was left behind\n".to_owned(),
    });
    text
}
