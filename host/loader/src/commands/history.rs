//! `loader history`: the last runs of a schema or of a table, from the audit table and the ledger.

use std::collections::BTreeMap;

use loader_aws::data_api::DataApi;
use loader_aws::stop::Stop;
use loader_model::choices::ReportFormat;
use loader_model::error::Result;
use loader_warehouse::past_runs::{self, PastLoad, PastRun};
use loader_warehouse::rows::FromRow;
use serde_json::{Value, json};

use crate::cli::seeing::HistoryArgs;
use crate::commands::{conclude, print};
use crate::job::{Project, WarehouseSettings};
use crate::redshift::query::select_if_there;
use crate::report::indented_json;
use crate::report::paint::{Tone, paint};
use crate::words::{grouped, shortened, wrapped};

/// Columns before what is said of a run below its first line, and of those behind them as many as
/// an error may take.
const INDENT: usize = 21;
const ERROR: usize = 80 - INDENT - 2;
/// Files that one load may have.
const FILES_OF_A_LOAD: u32 = 1000;
/// The longest name of a file that is shown whole.
const NAME: usize = 30;

/// Prints the runs, the latest first.
pub async fn run(args: HistoryArgs, stop: Stop) -> u8 {
    conclude(history(args, stop).await)
}

async fn history(args: HistoryArgs, stop: Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let settings = project.settings()?;
    let named = args.of_table.or(settings.target_table.clone());
    let target = match &named {
        Some(name) => Some(project.target_of(project.table_of_name(name).unwrap_or(name))?),
        None => None,
    };
    let schema = match &target {
        Some(target) => target.schema.clone(),
        None => settings.table_named("t")?.schema,
    };
    let warehouse = WarehouseSettings::decide_for_queries(settings)?;
    let aws = loader_aws::connect::connect(&warehouse.access).await?;
    let api = DataApi::new(&aws, &warehouse.database, "loader history", stop);
    let of_table = target.as_ref().map(|target| target.table.as_str());
    let runs: Vec<PastRun> = ask(&api, &past_runs::runs(&schema, of_table, args.last)).await?;
    // Of a load of several files, the ledger has a row for each.
    let rows = args.last.saturating_add(FILES_OF_A_LOAD);
    let loads = past_runs::loads(&schema, target.as_ref(), rows);
    let ids = ids(ask(&api, &loads).await?);
    if let Some(name) = named.filter(|_| runs.is_empty()) {
        // A table that no settings file has may have runs all the same.
        project.known_table(&name)?;
    }
    print(&match project.report_format().unwrap_or_default() {
        ReportFormat::Json => {
            let run = |run: &PastRun| as_json(run, run.number.and_then(|number| ids.get(&number)));
            indented_json(&runs.iter().map(run).collect::<Vec<_>>())
        }
        ReportFormat::Human if runs.is_empty() => format!("no runs in {schema}\n"),
        ReportFormat::Human => human(&runs, &ids),
    });
    Ok(())
}

/// The rows of a query.
async fn ask<T: FromRow>(api: &DataApi, sql: &str) -> Result<Vec<T>> {
    select_if_there(api, sql).await?.unwrap_or_default().decode()
}

/// The ids of runs by their numbers.
fn ids(loads: Vec<PastLoad>) -> BTreeMap<i64, PastLoad> {
    let numbered =
        loads.into_iter().filter_map(|load| Some((past_runs::run_number(&load.run_id)?, load)));
    numbered.collect()
}

fn human(runs: &[PastRun], ids: &BTreeMap<i64, PastLoad>) -> String {
    let id = |run: &PastRun| match run.number.and_then(|number| ids.get(&number)) {
        Some(load) => format!("{} ({})", load.run_id, run.number.unwrap_or_default()),
        None => run.number.map(|number| number.to_string()).unwrap_or_default(),
    };
    runs.iter().map(|run| entry(run, &id(run))).collect()
}

/// Two lines for a run, and one for its error. `id`: its id and its number, or its number alone
/// where the ledger has no id.
fn entry(run: &PastRun, id: &str) -> String {
    let started_at = run.started_at.get(..19).unwrap_or(&run.started_at);
    let is_failed = run.status.eq_ignore_ascii_case("failed");
    let tone = if is_failed { Tone::Bad } else { Tone::Good };
    let status = paint(&format!("{:<7}", run.status.to_lowercase()), tone);
    let file = shortened(&run.file_name, NAME);
    let counts = [
        (run.read, "read"),
        (run.inserted, "inserted"),
        (run.updated, "updated"),
        (run.rejected, "rejected"),
    ];
    // What became of rows that are in neither count, the table says only where it has a column.
    let loaded = run.inserted.unwrap_or(0) + run.updated.unwrap_or(0);
    let others = run.read.filter(|_| !is_failed && run.rejected.is_none());
    let others = [(others.map(|read| read - loaded), "rejected or of a key already in the file")];
    let counts = counts.into_iter().chain(others).filter_map(|(n, what)| {
        let n = u64::try_from(n?).ok().filter(|n| *n > 0)?;
        Some(format!("{} {what}", grouped(n)))
    });
    let counts: Vec<String> = counts.collect();
    let counts = if counts.is_empty() { "no rows".to_owned() } else { counts.join(", ") };
    let mut out = format!("{started_at:19} UTC  {status}  {file} into {}\n", run.table);
    out.push_str(&format!("{:INDENT$}run {id}\n{:INDENT$}{counts}\n", "", ""));
    if let Some(error) =
        run.error.as_ref().and_then(|error| wrapped(error, ERROR).into_iter().next())
    {
        out.push_str(&format!("{:INDENT$}{error} …\n", ""));
    }
    out
}

fn as_json(run: &PastRun, load: Option<&PastLoad>) -> Value {
    json!({
        "run_number": run.number.map(|number| number.to_string()),
        "run_id": load.map(|load| &load.run_id),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "file": run.file_name,
        "source_uri": load.map(|load| &load.source_uri),
        "table": run.table,
        "status": run.status,
        "rows_read": run.read,
        "rows_inserted": run.inserted,
        "rows_updated": run.updated,
        "rows_rejected": run.rejected,
        "error": run.error,
    })
}
