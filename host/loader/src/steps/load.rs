//! Load: copies the parts, merges them, and writes fence, ledger and audit row; everything or
//! nothing.
//!
//! In: the plan's columns and the staged parts. Out: where the rows went, or that the target is
//! another by now. When another transaction is in the way, the merge runs again. When a guard
//! fires, the error says which promise would have been broken.

use loader_aws::data_api::{DataApi, Outcome};
use loader_data::parts::csv_null;
use loader_data::transform::Totals;
use loader_model::choices::StagingFormat;
use loader_model::error::{Error, Kind, Result};
use loader_model::target_column::TargetColumn;
use loader_warehouse::bookkeeping::LaterColumn;
use loader_warehouse::load_batch::{
    self, Copy, CopyFormat, Counts, Files, GlueKeys, LedgerRow, LoadBatch, LoadStatements,
    Statement, StatementRole,
};
use loader_warehouse::refusal::{Refusal, StatementFailure};
use loader_warehouse::sql::MAX_STATEMENT_BYTES;

use crate::redshift::audit::{self, Read};
use crate::redshift::glue_keys::RefusedKeys;
use crate::redshift::load_failure::{LoadFailure, Meaning};
use crate::redshift::{counted, retry, watched};
use crate::step::Step;
use crate::tools::Tools;
use crate::values::{Evolved, Loaded, Staged, Work};
use crate::{crash, habit, plugin_identity};

/// Runs the load. Errors: `Data` (duplicate keys that are not allowed, a load error),
/// `Transient` (conflicts that do not end), `OutcomeUnknown`, `Config` (permissions), `Internal`.
pub(crate) async fn run(
    tools: &Tools,
    work: &Work,
    staged: &Staged,
    evolved: &Evolved,
) -> Result<Loaded> {
    let load = Load { tools, work, staged, creation: &evolved.creation };
    let loaded = tools.step(Step::Load, transact(&load)).await?;
    if let Loaded::Rows(of_files) = &loaded {
        tools.record.notices(notice_of_audit(tools, work));
        let all = Counts::sum(of_files);
        tools.record.loaded(all, &evolved.creation);
        if work.files.are_several() {
            let files = work.files.all().zip(&staged.files).zip(of_files);
            tools.record.files(
                files
                    .map(|((file, staged), counts)| counted::report(file, staged, counts))
                    .collect(),
            );
        }
        let Counts { inserted, updated, duplicates } = all;
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
    let statements = Load { tools, work, staged, creation }.statements().in_one();
    statements.into_iter().map(|(_, sql)| sql).collect()
}

/// What `loader plan` can say of keys that the Glue job may have spelt otherwise: that the load
/// will look for them. Only the warehouse knows which are there.
pub(crate) fn notice_of_keys(
    tools: &Tools,
    work: &Work,
    staged: &Staged,
    creation: &[String],
) -> Option<String> {
    let keys = Load { tools, work, staged, creation }.text_keys();
    let is_asked = habit::glue_keys(&tools.job, &work.catalog) == GlueKeys::Refused;
    (is_asked && !keys.is_empty()).then(|| {
        format!(
            "no merge of {} is in the ledger yet; if the Glue job made the table, it may have spelt \
             text keys ({}) otherwise (`007` as `7`, ` A1` as `A1`): the load looks for such rows, \
             and is refused (5) if it would double them (--keys-as-glue)",
            tools.job.target,
            keys.join(", ")
        )
    })
}

/// What does not get into the audit table.
pub(crate) fn notice_of_audit(tools: &Tools, work: &Work) -> Option<String> {
    work.catalog.audit.as_ref()?.notice(&tools.job.target)
}

/// What is to be loaded.
struct Load<'a> {
    tools: &'a Tools,
    work: &'a Work,
    staged: &'a Staged,
    /// CREATE TABLE and the views of the new table; empty when there is a table.
    creation: &'a [String],
}

impl Load<'_> {
    /// The statements of the load.
    fn statements(&self) -> LoadStatements {
        self.of_batch(load_batch::build)
    }

    /// The text keys that the Glue job may have spelt otherwise.
    fn text_keys(&self) -> Vec<String> {
        self.of_batch(|batch| load_batch::text_keys(batch).into_iter().map(str::to_owned).collect())
    }

    /// What follows from the decided load.
    fn of_batch<T>(&self, of: impl FnOnce(&LoadBatch<'_>) -> T) -> T {
        let columns = self.work.plan.target_columns(&self.staged.totals.max_text_bytes);
        let null = csv_null(&self.tools.job.run.text);
        // A ledger of an earlier version lacks columns.
        let has = |column: LaterColumn| self.work.catalog.ledger_columns.contains(&column);
        let plugins =
            has(LaterColumn::Plugins).then(|| plugin_identity::for_ledger(&self.staged.plugins));
        let upsert_keys = has(LaterColumn::UpsertKeys)
            .then(|| habit::for_ledger(&self.tools.job, &self.work.catalog))
            .flatten();
        let said = Said { plugins: plugins.as_deref(), upsert_keys: upsert_keys.as_deref() };
        of(&batch(self, &columns, &null, said))
    }

    fn api(&self) -> DataApi {
        self.tools.api.with_lock_timeout(self.tools.job.warehouse.lock_timeout)
    }

    /// The client, which shows what the warehouse does.
    fn watched(&self, api: &DataApi, roles: &[StatementRole]) -> DataApi {
        let rows_staged = self.staged.totals.rows_staged;
        watched::watched(&self.tools.progress, api, roles, rows_staged)
    }

    /// What a refused statement comes to.
    async fn explain(&self, roles: &[StatementRole], failure: &StatementFailure) -> Result<Loaded> {
        let role = roles.get(failure.statement).copied();
        let telling = role.and_then(|role| self.statements().telling(role)).unwrap_or_default();
        if failure.refusal == Refusal::Guard
            && let Some(error) = self.refused_keys(role, &telling).await
        {
            return Err(error);
        }
        let failure = LoadFailure {
            job: &self.tools.job,
            rows_staged: self.staged.totals.rows_staged,
            unfilled: self.work.plan.unfilled(),
            role,
            telling,
            failure,
        };
        match failure.meaning(&self.api()).await {
            Meaning::LoadedAlready => Ok(Loaded::Already),
            Meaning::TargetChanged(error) => Ok(Loaded::TargetChanged(error)),
            Meaning::Failed(error) => Err(error),
        }
    }

    /// The refusal of keys for which the table has the Glue job's spelling; `None` when another
    /// guard has fired.
    async fn refused_keys(&self, role: Option<StatementRole>, telling: &[String]) -> Option<Error> {
        let (target, keys) = (&self.tools.job.target, self.text_keys());
        let refused = RefusedKeys { target, keys, telling };
        match role? {
            StatementRole::RespeltKeyGuard => Some(refused.respelt(&self.api()).await),
            StatementRole::OneKeyGuard => Some(refused.become_one()),
            _ => None,
        }
    }
}

/// Runs the load as one transaction or as two.
// The statements of one transaction may be measured together by the service's limit, so a load
// whose statements are long in sum takes two.
async fn transact(load: &Load<'_>) -> Result<Loaded> {
    let statements = load.statements();
    let in_one = statements.in_one();
    check_sizes(load.work.plan.rows.columns.len(), &in_one)?;
    let bytes: usize = in_one.iter().map(|(_, sql)| sql.len()).sum();
    let is_small = load.staged.bytes <= load.tools.job.warehouse.split_load_above;
    if is_small && bytes <= MAX_STATEMENT_BYTES {
        // Nothing of it is committed before the end, so a COPY that S3 has kept from finishing may
        // run again with all the rest.
        return commit(load, &load.api(), in_one, retry::is_passing).await;
    }
    match fill(load, statements.filling()).await? {
        Filled::Stage { session } => {
            crash::point("filled");
            let api = load.api().within_session(&session);
            commit(load, &api, statements.merging(), retry::is_conflict).await
        }
        Filled::Ended(loaded) => Ok(loaded),
    }
}

/// What the first of two transactions has come to.
enum Filled {
    /// The staging table has the rows. It lives as long as this session.
    Stage { session: String },
    /// There is nothing to merge.
    Ended(Loaded),
}

/// Fills the staging table, in a session that stays open.
// A lost answer leaves nothing to find out: a staging table that nobody asks for goes with its
// session.
async fn fill(load: &Load<'_>, statements: Vec<Statement>) -> Result<Filled> {
    let (roles, statements): (Vec<StatementRole>, Vec<String>) = statements.into_iter().unzip();
    let api = load.watched(&load.api(), &roles).opening_session();
    let filled = retry::execute_batch_while(&api, &statements, retry::is_passing).await;
    match filled.map_err(Error::unless_unknown)? {
        Outcome::Failed(failure) => load.explain(&roles, &failure).await.map(Filled::Ended),
        Outcome::Finished(executed) => {
            let fact = "the Data API opened no session for the load";
            let session = executed.session_id.ok_or_else(|| Error::new(Kind::Internal, fact))?;
            Ok(Filled::Stage { session })
        }
    }
}

/// Runs the transaction that moves the rows.
// The roles tell what the statement was for whose number Redshift gives. From the moment that the
// batch has finished, the rows are committed: an error after that becomes `committed`, never a
// failed load.
async fn commit(
    load: &Load<'_>,
    api: &DataApi,
    statements: Vec<Statement>,
    may_pass: impl Fn(Refusal) -> bool,
) -> Result<Loaded> {
    let (roles, statements): (Vec<StatementRole>, Vec<String>) = statements.into_iter().unzip();
    let api = &load.watched(api, &roles);
    match retry::execute_batch_while(api, &statements, may_pass).await? {
        Outcome::Failed(failure) => load.explain(&roles, &failure).await,
        Outcome::Finished(executed) => {
            let counts = counted::counts(api, &roles, &executed, &load.staged.files).await;
            let (counts, notice) = counts.map_err(|error| committed(load, &error))?;
            load.tools.record.notices(notice);
            let has_duplicates = Counts::sum(&counts).duplicates > 0;
            let notices = &load.work.plan.notices_of_duplicates;
            load.tools.record.notices(notices.iter().filter(|_| has_duplicates).cloned());
            Ok(Loaded::Rows(counts))
        }
    }
}

/// What the ledger says as JSON, where it has columns for it.
struct Said<'a> {
    /// The plugins with their counters.
    plugins: Option<&'a str>,
    /// The keys by which the target is merged.
    upsert_keys: Option<&'a str>,
}

fn batch<'a>(
    load: &'a Load<'_>,
    columns: &'a [TargetColumn],
    null: &'a str,
    said: Said<'a>,
) -> LoadBatch<'a> {
    let (job, source) = (&load.tools.job, &load.work.files.first().source);
    let format = match job.staging_format {
        StagingFormat::Parquet => CopyFormat::Parquet,
        StagingFormat::Csv => CopyFormat::Csv { null, region: load.tools.store.other_region() },
    };
    LoadBatch {
        target: &job.target,
        creation: load.creation,
        existing: load.work.catalog.target.as_deref().unwrap_or_default(),
        columns,
        filled: &load.work.plan.filled,
        keep_filled: job.keeps_known,
        keys: &load.work.plan.keys,
        strategy: job.strategy,
        duplicates: job.duplicates,
        glue_keys: habit::glue_keys(job, &load.work.catalog),
        refuses_known: !job.force,
        lock_target: job.warehouse.lock_target,
        statement_timeout: job.warehouse.statement_timeout,
        copy: load.staged.manifest.as_ref().map(|manifest| Copy {
            manifest,
            iam_role: &job.warehouse.iam_role,
            format,
        }),
        rows_staged: load.staged.totals.rows_staged,
        files: load.staged.list.as_ref().map(|manifest| Files {
            manifest,
            count: load.staged.files.len(),
            null,
            region: load.tools.store.other_region(),
            iam_role: &job.warehouse.iam_role,
        }),
        ledger: LedgerRow {
            load_id: &source.load_id,
            source: &source.uri,
            etag: source.info.etag.trim_matches('"'),
            version_id: source.info.version_id.as_deref(),
            size_bytes: source.info.size_bytes,
            run_id: &job.run.text,
            plugins: said.plugins,
            upsert_keys: said.upsert_keys,
        },
        audit: match load.staged.list {
            Some(_) => audit::row_of_several(job),
            None => audit::row(job, read(&load.staged.totals)),
        },
        audit_table: load.work.catalog.audit.as_ref(),
    }
}

fn read(totals: &Totals) -> Read {
    Read { rows: totals.rows_read, rejected: totals.rows_rejected }
}

/// Refuses statements that are too long for the Data API, with a message that says what to do. (For
/// example, 1100 column names of 45 bytes, which stand twice in the INSERT.)
fn check_sizes(columns: usize, statements: &[Statement]) -> Result<()> {
    let longest = statements.iter().map(|(_, sql)| sql.len()).max().unwrap_or(0);
    if longest <= MAX_STATEMENT_BYTES {
        return Ok(());
    }
    let fact = format!(
        "the names of {columns} columns make a statement of {longest} bytes, the Data API takes \
         {MAX_STATEMENT_BYTES}; shorten the names or split the file by columns"
    );
    Err(Error::new(Kind::Data, fact))
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
