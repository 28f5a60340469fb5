//! What a load writes beside its rows: into its target's fence, the ledger and the audit table.

use loader_model::names::{TableName, utc};

use crate::bookkeeping::{AUDIT, LEDGER, LaterColumn, fence};
use crate::load_batch::batch::{AuditRow, LoadBatch};
use crate::load_batch::counts::COUNTS;
use crate::sql::{cut, table, text};

/// The longest error message in the audit table, in bytes. A statement may have 100 KB, and a
/// message grows when it is escaped.
const MAX_ERROR_BYTES: usize = 16 * 1024;

/// The fence's row of this load. With it the fence refuses the load from now on.
pub(super) fn fence_row(batch: &LoadBatch<'_>) -> String {
    format!(
        "INSERT INTO {} (load_id, run_id, loaded_at) VALUES ({}, {}, GETDATE())",
        table(&fence(batch.target)),
        text(batch.ledger.load_id),
        text(batch.ledger.run_id),
    )
}

/// The ledger's row of this load.
// A long address is cut to its column. That makes no two files the same, because `load_id`
// alone tells loads apart.
pub(super) fn ledger(batch: &LoadBatch<'_>) -> String {
    let row = &batch.ledger;
    let later = [(LaterColumn::Plugins, row.plugins), (LaterColumn::UpsertKeys, row.upsert_keys)];
    let (mut columns, mut values) = (String::new(), String::new());
    for (column, value) in later {
        if let Some(value) = value {
            columns.push_str(&format!(", {}", column.name()));
            values.push_str(&format!(", {}", text(value)));
        }
    }
    format!(
        "INSERT INTO {} (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, \
         rows, loaded_at{columns}) VALUES ({}, {}, {}, {}, {}, {}, {}, {}, GETDATE(){values})",
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

/// The audit row of a load that succeeds, with the counts from [`COUNTS`].
pub(super) fn audit_success(batch: &LoadBatch<'_>) -> String {
    // The audit table's counts are INTEGER. A count past 2147483647 is written as 2147483647, since
    // a load must not fail for its audit row.
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

/// The audit row of a run that failed. It is written by itself, since the load's transaction was
/// rolled back or never began.
pub fn audit_failure(target: &TableName, audit: &AuditRow<'_>, error: &str) -> String {
    let rows = audit.rows_read.min(i32::MAX as u64);
    format!(
        "INSERT INTO {} ({AUDIT_COLUMNS}) VALUES ({}, {rows}, 0, 0, 'FAILED', {})",
        table(&target.sibling(AUDIT)),
        audit_values(target, audit),
        text(cut(error, MAX_ERROR_BYTES)),
    )
}
