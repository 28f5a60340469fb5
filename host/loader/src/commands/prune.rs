//! `loader prune`: lets the ledger forget loads that are older than the settings say.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::{Error, Kind, Result};
use serde_json::json;

use crate::backlog::pending;
use crate::backlog::place::Place;
use crate::cli::PruneArgs;
use crate::commands::{conclude, print};
use crate::feeds::Feeds;
use crate::job::Project;
use crate::report::indented_json;
use crate::retention::{Forgetting, Old};
use crate::words::count;

/// Prints what was forgotten of each table, or with `--dry-run` what would be.
pub async fn run(args: PruneArgs, stop: Stop) -> u8 {
    conclude(prune(args, &stop).await)
}

async fn prune(args: PruneArgs, stop: &Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let tables: Vec<String> = match args.tables.as_slice() {
        [] => project.tables().map(str::to_owned).collect(),
        named => {
            let known = named.iter().map(|name| project.known_table(name).map(str::to_owned));
            known.collect::<Result<_>>()?
        }
    };
    let names = || tables.iter().map(String::as_str);
    if Forgetting::of(&project, names(), None)?.is_nothing() {
        let which = if args.tables.is_empty() { "no table" } else { "none of these tables" };
        let fact = format!(
            "{which} has `ledger-days`, so the ledger forgets nothing; --ledger-days 90 forgets \
             loads that are older than 90 days"
        );
        return Err(Error::new(Kind::Config, fact));
    }
    let place = Place::connect(&project, stop).await?;
    let oldest = pending::list(&place, &Feeds::of(&project)?).await?.oldest();
    let forgetting = Forgetting::of(&project, names(), oldest)?;
    let old = match args.dry_run {
        true => forgetting.count(&place, stop).await?,
        false => forgetting.forget(&place, stop).await?,
    };
    print(&match project.report_format().unwrap_or_default() {
        ReportFormat::Json => {
            let table = |Old { table, loads, before }: &Old| json!({ "table": table, "loads": loads, "before": before });
            let tables: Vec<_> = old.iter().map(table).collect();
            indented_json(&json!({ "dry_run": args.dry_run, "tables": tables }))
        }
        ReportFormat::Human => as_text(&old, args.dry_run),
    });
    Ok(())
}

fn as_text(old: &[Old], dry_run: bool) -> String {
    let does = if dry_run { "would be forgotten" } else { "forgotten" };
    let width = old.iter().map(|old| old.table.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Old { table, loads, before } in old {
        let loads = count(*loads as usize, "load");
        text.push_str(&format!("{table:width$}  {loads} before {before} UTC {does}\n"));
    }
    let sum = old.iter().map(|old| old.loads).sum::<u64>();
    let (loads, tables) = (count(sum as usize, "load"), count(old.len(), "table"));
    text.push_str(&format!("{loads} of {tables} {does}\n"));
    text
}
