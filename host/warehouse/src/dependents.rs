//! What reads a table: views, views on views, their owners, comments and grants, as the catalog has
//! them. The queries, and what their answers say; nothing is run here.
//!
//! Reading order: `overview` (what hangs on the table), `details` and `privileges` (the views),
//! `policies` (what only a user with more rights may see), `assemble` and `obstacle` (what could
//! not be brought back is found before anything is touched).

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

/// A query that shows whether a view works, and nothing else.
pub fn probe(view: &TableName) -> String {
    format!("SELECT * FROM {} WHERE 1 = 0", crate::sql::table(view))
}

#[cfg(test)]
mod tests;
