//! Which views are in question: the views that read the target, to any depth, and the views that
//! `view_config.json` names, with the views that read those.
//!
//! In: the answers about relations, and about which relation reads which. Out: object ids in an
//! order in which the views can be created.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::conditions::is_object;
use crate::dependents::order::{self, Edge};
use crate::rows::{FromRow, ResultRows, Row};

/// The query for the target and the views of `also`, where they exist.
pub(super) fn relations_query(target: &TableName, also: &[TableName]) -> String {
    let names: Vec<String> = std::iter::once(target).chain(also).map(is_object).collect();
    format!(
        "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = \
         c.relnamespace WHERE {}",
        names.join(" OR ")
    )
}

struct Relation {
    id: i64,
    name: TableName,
}

impl FromRow for Relation {
    fn from_row(row: Row<'_>) -> Result<Relation> {
        Ok(Relation { id: row.integer("oid")?, name: row.relation("nspname", "relname")? })
    }
}

/// The query for which view reads which relation, in the whole database. Redshift runs no recursion
/// on its leader node, so the catalog cannot be asked for the readers of readers.
pub(super) fn edges_query() -> String {
    // The catalog has a view's dependencies under the view's rewrite rule. pg_depend leads from the
    // relation (refobjid) to the rule (objid), and pg_rewrite from the rule to its view (ev_class).
    "SELECT DISTINCT r.ev_class, d.refobjid FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid \
     JOIN pg_class c ON c.oid = r.ev_class WHERE d.refobjid <> r.ev_class AND d.deptype = 'n' AND \
     c.relkind IN ('v', 'm')"
        .to_owned()
}

impl FromRow for Edge {
    fn from_row(row: Row<'_>) -> Result<Edge> {
        Ok(Edge { reader: row.integer("ev_class")?, read: row.integer("refobjid")? })
    }
}

/// The views in question, and which of them reads which.
pub(super) struct Members {
    /// Object ids of the views, each after the views that it reads.
    pub(super) ids: Vec<i64>,
    pub(super) edges: Vec<Edge>,
    /// The target's object id; `None` when the target does not exist.
    pub(super) target: Option<i64>,
}

impl Members {
    pub(super) fn read(
        relations: &ResultRows,
        edges: &ResultRows,
        target: &TableName,
    ) -> Result<Members> {
        let relations: Vec<Relation> = relations.decode()?;
        let (tables, configured): (Vec<Relation>, Vec<Relation>) =
            relations.into_iter().partition(|relation| relation.name == *target);
        let configured: Vec<i64> = configured.into_iter().map(|relation| relation.id).collect();
        let target = tables.first().map(|table| table.id);
        let edges: Vec<Edge> = edges.decode()?;
        let (ids, edges) = ordered(target, &configured, &edges);
        Ok(Members { ids, edges, target })
    }

    /// Object ids of what a view reads.
    pub(super) fn read_by(&self, view: i64) -> impl Iterator<Item = i64> {
        self.edges.iter().filter(move |edge| edge.reader == view).map(|edge| edge.read)
    }
}

/// The configured views and all views that read them or the target, each after the views that it
/// reads; and the edges from these views to what they read.
fn ordered(target: Option<i64>, configured: &[i64], edges: &[Edge]) -> (Vec<i64>, Vec<Edge>) {
    let from: Vec<i64> = target.iter().chain(configured).copied().collect();
    let mut ids = order::readers(edges, &from);
    ids.extend(configured);
    ids.retain(|id| Some(*id) != target);
    let edges: Vec<Edge> =
        edges.iter().filter(|edge| ids.contains(&edge.reader)).copied().collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    (order::in_order(&edges, &ids), edges)
}
