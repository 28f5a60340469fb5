//! What reads a table: views, views on views, their owners, comments and grants, as the catalog has them now.
//!
//! Three executions at most; one when nothing reads the table. Changes nothing. What could not be brought back is
//! found here, before anything is touched: every view carries its obstacle.

mod acl;

mod assemble;

pub(super) mod queries;

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Kind, Result};
use crate::evolution::order::{self, Edge};
use crate::evolution::sql_text;
use crate::evolution::view::{Grant, SavedView};
use crate::names::TableName;
use crate::redshift::data_api::{DataApi, Outcome};
use crate::redshift::dependents::assemble::Details;
use crate::redshift::failures;
use crate::redshift::rows::{Cell, Rows};

/// Statements that one batch takes.
const MAX_STATEMENTS: usize = 40;

/// All that a change of the table could touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// The database user that runs our statements.
    pub user: String,
    pub superuser: bool,
    /// Each after those that it reads.
    pub views: Vec<Dependent>,
    /// Late-binding views whose text mentions the target. They block nothing, and only reading them shows whether
    /// they still work.
    pub late_binding: Vec<TableName>,
    /// Privileges on single columns of the target.
    pub target_column_grants: Vec<Grant>,
    /// Columns of the target that have a comment, with it.
    pub target_column_comments: Vec<(String, String)>,
}

/// A view that reads the target, directly or through other views, or that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    pub view: SavedView,
    /// The target's columns that it reads directly. Empty when it reads only other views, or counts rows alone.
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
        self.views.iter().zip(affected).filter_map(|(view, affected)| affected.then_some(view)).collect()
    }
}

/// Reads everything about the target's dependents, and about the views of `also` (with what reads those) if they
/// exist. A target that does not exist has none.
pub async fn read(api: &DataApi, target: &TableName, also: &[TableName]) -> Result<Dependents> {
    let answers = query(api, "reading what depends on the table", &queries::dependencies(target, also)).await?;
    let [user, relations, edges, columns, late_binding, grants, comments] = answers.as_slice() else {
        return Err(unexpected("the catalog"));
    };
    let (name, superuser) = who(user)?;
    let members = members(relations, &self::edges(edges)?, target)?;
    let mut dependents = Dependents {
        user: name,
        superuser,
        views: Vec::new(),
        late_binding: self::late_binding(late_binding, target),
        target_column_grants: assemble::column_grants(grants, target),
        target_column_comments: comments.rows.iter().map(|row| (text(row, 0), text(row, 1))).collect(),
    };
    if !members.ids.is_empty() {
        let details = details(api, &members.ids).await?;
        let columns = columns_by_view(columns)?;
        dependents.views = assemble::views(&members, &details, &columns, &dependents);
    }
    Ok(dependents)
}

/// The database user that runs our statements.
pub async fn current_user(api: &DataApi) -> Result<String> {
    let answers = query(api, "asking who we are", &[queries::who()]).await?;
    answers.first().map_or_else(|| Err(unexpected("pg_user")), who).map(|(name, _)| name)
}

/// The views in question and how they hang together.
struct Members {
    /// Object ids, each after those that it reads.
    ids: Vec<i64>,
    edges: Vec<Edge>,
}

fn members(relations: &Rows, edges: &[Edge], target: &TableName) -> Result<Members> {
    let (mut table, mut configured) = (Vec::new(), Vec::new());
    for (nth, row) in relations.rows.iter().enumerate() {
        let is_target = text(row, 1) == target.schema && text(row, 2) == target.table;
        if is_target { &mut table } else { &mut configured }.push(relations.number(nth, 0)?);
    }
    let from: Vec<i64> = table.iter().chain(&configured).copied().collect();
    let mut ids = order::readers(edges, &from);
    ids.extend(&configured);
    ids.retain(|id| !table.contains(id));
    let edges: Vec<Edge> = edges.iter().filter(|edge| ids.contains(&edge.reader)).copied().collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    Ok(Members { ids: order::in_order(&edges, &ids), edges })
}

async fn details(api: &DataApi, ids: &[i64]) -> Result<Details> {
    let mut details = Details::default();
    for ids in queries::lists(ids.iter().map(i64::to_string), ", ") {
        let answers = query(api, "reading the views that depend on the table", &queries::details(&ids)).await?;
        let [views, definitions, comments] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_views(views, definitions, comments)?;
    }
    for names in queries::lists(details.names().map(queries::is_relation), " OR ") {
        let answers = query(api, "reading the privileges on the views", &queries::privileges(&names)).await?;
        let [relations, columns] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_privileges(relations, columns);
    }
    Ok(details)
}

/// Runs queries as one batch (several past 40) and returns the rows of each.
pub(super) async fn query(api: &DataApi, doing: &str, statements: &[String]) -> Result<Vec<Rows>> {
    let mut answers = Vec::with_capacity(statements.len());
    for batch in statements.chunks(MAX_STATEMENTS) {
        match api.execute_batch(batch).await? {
            Outcome::Failed(failure) => return Err(failures::explain(doing, &failure)),
            Outcome::Finished(executed) => {
                for nth in 0..batch.len() {
                    answers.push(api.rows(&executed, Some(nth)).await?);
                }
            }
        }
    }
    Ok(answers)
}

fn who(rows: &Rows) -> Result<(String, bool)> {
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

/// A definition that is too long to be read may mention anything.
fn late_binding(rows: &Rows, target: &TableName) -> Vec<TableName> {
    let mentions = |row: &&Vec<Cell>| {
        row.get(2).and_then(Cell::as_str).is_none_or(|definition| sql_text::mentions(definition, &target.table))
    };
    let name = |row: &Vec<Cell>| TableName { schema: text(row, 0), table: text(row, 1) };
    rows.rows.iter().filter(mentions).map(name).collect()
}

/// A cell as text; NULL and missing ones are empty.
fn text(row: &[Cell], column: usize) -> String {
    row.get(column).map(Cell::to_text).unwrap_or_default()
}

fn unexpected(what: &str) -> Error {
    Error::new(Kind::Internal, format!("{what} answered with another number of rows or results than asked for"))
}

#[cfg(test)]
mod tests;
