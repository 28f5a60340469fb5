//! The views that hang on a table, as values: which there are, which reads which, and what would
//! keep a view from coming back.

use loader_model::names::TableName;

use crate::saved_view::{Grant, SavedView};

/// All that a change of the table could touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The database user that runs our statements.
    pub user: String,
    pub superuser: bool,
    /// Each after those that it reads.
    pub views: Vec<Dependent>,
    /// Late-binding views whose text mentions the target. They block nothing, and only reading them
    /// shows whether they still work.
    pub late_binding: Vec<TableName>,
    /// Materialized views whose text names the table. Their rows hang on a table of their own, so
    /// the catalog's dependencies do not show what they read.
    /// Source: <https://github.com/awslabs/amazon-redshift-utils/issues/499>
    pub materialized: Vec<TableName>,
    /// Whether our user may alter the target.
    pub owns_target: bool,
    /// Row-level security of the views could not be looked for.
    pub policies_unknown: bool,
    /// Privileges on single columns of the target.
    pub target_column_grants: Vec<Grant>,
    /// Columns of the target that have a comment, with it.
    pub target_column_comments: Vec<(String, String)>,
}

/// A view that reads the target, directly or through other views, or that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    pub view: SavedView,
    /// Whether it reads the target itself, and not only other views of it.
    pub reads_target: bool,
    /// The target's columns that it reads itself. It may read the target and none of them:
    /// `COUNT(*)`.
    pub columns: Vec<String>,
    /// Earlier entries of `Dependents::views` that it reads.
    pub reads: Vec<usize>,
    /// Why it could not be brought back, and what to do about it.
    pub obstacle: Option<String>,
}

impl Dependents {
    /// The views that are hit and everything that reads them, in the order of creation.
    pub fn affected(&self, hit: impl Fn(&Dependent) -> bool) -> Vec<&Dependent> {
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

    /// Marks the views that have row-level security; `None`: we may not know.
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
