//! What depends on a table, found by one batch of queries: everything but the views themselves.
//!
//! All of the queries run on the leader node. None of them recurses or joins user tables.
//! Source: <https://github.com/awslabs/amazon-redshift-utils/tree/master/src/AdminViews>
//! (`v_view_dependency`, `v_view_table_column_dependency`).

use std::collections::{BTreeMap, BTreeSet};

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::by_text::{self, ByText};
use crate::dependents::conditions::is_object;
use crate::dependents::dependent::Dependents;
use crate::dependents::details::Details;
use crate::dependents::members::{self, Members};
use crate::dependents::user::{self, CurrentUser};
use crate::dependents::{assemble, privileges};
use crate::rows::{FromRow, ResultRows, Row, unexpected};

/// The queries for our user; the target and the views of `also`; which view reads which relation in
/// the whole database; which view reads which column of the target; views whose text may mention
/// the target; the privileges and the comments on the target's columns.
pub fn queries(target: &TableName, also: &[TableName]) -> Vec<String> {
    // `Overview::read` takes the answers in this order.
    vec![
        user::query(),
        members::relations_query(target, also),
        members::edges_query(),
        read_columns_query(target),
        by_text::query(target),
        privileges::columns_query(&privileges::is_relation(target)),
        comments_query(target),
    ]
}

fn read_columns_query(target: &TableName) -> String {
    format!(
        "SELECT DISTINCT r.ev_class, a.attname FROM pg_depend d JOIN pg_rewrite r ON r.oid = \
         d.objid JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = \
         d.refobjsubid WHERE d.deptype = 'n' AND a.attnum > 0 AND {}",
        is_object(target)
    )
}

/// A column of the target that a view reads.
struct ReadColumn {
    view: i64,
    name: String,
}

impl FromRow for ReadColumn {
    fn from_row(row: Row<'_>) -> Result<ReadColumn> {
        Ok(ReadColumn { view: row.integer("ev_class")?, name: row.text("attname")? })
    }
}

fn comments_query(target: &TableName) -> String {
    format!(
        "SELECT a.attname, d.description FROM pg_description d \
         JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid \
         JOIN pg_class c ON c.oid = d.objoid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE a.attnum > 0 AND {} ORDER BY a.attnum",
        is_object(target)
    )
}

/// A column of the target that has a comment.
struct Commented {
    column: String,
    comment: String,
}

impl FromRow for Commented {
    fn from_row(row: Row<'_>) -> Result<Commented> {
        Ok(Commented { column: row.text("attname")?, comment: row.text("description")? })
    }
}

/// What these queries have found.
pub struct Overview {
    user: CurrentUser,
    members: Members,
    columns: ColumnsByView,
    /// Everything but the views, which [`Overview::with`] adds.
    dependents: Dependents,
}

/// The target's columns that a view reads, by the view's object id.
type ColumnsByView = BTreeMap<i64, BTreeSet<String>>;

impl Overview {
    /// Reads the answers to [`queries`].
    pub fn read(answers: &[ResultRows], target: &TableName) -> Result<Overview> {
        let [user, relations, edges, columns, by_text, grants, comments] = answers else {
            return Err(unexpected("the catalog"));
        };
        let user: CurrentUser = user.first("pg_user")?;
        let members = Members::read(relations, edges, target)?;
        let by_text = ByText::read(by_text, target)?;
        let comments = comments.decode()?.into_iter();
        let dependents = Dependents {
            user: user.name.clone(),
            superuser: user.superuser,
            policies_unknown: false,
            views: Vec::new(),
            late_binding: by_text.late_binding,
            materialized: by_text.materialized,
            target_column_grants: privileges::on_columns_of(target, grants)?,
            target_column_comments: comments
                .map(|Commented { column, comment }| (column, comment))
                .collect(),
        };
        Ok(Overview { user, members, columns: columns_by_view(columns)?, dependents })
    }

    /// Object ids of the views in question, each after the views that it reads.
    pub fn views(&self) -> &[i64] {
        &self.members.ids
    }

    /// The dependents with their views.
    pub fn with(mut self, details: &Details) -> Dependents {
        self.dependents.views = assemble::views(&self.members, details, &self.columns, &self.user);
        self.dependents
    }
}

fn columns_by_view(rows: &ResultRows) -> Result<ColumnsByView> {
    let mut columns = ColumnsByView::new();
    for ReadColumn { view, name } in rows.decode()? {
        columns.entry(view).or_default().insert(name);
    }
    Ok(columns)
}
