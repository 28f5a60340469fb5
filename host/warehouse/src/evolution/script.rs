//! The script of an evolution: what is dropped, changed and brought back, in which order and in
//! which transactions.
//!
//! In: the changes, what depends on the table, the views of `view_config.json`. Out: an
//! [`EvolutionPlan`], or every reason why the table cannot be changed without a loss. The whole
//! script is known before its first statement runs.

mod values;

mod obstacles;

mod views;

mod executions;

use crate::dependents::Dependents;
use crate::evolution::change::SchemaChange;

pub use values::{EvolutionPlan, Execution, Situation, Transaction, ViewAction, ViewChange};

/// Writes the script. `Err`: every obstacle with its remedy.
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

/// A notice that a replaced column may lose privileges. It is a new column, and the loader can give
/// it only the privileges that its user sees on the old one.
fn hidden_privileges(changes: &[SchemaChange], dependents: &Dependents) -> Option<String> {
    let replaced = |change: &SchemaChange| {
        matches!(change, SchemaChange::ReplaceColumn { .. } | SchemaChange::GiveType { .. })
    };
    (!dependents.superuser && changes.iter().any(replaced)).then(|| {
        format!(
            "{} is no superuser and may not see all privileges on single columns; a column that is \
             replaced by another one loses the privileges that stay hidden",
            dependents.user
        )
    })
}

/// A notice that views may lose row-level security which the loader could not see.
fn unknown_policies(dependents: &Dependents, views: &views::ViewScript) -> Option<String> {
    (dependents.policies_unknown && !views.dropped.is_empty()).then(|| {
        "the loader cannot read whether the views have row-level security, and does not restore it"
            .to_owned()
    })
}

#[cfg(test)]
mod tests;
