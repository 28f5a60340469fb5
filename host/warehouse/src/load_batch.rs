//! The transaction that loads a file, as text: everything that must happen together or not at all.
//!
//! Comes in: the decided load and what was staged. Goes out: at most 40 statements, each with its
//! part in the play, so that a failure can be told by its place. Runs nothing.

use crate::bookkeeping::{AUDIT, LEDGER, PLUGINS};
use crate::rows::{FromRow, Row};
use crate::sql::{cut, ident, idents, table, text};
use loader_model::choices::{Duplicates, Strategy};
use loader_model::column_type::{ColumnType, MAX_VARCHAR_BYTES};
use loader_model::error::Result;
use loader_model::names::{S3Uri, TableName, utc};
use loader_model::target_column::{Fill, FilledColumn, ROW_COLUMN, TargetColumn};

/// The staging table. Temporary: a killed run leaves nothing behind, and no two runs can meet in
/// it.
const STAGE: &str = "loader_stage";
/// Holds the counts of this load until the audit row is written.
const COUNTS: &str = "loader_counts";
/// The longest error message in the audit table; statements have a limit of 100 KB.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// Everything that the statements depend on.
#[derive(Clone, Debug)]
pub struct LoadBatch<'a> {
    pub target: &'a TableName,
    /// What makes the missing table, and then its views; empty when there is one.
    pub creation: &'a [String],
    pub columns: &'a [TargetColumn],
    /// Columns of the target that the file lacks.
    pub filled: &'a [FilledColumn],
    /// Rows whose key is known keep what they have in those.
    pub keep_filled: bool,
    pub keys: &'a [String],
    pub strategy: Strategy,
    pub duplicates: Duplicates,
    /// Refuse when the ledger knows the load.
    pub guard_ledger: bool,
    pub copy: Option<Copy<'a>>,
    pub rows_staged: u64,
    pub ledger: LedgerRow<'a>,
    pub audit: AuditRow<'a>,
}

/// What COPY reads.
#[derive(Clone, Debug)]
pub struct Copy<'a> {
    pub manifest: &'a S3Uri,
    pub iam_role: &'a str,
    pub format: CopyFormat<'a>,
}

/// How the staged parts are written.
#[derive(Clone, Copy, Debug)]
pub enum CopyFormat<'a> {
    Parquet,
    /// Gzip with a header line; `null` stands for NULL and nothing else.
    Csv {
        null: &'a str,
    },
}

/// What the ledger remembers of a load.
#[derive(Clone, Debug)]
pub struct LedgerRow<'a> {
    pub load_id: &'a str,
    pub source: &'a S3Uri,
    pub etag: &'a str,
    pub version_id: Option<&'a str>,
    pub size_bytes: u64,
    pub run_id: &'a str,
    /// The plugins with their counters, as JSON; `None` for a ledger that has no column for it.
    pub plugins: Option<&'a str>,
}

/// What the audit table says of a run, beside the counts.
#[derive(Clone, Debug)]
pub struct AuditRow<'a> {
    pub run_number: i64,
    pub job_id: &'a str,
    pub started_at: jiff::Timestamp,
    pub file_name: &'a str,
    pub rows_read: u64,
}

/// The part that a statement has in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementRole {
    CreateTable,
    Lock,
    LedgerGuard,
    CreateStage,
    Copy,
    RowGuard,
    DuplicateGuard,
    Count,
    Delete,
    Update,
    Insert,
    CreateView,
    Ledger,
    Audit,
    /// Its result is the [`Counts`].
    Report,
}

/// The statements of the batch, in order.
pub fn build(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    let target = table(batch.target);
    let mut out = Vec::new();
    if let Some(create_table) = batch.creation.first() {
        // There is no target to lock yet: first loads of a schema's tables wait for each other
        // here.
        out.push((StatementRole::Lock, format!("LOCK {}", table(&batch.target.sibling(LEDGER)))));
        out.push((StatementRole::CreateTable, create_table.clone()));
    }
    out.push((StatementRole::Lock, format!("LOCK {target}")));
    if batch.guard_ledger {
        out.push((StatementRole::LedgerGuard, ledger_guard(batch)));
    }
    out.push((StatementRole::CreateStage, create_stage(batch.target, batch.columns)));
    if let Some(copy) = &batch.copy {
        out.push((StatementRole::Copy, copy_statement(copy, batch.columns)));
    }
    out.push((
        StatementRole::RowGuard,
        guard(&format!("COUNT(*) = {}", batch.rows_staged), "all_rows_staged", STAGE),
    ));
    if batch.duplicates == Duplicates::Error && !batch.keys.is_empty() {
        out.push((StatementRole::DuplicateGuard, duplicate_guard(batch.keys)));
    }
    out.push((StatementRole::Count, count(batch)));
    out.extend(delete(batch).map(|sql| (StatementRole::Delete, sql)));
    out.extend(update(batch).map(|sql| (StatementRole::Update, sql)));
    out.push((StatementRole::Insert, insert(batch)));
    out.extend(batch.creation.iter().skip(1).map(|sql| (StatementRole::CreateView, sql.clone())));
    out.push((StatementRole::Ledger, ledger(batch)));
    out.push((StatementRole::Audit, audit_success(batch)));
    out.push((StatementRole::Report, report()));
    out
}

fn report() -> String {
    format!("SELECT inserted, updated, duplicates FROM {COUNTS}")
}

/// Where the rows of a load went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub inserted: u64,
    pub updated: u64,
    /// Staged rows that lost to another of their key.
    pub duplicates: u64,
}

impl FromRow for Counts {
    fn from_row(row: Row<'_>) -> Result<Counts> {
        let count = |column| row.integer(column).map(i64::unsigned_abs);
        Ok(Counts {
            inserted: count("inserted")?,
            updated: count("updated")?,
            duplicates: count("duplicates")?,
        })
    }
}

/// The audit row of a run that failed; it stands alone.
pub fn audit_failure(target: &TableName, audit: &AuditRow<'_>, error: &str) -> String {
    let rows = audit.rows_read.min(i32::MAX as u64);
    format!(
        "INSERT INTO {} ({AUDIT_COLUMNS}) VALUES ({}, {rows}, 0, 0, 'FAILED', {})",
        table(&target.sibling(AUDIT)),
        audit_values(target, audit),
        text(cut(error, MAX_ERROR_BYTES)),
    )
}

/// Types come from the target as it is under the lock. Whatever changed since the plan was made,
/// the strictly typed parts then fail to copy, instead of being rounded or cut by the INSERT.
fn create_stage(target: &TableName, columns: &[TargetColumn]) -> String {
    let column = |column: &TargetColumn| {
        let name = ident(&column.name);
        if column.staged_as_text {
            format!("CAST(NULL AS VARCHAR({MAX_VARCHAR_BYTES})) AS {name}")
        } else {
            name
        }
    };
    let list: Vec<String> = columns.iter().map(column).collect();
    format!(
        "CREATE TEMP TABLE {STAGE} AS SELECT {}, CAST(NULL AS BIGINT) AS {} FROM {} WHERE 1 = 0",
        list.join(", "),
        ident(ROW_COLUMN),
        table(target),
    )
}

fn copy_statement(copy: &Copy<'_>, columns: &[TargetColumn]) -> String {
    let list = names(columns);
    let role = match copy.iam_role {
        "default" => "default".to_string(),
        arn => text(arn),
    };
    let format = match copy.format {
        CopyFormat::Parquet => "FORMAT AS PARQUET MANIFEST".to_string(),
        CopyFormat::Csv { null } => format!(
            "FORMAT AS CSV GZIP IGNOREHEADER 1 NULL AS {} TIMEFORMAT 'auto' MANIFEST COMPUPDATE \
             OFF STATUPDATE OFF",
            text(null)
        ),
    };
    let manifest = text(&copy.manifest.to_string());
    format!("COPY {STAGE} ({list}, {}) FROM {manifest} IAM_ROLE {role} {format}", ident(ROW_COLUMN))
}

/// A query that fails, and the whole batch with it, unless `condition` holds over the rows of
/// `from`.
fn guard(condition: &str, name: &str, from: &str) -> String {
    format!("SELECT 1 / (CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name} FROM {from}")
}

fn ledger_guard(batch: &LoadBatch<'_>) -> String {
    let from = format!(
        "{} WHERE load_id = {}",
        table(&batch.target.sibling(LEDGER)),
        text(batch.ledger.load_id)
    );
    guard("COUNT(*) = 0", "not_loaded_before", &from)
}

fn duplicate_guard(keys: &[String]) -> String {
    let from = format!(
        "(SELECT 1 AS twice FROM {STAGE} GROUP BY {} HAVING COUNT(*) > 1) AS d",
        idents(keys)
    );
    guard("COUNT(*) = 0", "no_duplicate_keys", &from)
}

/// Counts before anything changes: keys that the target has, keys new to it, rows that lose to
/// another of their key.
fn count(batch: &LoadBatch<'_>) -> String {
    let keys = idents(batch.keys);
    let staged = format!("(SELECT COUNT(*) AS n FROM {STAGE}) AS staged");
    if batch.keys.is_empty() {
        return format!(
            "CREATE TEMP TABLE {COUNTS} AS SELECT n AS inserted, 0 AS updated, 0 AS duplicates \
             FROM {staged}"
        );
    }
    let rows = match batch.duplicates {
        Duplicates::Keep => format!("SELECT {keys} FROM {STAGE}"),
        Duplicates::Last | Duplicates::First | Duplicates::Error => {
            format!("SELECT DISTINCT {keys} FROM {STAGE}")
        }
    };
    let loaded = format!("(SELECT COUNT(*) AS n FROM ({rows}) AS r) AS loaded");
    let known = match batch.strategy {
        Strategy::Replace => "(SELECT 0 AS n) AS known".to_string(),
        Strategy::Merge | Strategy::Append => format!(
            "(SELECT COUNT(*) AS n FROM ({rows}) AS r WHERE EXISTS (SELECT 1 FROM {} AS t WHERE \
             {})) AS known",
            table(batch.target),
            equal_keys(batch.keys, "t", "r"),
        ),
    };
    format!(
        "CREATE TEMP TABLE {COUNTS} AS SELECT loaded.n - known.n AS inserted, known.n AS updated, \
         staged.n - loaded.n AS duplicates FROM {staged} CROSS JOIN {loaded} CROSS JOIN {known}"
    )
}

/// Rows of the target whose key is known keep what the file does not have: they are updated, not
/// replaced.
fn keeps(batch: &LoadBatch<'_>) -> bool {
    batch.keep_filled && batch.strategy == Strategy::Merge && !batch.filled.is_empty()
}

fn delete(batch: &LoadBatch<'_>) -> Option<String> {
    let target = table(batch.target);
    match batch.strategy {
        Strategy::Append => None,
        Strategy::Replace => Some(format!("DELETE FROM {target}")),
        Strategy::Merge if keeps(batch) => None,
        // DELETE knows no alias for its target: it is named in full.
        Strategy::Merge => {
            let equal = equal_keys(batch.keys, &target, STAGE);
            Some(format!("DELETE FROM {target} USING {STAGE} WHERE {equal}"))
        }
    }
}

fn update(batch: &LoadBatch<'_>) -> Option<String> {
    let columns = batch.columns.iter().filter(|column| !batch.keys.contains(&column.name));
    let set: Vec<String> = columns
        .map(|column| format!("{} = {}", ident(&column.name), value(column, "ranked.")))
        .collect();
    (keeps(batch) && !set.is_empty()).then(|| {
        let target = table(batch.target);
        let (set, ranked, equal) =
            (set.join(", "), ranked(batch), equal_keys(batch.keys, &target, "ranked"));
        format!("UPDATE {target} SET {set} FROM {ranked} WHERE \"_loader_rank\" = 1 AND {equal}")
    })
}

fn insert(batch: &LoadBatch<'_>) -> String {
    let target = table(batch.target);
    let mut list: Vec<String> = batch.columns.iter().map(|column| ident(&column.name)).collect();
    let mut values: Vec<String> = batch.columns.iter().map(|column| value(column, "")).collect();
    for filled in batch.filled {
        if let Fill::Literal(literal) = filled.fill {
            list.push(ident(&filled.name));
            values.push(literal.to_string());
        }
    }
    let into = format!("INSERT INTO {target} ({}) SELECT {}", list.join(", "), values.join(", "));
    if batch.keys.is_empty() || batch.duplicates == Duplicates::Keep {
        return format!("{into} FROM {STAGE}");
    }
    let new_only = if keeps(batch) {
        format!(
            " AND NOT EXISTS (SELECT 1 FROM {target} AS t WHERE {})",
            equal_keys(batch.keys, "t", "ranked")
        )
    } else {
        String::new()
    };
    format!("{into} FROM {} WHERE \"_loader_rank\" = 1{new_only}", ranked(batch))
}

/// The staged rows, the one that is loaded of each key first.
fn ranked(batch: &LoadBatch<'_>) -> String {
    let order = match batch.duplicates {
        Duplicates::First => "ASC",
        Duplicates::Last | Duplicates::Error | Duplicates::Keep => "DESC",
    };
    format!(
        "(SELECT *, ROW_NUMBER() OVER (PARTITION BY {} ORDER BY {} {order}) AS \"_loader_rank\" \
         FROM {STAGE}) AS ranked",
        idents(batch.keys),
        ident(ROW_COLUMN),
    )
}

/// A staged column as a value of the target's type. `from`: what its name stands behind, with its
/// dot.
fn value(column: &TargetColumn, from: &str) -> String {
    let name = format!("{from}{}", ident(&column.name));
    match &column.column_type {
        _ if !column.staged_as_text => name,
        ColumnType::Super => format!("JSON_PARSE({name})"),
        // What COPY reads for a VARBYTE in a CSV file.
        ColumnType::Varbyte { .. } => format!("FROM_HEX({name})"),
        column_type => format!("CAST({name} AS {column_type})"),
    }
}

fn ledger(batch: &LoadBatch<'_>) -> String {
    let row = &batch.ledger;
    let (column, plugins) = match row.plugins {
        Some(plugins) => (format!(", {PLUGINS}"), format!(", {}", text(plugins))),
        None => (String::new(), String::new()),
    };
    format!(
        "INSERT INTO {} (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, \
         rows, loaded_at{column}) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, GETDATE(){plugins})",
        table(&batch.target.sibling(LEDGER)),
        text(row.load_id),
        text(cut(&row.source.to_string(), 2048)),
        text(row.etag),
        row.version_id.map_or("NULL".into(), text),
        row.size_bytes,
        text(&batch.target.to_string()),
        text(row.run_id),
        batch.rows_staged,
    )
}

const AUDIT_COLUMNS: &str = "run_id, job_id, run_start_ts, run_end_ts, source_filename, \
                             target_table_name, records_read, records_updated, records_inserted, \
                             status, error_message";

fn audit_values(target: &TableName, audit: &AuditRow<'_>) -> String {
    format!(
        "{}, {}, CAST('{}' AS TIMESTAMP), GETDATE(), {}, {}",
        audit.run_number,
        text(cut(audit.job_id, 256)),
        utc(audit.started_at, "%Y-%m-%d %H:%M:%S"),
        text(cut(audit.file_name, 256)),
        text(&target.table),
    )
}

fn audit_success(batch: &LoadBatch<'_>) -> String {
    // The audit table's counts are INTEGER; a load past two billion rows must not fail for that.
    let number = |column: &str| {
        format!(
            "CAST(CASE WHEN {column} > {max} THEN {max} ELSE {column} END AS INTEGER)",
            max = i32::MAX
        )
    };
    format!(
        "INSERT INTO {} ({AUDIT_COLUMNS}) SELECT {}, {}, {}, {}, 'SUCCESS', CAST(NULL AS \
         VARCHAR(256)) FROM {COUNTS}",
        table(&batch.target.sibling(AUDIT)),
        audit_values(batch.target, &batch.audit),
        batch.audit.rows_read.min(i32::MAX as u64),
        number("updated"),
        number("inserted"),
    )
}

fn names(columns: &[TargetColumn]) -> String {
    columns.iter().map(|column| ident(&column.name)).collect::<Vec<_>>().join(", ")
}

fn equal_keys(keys: &[String], left: &str, right: &str) -> String {
    keys.iter()
        .map(|key| format!("{left}.{key} = {right}.{key}", key = ident(key)))
        .collect::<Vec<_>>()
        .join(" AND ")
}

#[cfg(test)]
mod tests;
