//! `loader prune`: lets the ledger forget loads that are older than the settings say.

use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::utc;
use serde_json::json;

use crate::backlog::pending;
use crate::backlog::place::Place;
use crate::cli::PruneArgs;
use crate::commands::{conclude, print};
use crate::feeds::Feeds;
use crate::job::Project;
use crate::report::indented_json;
use crate::retention::{self, Forgetting};
use crate::words::{count, grouped};

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
    let mut wanted = Vec::new();
    for table in tables {
        if let Some(days) = retention::days(&project.of_table(&table, None)?)? {
            wanted.push((table, days));
        }
    }
    if wanted.is_empty() {
        let fact = "no table has `ledger-days`, so the ledger forgets nothing; --ledger-days 90 \
                    forgets loads that are older than 90 days";
        return Err(Error::new(Kind::Config, fact));
    }
    let place = Place::connect(&project, stop).await?;
    let oldest = pending::list(&place, &Feeds::of(&project)?).await?.oldest();
    let mut pruned = Vec::new();
    for (table, days) in wanted {
        stop.check()?;
        let forgetting = Forgetting::of(project.target_of(&table)?, days, oldest);
        let loads = match args.dry_run {
            true => forgetting.count(&place).await?,
            false => forgetting.forget(&place).await?,
        };
        pruned.push((table, loads, utc(forgetting.before, "%Y-%m-%d %H:%M:%S")));
    }
    print(&match project.report_format().unwrap_or_default() {
        ReportFormat::Json => {
            let table = |(table, loads, before): &(String, u64, String)| json!({ "table": table, "loads": loads, "before": before });
            let tables: Vec<_> = pruned.iter().map(table).collect();
            indented_json(&json!({ "dry_run": args.dry_run, "tables": tables }))
        }
        ReportFormat::Human => as_text(&pruned, args.dry_run),
    });
    Ok(())
}

fn as_text(pruned: &[(String, u64, String)], dry_run: bool) -> String {
    let (does, all) = (if dry_run { "would be forgotten" } else { "forgotten" }, pruned.len());
    let width = pruned.iter().map(|(table, ..)| table.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (table, loads, before) in pruned {
        let loads = format!("{} {}", grouped(*loads), if *loads == 1 { "load" } else { "loads" });
        text.push_str(&format!("{table:width$}  {loads} before {before} UTC {does}\n"));
    }
    let sum = pruned.iter().map(|(_, loads, _)| loads).sum::<u64>();
    let (loads, tables) = (count(sum as usize, "load"), count(all, "table"));
    text.push_str(&format!("{loads} of {tables} {does}\n"));
    text
}
