//! The transaction that loads a file, as text: everything that must happen together or not at all.
//!
//! In: the decided load and what was staged. Out: at most 40 statements, each with its
//! role, so that a failure can be told by its place. Runs nothing.

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
    let mut statements = claim(batch);
    statements.extend(fill_stage(batch));
    statements.extend(move_rows(batch));
    statements.push((StatementRole::Ledger, records::ledger(batch)));
    statements.push((StatementRole::Audit, records::audit_success(batch)));
    statements.push((StatementRole::Report, counts::report()));
    statements
}

/// Makes the target where it is missing, and keeps other loads off it.
fn claim(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    let lock = |name: &str| (StatementRole::Lock, format!("LOCK {name}"));
    let mut statements = Vec::new();
    if let Some(create_table) = batch.creation.first() {
        // There is no target to lock yet: first loads of a schema's tables wait for each other
        // here.
        statements.push(lock(&table(&batch.target.sibling(LEDGER))));
        statements.push((StatementRole::CreateTable, create_table.clone()));
    }
    statements.push(lock(&table(batch.target)));
    if batch.guard_ledger {
        statements.push((StatementRole::LedgerGuard, stage::ledger_guard(batch)));
    }
    statements
}

/// Copies the staged parts, and refuses what was not promised.
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

/// Counts, then moves the rows into the target; a new table gets its views.
fn move_rows(batch: &LoadBatch<'_>) -> Vec<(StatementRole, String)> {
    let mut statements = vec![(StatementRole::Count, counts::count(batch))];
    statements.extend(merge::delete(batch).map(|sql| (StatementRole::Delete, sql)));
    statements.extend(merge::update(batch).map(|sql| (StatementRole::Update, sql)));
    statements.push((StatementRole::Insert, merge::insert(batch)));
    let views = batch.creation.iter().skip(1);
    statements.extend(views.map(|sql| (StatementRole::CreateView, sql.clone())));
    statements
}

#[cfg(test)]
mod tests;
