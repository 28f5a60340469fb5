//! Puts the catalog's answers about views together, and finds what would keep a view from coming
//! back.
//!
//! Pure: in come rows, out come `Dependent` values.

use std::collections::{BTreeMap, BTreeSet};

use crate::dependents::queries::MAX_DEFINITION_BYTES;
use crate::dependents::{Dependent, Dependents, Members, acl, text};
use crate::evolution::view::{Grant, Grantee, SavedView, ViewKind};
use crate::rows::{Cell, Rows};
use crate::sql::{MAX_BATCH_STATEMENTS, MAX_STATEMENT_BYTES};
use loader_model::error::Result;
use loader_model::names::TableName;

/// What the catalog says about views, by object id or name.
#[derive(Default)]
pub struct Details {
    views: BTreeMap<i64, ViewRow>,
    grants: BTreeMap<TableName, Vec<Grant>>,
}

struct ViewRow {
    name: TableName,
    owner: String,
    materialized: bool,
    relacl: String,
    /// Whether we may make views in its schema.
    may_create: bool,
    comment: Option<String>,
    column_comments: Vec<(String, String)>,
    /// `None`: too long, or not to be had.
    definition: Option<String>,
    definition_bytes: i64,
}

impl Details {
    /// Takes the answers to [`super::queries::details`].
    pub fn add_views(&mut self, views: &Rows, definitions: &Rows, comments: &Rows) -> Result<()> {
        for (nth, row) in views.rows.iter().enumerate() {
            let view = ViewRow {
                name: TableName { schema: text(row, 1), table: text(row, 2) },
                owner: text(row, 3),
                materialized: row.get(4) == Some(&Cell::Boolean(true)),
                relacl: text(row, 5),
                may_create: row.get(7) != Some(&Cell::Boolean(false)),
                comment: row.get(6).and_then(Cell::as_str).map(str::to_string),
                column_comments: Vec::new(),
                definition: None,
                definition_bytes: 0,
            };
            self.views.insert(views.number(nth, 0)?, view);
        }
        for (nth, row) in definitions.rows.iter().enumerate() {
            if let Some(view) = self.views.get_mut(&definitions.number(nth, 0)?) {
                view.definition_bytes = row.get(1).and_then(Cell::as_i64).unwrap_or(0);
                view.definition = row.get(2).and_then(Cell::as_str).map(str::to_string);
            }
        }
        for (nth, row) in comments.rows.iter().enumerate() {
            if let Some(view) = self.views.get_mut(&comments.number(nth, 0)?) {
                view.column_comments.push((text(row, 1), text(row, 2)));
            }
        }
        Ok(())
    }

    /// The names of all views so far.
    pub fn names(&self) -> impl Iterator<Item = &TableName> {
        self.views.values().map(|view| &view.name)
    }

    /// Takes the answers to [`super::queries::privileges`].
    pub fn add_privileges(&mut self, relations: &Rows, columns: &Rows) {
        for row in &relations.rows {
            let name = TableName { schema: text(row, 0), table: text(row, 1) };
            let grant = Grant {
                privilege: text(row, 2).to_uppercase(),
                columns: Vec::new(),
                grantee: grantee(text(row, 3), &text(row, 4)),
                grantable: row.get(5) == Some(&Cell::Boolean(true)),
            };
            self.grants.entry(name).or_default().push(grant);
        }
        let names: BTreeSet<TableName> = columns
            .rows
            .iter()
            .map(|row| TableName { schema: text(row, 0), table: text(row, 1) })
            .collect();
        for name in names {
            let grants = all_column_grants(columns, &name);
            self.grants.entry(name).or_default().extend(grants);
        }
    }
}

/// Privileges on columns of one relation, without the service's own identities: one grant for each
/// grantee and privilege.
pub(super) fn column_grants(rows: &Rows, relation: &TableName) -> Vec<Grant> {
    let mut grants = all_column_grants(rows, relation);
    grants.retain(|grant| !is_internal(&grant.grantee));
    grants
}

fn all_column_grants(rows: &Rows, relation: &TableName) -> Vec<Grant> {
    let mut columns: BTreeMap<(Grantee, String), BTreeSet<String>> = BTreeMap::new();
    let of_relation =
        |row: &&Vec<Cell>| text(row, 0) == relation.schema && text(row, 1) == relation.table;
    for row in rows.rows.iter().filter(of_relation) {
        let key = (grantee(text(row, 4), &text(row, 5)), text(row, 3).to_uppercase());
        columns.entry(key).or_default().insert(text(row, 2));
    }
    let grant = |((grantee, privilege), columns): (_, BTreeSet<String>)| Grant {
        privilege,
        columns: columns.into_iter().collect(),
        grantee,
        grantable: false,
    };
    columns.into_iter().map(grant).collect()
}

fn grantee(name: String, identity_type: &str) -> Grantee {
    match identity_type {
        "public" => Grantee::Public,
        "group" => Grantee::Group(name),
        "role" => Grantee::Role(name),
        _ => Grantee::User(name),
    }
}

/// Datashares and the service's own roles, which grant themselves what they need.
fn is_internal(grantee: &Grantee) -> bool {
    match grantee {
        Grantee::User(name) | Grantee::Group(name) | Grantee::Role(name) => is_internal_name(name),
        Grantee::Public => false,
    }
}

fn is_internal_name(name: &str) -> bool {
    name.starts_with("ds:") || name.starts_with("sys:") || name == "rdsdb"
}

/// The members as dependents, in their order. A view that is gone since its id was read is left
/// out.
pub(super) fn views(
    members: &Members,
    details: &Details,
    columns: &BTreeMap<i64, BTreeSet<String>>,
    who: &Dependents,
) -> Vec<Dependent> {
    let (mut views, mut places) = (Vec::new(), BTreeMap::new());
    for id in &members.ids {
        let Some(row) = details.views.get(id) else { continue };
        let all: &[Grant] = details.grants.get(&row.name).map_or(&[], Vec::as_slice);
        let view = saved(row, all);
        let obstacle = obstacle(&view, row, all, who);
        let read: Vec<i64> =
            members.edges.iter().filter(|edge| edge.reader == *id).map(|edge| edge.read).collect();
        let reads: BTreeSet<usize> = read.iter().filter_map(|id| places.get(id).copied()).collect();
        let reads_target = members.target.is_some_and(|target| read.contains(&target));
        let columns = columns.get(id).into_iter().flatten().cloned().collect();
        places.insert(*id, views.len());
        views.push(Dependent {
            view,
            reads_target,
            columns,
            reads: reads.into_iter().collect(),
            obstacle,
        });
    }
    views
}

fn saved(row: &ViewRow, grants: &[Grant]) -> SavedView {
    let (kind, create) =
        SavedView::read_definition(&row.name, row.definition.as_deref().unwrap_or_default());
    let owner = Grantee::User(row.owner.clone());
    let granted = |grant: &&Grant| grant.grantee != owner && !is_internal(&grant.grantee);
    SavedView {
        name: row.name.clone(),
        kind: if row.materialized { ViewKind::Materialized } else { kind },
        create,
        owner: row.owner.clone(),
        grants: grants.iter().filter(granted).cloned().collect(),
        comment: row.comment.clone(),
        column_comments: row.column_comments.clone(),
    }
}

/// The first reason why this view, once dropped, might not come back as it was.
fn obstacle(view: &SavedView, row: &ViewRow, grants: &[Grant], who: &Dependents) -> Option<String> {
    let (name, user) = (&view.name, &who.user);
    let by_hand = "drop it before the load and create it again afterwards";
    if view.kind == ViewKind::Materialized {
        return Some(format!(
            "{name} is a materialized view, and its rows are not the loader's to drop; {by_hand}"
        ));
    }
    if row.definition.is_none() && row.definition_bytes == 0 {
        return Some(format!("the definition of view {name} cannot be read by {user}; {by_hand}"));
    }
    if row.definition.is_none() {
        return Some(format!(
            "the definition of view {name} has {} bytes, and no more than {MAX_DEFINITION_BYTES} \
             can be read through the Data API; {by_hand}",
            row.definition_bytes
        ));
    }
    if !row.may_create {
        return Some(format!(
            "{user} may not make view {name} again; grant {user} CREATE on schema {}, or {by_hand}",
            name.schema
        ));
    }
    if let Some(share) = acl::grantees(&row.relacl).into_iter().find(|name| name.starts_with("ds:"))
    {
        return Some(format!(
            "view {name} is in the datashare {}, which DROP takes it out of; {by_hand}",
            &share[3..]
        ));
    }
    if view.owner != *user && !who.superuser {
        return Some(format!(
            "view {name} belongs to {}, and {user} is no superuser who could give it back; run the \
             load as a superuser or as the owner, or {by_hand}",
            view.owner
        ));
    }
    let hidden = if who.superuser { Vec::new() } else { hidden_grantees(row, grants) };
    if !hidden.is_empty() {
        return Some(format!(
            "view {name} has grants to {} that svv_relation_privileges does not show to {user}; \
             run the load as a superuser, or grant {user} a role with ACCESS SYSTEM TABLE",
            hidden.join(", ")
        ));
    }
    let statements = view.restore_sql("");
    if statements.len() >= MAX_BATCH_STATEMENTS {
        return Some(format!(
            "bringing back view {name} with its comments and grants takes {} statements, and a \
             transaction takes {MAX_BATCH_STATEMENTS}; {by_hand}",
            statements.len()
        ));
    }
    let longest = statements.iter().map(String::len).max().unwrap_or(0);
    (longest > MAX_STATEMENT_BYTES).then(|| {
        format!(
            "bringing back view {name} takes a statement of {longest} bytes, and the Data API \
             takes {MAX_STATEMENT_BYTES}; {by_hand}"
        )
    })
}

/// Whom the catalog's own list names beside the owner, but the view about privileges does not.
fn hidden_grantees(row: &ViewRow, grants: &[Grant]) -> Vec<String> {
    let shown: BTreeSet<&str> = grants
        .iter()
        .map(|grant| match &grant.grantee {
            Grantee::User(name) | Grantee::Group(name) | Grantee::Role(name) => name.as_str(),
            Grantee::Public => acl::PUBLIC,
        })
        .collect();
    let hidden = |name: &String| {
        *name != row.owner && !shown.contains(name.as_str()) && !is_internal_name(name)
    };
    let mut names: Vec<String> = acl::grantees(&row.relacl).into_iter().filter(hidden).collect();
    names
        .iter_mut()
        .filter(|name| *name == acl::PUBLIC)
        .for_each(|name| *name = "PUBLIC".to_string());
    names
}
