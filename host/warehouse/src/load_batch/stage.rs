//! The staging table: made like the target, filled by COPY, and held against what was promised.

use loader_model::column_type::MAX_VARCHAR_BYTES;
use loader_model::names::TableName;
use loader_model::target_column::{ROW_COLUMN, TargetColumn};

use crate::bookkeeping::LEDGER;
use crate::load_batch::batch::{Copy, CopyFormat, LoadBatch};
use crate::sql::{ident, idents, table, text};

/// The staging table. Temporary: a killed run leaves nothing behind, and no two runs can meet in
/// it.
pub(super) const STAGE: &str = "loader_stage";

/// Types come from the target as it is under the lock. Whatever changed since the plan was made,
/// the strictly typed parts then fail to copy, instead of being rounded or cut by the INSERT.
pub(super) fn create_stage(target: &TableName, columns: &[TargetColumn]) -> String {
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

pub(super) fn copy_statement(copy: &Copy<'_>, columns: &[TargetColumn]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let list = idents(&names);
    let role = match copy.iam_role {
        "default" => "default".to_owned(),
        arn => text(arn),
    };
    let format = copy_format(copy.format);
    let manifest = text(&copy.manifest.to_string());
    format!("COPY {STAGE} ({list}, {}) FROM {manifest} IAM_ROLE {role} {format}", ident(ROW_COLUMN))
}

fn copy_format(format: CopyFormat<'_>) -> String {
    match format {
        CopyFormat::Parquet => "FORMAT AS PARQUET MANIFEST".to_owned(),
        CopyFormat::Csv { null } => format!(
            "FORMAT AS CSV GZIP IGNOREHEADER 1 NULL AS {} TIMEFORMAT 'auto' MANIFEST COMPUPDATE \
             OFF STATUPDATE OFF",
            text(null)
        ),
    }
}

/// A query that fails, and the whole batch with it, unless `condition` holds over the rows of
/// `from`.
fn guard(condition: &str, name: &str, from: &str) -> String {
    format!("SELECT 1 / (CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name} FROM {from}")
}

/// Refuses a load unless all rows of the parts were copied.
pub(super) fn row_guard(rows_staged: u64) -> String {
    guard(&format!("COUNT(*) = {rows_staged}"), "all_rows_staged", STAGE)
}

/// Refuses a load that the ledger knows.
pub(super) fn ledger_guard(batch: &LoadBatch<'_>) -> String {
    let from = format!(
        "{} WHERE load_id = {}",
        table(&batch.target.sibling(LEDGER)),
        text(batch.ledger.load_id)
    );
    guard("COUNT(*) = 0", "not_loaded_before", &from)
}

/// Refuses a file that has several rows of one key.
pub(super) fn duplicate_guard(keys: &[String]) -> String {
    let from = format!(
        "(SELECT 1 AS twice FROM {STAGE} GROUP BY {} HAVING COUNT(*) > 1) AS d",
        idents(keys)
    );
    guard("COUNT(*) = 0", "no_duplicate_keys", &from)
}
