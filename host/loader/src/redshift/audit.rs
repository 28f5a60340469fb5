//! The audit row of a run, in `job_sts`.

use loader_aws::data_api::{DataApi, Outcome};
use loader_model::error::{Error, Result};
use loader_warehouse::audit_table::{AuditRow, AuditTable, AuditedFile};
use loader_warehouse::load_batch;
use loader_warehouse::refusal::Refusal;
use loader_warehouse::{bookkeeping, refusal, session};

use crate::job::Job;
use crate::redshift::{catalog, retry};

/// What a run has read, as far as it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read {
    pub rows: u64,
    pub rejected: u64,
}

/// The audit row of a run, without the counts of the table's rows.
pub fn row(job: &Job, read: Read) -> AuditRow<'_> {
    AuditRow {
        run_id: &job.run.text,
        run_number: job.run.number,
        job_id: &job.job_id,
        started_at: job.run.started_at,
        file: AuditedFile::One {
            name: job.layout.source_name(),
            rows_read: read.rows,
            rows_rejected: read.rejected,
        },
    }
}

/// The audit rows of a run of several files, which the list of them completes.
pub fn row_of_several(job: &Job) -> AuditRow<'_> {
    AuditRow { file: AuditedFile::Listed, ..row(job, Read::default()) }
}

/// Writes the audit row of a run that failed. If that fails too, the failure is only logged.
// `to_the_end` ignores a wish to stop, so that a run that was stopped by Ctrl-C has its row too.
pub async fn write_failure(api: &DataApi, job: &Job, read: Read, error: &Error) {
    let message = error.to_string();
    let api = api.to_the_end();
    let insert = |table: &AuditTable| {
        load_batch::audit_failure(table, &job.target, &row(job, read), &message)
    };
    let problem = match written(&api, job, insert).await {
        Ok(Outcome::Finished(_)) => return,
        Ok(Outcome::Failed(failure)) => refusal::explain("writing the audit row", &failure),
        Err(error) => error,
    };
    tracing::warn!(error = %problem, "the failed run has no audit row");
}

/// Inserts the row. The run may have failed before it knew the audit table, so the row is written
/// as for the loader's own, and only when that is refused as for the table that is there.
async fn written(
    api: &DataApi,
    job: &Job,
    insert: impl Fn(&AuditTable) -> Option<String>,
) -> Result<Outcome> {
    let own: Vec<String> = insert(&AuditTable::own()).into_iter().collect();
    let inserted = retry::execute_batch(api, &in_utc(&own)).await?;
    match &inserted {
        Outcome::Failed(failure) if is_of_shape(failure.refusal) => {
            match catalog::read_audit(api, &job.target).await? {
                Some(table) => match insert(&table) {
                    Some(insert) => retry::execute_batch(api, &in_utc(&[insert])).await,
                    None => Ok(inserted),
                },
                None => make_and_insert(api, job, &own).await,
            }
        }
        Outcome::Failed(_) | Outcome::Finished(_) => Ok(inserted),
    }
}

/// Makes the audit table only where it is missing: CREATE TABLE IF NOT EXISTS takes the right to
/// make tables also where the table is there.
async fn make_and_insert(api: &DataApi, job: &Job, insert: &[String]) -> Result<Outcome> {
    let statements = in_utc(&[&bookkeeping::ddl(&job.target), insert].concat());
    retry::execute_batch_while(api, &statements, retry::is_race).await
}

fn in_utc(statements: &[String]) -> Vec<String> {
    [&[session::UTC.to_owned()], statements].concat()
}

/// Whether the audit table may be missing, or be another than the loader's own.
fn is_of_shape(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::Missing(_) | Refusal::TypeMismatch | Refusal::Other)
}
