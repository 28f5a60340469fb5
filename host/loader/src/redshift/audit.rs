//! The audit row of a run, in `job_sts`.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Result};
use loader_warehouse::load_batch::{self, AuditRow};
use loader_warehouse::refusal::Refusal;
use loader_warehouse::{bookkeeping, refusal, session};

use crate::job::Job;
use crate::redshift::retry;

/// The audit row of a run, without the counts of rows.
pub fn row(job: &Job, rows_read: u64) -> AuditRow<'_> {
    AuditRow {
        run_number: job.run.number,
        job_id: &job.job_id,
        started_at: job.run.started_at,
        file_name: job.layout.source_name(),
        rows_read,
    }
}

/// Writes the audit row of a run that failed. If that fails too, the failure is only logged.
// `to_the_end` ignores a wish to stop, so that a run that was stopped by Ctrl-C has its row too.
pub async fn write_failure(api: &DataApi, job: &Job, rows_read: u64, error: &Error) {
    let message = error.to_string();
    let insert = load_batch::audit_failure(&job.target, &row(job, rows_read), &message);
    let problem = match written(&api.to_the_end(), job, insert).await {
        Ok(Outcome::Finished(_)) => return,
        Ok(Outcome::Failed(failure)) => refusal::explain("writing the audit row", &failure),
        Err(error) => error,
    };
    tracing::warn!(error = %problem, "the failed run has no audit row");
}

/// Inserts the row, and makes the audit table only where it is missing: CREATE TABLE IF NOT EXISTS
/// takes the right to make tables also where the table is there.
async fn written(api: &DataApi, job: &Job, insert: String) -> Result<Outcome> {
    let mut statements = vec![session::UTC.to_owned(), insert];
    let inserted = retry::execute_batch(api, &statements).await?;
    match &inserted {
        Outcome::Failed(failure) if matches!(failure.refusal, Refusal::Missing(_)) => {
            statements.splice(1..1, bookkeeping::ddl(&job.target));
            retry::execute_batch_while(api, &statements, retry::is_race).await
        }
        Outcome::Failed(_) | Outcome::Finished(_) => Ok(inserted),
    }
}
