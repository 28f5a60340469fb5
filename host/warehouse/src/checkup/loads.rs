//! What the checks ask of the table that they load files into, and the view that an evolution finds
//! in its way.

use loader_model::error::Result;
use loader_model::names::TableName;

use crate::dependents::privileges;
use crate::rows::{FromRow, Row};
use crate::sql::{ident, idents, table};

/// The query for some columns of all rows, in the order of the first of them.
pub fn rows_query(name: &TableName, columns: &[&str]) -> String {
    let order = columns.first().map_or(String::new(), |first| ident(first));
    format!("SELECT {} FROM {} ORDER BY {order}", idents(columns), table(name))
}

/// Makes a view of some columns, which PUBLIC may read.
pub fn make_view(view: &TableName, name: &TableName, columns: &[&str]) -> Vec<String> {
    let (view, name) = (table(view), table(name));
    vec![
        format!("CREATE VIEW {view} AS SELECT {} FROM {name}", idents(columns)),
        format!("GRANT SELECT ON {view} TO PUBLIC"),
    ]
}

/// The query for whether PUBLIC may read a view.
pub fn grant_query(view: &TableName) -> String {
    format!(
        "SELECT COUNT(*) AS grants FROM svv_relation_privileges WHERE {} AND privilege_type = \
         'SELECT' AND identity_type = 'public'",
        privileges::is_relation(view)
    )
}

/// The answer to [`grant_query`].
pub struct IsPublic(pub bool);

impl FromRow for IsPublic {
    fn from_row(row: Row<'_>) -> Result<IsPublic> {
        row.integer("grants").map(|grants| IsPublic(grants > 0))
    }
}
