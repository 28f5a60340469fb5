//! The refusal of names with upper-case letters, which the loader could not write to.

use loader_model::error::{Error, Kind};
use loader_model::names::TableName;

use crate::sql;

/// A table whose name only differs from the target's in case.
pub(super) fn table(table: &TableName, name: &str) -> Error {
    let (schema, quoted) = (&table.schema, sql::ident(name));
    let rename = format!(
        "ALTER TABLE {}.{quoted} RENAME TO {}",
        sql::ident(schema),
        sql::ident(&table.table)
    );
    refused(format!("the table {schema}.{quoted}"), &rename)
}

/// A column of the target with upper-case letters in its name.
pub(super) fn column(table: &TableName, name: &str) -> Error {
    let quoted = sql::ident(name);
    let rename = format!(
        "ALTER TABLE {} RENAME COLUMN {quoted} TO {}",
        sql::table(table),
        sql::ident(&name.to_ascii_lowercase())
    );
    refused(format!("the column {quoted} of {table}"), &rename)
}

/// Only a session with `enable_case_sensitive_identifier` makes and finds such names. The loader
/// writes all names in lower case, so it would make a second table or column beside them.
fn refused(what: String, rename: &str) -> Error {
    let message = format!(
        "{what} has upper-case letters in its name, and the loader writes names in lower case \
         only; rename it: SET enable_case_sensitive_identifier TO true; {rename}"
    );
    Error::new(Kind::SchemaConflict, message)
}
