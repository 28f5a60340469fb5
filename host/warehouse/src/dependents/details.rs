//! What the catalog says about single views: names, owners and privileges, definitions, comments.
//!
//! Source: <https://github.com/awslabs/amazon-redshift-utils/tree/master/src/AdminViews>
//! (`v_generate_view_ddl`).

use std::collections::{BTreeMap, BTreeSet};

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::privileges::{self, Grants};
use crate::rows::{FromRow, ResultRows, Row};
use crate::saved_view::Grant;

/// The longest definition that is read, in bytes. A row of a result holds 64 KB, and the definition
/// is not alone in its row.
/// Source:
/// <https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations>
pub(super) const MAX_DEFINITION_BYTES: usize = 60_000;

/// The queries for views, their definitions, and the comments on their columns. `ids`: object ids,
/// joined by commas.
pub fn queries(ids: &str) -> Vec<String> {
    vec![views_query(ids), definitions_query(ids), comments_query(ids)]
}

fn views_query(ids: &str) -> String {
    // The function obj_description() would be shorter, but the Developer Guide lists it among the
    // functions that Redshift does not support.
    format!(
        "SELECT c.oid, n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, c.relkind = 'm' \
         AS is_materialized, array_to_string(c.relacl, ',') AS acl, d.description AS comment, \
         has_schema_privilege(n.nspname, 'CREATE') AS may_create FROM pg_class c JOIN pg_namespace \
         n ON n.oid = c.relnamespace LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid \
         = 0 AND d.classoid = 'pg_class'::regclass WHERE c.oid IN ({ids})"
    )
}

/// A view as the catalog has it.
pub(super) struct CatalogView {
    id: i64,
    pub(super) name: TableName,
    pub(super) owner: String,
    pub(super) materialized: bool,
    /// Entries of `pg_class.relacl`, joined by commas.
    pub(super) acl: String,
    /// Whether our user may make views in the view's schema, as far as the catalog tells.
    pub(super) may_create: bool,
    pub(super) comment: Option<String>,
    pub(super) column_comments: Vec<(String, String)>,
    /// `None` when the definition is too long, or when our user may not read it.
    pub(super) definition: Option<String>,
    /// The length of the definition, also when that is too long to be read; 0 when unknown.
    pub(super) definition_bytes: i64,
}

impl FromRow for CatalogView {
    /// Leaves the definition and the comments on columns empty. Queries of their own read them.
    fn from_row(row: Row<'_>) -> Result<CatalogView> {
        Ok(CatalogView {
            id: row.integer("oid")?,
            name: row.relation("nspname", "relname")?,
            owner: row.text("owner")?,
            materialized: row.boolean("is_materialized")?,
            acl: row.text("acl")?,
            // NULL says nothing, so only a plain FALSE is an obstacle.
            may_create: row.optional_boolean("may_create")? != Some(false),
            comment: row.optional_text("comment")?,
            column_comments: Vec::new(),
            definition: None,
            definition_bytes: 0,
        })
    }
}

fn definitions_query(ids: &str) -> String {
    // A definition that is too long for a row of a result is left out. Its length comes all the
    // same, so that the message can name it.
    format!(
        "SELECT c.oid, octet_length(pg_get_viewdef(c.oid, true)) AS definition_bytes, \
         CASE WHEN octet_length(pg_get_viewdef(c.oid, true)) <= {MAX_DEFINITION_BYTES} \
         THEN pg_get_viewdef(c.oid, true) END AS definition FROM pg_class c WHERE c.oid IN ({ids})"
    )
}

struct Definition {
    view: i64,
    bytes: i64,
    definition: Option<String>,
}

impl FromRow for Definition {
    fn from_row(row: Row<'_>) -> Result<Definition> {
        Ok(Definition {
            view: row.integer("oid")?,
            bytes: row.optional_integer("definition_bytes")?.unwrap_or(0),
            definition: row.optional_text("definition")?,
        })
    }
}

fn comments_query(ids: &str) -> String {
    format!(
        "SELECT d.objoid, a.attname, d.description FROM pg_description d \
         JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid \
         WHERE a.attnum > 0 AND d.objoid IN ({ids}) ORDER BY d.objoid, a.attnum"
    )
}

struct ColumnComment {
    view: i64,
    column: String,
    comment: String,
}

impl FromRow for ColumnComment {
    fn from_row(row: Row<'_>) -> Result<ColumnComment> {
        Ok(ColumnComment {
            view: row.integer("objoid")?,
            column: row.text("attname")?,
            comment: row.text("description")?,
        })
    }
}

/// What the catalog says about views: the views by object id, their grants by name.
#[derive(Default)]
pub struct Details {
    views: BTreeMap<i64, CatalogView>,
    grants: Grants,
}

impl Details {
    /// Adds the answers to [`queries`].
    pub fn add_views(
        &mut self,
        views: &ResultRows,
        definitions: &ResultRows,
        comments: &ResultRows,
    ) -> Result<()> {
        for view in views.decode::<CatalogView>()? {
            self.views.insert(view.id, view);
        }
        for Definition { view, bytes, definition } in definitions.decode()? {
            if let Some(view) = self.views.get_mut(&view) {
                (view.definition_bytes, view.definition) = (bytes, definition);
            }
        }
        for ColumnComment { view, column, comment } in comments.decode()? {
            if let Some(view) = self.views.get_mut(&view) {
                view.column_comments.push((column, comment));
            }
        }
        Ok(())
    }

    /// The names of all views added so far.
    pub fn names(&self) -> impl Iterator<Item = &TableName> {
        self.views.values().map(|view| &view.name)
    }

    /// The schemas in which our user may make no views, as far as the catalog tells. It may be wrong:
    /// no source says whether `has_schema_privilege` counts what comes through a role.
    pub fn closed_schemas(&self) -> BTreeSet<String> {
        let closed = self.views.values().filter(|view| !view.may_create);
        closed.map(|view| view.name.schema.clone()).collect()
    }

    /// Corrects the catalog: our user may make views in this schema.
    pub fn open_schema(&mut self, schema: &str) {
        let views = self.views.values_mut().filter(|view| view.name.schema == schema);
        views.for_each(|view| view.may_create = true);
    }

    /// Adds the answers to [`privileges::queries`].
    pub fn add_privileges(&mut self, relations: &ResultRows, columns: &ResultRows) -> Result<()> {
        for (relation, grants) in privileges::read(relations, columns)? {
            self.grants.entry(relation).or_default().extend(grants);
        }
        Ok(())
    }

    /// The view of this id with its grants; `None` when the view was dropped after its id was read.
    pub(super) fn view(&self, id: i64) -> Option<(&CatalogView, &[Grant])> {
        let view = self.views.get(&id)?;
        Some((view, self.grants.get(&view.name).map_or(&[], Vec::as_slice)))
    }
}
