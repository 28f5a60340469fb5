//! The audit row of a run, in `job_sts`.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::Error;
use loader_warehouse::load_batch::{self, AuditRow};
use loader_warehouse::{bookkeeping, refusal};

use crate::job::Job;

/// What the audit table says of a run, beside the counts.
pub fn row(job: &Job, rows_read: u64) -> AuditRow<'_> {
    AuditRow {
        run_number: job.run.number,
        job_id: &job.job_id,
        started_at: job.run.started_at,
        file_name: job.layout.source_name(),
        rows_read,
    }
}

/// The audit row of a run that failed. Best effort: its own failure is only logged.
pub async fn write_failure(api: &DataApi, job: &Job, rows_read: u64, error: &Error) {
    // The first run of all may fail before the table is there.
    let mut statements = bookkeeping::ddl(&job.target);
    statements.push(load_batch::audit_failure(
        &job.target,
        &row(job, rows_read),
        &error.to_string(),
    ));
    let problem = match api.to_the_end().execute_batch(&statements).await {
        Ok(Outcome::Finished(_)) => return,
        Ok(Outcome::Failed(failure)) => refusal::explain("writing the audit row", &failure),
        Err(error) => error,
    };
    tracing::warn!(error = %problem, "the failed run has no audit row");
}
