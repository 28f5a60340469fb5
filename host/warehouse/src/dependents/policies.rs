//! Which views have row-level security. The query takes rights that no other query here takes, so
//! the program sends it by itself.
//!
//! Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_ATTACHED_POLICY.html>

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::conditions::is;
use crate::rows::{FromRow, Row};

/// The condition for a relation in SVV_RLS_ATTACHED_POLICY.
pub fn is_protected(name: &TableName) -> String {
    is("relschema", "relname", name)
}

/// The query for relations that have a policy. `relations`: conditions by [`is_protected`], joined
/// by OR.
pub fn query(relations: &str) -> String {
    format!("SELECT DISTINCT relschema, relname FROM svv_rls_attached_policy WHERE {relations}")
}

/// A relation that has a policy.
pub struct Protected {
    pub name: TableName,
}

impl FromRow for Protected {
    fn from_row(row: Row<'_>) -> Result<Protected> {
        Ok(Protected { name: row.relation("relschema", "relname")? })
    }
}
