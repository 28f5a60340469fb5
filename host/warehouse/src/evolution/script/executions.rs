//! Which statements stand in which transaction: one for everything where that is possible, else
//! few, with a journal of the views that are missing between them.

use crate::evolution::change::{ColumnExtras, SchemaChange};
use crate::evolution::script::values::{Execution, Situation};
use crate::evolution::script::views::ViewScript;
use crate::saved_view::SavedView;
use crate::sql::{MAX_BATCH_STATEMENTS, table};

/// A list of statements that is never torn.
type Unit = Vec<String>;

/// The executions of a change, and the views that are missing between them.
pub(super) fn arrange(
    changes: &[SchemaChange],
    situation: &Situation<'_>,
    views: &ViewScript,
) -> (Vec<Execution>, Vec<SavedView>) {
    let units = Units::of(changes, situation, views);
    match units.in_one() {
        Some(executions) => (executions, Vec::new()),
        None => (units.apart(), views.dropped.clone()),
    }
}

/// All statements of a change, by when they have their turn.
struct Units {
    /// A new table is made by the load, in its own transaction.
    creates_table: bool,
    /// LOCK of the target, for the transaction that changes it.
    lock: Option<String>,
    drops: Vec<Unit>,
    /// What Redshift refuses in a transaction.
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
        let locks = !creates_table && !together.is_empty();
        Units {
            creates_table,
            lock: locks.then(|| format!("LOCK {}", table(situation.target))),
            drops: views.dropped.iter().rev().map(|view| vec![view.drop_sql()]).collect(),
            alone,
            together,
            makes: views.made.iter().map(|view| view.statements(&dependents.user)).collect(),
        }
    }

    /// Everything or nothing; `None`: it takes several.
    fn in_one(&self) -> Option<Vec<Execution>> {
        let units = self.drops.iter().chain(&self.together).chain(&self.makes).flatten();
        let statements: Vec<String> = self.lock.iter().chain(units).cloned().collect();
        let fits = self.creates_table || statements.len() <= MAX_BATCH_STATEMENTS;
        let one = if statements.is_empty() {
            Vec::new()
        } else {
            vec![Execution::Transaction(statements)]
        };
        (self.alone.is_empty() && fits).then_some(one)
    }

    /// Views go first, then what stands alone, then the rest.
    fn apart(self) -> Vec<Execution> {
        let mut executions = transactions(self.drops, None);
        executions.extend(self.alone.into_iter().map(Execution::Alone));
        executions
            .extend(transactions(self.together.into_iter().chain(self.makes).collect(), self.lock));
        executions
    }
}

/// Packs units, none of which is torn, into as few transactions as they need.
fn transactions(units: Vec<Unit>, lock: Option<String>) -> Vec<Execution> {
    let mut executions: Vec<Vec<String>> = Vec::new();
    for unit in units {
        match executions.last_mut() {
            Some(last) if last.len() + unit.len() <= MAX_BATCH_STATEMENTS => last.extend(unit),
            _ => executions.push(lock.iter().cloned().chain(unit).collect()),
        }
    }
    executions.into_iter().map(Execution::Transaction).collect()
}
