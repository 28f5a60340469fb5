//! What reads a table: views, views on views, their owners, comments and grants, as the catalog has
//! them now.
//!
//! Three executions at most; one when nothing reads the table. Changes nothing. What could not be
//! brought back is found here, before anything is touched: every view carries its obstacle.

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
use crate::redshift::rows::{Cell, Rows};
use crate::redshift::sql::MAX_BATCH_STATEMENTS;
use crate::redshift::{failures, patience};

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

/// Reads everything about the target's dependents, and about the views of `also` (with what reads
/// those) if they exist. A target that does not exist has none.
pub async fn read(api: &DataApi, target: &TableName, also: &[TableName]) -> Result<Dependents> {
    let answers =
        query(api, "reading what depends on the table", &queries::dependencies(target, also))
            .await?;
    let [user, relations, edges, columns, late_binding, grants, comments] = answers.as_slice()
    else {
        return Err(unexpected("the catalog"));
    };
    let (name, superuser) = who(user)?;
    let members = members(relations, &self::edges(edges)?, target)?;
    let (late, materialized) = by_text(late_binding, target);
    let mut dependents = Dependents {
        user: name,
        superuser,
        owns_target: superuser
            || owner_of(relations, target).is_none_or(|owner| owner == text_of_user(user)),
        policies_unknown: false,
        views: Vec::new(),
        late_binding: late,
        materialized,
        target_column_grants: assemble::column_grants(grants, target),
        target_column_comments: comments
            .rows
            .iter()
            .map(|row| (text(row, 0), text(row, 1)))
            .collect(),
    };
    if !members.ids.is_empty() {
        let details = details(api, &members.ids).await?;
        let columns = columns_by_view(columns)?;
        dependents.views = assemble::views(&members, &details, &columns, &dependents);
        let policies = policies(api, &dependents.views).await?;
        dependents.policies_unknown = policies.is_none();
        for dependent in &mut dependents.views {
            if dependent.obstacle.is_none()
                && policies.iter().flatten().any(|name| *name == dependent.view.name)
            {
                dependent.obstacle = Some(format!(
                    "view {} has row-level security, which the loader does not attach again; \
                     detach it before the load",
                    dependent.view.name
                ));
            }
        }
    }
    Ok(dependents)
}

/// A query that shows whether a view works, and nothing else.
pub fn probe(view: &TableName) -> String {
    format!("SELECT * FROM {} WHERE 1 = 0", crate::redshift::sql::table(view))
}

/// Which of the views have policies; `None`: we may not know. An execution of its own, since it
/// needs rights that nothing else does.
async fn policies(api: &DataApi, views: &[Dependent]) -> Result<Option<Vec<TableName>>> {
    let mut found = Vec::new();
    for names in queries::lists(
        views.iter().map(|dependent| queries::is_protected(&dependent.view.name)),
        " OR ",
    ) {
        let executed = match api.execute(&queries::policies(&names)).await? {
            Outcome::Finished(executed) => executed,
            Outcome::Failed(_) => return Ok(None),
        };
        let rows = api.rows(&executed, None).await?.rows;
        found
            .extend(rows.iter().map(|row| TableName { schema: text(row, 0), table: text(row, 1) }));
    }
    Ok(Some(found))
}

/// The database user that runs our statements.
pub async fn current_user(api: &DataApi) -> Result<String> {
    let answers = query(api, "asking who we are", &[queries::who()]).await?;
    answers.first().map_or_else(|| Err(unexpected("pg_user")), who).map(|(name, _)| name)
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

async fn details(api: &DataApi, ids: &[i64]) -> Result<Details> {
    let mut details = Details::default();
    for ids in queries::lists(ids.iter().map(i64::to_string), ", ") {
        let answers =
            query(api, "reading the views that depend on the table", &queries::details(&ids))
                .await?;
        let [views, definitions, comments] = answers.as_slice() else {
            return Err(unexpected("the catalog"));
        };
        details.add_views(views, definitions, comments)?;
    }
    for names in queries::lists(details.names().map(queries::is_relation), " OR ") {
        let answers =
            query(api, "reading the privileges on the views", &queries::privileges(&names)).await?;
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
    for batch in statements.chunks(MAX_BATCH_STATEMENTS) {
        match patience::execute_batch(api, batch).await? {
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

fn text_of_user(user: &Rows) -> String {
    user.rows.first().map(|row| text(row, 0)).unwrap_or_default()
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

fn unexpected(what: &str) -> Error {
    Error::new(
        Kind::Internal,
        format!("{what} answered with another number of rows or results than asked for"),
    )
}

#[cfg(test)]
mod tests;
