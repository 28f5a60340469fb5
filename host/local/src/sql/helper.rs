//! The stand-in's own schema in the database, and calls of its procedures (`data_api/helpers`). In:
//! a procedure's name and its arguments as SQL. Out: PostgreSQL text.

use super::quoting::literal;

/// The schema of the stand-in's own tables, views and procedures; hidden from listings.
pub(crate) const HELPER_SCHEMA: &str = "loader_local";

/// `CALL loader_local.procedure(argument, …)`.
pub(super) fn call(procedure: &str, arguments: &[&str]) -> String {
    format!("CALL {HELPER_SCHEMA}.{procedure}({})", arguments.join(", "))
}

/// An argument that names a relation, for example `E'"s"."t"'::regclass`. PostgreSQL looks the
/// quoted name up when the call runs, on the search path of the user.
pub(super) fn regclass(relation: &str) -> String {
    format!("{}::regclass", literal(relation))
}

/// An array as an argument; every item is SQL.
pub(super) fn array(items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    format!("ARRAY[{}]", items.join(", "))
}
