//! Load: one transaction that copies, merges, and writes ledger and audit row; everything or
//! nothing.
//!
//! In: the plan's columns and the staged parts. Out: where the rows went. When another transaction
//! is in the way, the batch runs again. When a guard fires, the error says which promise would have
//! been broken.

use loader_aws::data_api::{DataApi, Executed, Outcome};
use loader_data::parts::csv_null;
use loader_model::choices::{MissingColumns, StagingFormat};
use loader_model::error::{Error, Kind, Result};
use loader_model::target_column::TargetColumn;
use loader_warehouse::load_batch::{
    self, Copy, CopyFormat, Counts, LedgerRow, LoadBatch, StatementRole,
};
use loader_warehouse::refusal::{self, Missing, Refusal, StatementFailure};
use loader_warehouse::sql::MAX_STATEMENT_BYTES;

use crate::plugin_identity;
use crate::redshift::{audit, load_errors, retry_conflicts};
use crate::step::Step;
use crate::tools::Tools;
use crate::values::{Evolved, Loaded, Staged, Work};

/// Runs the transaction. Errors: `Data` (duplicate keys that are not allowed, a load error),
/// `Transient` (conflicts that do not end), `OutcomeUnknown`, `Config` (permissions), `Internal`.
pub(crate) async fn run(
    tools: &Tools,
    work: &Work,
    staged: &Staged,
    evolved: &Evolved,
) -> Result<Loaded> {
    let load = Load { tools, work, staged, creation: &evolved.creation };
    let loaded = tools.step(Step::Load, transact(&load)).await?;
    if let Loaded::Rows { inserted, updated, duplicates } = loaded {
        tools.record.loaded(inserted, updated, duplicates, &evolved.creation);
        tracing::info!(inserted, updated, duplicates, "rows loaded");
    }
    Ok(loaded)
}

/// The statements of the transaction, for `loader plan`. `staged`: what a load would stage.
pub(crate) fn preview(
    tools: &Tools,
    work: &Work,
    staged: &Staged,
    creation: &[String],
) -> Vec<String> {
    let statements = statements(&Load { tools, work, staged, creation });
    statements.into_iter().map(|(_, sql)| sql).collect()
}

/// What is to be loaded.
struct Load<'a> {
    tools: &'a Tools,
    work: &'a Work,
    staged: &'a Staged,
    /// CREATE TABLE and the views of the new table; empty when there is a table.
    creation: &'a [String],
}

// `build` returns the statements with their roles. Redshift only tells the number of the statement
// that failed, and the roles tell what it was for. From the moment that the batch has finished, the
// rows are committed: an error after that becomes `committed`, never a failed load.
async fn transact(load: &Load<'_>) -> Result<Loaded> {
    let api = &load.tools.api;
    let (roles, statements): (Vec<StatementRole>, Vec<String>) =
        statements(load).into_iter().unzip();
    check_sizes(load.work.plan.columns.len(), &statements)?;
    match retry_conflicts::execute_batch(api, &statements).await? {
        Outcome::Finished(executed) => {
            let counts = counts(api, &roles, &executed, load.staged.totals.rows_staged).await;
            let Counts { inserted, updated, duplicates } =
                counts.map_err(|error| committed(load, &error))?;
            Ok(Loaded::Rows { inserted, updated, duplicates })
        }
        Outcome::Failed(failure) => explain(api, load, &roles, &failure).await,
    }
}

fn statements(load: &Load<'_>) -> Vec<(StatementRole, String)> {
    let columns = load.work.plan.target_columns(&load.staged.totals.max_text_bytes);
    let null = csv_null(&load.tools.job.run.text);
    // A ledger of an earlier version has no column for the plugins.
    let plugins = load.work.catalog.ledger_has_plugins;
    let plugins = plugins.then(|| plugin_identity::for_ledger(&load.staged.plugins));
    load_batch::build(&batch(load, &columns, &null, plugins.as_deref()))
}

/// `plugins`: the plugins with their counters, as the ledger has them.
fn batch<'a>(
    load: &'a Load<'_>,
    columns: &'a [TargetColumn],
    null: &'a str,
    plugins: Option<&'a str>,
) -> LoadBatch<'a> {
    let job = &load.tools.job;
    let format = match job.staging_format {
        StagingFormat::Parquet => CopyFormat::Parquet,
        StagingFormat::Csv => CopyFormat::Csv { null },
    };
    LoadBatch {
        target: &job.target,
        creation: load.creation,
        columns,
        filled: &load.work.plan.filled,
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
        rows_staged: load.staged.totals.rows_staged,
        ledger: LedgerRow {
            load_id: &load.work.source.load_id,
            source: &load.work.source.uri,
            etag: load.work.source.info.etag.trim_matches('"'),
            version_id: load.work.source.info.version_id.as_deref(),
            size_bytes: load.work.source.info.size_bytes,
            run_id: &job.run.text,
            plugins,
        },
        audit: audit::row(job, load.staged.totals.rows_read),
    }
}

/// Refuses statements that are too long for the Data API, with a message that says what to do. (For
/// example, 1100 column names of 45 bytes, which stand twice in the INSERT.)
fn check_sizes(columns: usize, statements: &[String]) -> Result<()> {
    let longest = statements.iter().map(String::len).max().unwrap_or(0);
    if longest <= MAX_STATEMENT_BYTES {
        return Ok(());
    }
    let fact = format!(
        "the names of {columns} columns make a statement of {longest} bytes, the Data API takes \
         {MAX_STATEMENT_BYTES}; shorten the names or split the file by columns"
    );
    Err(Error::new(Kind::Data, fact))
}

/// Reads what the batch counted, and compares it with the rows that its INSERT says it wrote.
// Merging deletes the rows of known keys and inserts the file's row of every key, so the INSERT
// writes inserted + updated rows. (For example, 2 new and 3 known orders are 5 written rows.)
// Without a DELETE, known rows were updated in place, and it writes only the inserted ones. The
// service says -1 where it does not know the rows of a statement: then `try_from` fails, and only
// the sum of all counts is compared with the staged rows.
async fn counts(
    api: &DataApi,
    roles: &[StatementRole],
    executed: &Executed,
    staged: u64,
) -> Result<Counts> {
    let place = |wanted: StatementRole| roles.iter().position(|role| *role == wanted);
    let rows = api.rows(executed, place(StatementRole::Report)).await?;
    let counts: Counts = rows.first("the count of rows")?;
    let written = place(StatementRole::Insert)
        .and_then(|insert| executed.result_rows.get(insert))
        .copied()
        .unwrap_or(-1);
    let updates_in_place = place(StatementRole::Delete).is_none();
    let inserts = if updates_in_place { counts.inserted } else { counts.inserted + counts.updated };
    let accounted = counts.inserted + counts.updated + counts.duplicates;
    match u64::try_from(written) {
        Ok(written) if written != inserts => {
            let fact = format!("{inserts} rows were counted, but {written} written");
            Err(Error::new(Kind::Internal, fact))
        }
        _ if accounted != staged => {
            let fact = format!("{staged} rows were staged, but {accounted} accounted for");
            Err(Error::new(Kind::Internal, fact))
        }
        _ => Ok(counts),
    }
}

/// The error for a failure after the commit. It must not look like a load that did not happen, or
/// the user would load the file again.
fn committed(load: &Load<'_>, error: &Error) -> Error {
    let fact = format!(
        "the rows are in {}, but not everything about them is known: {error}; run_id {} in job_sts \
         has the counts",
        load.tools.job.target, load.tools.job.run.number
    );
    Error::new(Kind::OutcomeUnknown, fact)
}

/// What a refused statement means for the load: which promise would have been broken, or the
/// warehouse's own words.
// One refusal means different things at different statements, so refusal and role decide together.
// (For example, a guard that fires at the ledger is a file that was loaded meanwhile, which is no
// error at all; at the row count it is a COPY that has lost rows.) A meaning is looked for by the
// refusal first. Where that has none, the role decides how the warehouse's own words are
// introduced.
async fn explain(
    api: &DataApi,
    load: &Load<'_>,
    roles: &[StatementRole],
    failure: &StatementFailure,
) -> Result<Loaded> {
    let role = roles.get(failure.statement).copied();
    let meaning = match failure.refusal {
        Refusal::Guard if role == Some(StatementRole::LedgerGuard) => return Ok(Loaded::Already),
        Refusal::Guard => guard_fired(load, role, failure),
        Refusal::TypeMismatch | Refusal::Missing(Missing::Column | Missing::SchemaOrColumn) => {
            target_changed(load, role, failure)
        }
        Refusal::AlreadyExists => target_made(load, role, failure),
        Refusal::Missing(Missing::Schema | Missing::Other)
        | Refusal::Conflict
        | Refusal::Cancelled
        | Refusal::Denied
        | Refusal::BucketDenied
        | Refusal::RoleRefused
        | Refusal::Unavailable
        | Refusal::WrongPassword
        | Refusal::WideAlready
        | Refusal::HeldByViews
        | Refusal::Other => None,
    };
    if let Some(error) = meaning {
        return Err(error);
    }
    match role {
        Some(StatementRole::Copy) => Err(load_errors::explain(api, failure).await),
        Some(StatementRole::CreateView) => {
            let fact = format!(
                "a view of {} cannot be made: {}; correct its definition, nothing was loaded",
                load.tools.job.layout.view_config(),
                refusal::headline(&failure.message)
            );
            Err(Error::new(Kind::Config, fact).with("statement_id", &failure.id))
        }
        _ => Err(refusal::explain(&format!("loading into {}", load.tools.job.target), failure)),
    }
}

/// The error of a guard, which stops the load where going on would lose or double rows.
fn guard_fired(
    load: &Load<'_>,
    role: Option<StatementRole>,
    failure: &StatementFailure,
) -> Option<Error> {
    if role == Some(StatementRole::RowGuard) {
        let fact = format!(
            "Redshift did not copy the {} rows that were staged; everything was rolled back",
            load.staged.totals.rows_staged
        );
        return Some(Error::new(Kind::Internal, fact).with("statement_id", &failure.id));
    }
    (role == Some(StatementRole::DuplicateGuard)).then(|| {
        let keys = load.tools.job.keys.join(", ");
        let fact = format!(
            "the file has several rows of one key ({keys}), and --duplicates error refuses that"
        );
        Error::new(Kind::Data, fact)
    })
}

/// The error for a table that has changed since the parts were made for it.
// CREATE TEMP TABLE names the target's columns and COPY compares their types with the parts, so a
// changed table shows there. The same refusal at another statement keeps Redshift's own words.
fn target_changed(
    load: &Load<'_>,
    role: Option<StatementRole>,
    failure: &StatementFailure,
) -> Option<Error> {
    let compares = matches!(role, Some(StatementRole::CreateStage | StatementRole::Copy));
    compares.then(|| {
        let target = &load.tools.job.target;
        let fact = format!("{target} changed while the file was being loaded; run again");
        Error::new(Kind::Transient, fact).with("statement_id", &failure.id)
    })
}

/// The error for a table that was missing when the load was planned, and that another run has made
/// since then.
fn target_made(
    load: &Load<'_>,
    role: Option<StatementRole>,
    failure: &StatementFailure,
) -> Option<Error> {
    (role == Some(StatementRole::CreateTable)).then(|| {
        let fact =
            format!("{} was made by another run meanwhile; run again", load.tools.job.target);
        Error::new(Kind::Transient, fact).with("statement_id", &failure.id)
    })
}
