//! GRANT, REVOKE and ALTER DEFAULT PRIVILEGES by Redshift's grammar. In: the statement's tokens.
//! Out: PostgreSQL text. `read` reads what the three have in common, and `change` writes it.
//!
//! The privileges DROP and ALTER on tables are recorded and shown (`data_api/helpers/grants.sql`)
//! but give no right: only an owner drops and alters. RULE is read and forgotten, as in PostgreSQL.
//! Not done: DROP and ALTER on schemas, databases and by default; functions, procedures, languages,
//! models, datashares, system permissions, scoped permissions (FOR TABLES IN SCHEMA), ASSUMEROLE.

mod change;
mod read;

use super::cursor::Cursor;
use super::error::SqlError;
use super::identities::{self, kind::IdentityKind};
use super::prepared::Prepared;
use super::quoting::quote;
use change::Verb;
use read::Scope;

/// `GRANT …`.
pub(super) fn grant(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("grant")?;
    if cursor.eat("role") {
        return identities::grant_role(cursor);
    }
    let change = read::change(&mut cursor, Verb::Grant, Scope::Objects)?;
    Ok(Prepared::command(change.postgres("")))
}

/// `REVOKE …`.
pub(super) fn revoke(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    cursor.expect("revoke")?;
    // Only roles have an admin option: `REVOKE ADMIN OPTION FOR SELECT …` is refused below.
    let admin_only = cursor.eat("admin option for");
    if cursor.eat("role") {
        return identities::revoke_role(cursor, admin_only);
    }
    if admin_only {
        return Err(cursor.syntax_error());
    }
    let change = read::change(&mut cursor, Verb::Revoke, Scope::Objects)?;
    Ok(Prepared::command(change.postgres("")))
}

/// `ALTER DEFAULT PRIVILEGES [FOR USER u, …] [IN SCHEMA s, …] GRANT|REVOKE …`, after PRIVILEGES.
pub(super) fn alter_default(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let mut head = String::from("ALTER DEFAULT PRIVILEGES ");
    if cursor.eat("for user") {
        head.push_str(&format!(
            "FOR ROLE {} ",
            IdentityKind::User.identities(&mut cursor)?.join(", ")
        ));
    }
    if cursor.eat("in schema") {
        let schemas = cursor.list(|cursor| Ok(quote(&cursor.identifier()?)))?;
        head.push_str(&format!("IN SCHEMA {} ", schemas.join(", ")));
    }
    let verb = if cursor.eat("grant") {
        Verb::Grant
    } else {
        cursor.expect("revoke")?;
        Verb::Revoke
    };
    let change = read::change(&mut cursor, verb, Scope::Defaults)?;
    Ok(Prepared::command(change.postgres(&head)))
}
