//! The script of an evolution: what is dropped, changed and brought back, in which order and in
//! which transactions.
//!
//! In: the changes, what hangs on the table, the views of `view_config.json`. Out: an
//! [`EvolutionPlan`], or every reason why the table cannot be changed without losing something. All
//! of it is known before the first statement.

mod values;

mod obstacles;

mod views;

mod executions;

use crate::dependents::Dependents;
use crate::evolution::change::SchemaChange;

pub use values::{EvolutionPlan, Execution, Situation, ViewAction, ViewChange};

/// Writes the script. `Err`: all that is in the way, each named with its remedy; nothing was
/// touched.
pub fn plan(
    changes: Vec<SchemaChange>,
    situation: &Situation<'_>,
) -> Result<EvolutionPlan, Vec<String>> {
    let held = views::held_views(&changes, situation.dependents);
    let obstacles = obstacles::obstacles(&changes, situation, &held);
    if !obstacles.is_empty() {
        return Err(obstacles);
    }
    let mut notices = Vec::new();
    let renewed = views::renewed_views(&changes, situation, &mut notices);
    let views = views::ViewScript::write(&changes, situation, &held, &renewed);
    notices.extend(hidden_privileges(&changes, situation.dependents));
    notices.extend(unknown_policies(situation.dependents, &views));
    let (executions, journal) = executions::arrange(&changes, situation, &views);
    Ok(EvolutionPlan {
        changes,
        views: views.shown,
        executions,
        journal,
        configured: situation.configured.iter().map(|view| view.create.clone()).collect(),
        notices,
    })
}

/// A widened integer is a new column, and only what the user sees can be given to it.
fn hidden_privileges(changes: &[SchemaChange], dependents: &Dependents) -> Option<String> {
    let replaced = |change: &SchemaChange| matches!(change, SchemaChange::WidenInteger { .. });
    (!dependents.superuser && changes.iter().any(replaced)).then(|| {
        format!(
            "privileges on single columns that {} cannot see, as no superuser, do not come with a \
             widened integer",
            dependents.user
        )
    })
}

fn unknown_policies(dependents: &Dependents, views: &views::ViewScript) -> Option<String> {
    (dependents.policies_unknown && !views.dropped.is_empty()).then(|| {
        "whether the views have row-level security could not be read; it would not be restored"
            .to_owned()
    })
}

#[cfg(test)]
mod tests;
