//! Load: one transaction that copies, merges, and writes ledger and audit row; everything or
//! nothing.
//!
//! Comes in: the plan's columns and what was staged. Goes out: where the rows went. A concurrent
//! transaction in the way is waited out; a guard that fired says which promise would have been
//! broken.

use crate::error::{Error, Kind, Result};
use crate::job::Job;
use crate::redshift::data_api::{DataApi, Executed, Outcome, StatementFailure};
use crate::redshift::load_batch::{
    self, AuditRow, Column, Copy, CopyFormat, LedgerRow, LoadBatch, Part,
};
use crate::redshift::sql::MAX_STATEMENT_BYTES;
use crate::redshift::{bookkeeping, failures, load_errors, patience};
use crate::settings::{MissingColumns, StagingFormat};
use crate::steps::plan::LoadPlan;
use crate::steps::source::SourceObject;
use crate::steps::stage::{Staged, csv_null};
use crate::steps::transform::Totals;

/// What is to be loaded.
pub struct Load<'a> {
    pub job: &'a Job,
    pub source: &'a SourceObject,
    pub load_id: &'a str,
    pub plan: &'a LoadPlan,
    pub staged: &'a Staged,
    pub totals: &'a Totals,
    /// The plugins with their counters, as the ledger has them; `None` when it has no column for
    /// them.
    pub plugins: Option<&'a str>,
    /// CREATE TABLE and the views of the new table; empty when there is a table.
    pub creation: &'a [String],
}

/// What the transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    Rows {
        inserted: u64,
        updated: u64,
        duplicates: u64,
    },
    /// Another run loaded the same file in the meantime.
    Already,
}

/// Runs the transaction. Errors: `Data` (duplicate keys that are not allowed, a load error),
/// `Transient` (conflicts that do not end), `OutcomeUnknown`, `Config` (permissions), `Internal`.
pub async fn run(api: &DataApi, load: &Load<'_>) -> Result<Loaded> {
    let columns = load.plan.target_columns(&load.totals.max_text_bytes);
    let null = csv_null(&load.job.run.text);
    let (parts, statements): (Vec<Part>, Vec<String>) =
        load_batch::build(&batch(load, &columns, &null)).into_iter().unzip();
    check_sizes(&columns, &statements)?;
    match patience::execute_batch(api, &statements).await? {
        Outcome::Finished(executed) => {
            let counts = counts(api, &parts, &executed, load.totals.rows_staged).await;
            let [inserted, updated, duplicates] =
                counts.map_err(|error| committed(load, &error))?;
            Ok(Loaded::Rows { inserted, updated, duplicates })
        }
        Outcome::Failed(failure) => explain(api, load, &parts, &failure).await,
    }
}

/// The audit row of a run that failed. Best effort: its own failure is only logged.
pub async fn audit_failure(api: &DataApi, job: &Job, rows_read: u64, error: &Error) {
    // The first run of all may fail before the table is there.
    let mut statements = bookkeeping::ddl(&job.target);
    statements.push(load_batch::audit_failure(
        &job.target,
        &audit_row(job, rows_read),
        &error.to_string(),
    ));
    let problem = match api.to_the_end().execute_batch(&statements).await {
        Ok(Outcome::Finished(_)) => return,
        Ok(Outcome::Failed(failure)) => failures::explain("writing the audit row", &failure),
        Err(error) => error,
    };
    tracing::warn!(error = %problem, "the failed run has no audit row");
}

fn batch<'a>(load: &'a Load<'_>, columns: &'a [Column], null: &'a str) -> LoadBatch<'a> {
    let job = load.job;
    let format = match job.staging_format {
        StagingFormat::Parquet => CopyFormat::Parquet,
        StagingFormat::Csv => CopyFormat::Csv { null },
    };
    LoadBatch {
        target: &job.target,
        creation: load.creation,
        columns,
        filled: &load.plan.filled,
        keep_filled: job.missing_columns == MissingColumns::Keep,
        keys: &job.keys,
        strategy: job.strategy,
        duplicates: job.duplicates,
        guard_ledger: !job.force,
        copy: load.staged.manifest.as_ref().map(|manifest| Copy {
            manifest,
            iam_role: &job.warehouse.iam_role,
            format,
        }),
        rows_staged: load.totals.rows_staged,
        ledger: LedgerRow {
            load_id: load.load_id,
            source: &load.source.uri,
            etag: load.source.info.etag.trim_matches('"'),
            version_id: load.source.info.version_id.as_deref(),
            size_bytes: load.source.info.size_bytes,
            run_id: &job.run.text,
            plugins: load.plugins,
        },
        audit: audit_row(job, load.totals.rows_read),
    }
}

fn audit_row(job: &Job, rows_read: u64) -> AuditRow<'_> {
    AuditRow {
        run_number: job.run.number,
        job_id: &job.job_id,
        started_at: job.run.started_at,
        file_name: job.layout.source_name(),
        rows_read,
    }
}

/// The service refuses longer statements, after everything was staged, without saying what to do.
fn check_sizes(columns: &[Column], statements: &[String]) -> Result<()> {
    let longest = statements.iter().map(String::len).max().unwrap_or(0);
    if longest <= MAX_STATEMENT_BYTES {
        return Ok(());
    }
    let fact = format!(
        "the names of {} columns make a statement of {longest} bytes, the Data API takes \
         {MAX_STATEMENT_BYTES}; shorten the names or split the file by columns",
        columns.len()
    );
    Err(Error::new(Kind::Data, fact))
}

/// What the batch counted, held against what its INSERT says that it did.
async fn counts(
    api: &DataApi,
    parts: &[Part],
    executed: &Executed,
    staged: u64,
) -> Result<[u64; 3]> {
    let place = |wanted: Part| parts.iter().position(|part| *part == wanted);
    let rows = api.rows(executed, place(Part::Report)).await?;
    let number = |column| rows.number(0, column).map(i64::unsigned_abs);
    let counts = [number(0)?, number(1)?, number(2)?];
    let written = place(Part::Insert)
        .and_then(|insert| executed.result_rows.get(insert))
        .copied()
        .unwrap_or(-1);
    // Rows that were updated in place are not inserted.
    let inserts = if place(Part::Delete).is_none() { counts[0] } else { counts[0] + counts[1] };
    match u64::try_from(written) {
        Ok(written) if written != inserts => {
            let fact = format!("{inserts} rows were counted, but {written} written");
            Err(Error::new(Kind::Internal, fact))
        }
        _ if counts.iter().sum::<u64>() != staged => {
            let fact = format!(
                "{staged} rows were staged, but {} accounted for",
                counts.iter().sum::<u64>()
            );
            Err(Error::new(Kind::Internal, fact))
        }
        _ => Ok(counts),
    }
}

/// What goes wrong after the commit must not look like a load that did not happen.
fn committed(load: &Load<'_>, error: &Error) -> Error {
    let fact = format!(
        "the rows are in {}, but not everything about them is known: {error}; run_id {} in job_sts \
         has the counts",
        load.job.target, load.job.run.number
    );
    Error::new(Kind::OutcomeUnknown, fact)
}

async fn explain(
    api: &DataApi,
    load: &Load<'_>,
    parts: &[Part],
    failure: &StatementFailure,
) -> Result<Loaded> {
    let part = parts.get(failure.statement).copied();
    let guarded = failures::is_guard(&failure.message);
    match part {
        Some(Part::LedgerGuard) if guarded => Ok(Loaded::Already),
        Some(Part::RowGuard) if guarded => {
            let fact = format!(
                "Redshift did not copy the {} rows that were staged; everything was rolled back",
                load.totals.rows_staged
            );
            Err(Error::new(Kind::Internal, fact).with("statement_id", &failure.id))
        }
        Some(Part::DuplicateGuard) if guarded => {
            let keys = load.job.keys.join(", ");
            let fact = format!(
                "the file has several rows of one key ({keys}), and --duplicates error refuses that"
            );
            Err(Error::new(Kind::Data, fact))
        }
        Some(Part::CreateStage | Part::Copy) if failures::is_type_mismatch(&failure.message) => {
            let fact =
                format!("{} changed while the file was being loaded; run again", load.job.target);
            Err(Error::new(Kind::Transient, fact).with("statement_id", &failure.id))
        }
        Some(Part::CreateTable) if failure.message.contains("already exists") => {
            let fact = format!("{} was made by another run meanwhile; run again", load.job.target);
            Err(Error::new(Kind::Transient, fact).with("statement_id", &failure.id))
        }
        Some(Part::Copy) => Err(load_errors::explain(api, failure).await),
        Some(Part::CreateView) => {
            let fact = format!(
                "a view of {} cannot be made: {}; correct its definition, nothing was loaded",
                load.job.layout.view_config(),
                failures::headline(&failure.message)
            );
            Err(Error::new(Kind::Config, fact).with("statement_id", &failure.id))
        }
        _ => Err(failures::explain(&format!("loading into {}", load.job.target), failure)),
    }
}
