//! One load that is tried: the program's own line of steps, from a file in `data/in/` to its rows
//! in a table of the schema to work in.

use loader_aws::data_api::Outcome;
use loader_model::error::Result;
use loader_warehouse::refusal;
use loader_warehouse::rows::{Cell, ResultRows};
use loader_warehouse::session;

use super::patient::Patient;
use crate::job::checkup::Trial;
use crate::report::Report;
use crate::report::recorder::Recorder;
use crate::tools::Tools;
use crate::values::Goal;
use crate::{line, run};

/// The name of a file behind `data/in/`, in our own folder.
pub(super) fn file(patient: &Patient, name: &str) -> String {
    format!("{}/{name}", patient.name)
}

/// Delivers the file and loads it. Errors: those of the load.
pub(super) async fn load(patient: &Patient, trial: &Trial<'_>, content: &str) -> Result<Report> {
    let job = patient.checkup.job(trial)?;
    job.layout.places().into_iter().for_each(|place| patient.own(place));
    patient.store.write(&job.layout.source(), content.as_bytes().to_vec()).await?;
    let record = Recorder::start(&job);
    let tools = Tools::new(job, Goal::Load, &patient.aws, patient.stop.clone(), record);
    let status = Box::pin(run::to_its_end(&tools, line::load)).await?;
    tools.record.conclude(Ok(status));
    Ok(tools.record.into_report())
}

/// The rows of a query, with times in UTC.
pub(super) async fn rows_in_utc(patient: &Patient, sql: &str) -> Result<ResultRows> {
    let doing = "reading what was loaded";
    let statements = [session::UTC.to_owned(), sql.to_owned()];
    match patient.api.execute_batch(&statements).await? {
        Outcome::Finished(executed) => patient.api.rows(&executed, Some(1)).await,
        Outcome::Failed(failure) => Err(refusal::explain(doing, &failure)),
    }
}

/// The values of each row as texts, NULL as nothing.
pub(super) fn cells(rows: &ResultRows) -> Vec<Vec<String>> {
    rows.rows.iter().map(|row| row.iter().map(Cell::to_text).collect()).collect()
}

/// The rows as lines, with `|` between values.
pub(super) fn lines(rows: &ResultRows) -> Vec<String> {
    cells(rows).iter().map(|row| row.join("|")).collect()
}
