//! Which statements stand in which transaction: one for everything where that is possible, and
//! otherwise a few, with a journal of the views that are missing between them.

use loader_model::names::TableName;

use crate::bookkeeping::{lock, lock_fence};
use crate::dependents::Dependents;
use crate::evolution::change::{ColumnExtras, SchemaChange};
use crate::evolution::script::values::{Execution, Situation, Transaction};
use crate::evolution::script::views::{ViewScript, ViewStatements};
use crate::saved_view::{SavedView, fit_together};
use crate::sql::fit_one_batch;

/// Statements that stay together in one transaction.
struct Unit {
    statements: Vec<String>,
    /// Whether they alter the target.
    alters: bool,
    /// The object id of the view that they drop.
    dropped: Option<i64>,
    /// The view that they drop or make, when it is one of the journal.
    view: Option<TableName>,
}

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
struct Units<'a> {
    target: &'a TableName,
    /// Whether the load makes the table, in its own transaction.
    creates_table: bool,
    drops: Vec<Unit>,
    /// Statements that Redshift refuses in a transaction.
    alone: Vec<String>,
    together: Vec<Unit>,
    makes: Vec<Unit>,
}

impl<'a> Units<'a> {
    fn of(changes: &[SchemaChange], situation: &Situation<'a>, views: &ViewScript) -> Units<'a> {
        let dependents = situation.dependents;
        let extras = ColumnExtras {
            grants: dependents.target_column_grants.clone(),
            comments: dependents.target_column_comments.clone(),
        };
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for change in changes {
            let statements = change.statements(situation.target, &extras);
            match change.is_transactional() {
                true => together.push(Unit { statements, alters: true, dropped: None, view: None }),
                false => alone.extend(statements),
            }
        }
        Units {
            target: situation.target,
            creates_table: matches!(changes, [SchemaChange::CreateTable { .. }]),
            drops: drops(&views.dropped, dependents),
            alone,
            together,
            makes: makes(views, &dependents.user),
        }
    }

    /// The evolution as one transaction (none when there is nothing to do); `None` when it takes
    /// several executions.
    fn in_one(&self) -> Option<Vec<Execution>> {
        let units = self.drops.iter().chain(&self.together).chain(&self.makes);
        let changes: Vec<String> = units.flat_map(|unit| &unit.statements).cloned().collect();
        // The load that makes a table has locks of its own.
        let locks = match self.creates_table {
            true => Vec::new(),
            false => locks(self.target, !self.together.is_empty()),
        };
        // The statements of a new table become a part of the load's transaction. `obstacles` has
        // checked that there is room for them, so the limits do not count here.
        let transaction = Transaction {
            locks: locks.len(),
            dropped: self.drops.iter().filter_map(|unit| unit.dropped).collect(),
            statements: [locks, changes].concat(),
            ..Default::default()
        };
        let guard = transaction.same_views();
        let fits = self.creates_table || fit_one_batch(transaction.statements.iter().chain(&guard));
        if !self.alone.is_empty() || !fits {
            return None;
        }
        let is_nothing = transaction.statements.len() == transaction.locks;
        Some(if is_nothing { Vec::new() } else { vec![Execution::Transaction(transaction)] })
    }

    /// The evolution as several executions.
    // Views go first, since a VARCHAR cannot be altered while views read the table. Then come the
    // statements that stand alone, and last the other changes and the views, all of which fit into
    // transactions. A view is missing from its drop to the last of these.
    fn apart(self) -> Vec<Execution> {
        let mut executions = transactions(self.drops, self.target, false);
        executions.extend(self.alone.into_iter().map(Execution::Alone));
        let rest = self.together.into_iter().chain(self.makes).collect();
        executions.extend(transactions(rest, self.target, true));
        executions
    }
}

// Readers first: DROP VIEW fails while another view reads the view.
fn drops(dropped: &[SavedView], dependents: &Dependents) -> Vec<Unit> {
    let found = |view: &SavedView| dependents.views.iter().find(|one| one.view.name == view.name);
    let drop = |view: &SavedView| Unit {
        statements: vec![view.drop_sql()],
        alters: false,
        dropped: found(view).map(|dependent| dependent.id),
        view: Some(view.name.clone()),
    };
    dropped.iter().rev().map(drop).collect()
}

fn makes(views: &ViewScript, user: &str) -> Vec<Unit> {
    let make = |view: &ViewStatements| Unit {
        statements: view.statements(user),
        alters: false,
        dropped: None,
        view: view.dropped().cloned(),
    };
    views.made.iter().map(make).collect()
}

/// The LOCKs of a transaction: the fence of the target, so that no load is in its transaction, and
/// the target, where columns are altered.
fn locks(target: &TableName, alters: bool) -> Vec<String> {
    let mut locks = vec![lock_fence(target)];
    if alters {
        locks.push(lock(target));
    }
    locks
}

/// Packs units, in their order, into as few transactions as they need. `makes`: whether their views
/// are made again.
// Each unit of a view fits: `obstacle` refuses views that take more than `VIEW_STATEMENTS`.
fn transactions(units: Vec<Unit>, target: &TableName, makes: bool) -> Vec<Execution> {
    let mut packs: Vec<Vec<Unit>> = Vec::new();
    let have_room = |pack: &[Unit], unit: &Unit| {
        fit_together(pack.iter().chain([unit]).flat_map(|unit| &unit.statements))
    };
    for unit in units {
        match packs.last_mut() {
            Some(pack) if have_room(pack, &unit) => pack.push(unit),
            _ => packs.push(vec![unit]),
        }
    }
    let transaction = |pack: Vec<Unit>| {
        let locks = locks(target, pack.iter().any(|unit| unit.alters));
        let count = locks.len();
        let dropped = pack.iter().filter_map(|unit| unit.dropped).collect();
        let views = pack.iter().filter_map(|unit| unit.view.clone()).collect();
        let statements = pack.into_iter().flat_map(|unit| unit.statements);
        let statements = locks.into_iter().chain(statements).collect();
        Execution::Transaction(Transaction { statements, locks: count, dropped, views, makes })
    };
    packs.into_iter().map(transaction).collect()
}
