//! The transaction that loads a file, as text: everything that must happen together or not at all.
//!
//! In: the decided load and what was staged. Out: at most 40 statements, each with its role, so
//! that the place of a failed statement tells what failed. The module runs nothing.

mod batch;

mod stage;

mod counts;

mod merge;

mod records;

use loader_model::choices::Duplicates;

use crate::bookkeeping::LEDGER;
use crate::sql::table;

pub use batch::{AuditRow, Copy, CopyFormat, LedgerRow, LoadBatch, StatementRole};
pub use counts::Counts;
pub use records::audit_failure;

/// The statements of the batch, in order.
pub fn build(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    // Ledger and audit row are part of the transaction, so they commit with the rows or not at all.
    let mut statements = claim(batch);
    statements.extend(fill_stage(batch));
    statements.extend(move_rows(batch));
    statements.push((StatementRole::Ledger, records::ledger(batch)));
    statements.push((StatementRole::Audit, records::audit_success(batch)));
    statements.push((StatementRole::Report, counts::report()));
    statements
}

/// Makes the target where it is missing, and keeps other loads off it until the transaction ends.
// The guard of the ledger comes after the LOCK. Two runs of one file may both have asked the ledger
// before their work and found nothing; the LOCK lets them in one by one, and the guard of the
// second run then sees the row of the first.
fn claim(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    let lock = |name: &str| (StatementRole::Lock, format!("LOCK {name}"));
    let mut statements = Vec::new();
    if let Some(create_table) = batch.creation.first() {
        // A missing target cannot be locked, so first loads in one schema wait here.
        statements.push(lock(&table(&batch.target.sibling(LEDGER))));
        statements.push((StatementRole::CreateTable, create_table.clone()));
    }
    statements.push(lock(&table(batch.target)));
    if batch.guard_ledger {
        statements.push((StatementRole::LedgerGuard, stage::ledger_guard(batch)));
    }
    statements
}

/// Copies the staged parts into the staging table, and checks what arrived there.
// A file without rows has no parts, so there is nothing to COPY. All guards stand before the
// statements that change rows of the target.
fn fill_stage(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    let create = stage::create_stage(batch.target, batch.columns);
    let mut statements = vec![(StatementRole::CreateStage, create)];
    if let Some(copy) = &batch.copy {
        statements.push((StatementRole::Copy, stage::copy_statement(copy, batch.columns)));
    }
    statements.push((StatementRole::RowGuard, stage::row_guard(batch.rows_staged)));
    if batch.duplicates == Duplicates::Error && !batch.keys.is_empty() {
        statements.push((StatementRole::DuplicateGuard, stage::duplicate_guard(batch.keys)));
    }
    statements
}

/// Counts, then moves the rows into the target. A new table gets its views.
fn move_rows(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    let mut statements = vec![(StatementRole::Count, counts::count(batch))];
    statements.extend(merge::delete(batch).map(|sql| (StatementRole::Delete, sql)));
    statements.extend(merge::update(batch).map(|sql| (StatementRole::Update, sql)));
    statements.push((StatementRole::Insert, merge::insert(batch)));
    // The first entry is CREATE TABLE, which `claim` has taken.
    let views = batch.creation.iter().skip(1);
    statements.extend(views.map(|sql| (StatementRole::CreateView, sql.clone())));
    statements
}

#[cfg(test)]
mod tests;
