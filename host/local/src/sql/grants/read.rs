//! Reads the parts that GRANT, REVOKE and ALTER DEFAULT PRIVILEGES have in common: privileges,
//! objects, and the identities that get or lose them. In: a statement's tokens. Out: a
//! `GrantChange`, or Redshift's refusal of a combination that its synopses do not have.

use super::change::{EXTRA_PRIVILEGES, GrantChange, Grantee, Object, Privilege, Verb};
use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;
use crate::sql::identities::kind::IdentityKind;
use crate::sql::query::system_view;
use crate::sql::quoting::quote;

/// Privileges on tables that PostgreSQL has too.
const TABLE_PRIVILEGES: [&str; 8] =
    ["select", "insert", "update", "delete", "truncate", "references", "rule", "trigger"];
const SCHEMA_PRIVILEGES: [&str; 2] = ["create", "usage"];
const DATABASE_PRIVILEGES: [&str; 3] = ["create", "temp", "temporary"];

const KNOWN_PRIVILEGES: [&[&str]; 4] =
    [&TABLE_PRIVILEGES, &EXTRA_PRIVILEGES, &SCHEMA_PRIVILEGES, &DATABASE_PRIVILEGES];
/// Privileges of Redshift that the stand-in does not have.
const OTHER_PRIVILEGES: [&str; 5] = ["execute", "assumerole", "explain", "ignore", "access"];
/// Objects that have privileges in Redshift and not in the stand-in.
const OTHER_OBJECTS: [&str; 8] = [
    "function",
    "procedure",
    "language",
    "model",
    "datashare",
    "all functions",
    "all procedures",
    "external",
];

/// The place of a GRANT: by itself, or in ALTER DEFAULT PRIVILEGES.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Objects,
    /// In ALTER DEFAULT PRIVILEGES.
    Defaults,
}

/// Reads from the privileges up to the statement's end.
// The privileges stand before the object that decides which of them are allowed, so they are
// checked only behind it. (`GRANT USAGE ON` goes on with a schema, not with a table.)
pub(super) fn change(
    cursor: &mut Cursor<'_>,
    verb: Verb,
    scope: Scope,
) -> Result<GrantChange, SqlError> {
    let option_only = verb == Verb::Revoke && cursor.eat("grant option for");
    let privileges = privileges(cursor)?;
    cursor.expect("on")?;
    let object = match scope {
        Scope::Objects => object(cursor)?,
        Scope::Defaults => future_objects(cursor)?,
    };
    check_columns(&privileges, &object)?;
    check_privileges(&privileges, &object)?;
    cursor.expect(if verb == Verb::Grant { "to" } else { "from" })?;
    let is_of_columns = privileges.iter().any(|privilege| !privilege.columns.is_empty());
    let grantees = cursor.list(|cursor| grantee(cursor, verb, is_of_columns))?;
    let is_cascade = verb == Verb::Revoke && cursor.eat_cascade();
    cursor.expect_end()?;
    Ok(GrantChange { verb, option_only, privileges, object, grantees, is_cascade })
}

/// The privileges before ON; none for ALL.
fn privileges(cursor: &mut Cursor<'_>) -> Result<Vec<Privilege>, SqlError> {
    if !cursor.eat("all") {
        return cursor.list(privilege);
    }
    cursor.eat("privileges");
    let columns = columns(cursor)?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    // On columns, ALL means the privileges that a column can have.
    let of_columns = |name: &str| Privilege { name: name.to_owned(), columns: columns.clone() };
    Ok(vec![of_columns("select"), of_columns("update")])
}

/// `SELECT`, `UPDATE (a, b)`.
fn privilege(cursor: &mut Cursor<'_>) -> Result<Privilege, SqlError> {
    let name = cursor.text().to_ascii_lowercase();
    if OTHER_PRIVILEGES.contains(&name.as_str()) {
        return Err(SqlError::unsupported(&format!("privilege {}", name.to_uppercase())));
    }
    if !KNOWN_PRIVILEGES.iter().any(|list| list.contains(&name.as_str())) {
        return Err(cursor.syntax_error());
    }
    cursor.skip();
    if cursor.peeks("(") && !matches!(name.as_str(), "select" | "update") {
        return Err(cursor
            .syntax_error()
            .with_hint("Amazon Redshift grants SELECT and UPDATE on columns"));
    }
    Ok(Privilege { name, columns: columns(cursor)? })
}

/// `(a, b)`, quoted, if it is there.
fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
    if !cursor.peeks("(") {
        return Ok(Vec::new());
    }
    Ok(cursor.names_in_brackets()?.iter().map(|name| quote(name)).collect())
}

/// The objects behind ON in GRANT and REVOKE.
fn object(cursor: &mut Cursor<'_>) -> Result<Object, SqlError> {
    let names = |cursor: &mut Cursor<'_>| cursor.list(|cursor| Ok(quote(&cursor.identifier()?)));
    if cursor.eat("all tables in schema") {
        return names(cursor).map(Object::AllTables);
    }
    if cursor.eat("schema") {
        return names(cursor).map(Object::Schemas);
    }
    if cursor.eat("database") {
        return names(cursor).map(Object::Databases);
    }
    if let Some(other) = OTHER_OBJECTS.iter().find(|other| cursor.peeks(other)) {
        return Err(SqlError::unsupported(&format!(
            "GRANT and REVOKE ON {}",
            other.to_uppercase()
        )));
    }
    cursor.eat("table");
    cursor.list(table).map(Object::Tables)
}

/// A table's quoted name.
// A system view is a helper view here, so a grant on it must go there: `svv_tables` becomes
// `loader_local.svv_tables`.
fn table(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    let name = cursor.qualified_name()?;
    let system = match name.schema.as_deref() {
        None | Some("pg_catalog") => system_view(&name.table),
        Some(_) => None,
    };
    Ok(system.unwrap_or_else(|| name.to_string()))
}

/// The objects behind ON in ALTER DEFAULT PRIVILEGES.
fn future_objects(cursor: &mut Cursor<'_>) -> Result<Object, SqlError> {
    if cursor.eat("tables") {
        return Ok(Object::FutureTables);
    }
    if cursor.peeks("functions") || cursor.peeks("procedures") {
        return Err(SqlError::unsupported("ALTER DEFAULT PRIVILEGES ON FUNCTIONS and PROCEDURES"));
    }
    Err(cursor.syntax_error())
}

/// Checks that all privileges have columns, or none has. (`GRANT SELECT (a), INSERT ON t` is
/// refused.) Only privileges on tables can have them.
fn check_columns(privileges: &[Privilege], object: &Object) -> Result<(), SqlError> {
    let with_columns = privileges.iter().filter(|privilege| !privilege.columns.is_empty()).count();
    let on_tables = matches!(object, Object::Tables(_));
    if with_columns == 0 || (on_tables && with_columns == privileges.len()) {
        return Ok(());
    }
    Err(SqlError::absent("(", "columns at every privilege of a GRANT on tables, or at none"))
}

/// Checks that the object can have every privilege. (`GRANT USAGE ON t` is refused for a table.)
fn check_privileges(privileges: &[Privilege], object: &Object) -> Result<(), SqlError> {
    let (allowed, what) = allowed(object);
    let can_be_recorded = matches!(object, Object::Tables(_) | Object::AllTables(_));
    for Privilege { name, .. } in privileges {
        let is_extra = EXTRA_PRIVILEGES.contains(&name.as_str());
        if is_extra && !can_be_recorded {
            let name = name.to_uppercase();
            return Err(SqlError::unsupported(&format!(
                "privilege {name} on schemas, databases and future tables"
            )));
        }
        if !is_extra && !allowed.contains(&name.as_str()) {
            let name = name.to_uppercase();
            return Err(SqlError::new(format!("invalid privilege type {name} for {what}")));
        }
    }
    Ok(())
}

/// The privileges that PostgreSQL has on an object too, and what messages call the object.
fn allowed(object: &Object) -> (&'static [&'static str], &'static str) {
    match object {
        Object::Tables(_) | Object::AllTables(_) | Object::FutureTables => {
            (&TABLE_PRIVILEGES, "relation")
        }
        Object::Schemas(_) => (&SCHEMA_PRIVILEGES, "schema"),
        Object::Databases(_) => (&DATABASE_PRIVILEGES, "database"),
    }
}

/// `[GROUP|ROLE] name|PUBLIC [WITH GRANT OPTION]`.
fn grantee(cursor: &mut Cursor<'_>, verb: Verb, is_of_columns: bool) -> Result<Grantee, SqlError> {
    let (kind, role) = role(cursor)?;
    let may_grant = verb == Verb::Grant && cursor.eat("with grant option");
    if may_grant && kind != Some(IdentityKind::User) {
        // The words are PostgreSQL 8's; the rule is still Redshift's.
        return Err(SqlError::new("grant options can only be granted to individual users"));
    }
    if may_grant && is_of_columns {
        return Err(SqlError::absent("WITH", "no grant option on columns"));
    }
    Ok(Grantee { role, may_grant })
}

/// The kind of the identity, and its role in PostgreSQL; both are `None` for PUBLIC.
fn role(cursor: &mut Cursor<'_>) -> Result<(Option<IdentityKind>, Option<String>), SqlError> {
    if cursor.eat("public") {
        return Ok((None, None));
    }
    let kind = if cursor.eat("group") {
        IdentityKind::Group
    } else if cursor.eat("role") {
        IdentityKind::Role
    } else {
        IdentityKind::User
    };
    Ok((Some(kind), Some(kind.identity(cursor)?)))
}
