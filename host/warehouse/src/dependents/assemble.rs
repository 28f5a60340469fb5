//! Puts together what the catalog says about the views in question: each view as it would be saved,
//! the views that it reads, and what would keep it from coming back.

use std::collections::{BTreeMap, BTreeSet};

use crate::dependents::dependent::Dependent;
use crate::dependents::details::{CatalogView, Details};
use crate::dependents::members::Members;
use crate::dependents::obstacle::Return;
use crate::dependents::privileges::is_internal;
use crate::dependents::user::CurrentUser;
use crate::saved_view::{Grant, Grantee, SavedView, ViewKind};

/// The members as dependents, in their order, without views that were dropped after their ids were
/// read. `columns`: the target's columns that a view reads, by the view's object id.
// `places` has the place of each view in the result. A view comes after the views that it reads, so
// their places are known when its own turn comes. What else it reads (the target, other tables) has
// no place and is left out of `reads`.
pub(super) fn views(
    members: &Members,
    details: &Details,
    columns: &BTreeMap<i64, BTreeSet<String>>,
    user: &CurrentUser,
) -> Vec<Dependent> {
    let (mut views, mut places) = (Vec::new(), BTreeMap::new());
    for id in &members.ids {
        let Some((catalog, grants)) = details.view(*id) else { continue };
        let view = saved(catalog, grants);
        let read: Vec<i64> = members.read_by(*id).collect();
        let reads: BTreeSet<usize> = read.iter().filter_map(|id| places.get(id).copied()).collect();
        places.insert(*id, views.len());
        views.push(Dependent {
            id: *id,
            obstacle: Return { view: &view, catalog, grants, user }.obstacle(),
            view,
            reads_target: members.target.is_some_and(|target| read.contains(&target)),
            columns: columns.get(id).into_iter().flatten().cloned().collect(),
            reads: reads.into_iter().collect(),
        });
    }
    views
}

/// The view as it would be saved, without the owner's grants and those of the service itself.
fn saved(catalog: &CatalogView, grants: &[Grant]) -> SavedView {
    let definition = catalog.definition.as_deref().unwrap_or_default();
    let (kind, create) = SavedView::read_definition(&catalog.name, definition);
    let owner = Grantee::User(catalog.owner.clone());
    let granted = |grant: &&Grant| grant.grantee != owner && !is_internal(&grant.grantee);
    SavedView {
        name: catalog.name.clone(),
        kind: if catalog.materialized { ViewKind::Materialized } else { kind },
        create,
        owner: catalog.owner.clone(),
        grants: grants.iter().filter(granted).cloned().collect(),
        comment: catalog.comment.clone(),
        column_comments: catalog.column_comments.clone(),
    }
}
