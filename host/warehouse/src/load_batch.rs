//! The load of a file as text: everything that must happen together or not at all.
//!
//! In: the decided load and what was staged. Out: statements, each with its role, so that the place
//! of a failed statement tells what failed. The module runs nothing.
//!
//! A load is one transaction or two. A large one first fills the staging table, which takes time
//! and touches nothing that others use, and then merges it in a second transaction of the same
//! session. When another transaction is in the way of the second, only that is repeated, and no
//! COPY.

mod batch;

mod stage;

mod target;

mod counts;

mod files;

mod names;

mod glue_keys;

mod example_keys;

mod merge;

mod records;

use loader_model::choices::Duplicates;

use crate::bookkeeping::{lock, lock_fence};
use crate::session;

pub use batch::{Copy, CopyFormat, Files, GlueKeys, LedgerRow, LoadBatch, StatementRole};
pub use counts::Counts;
pub use example_keys::ExampleKey;
pub use files::COLUMNS as FILE_COLUMNS;
pub use glue_keys::{RespeltKey, unquote};
pub use records::audit_failure;

/// A statement and what it is for.
pub type Statement = (StatementRole, String);

/// The statements of a load, from which its transactions are put together.
pub struct LoadStatements {
    locks: Vec<Statement>,
    list: Vec<Statement>,
    settings: Vec<Statement>,
    fence_guard: Vec<Statement>,
    fill: Vec<Statement>,
    merge: Vec<Statement>,
    /// For each guard that refuses keys, the statement that finds some of those.
    examples: Vec<Statement>,
}

impl LoadStatements {
    /// The whole load as one transaction.
    // The locks come first in each transaction that has them: the statement after them takes the
    // snapshot, which then has all that was committed under the locks before.
    pub fn in_one(&self) -> Vec<Statement> {
        let LoadStatements { locks, settings, list, fence_guard, fill, merge, .. } = self;
        [locks, settings, list, fence_guard, fill, merge].into_iter().flatten().cloned().collect()
    }

    /// The first of two transactions, which fills the staging table.
    pub fn filling(&self) -> Vec<Statement> {
        self.settings.iter().chain(&self.list).chain(&self.fill).cloned().collect()
    }

    /// The second of two transactions, which merges the staging table. It runs in the session of
    /// the first, where the temporary table and the settings are.
    pub fn merging(&self) -> Vec<Statement> {
        self.locks.iter().chain(&self.fence_guard).chain(&self.merge).cloned().collect()
    }

    /// What tells, after `guard` has refused the load, which keys it has met: the last statement
    /// has some of them as rows ([`ExampleKey`], or [`RespeltKey`] of those that the Glue job spelt
    /// otherwise). It changes nothing but temporary tables. `None` where no keys are refused.
    // The staging table went with the transaction that was refused, so it is filled again, without
    // the guard that would refuse its keys again. A load that goes through has no statement more
    // for it.
    pub fn telling(&self, guard: StatementRole) -> Option<Vec<String>> {
        let (_, examples) = self.examples.iter().find(|(role, _)| *role == guard)?;
        let filling = self.filling().into_iter();
        let filling = filling.filter(|(role, _)| *role != StatementRole::DuplicateGuard);
        Some(filling.map(|(_, sql)| sql).chain([examples.clone()]).collect())
    }
}

/// The statements of a load.
pub fn build(batch: &LoadBatch<'_>) -> LoadStatements {
    LoadStatements {
        locks: locks(batch),
        list: list(batch),
        settings: settings(batch),
        fence_guard: fence_guard(batch),
        fill: fill_stage(batch),
        merge: move_rows(batch),
        examples: examples(batch),
    }
}

// Where keys of the Glue job are matched, the refused transaction had given them the file's
// spelling before it looked for new ones, and no statement alone sees that.
fn examples(batch: &LoadBatch<'_>) -> Vec<Statement> {
    let mut examples = vec![
        (StatementRole::DuplicateGuard, example_keys::of_several_rows(batch)),
        (StatementRole::RespeltKeyGuard, glue_keys::examples(batch)),
    ];
    if batch.glue_keys != GlueKeys::Matched {
        examples.push((StatementRole::NewKeyGuard, example_keys::new(batch)));
    }
    examples
}

/// The text keys of a merge into a table that exists, which the Glue job may have spelt otherwise.
pub fn text_keys<'a>(batch: &LoadBatch<'a>) -> Vec<&'a str> {
    glue_keys::text_keys(batch)
}

/// The fence, which all loads of the target meet at. Nobody else can write to a table that the load
/// makes, so such a table needs no lock of its own.
fn locks(batch: &LoadBatch<'_>) -> Vec<Statement> {
    let mut locks = vec![(StatementRole::Lock, lock_fence(batch.target))];
    if batch.lock_target && batch.creation.is_empty() {
        locks.push((StatementRole::Lock, lock(batch.target)));
    }
    locks
}

/// The list of files, where there are several.
fn list(batch: &LoadBatch<'_>) -> Vec<Statement> {
    let statements = batch.files.iter().flat_map(files::fill);
    statements.map(|sql| (StatementRole::ListFiles, sql)).collect()
}

fn settings(batch: &LoadBatch<'_>) -> Vec<Statement> {
    let settings = session::settings(batch.statement_timeout);
    settings.into_iter().map(|sql| (StatementRole::Setting, sql)).collect()
}

// Two runs of one file may both have asked the ledger before their work and found nothing. The LOCK
// lets them in one by one, and the guard of the second run then sees the row of the first.
fn fence_guard(batch: &LoadBatch<'_>) -> Vec<Statement> {
    match batch.refuses_known {
        true => vec![(StatementRole::FenceGuard, target::fence_guard(batch))],
        false => Vec::new(),
    }
}

/// Copies the staged parts into the staging table, and checks what arrived there.
// A file without rows has no parts, so there is nothing to COPY.
fn fill_stage(batch: &LoadBatch<'_>) -> Vec<Statement> {
    let mut statements = vec![(StatementRole::CreateStage, stage::create_stage(batch.columns))];
    if let Some(copy) = &batch.copy {
        statements.push((StatementRole::Copy, stage::copy_statement(copy, batch.columns)));
    }
    statements.push((StatementRole::RowGuard, stage::row_guard(batch.rows_staged)));
    if batch.duplicates == Duplicates::Error && !batch.keys.is_empty() {
        statements.push((StatementRole::DuplicateGuard, stage::duplicate_guard(batch)));
    }
    statements
}

/// Makes the target where it is missing, counts, moves the rows into it, and writes down that they
/// are there.
// All guards stand before the statements that change rows, but for that of new keys: keys that the
// Glue job spelt otherwise are known ones. Fence, ledger and audit row are part of
// the transaction, so they commit with the rows or not at all.
fn move_rows(batch: &LoadBatch<'_>) -> Vec<Statement> {
    // A new table comes with its views: the first entry is CREATE TABLE.
    let mut statements = match batch.creation.first() {
        Some(create_table) => vec![(StatementRole::CreateTable, create_table.clone())],
        None => vec![
            (StatementRole::HoldTarget, target::hold(batch)),
            (StatementRole::ColumnGuard, target::column_guard(batch)),
        ],
    };
    let keys_of_glue = [
        (StatementRole::RespeltKeyGuard, glue_keys::respelt_guard(batch)),
        (StatementRole::OneKeyGuard, glue_keys::one_key_guard(batch)),
        (StatementRole::Respell, glue_keys::respell(batch)),
    ];
    statements.extend(keys_of_glue.into_iter().filter_map(|(role, sql)| Some((role, sql?))));
    statements.push((StatementRole::Count, counts::count(batch)));
    let guard = merge::new_key_guard(batch);
    statements.extend(guard.map(|sql| (StatementRole::NewKeyGuard, sql)));
    statements.extend(merge::delete(batch).map(|sql| (StatementRole::Delete, sql)));
    statements.extend(merge::update(batch).map(|sql| (StatementRole::Update, sql)));
    statements.extend(merge::insert(batch).map(|sql| (StatementRole::Insert, sql)));
    let views = batch.creation.iter().skip(1);
    statements.extend(views.map(|sql| (StatementRole::CreateView, sql.clone())));
    statements.push((StatementRole::Fence, records::fence_row(batch)));
    statements.push((StatementRole::Ledger, records::ledger(batch)));
    let audit = records::audit_success(batch);
    statements.extend(audit.map(|sql| (StatementRole::Audit, sql)));
    statements.push((StatementRole::Report, counts::report(batch)));
    statements
}

#[cfg(test)]
mod tests;
