//! What reads a table: views, views on views, their owners, comments and grants, as the catalog has
//! them. The module has the queries and reads their answers. It runs nothing.
//!
//! Reading order: `overview` (what depends on the table), `details` and `privileges` (the views),
//! `policies` (what only a user with more rights may see), `assemble` and `obstacle` (which views
//! could not be brought back, before any of them is dropped).

mod dependent;

pub mod overview;

pub mod user;

mod members;

mod order;

mod by_text;

pub mod details;

pub mod privileges;

pub mod policies;

mod assemble;

mod obstacle;

mod acl;

pub mod conditions;

use loader_model::names::TableName;

pub use dependent::{Dependent, Dependents};

/// A query that fails when a view does not work, and that returns no rows in any case. For example,
/// `SELECT * FROM "public"."v_orders" WHERE 1 = 0`.
pub fn probe(view: &TableName) -> String {
    format!("SELECT * FROM {} WHERE 1 = 0", crate::sql::table(view))
}

/// A transaction that tells whether our user may make views in a schema, and that leaves nothing:
/// its last statement always fails. It ends with [`Refusal::Guard`] when the view could be made.
///
/// [`Refusal::Guard`]: crate::refusal::Refusal::Guard
pub fn create_probe(schema: &str) -> Vec<String> {
    let view = TableName { schema: schema.to_owned(), table: "_loader_probe".to_owned() };
    let create = format!("CREATE VIEW {} AS SELECT 1 AS one", crate::sql::table(&view));
    vec![create, "SELECT 1 / 0 AS taken_back".to_owned()]
}

#[cfg(test)]
mod tests;
