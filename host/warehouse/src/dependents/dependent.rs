//! The views that depend on a table, as values: the views, which of them reads which, and what
//! would keep a view from coming back.

use loader_model::names::TableName;

use crate::saved_view::{Grant, SavedView};

/// Everything that a change of the table could touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The database user that runs our statements.
    pub user: String,
    pub superuser: bool,
    /// Each view after the views that it reads.
    pub views: Vec<Dependent>,
    /// Late-binding views whose text mentions the target. They block no change, and Redshift
    /// reports a broken one only when it is queried.
    pub late_binding: Vec<TableName>,
    /// Materialized views whose text names the target. Redshift keeps their rows in a table of its
    /// own, so the catalog's dependencies do not show what they read.
    /// Source: <https://github.com/awslabs/amazon-redshift-utils/issues/499>
    pub materialized: Vec<TableName>,
    /// Whether our user could not read which views have row-level security.
    pub policies_unknown: bool,
    /// Privileges on single columns of the target.
    pub target_column_grants: Vec<Grant>,
    /// Columns of the target that have a comment, each with its comment.
    pub target_column_comments: Vec<(String, String)>,
}

/// A view that reads the target, directly or through other views, or that `view_config.json` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// The view's object id, which another one of the same name does not have.
    pub id: i64,
    pub view: SavedView,
    /// Whether the view reads the target itself, and not only other views of the target.
    pub reads_target: bool,
    /// The target's columns that the view reads itself. A view may read the target and none of its
    /// columns, such as `SELECT COUNT(*) FROM orders`.
    pub columns: Vec<String>,
    /// The places in `Dependents::views` of the views that this one reads, all before its own.
    pub reads: Vec<usize>,
    /// Why the view could not be brought back, and the remedy.
    pub obstacle: Option<String>,
}

impl Dependents {
    /// The views that are hit and all views that read them, to any depth, in the order of creation.
    pub fn affected(&self, hit: impl Fn(&Dependent) -> bool) -> Vec<&Dependent> {
        // One pass is enough: a view stands after the views that it reads, so their answers are
        // known when its turn comes.
        let mut affected: Vec<bool> = Vec::with_capacity(self.views.len());
        for view in &self.views {
            let through_another = view.reads.iter().any(|read| affected.get(*read) == Some(&true));
            affected.push(through_another || hit(view));
        }
        self.views
            .iter()
            .zip(affected)
            .filter_map(|(view, affected)| affected.then_some(view))
            .collect()
    }

    /// Marks the views that have row-level security. `None` when our user may not read which have.
    /// A view keeps the obstacle that it has already.
    pub fn mark_protected(&mut self, protected: Option<&[TableName]>) {
        self.policies_unknown = protected.is_none();
        for dependent in &mut self.views {
            let name = &dependent.view.name;
            if dependent.obstacle.is_none()
                && protected.is_some_and(|protected| protected.contains(name))
            {
                dependent.obstacle = Some(format!(
                    "view {name} has row-level security, which the loader does not attach again; \
                     detach it before the load"
                ));
            }
        }
    }
}
