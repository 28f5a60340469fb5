//! What is done about views: which are dropped for a change, which are made anew, and which are
//! made for the first time.

use loader_model::names::TableName;

use crate::dependents::{Dependent, Dependents};
use crate::evolution::change::SchemaChange;
use crate::evolution::script::values::{Situation, ViewAction, ViewChange};
use crate::evolution::view_config::ConfiguredView;
use crate::saved_view::SavedView;

/// Views that must be dropped for the changes, and all views that read those. To replace a column,
/// these are the views that read it; to widen a VARCHAR in place, all views that read the table.
// Redshift refuses ALTER COLUMN TYPE while views read the table. No public source says whether a
// view counts that does not read the column, so the loader takes the strict reading.
pub(super) fn held_views<'a>(
    changes: &[SchemaChange],
    dependents: &'a Dependents,
) -> Vec<&'a Dependent> {
    let any_varchar =
        changes.iter().any(|change| matches!(change, SchemaChange::WidenVarchar { .. }));
    let altered: Vec<&str> = changes.iter().filter_map(SchemaChange::altered_column).collect();
    dependents.affected(|dependent| {
        let reads_altered =
            dependent.columns.iter().any(|column| altered.contains(&column.as_str()));
        reads_altered || (any_varchar && dependent.reads_target)
    })
}

/// Views of `view_config.json` that are made anew because columns are added. A view stays as it is
/// when it or a view that reads it cannot be brought back. The load does not depend on new columns
/// in a view, so that is a notice and no obstacle.
pub(super) fn renewed_views<'a>(
    changes: &[SchemaChange],
    situation: &'a Situation<'_>,
    notices: &mut Vec<String>,
) -> Vec<&'a ConfiguredView> {
    let mut renewed = Vec::new();
    if !changes.iter().any(SchemaChange::adds_columns) {
        return renewed;
    }
    for configured in situation.configured {
        let affected =
            situation.dependents.affected(|dependent| dependent.view.name == configured.name);
        match affected.iter().find_map(|dependent| dependent.obstacle.as_ref()) {
            Some(obstacle) => {
                notices.push(format!("view {} keeps its old columns: {obstacle}", configured.name))
            }
            None => renewed.push(configured),
        }
    }
    renewed
}

/// What is done about views, collected in the order of creation.
#[derive(Default)]
pub(super) struct ViewScript {
    pub(super) dropped: Vec<SavedView>,
    /// The statements of each view stay together, so that no view is ever half restored.
    pub(super) made: Vec<ViewStatements>,
    pub(super) shown: Vec<ViewChange>,
}

/// How a view is made.
pub(super) enum ViewStatements {
    /// With the comments, grants and owner that it had.
    Saved(SavedView),
    /// By a CREATE VIEW alone.
    New(String),
}

impl ViewStatements {
    /// The statements that make the view. `user`: the database user that runs them.
    pub(super) fn statements(&self, user: &str) -> Vec<String> {
        match self {
            ViewStatements::Saved(view) => view.restore_sql(user),
            ViewStatements::New(create) => vec![create.clone()],
        }
    }

    /// The name of a view that was dropped before.
    pub(super) fn dropped(&self) -> Option<&TableName> {
        match self {
            ViewStatements::Saved(view) => Some(&view.name),
            ViewStatements::New(_) => None,
        }
    }
}

impl ViewScript {
    /// Writes what is done about views. `held`: views that must be dropped. `renewed`: views that
    /// get a new definition.
    // `Dependents::views` is in the order of creation, and one pass over it keeps that order for
    // the drops (reversed later) and for the statements that make the views again. A view may be
    // both held and renewed: the new definition wins.
    pub(super) fn write(
        changes: &[SchemaChange],
        situation: &Situation<'_>,
        held: &[&Dependent],
        renewed: &[&ConfiguredView],
    ) -> ViewScript {
        let mut script = ViewScript::default();
        let dependents = situation.dependents;
        let definition =
            |view: &Dependent| renewed.iter().find(|configured| configured.name == view.view.name);
        let readers = dependents.affected(|view| definition(view).is_some());
        for dependent in &dependents.views {
            let was = &dependent.view;
            let is_it = |other: &&Dependent| other.view.name == was.name;
            if let Some(configured) = definition(dependent) {
                let renewed = SavedView { create: configured.create.clone(), ..was.clone() };
                script.bring_back(was, renewed, ViewAction::Renew);
            } else if readers.iter().any(is_it) || held.iter().any(is_it) {
                script.bring_back(was, was.clone(), ViewAction::Restore);
            }
        }
        if changes.iter().any(SchemaChange::adds_columns) {
            script.create_unknown(situation);
        }
        script
    }

    /// Drops a view and makes it again. `was`: what the journal keeps. Its definition worked; the
    /// definition of `view` may come from `view_config.json` and was never tried.
    fn bring_back(&mut self, was: &SavedView, view: SavedView, action: ViewAction) {
        self.shown.push(ViewChange {
            view: view.name.to_string(),
            action,
            owner: Some(view.owner.clone()),
            grants: view.grants.len(),
        });
        self.dropped.push(was.clone());
        self.made.push(ViewStatements::Saved(view));
    }

    /// Views of `view_config.json` that do not exist yet.
    fn create_unknown(&mut self, situation: &Situation<'_>) {
        let known = &situation.dependents.views;
        for view in situation.configured {
            if known.iter().any(|other| other.view.name == view.name) {
                continue;
            }
            let (action, shown) = (ViewAction::Create, view.name.to_string());
            self.shown.push(ViewChange { view: shown, action, owner: None, grants: 0 });
            self.made.push(ViewStatements::New(view.create.clone()));
        }
    }
}
