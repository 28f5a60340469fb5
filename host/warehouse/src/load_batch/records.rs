//! What a load writes beside its rows: into its target's fence, the ledger and the audit table.

use loader_model::names::TableName;

use crate::audit_table::{AUDIT, AuditRow, AuditTable, Outcome};
use crate::bookkeeping::{LEDGER, LaterColumn, fence};
use crate::load_batch::batch::LoadBatch;
use crate::load_batch::names::COUNTS;
use crate::load_batch::names::FILES;
use crate::sql::{cut, table, text};

/// The fence's row of this load. With it the fence refuses the load from now on.
pub(super) fn fence_row(batch: &LoadBatch<'_>) -> String {
    let (fence, run_id) = (table(&fence(batch.target)), text(batch.ledger.run_id));
    let rows = match batch.files {
        None => format!("VALUES ({}, {run_id}, GETDATE())", text(batch.ledger.load_id)),
        Some(_) => format!("SELECT load_id, {run_id}, GETDATE() FROM {FILES}"),
    };
    format!("INSERT INTO {fence} (load_id, run_id, loaded_at) {rows}")
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
    let (target, run_id) = (text(&batch.target.to_string()), text(row.run_id));
    let rows = match batch.files {
        None => format!(
            "VALUES ({}, {}, {}, {}, {}, {target}, {run_id}, {}, GETDATE(){values})",
            text(row.load_id),
            text(cut(&row.source.to_string(), 2048)),
            text(row.etag),
            row.version_id.map_or("NULL".into(), text),
            row.size_bytes,
            batch.rows_staged,
        ),
        Some(_) => format!(
            "SELECT load_id, source_uri, etag, version_id, size_bytes, {target}, {run_id}, \
             rows_staged, GETDATE(){values} FROM {FILES}"
        ),
    };
    format!(
        "INSERT INTO {} (load_id, source_uri, etag, version_id, size_bytes, target_table, run_id, \
         rows, loaded_at{columns}) {rows}",
        table(&batch.target.sibling(LEDGER)),
    )
}

/// The audit row of a load that succeeds, with the counts from [`COUNTS`]; `None` where the audit
/// table takes no row.
pub(super) fn audit_success(batch: &LoadBatch<'_>) -> Option<String> {
    let outcome = Outcome::Success { updated: "updated", inserted: "inserted" };
    let own = AuditTable::own();
    let audit_table = batch.audit_table.unwrap_or(&own);
    let (columns, values) = audit_table.row(batch.target, &batch.audit, &outcome)?;
    let audit = table(&batch.target.sibling(AUDIT));
    let from = match batch.files {
        None => COUNTS.to_owned(),
        Some(_) => format!("{COUNTS} AS c JOIN {FILES} AS f ON f.file = c.file"),
    };
    Some(format!("INSERT INTO {audit} ({columns}) SELECT {values} FROM {from}"))
}

/// The audit row of a run that failed; `None` as of a success. It is written by itself, since the
/// load's transaction was rolled back or never began.
pub fn audit_failure(
    audit_table: &AuditTable,
    target: &TableName,
    audit: &AuditRow<'_>,
    error: &str,
) -> Option<String> {
    let (columns, values) = audit_table.row(target, audit, &Outcome::Failed { error })?;
    let audit = table(&target.sibling(AUDIT));
    Some(format!("INSERT INTO {audit} ({columns}) VALUES ({values})"))
}
