//! What reads a table: views, views on views, their owners, comments and grants, as the catalog has
//! them. The queries, and what their answers say; nothing is run here.
//!
//! What could not be brought back is found before anything is touched: every view carries its
//! obstacle.

mod acl;

mod assemble;

pub mod queries;

use std::collections::{BTreeMap, BTreeSet};

use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;

use crate::evolution::order::{self, Edge};
use crate::evolution::sql_text;
use crate::evolution::view::{Grant, SavedView};
use crate::rows::{Cell, Rows};

pub use assemble::Details;

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
}

/// What the first queries have found: all but the views themselves.
pub struct Found {
    dependents: Dependents,
    members: Members,
    columns: BTreeMap<i64, BTreeSet<String>>,
}

impl Found {
    /// Reads the answers to [`queries::dependencies`].
    pub fn read(answers: &[Rows], target: &TableName) -> Result<Found> {
        let [user, relations, edges, columns, late_binding, grants, comments] = answers else {
            return Err(unexpected("the catalog"));
        };
        let (name, superuser) = who(user)?;
        let members = members(relations, &self::edges(edges)?, target)?;
        let (late_binding, materialized) = by_text(late_binding, target);
        let owner = owner_of(relations, target);
        let dependents = Dependents {
            owns_target: superuser || owner.is_none_or(|owner| owner == name),
            user: name,
            superuser,
            policies_unknown: false,
            views: Vec::new(),
            late_binding,
            materialized,
            target_column_grants: assemble::column_grants(grants, target),
            target_column_comments: comments
                .rows
                .iter()
                .map(|row| (text(row, 0), text(row, 1)))
                .collect(),
        };
        Ok(Found { dependents, members, columns: columns_by_view(columns)? })
    }

    /// Object ids of the views in question, each after those that it reads.
    pub fn views(&self) -> &[i64] {
        &self.members.ids
    }

    /// The dependents with their views.
    pub fn with(mut self, details: &Details) -> Dependents {
        self.dependents.views =
            assemble::views(&self.members, details, &self.columns, &self.dependents);
        self.dependents
    }
}

impl Dependents {
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

/// A query that shows whether a view works, and nothing else.
pub fn probe(view: &TableName) -> String {
    format!("SELECT * FROM {} WHERE 1 = 0", crate::sql::table(view))
}

/// The views in question and how they hang together.
struct Members {
    /// Object ids of the views, each after those that it reads.
    ids: Vec<i64>,
    edges: Vec<Edge>,
    /// The target's, if it exists.
    target: Option<i64>,
}

fn members(relations: &Rows, edges: &[Edge], target: &TableName) -> Result<Members> {
    let (mut table, mut configured) = (None, Vec::new());
    for (nth, row) in relations.rows.iter().enumerate() {
        let id = relations.number(nth, 0)?;
        match text(row, 1) == target.schema && text(row, 2) == target.table {
            true => table = Some(id),
            false => configured.push(id),
        }
    }
    let from: Vec<i64> = table.iter().chain(&configured).copied().collect();
    let mut ids = order::readers(edges, &from);
    ids.extend(&configured);
    ids.retain(|id| Some(*id) != table);
    let edges: Vec<Edge> =
        edges.iter().filter(|edge| ids.contains(&edge.reader)).copied().collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    Ok(Members { ids: order::in_order(&edges, &ids), edges, target: table })
}

/// The user that runs our statements, and whether it is a superuser: the answer to [`queries::who`].
pub fn who(rows: &Rows) -> Result<(String, bool)> {
    let row = rows.rows.first().ok_or_else(|| unexpected("pg_user"))?;
    Ok((text(row, 0), row.get(1) == Some(&Cell::Boolean(true))))
}

fn edges(rows: &Rows) -> Result<Vec<Edge>> {
    let edge = |nth| Ok(Edge { reader: rows.number(nth, 0)?, read: rows.number(nth, 1)? });
    (0..rows.rows.len()).map(edge).collect()
}

fn columns_by_view(rows: &Rows) -> Result<BTreeMap<i64, BTreeSet<String>>> {
    let mut columns: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for (nth, row) in rows.rows.iter().enumerate() {
        columns.entry(rows.number(nth, 0)?).or_default().insert(text(row, 1));
    }
    Ok(columns)
}

/// Late-binding and materialized views of the target, whose definitions say what no dependency
/// does.
fn by_text(rows: &Rows, target: &TableName) -> (Vec<TableName>, Vec<TableName>) {
    let late =
        |definition: &str| !is_materialized(definition) && sql_text::mentions(definition, target);
    let names = |definition: &str| {
        sql_text::mentions(definition, target) || sql_text::mentions_unqualified(definition, target)
    };
    let stored = |definition: &str| is_materialized(definition) && names(definition);
    (named(rows, late), named(rows, stored))
}

fn owner_of(relations: &Rows, target: &TableName) -> Option<String> {
    let is_target =
        |row: &&Vec<Cell>| text(row, 1) == target.schema && text(row, 2) == target.table;
    relations.rows.iter().find(is_target).map(|row| text(row, 3))
}

fn is_materialized(definition: &str) -> bool {
    sql_text::create_view(definition).is_some_and(|create| create.materialized)
}

/// Views whose definition is as wanted. One that is too long to be read is passed over.
fn named(rows: &Rows, wanted: impl Fn(&str) -> bool) -> Vec<TableName> {
    let is_wanted = |row: &&Vec<Cell>| row.get(2).and_then(Cell::as_str).is_some_and(&wanted);
    rows.rows
        .iter()
        .filter(is_wanted)
        .map(|row| TableName { schema: text(row, 0), table: text(row, 1) })
        .collect()
}

/// A cell as text; NULL and missing ones are empty.
fn text(row: &[Cell], column: usize) -> String {
    row.get(column).map(Cell::to_text).unwrap_or_default()
}

/// Answers that do not belong to the questions.
pub fn unexpected(what: &str) -> Error {
    Error::new(
        Kind::Internal,
        format!("{what} answered with another number of rows or results than asked for"),
    )
}

#[cfg(test)]
mod tests;
