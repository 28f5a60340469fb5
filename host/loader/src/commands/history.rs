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
use crate::commands::sql::select;
use crate::commands::table::table;
use crate::commands::{conclude, print};
use crate::job::{Project, WarehouseSettings};
use crate::report::indented_json;

/// Letters of a run's id that are shown; the last ones, which differ.
const ID_LETTERS: usize = 8;

/// Prints the runs, the latest first.
pub async fn run(args: HistoryArgs, stop: Stop) -> u8 {
    conclude(history(args, stop).await)
}

async fn history(args: HistoryArgs, stop: Stop) -> Result<()> {
    let project = Project::read(args.run)?;
    let settings = project.settings()?;
    let target = match &args.of_table {
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
    let loads = past_runs::loads(&schema, target.as_ref(), args.last);
    let ids = ids(ask(&api, &loads).await?);
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
pub(super) async fn ask<T: FromRow>(api: &DataApi, sql: &str) -> Result<Vec<T>> {
    select(api, sql).await?.unwrap_or_default().decode()
}

/// The ids of runs by their numbers.
pub(super) fn ids(loads: Vec<PastLoad>) -> BTreeMap<i64, PastLoad> {
    let numbered =
        loads.into_iter().filter_map(|load| Some((past_runs::run_number(&load.run_id)?, load)));
    numbered.collect()
}

fn human(runs: &[PastRun], ids: &BTreeMap<i64, PastLoad>) -> String {
    let mut shown = table(["started", "table", "file", "status", "read", "new", "updated", "run"]);
    let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
    for run in runs {
        let id = run.number.and_then(|number| ids.get(&number)).map(|load| {
            let start = load.run_id.len().saturating_sub(ID_LETTERS);
            load.run_id[start..].to_owned()
        });
        shown.add_row([
            run.started_at.get(..19).unwrap_or(&run.started_at).to_owned(),
            run.table.clone(),
            run.file_name.clone(),
            run.status.to_lowercase(),
            number(run.read),
            number(run.inserted),
            number(run.updated),
            id.unwrap_or_else(|| number(run.number)),
        ]);
    }
    format!("{shown}\n")
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
        "error": run.error,
    })
}
