//! Which statements stand in which transaction: one for everything where that is possible, and
//! otherwise a few, with a journal of the views that are missing between them.

use loader_model::names::TableName;

use crate::bookkeeping::{lock, lock_fence};
use crate::evolution::change::{ColumnExtras, SchemaChange};
use crate::evolution::script::values::{Execution, Situation};
use crate::evolution::script::views::ViewScript;
use crate::saved_view::SavedView;
use crate::sql::fit_one_batch;

/// Statements that stay together in one transaction.
type Unit = Vec<String>;

/// The executions of a change, and the views that are missing between them.
pub(super) fn arrange(
    changes: &[SchemaChange],
    situation: &Situation<'_>,
    views: &ViewScript,
) -> (Vec<Execution>, Vec<SavedView>) {
    let units = Units::of(changes, situation, views);
    // Inside one transaction no view is ever missing, so only several executions need a journal.
    match units.in_one() {
        Some(executions) => (executions, Vec::new()),
        None => (units.apart(), views.dropped.clone()),
    }
}

/// All statements of an evolution, in groups that follow each other.
struct Units {
    /// Whether the load makes the table, in its own transaction.
    creates_table: bool,
    /// The LOCKs with which each transaction begins.
    locks: Vec<String>,
    drops: Vec<Unit>,
    /// Statements that Redshift refuses in a transaction.
    alone: Vec<String>,
    together: Vec<Unit>,
    makes: Vec<Unit>,
}

impl Units {
    fn of(changes: &[SchemaChange], situation: &Situation<'_>, views: &ViewScript) -> Units {
        let dependents = situation.dependents;
        let extras = ColumnExtras {
            grants: dependents.target_column_grants.clone(),
            comments: dependents.target_column_comments.clone(),
        };
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for change in changes {
            let statements = change.statements(situation.target, &extras);
            match change.is_transactional() {
                true => together.push(statements),
                false => alone.extend(statements),
            }
        }
        let creates_table = matches!(changes, [SchemaChange::CreateTable { .. }]);
        Units {
            creates_table,
            locks: locks(situation.target, creates_table, &together),
            // Readers first: DROP VIEW fails while another view reads the view.
            drops: views.dropped.iter().rev().map(|view| vec![view.drop_sql()]).collect(),
            alone,
            together,
            makes: views.made.iter().map(|view| view.statements(&dependents.user)).collect(),
        }
    }

    /// The evolution as one transaction (none when there is nothing to do); `None` when it takes
    /// several executions.
    fn in_one(&self) -> Option<Vec<Execution>> {
        // The statements of a new table become a part of the load's transaction. `obstacles` has
        // checked that there is room for them, so the limit does not count here.
        let units = self.drops.iter().chain(&self.together).chain(&self.makes).flatten();
        let changes: Vec<&String> = units.collect();
        let statements: Vec<String> =
            self.locks.iter().chain(changes.iter().copied()).cloned().collect();
        let fits = self.creates_table || fit_one_batch(&statements);
        let one =
            if changes.is_empty() { Vec::new() } else { vec![Execution::Transaction(statements)] };
        (self.alone.is_empty() && fits).then_some(one)
    }

    /// The evolution as several executions.
    // Views go first, since a VARCHAR cannot be altered while views read the table. Then come the
    // statements that stand alone, and last the other changes and the views, all of which fit into
    // transactions. A view is missing from its drop to the last of these.
    fn apart(self) -> Vec<Execution> {
        let mut executions = transactions(self.drops, &self.locks);
        executions.extend(self.alone.into_iter().map(Execution::Alone));
        let rest = self.together.into_iter().chain(self.makes).collect();
        executions.extend(transactions(rest, &self.locks));
        executions
    }
}

/// The LOCKs of an evolution: the fence of the target, so that no load is in its transaction, and the
/// target, where columns are altered. The load that makes a table has its own.
fn locks(target: &TableName, creates_table: bool, together: &[Unit]) -> Vec<String> {
    if creates_table {
        return Vec::new();
    }
    let mut locks = vec![lock_fence(target)];
    if !together.is_empty() {
        locks.push(lock(target));
    }
    locks
}

/// Packs units, in their order, into as few transactions as they need. Each transaction begins with
/// the LOCKs.
// A view's unit has room beside the LOCKs: `obstacle` refuses views that take more.
fn transactions(units: Vec<Unit>, locks: &[String]) -> Vec<Execution> {
    let mut executions: Vec<Vec<String>> = Vec::new();
    for unit in units {
        match executions.last_mut() {
            Some(last) if fit_one_batch(last.iter().chain(&unit)) => last.extend(unit),
            _ => executions.push(locks.iter().cloned().chain(unit).collect()),
        }
    }
    executions.into_iter().map(Execution::Transaction).collect()
}
