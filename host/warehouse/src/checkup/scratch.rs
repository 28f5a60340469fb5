//! The schema that the checks work in: how it is made, and how it is gone again.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::rows::{FromRow, Row};
use crate::sql::{ident, table, text};

/// Makes the schema.
pub fn create_schema(name: &str) -> String {
    format!("CREATE SCHEMA {}", ident(name))
}

/// Drops the schema with all that is in it.
pub fn drop_schema(name: &str) -> String {
    format!("DROP SCHEMA IF EXISTS {} CASCADE", ident(name))
}

/// The query for the schemas whose names begin so.
pub fn schemas_query(beginning: &str) -> String {
    format!(
        "SELECT nspname AS name FROM pg_namespace WHERE SUBSTRING(nspname, 1, {}) = {} ORDER BY nspname",
        beginning.len(),
        text(beginning)
    )
}

/// The query for the databases whose names begin so.
pub fn databases_query(beginning: &str) -> String {
    format!(
        "SELECT datname AS name FROM pg_database WHERE SUBSTRING(datname, 1, {}) = {} ORDER BY \
         datname",
        beginning.len(),
        text(beginning)
    )
}

/// Drops a database.
pub fn drop_database(name: &str) -> String {
    format!("DROP DATABASE {}", ident(name))
}

/// A row of the answer to [`schemas_query`] or [`databases_query`].
pub struct Named(pub String);

impl FromRow for Named {
    fn from_row(row: Row<'_>) -> Result<Named> {
        row.text("name").map(Named)
    }
}

/// The query for whether a schema exists.
pub fn schema_query(name: &str) -> String {
    format!("SELECT COUNT(*) AS schemas FROM pg_namespace WHERE nspname = {}", text(name))
}

/// The answer to [`schema_query`].
pub struct SchemaExists(pub bool);

impl FromRow for SchemaExists {
    fn from_row(row: Row<'_>) -> Result<SchemaExists> {
        row.integer("schemas").map(|schemas| SchemaExists(schemas > 0))
    }
}

/// The query for the tables and views of a schema.
pub fn relations_query(schema: &str) -> String {
    format!(
        "SELECT n.nspname, c.relname, c.relkind = 'v' AS is_view, c.relkind = 'm' AS \
         is_materialized FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
         n.nspname = {} AND c.relkind IN ('r', 'v', 'm') ORDER BY c.relname",
        text(schema)
    )
}

/// A table or view of a schema.
#[derive(Clone, Debug)]
pub struct Relation {
    pub name: TableName,
    is_view: bool,
    is_materialized: bool,
}

impl FromRow for Relation {
    fn from_row(row: Row<'_>) -> Result<Relation> {
        Ok(Relation {
            name: row.relation("nspname", "relname")?,
            is_view: row.boolean("is_view")?,
            is_materialized: row.boolean("is_materialized")?,
        })
    }
}

/// Drops relations with all that depends on them, one statement each.
// Tables come first, as most views go with them; what is gone already is no error.
pub fn drop_relations(relations: &[Relation]) -> Vec<String> {
    let (tables, views): (Vec<&Relation>, Vec<&Relation>) =
        relations.iter().partition(|relation| !relation.is_view && !relation.is_materialized);
    let drop = |relation: &&Relation| {
        let kind = match (relation.is_view, relation.is_materialized) {
            (_, true) => "MATERIALIZED VIEW",
            (true, false) => "VIEW",
            (false, false) => "TABLE",
        };
        format!("DROP {kind} IF EXISTS {} CASCADE", table(&relation.name))
    };
    tables.iter().chain(&views).map(drop).collect()
}
