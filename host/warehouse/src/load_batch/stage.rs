//! The staging table: it is made like the target, filled by COPY, and checked before its rows move.

use loader_model::column_type::MAX_VARCHAR_BYTES;
use loader_model::names::TableName;
use loader_model::target_column::{ROW_COLUMN, TargetColumn};

use crate::bookkeeping::LEDGER;
use crate::load_batch::batch::{Copy, CopyFormat, LoadBatch};
use crate::sql::{ident, idents, table, text};

/// The name of the staging table. The table is temporary, so a killed run leaves nothing behind and
/// two runs never share it.
pub(super) const STAGE: &str = "loader_stage";

/// Makes the staging table, with the types that the target has under the lock.
// The types come from the target and not from the plan. If the target was altered since the plan,
// COPY refuses the strictly typed parts. An INSERT from columns of the planned types would round or
// cut the values instead. (For example, amounts planned for DECIMAL(12,4) would lose two digits in
// a column that is DECIMAL(12,2) by now.)
//
// AS SELECT leaves NOT NULL behind, which LIKE would copy: COPY would then fail on NOT NULL columns
// that the file lacks, before the INSERT can leave them to their defaults.
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

/// The COPY of all parts of the manifest.
// COPY maps columns by position, so the list must be in the order of the parts, with the row's
// number last. (For example, parts written b,a for a list a,b load without an error and swap the
// values.)
pub(super) fn copy_statement(copy: &Copy<'_>, columns: &[TargetColumn]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let list = idents(&names);
    let role = match copy.iam_role {
        // `default` is a keyword of COPY. In quotes COPY would take it for the name of a role.
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
    // A batch has no IF and no other way to stop itself, so the guard divides by zero.
    format!("SELECT 1 / (CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name} FROM {from}")
}

/// Refuses a load unless COPY brought in exactly `rows_staged` rows.
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
