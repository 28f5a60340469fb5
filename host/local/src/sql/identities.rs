//! Users, groups and roles by Redshift's grammar. In PostgreSQL all three are roles (`kind`); a
//! user is a role that can log in. In: CREATE, ALTER, DROP USER/GROUP/ROLE, GRANT ROLE, REVOKE
//! ROLE. Out: PostgreSQL text. The kinds come off the names again in the views
//! (`data_api/helpers/identities.sql`) and in errors (`engine_error`).
//!
//! Not done: owners of roles, system permissions of roles, EXTERNALID.

pub(super) mod kind;
mod options;

use super::cursor::Cursor;
use super::error::SqlError;
use super::prepared::{Action, Prepared};
use super::quoting::{literal, quote};
use super::{helper, settings};
use crate::roles::SUPERUSERS;
use kind::IdentityKind;
use options::{UserOptions, Verb};

/// `CREATE USER|GROUP|ROLE`, from the name on. (`CREATE GROUP g WITH USER a` becomes
/// `CREATE ROLE "group:g" ADMIN loader_local NOLOGIN ROLE "a"`: superusers are members of all.)
pub(super) fn create(kind: IdentityKind, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let role = kind.identity(&mut cursor)?;
    let options = match kind {
        IdentityKind::User => format!("LOGIN{}", new_user_options(&mut cursor)?.postgres(&role)),
        IdentityKind::Group => {
            cursor.eat("with");
            let members = match cursor.eat("user") {
                true => format!(" ROLE {}", IdentityKind::User.identities(&mut cursor)?.join(", ")),
                false => String::new(),
            };
            format!("NOLOGIN{members}")
        }
        IdentityKind::Role if cursor.peeks("externalid") => {
            return Err(SqlError::unsupported("CREATE ROLE EXTERNALID"));
        }
        IdentityKind::Role => "NOLOGIN".to_owned(),
    };
    cursor.expect_end()?;
    let create = format!("CREATE ROLE {} ADMIN {SUPERUSERS} {options}", quote(&role));
    Ok(Prepared::command(create))
}

fn new_user_options(cursor: &mut Cursor<'_>) -> Result<UserOptions, SqlError> {
    cursor.eat("with");
    let options = UserOptions::read(cursor, Verb::Create)?;
    if options.has_password {
        return Ok(options);
    }
    // Redshift's synopsis has PASSWORD outside the brackets; Redshift's words for a statement
    // without it are not known.
    Err(cursor.syntax_error().with_hint("CREATE USER needs PASSWORD 'text' or PASSWORD DISABLE"))
}

/// `ALTER USER|GROUP|ROLE`, from the name on.
pub(super) fn alter(kind: IdentityKind, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let role = kind.identity(&mut cursor)?;
    if kind != IdentityKind::Group {
        cursor.eat("with");
    }
    if cursor.eat("rename to") {
        let name = kind.identity(&mut cursor)?;
        cursor.expect_end()?;
        let text = format!("ALTER ROLE {} RENAME TO {}", quote(&role), quote(&name));
        return Ok(Prepared::command(text));
    }
    match kind {
        IdentityKind::User => alter_user(&role, cursor),
        IdentityKind::Group => alter_group(&quote(&role), cursor),
        IdentityKind::Role if cursor.peeks("owner") || cursor.peeks("externalid") => Err(
            SqlError::unsupported(&format!("ALTER ROLE {}", cursor.text().to_ascii_uppercase())),
        ),
        IdentityKind::Role => Err(cursor.syntax_error()),
    }
}

/// A user's setting (`SET search_path TO s`) or options.
fn alter_user(role: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let quoted = quote(role);
    if cursor.peeks("set") || cursor.peeks("reset") {
        let setting = cursor.rest();
        cursor.skip();
        if settings::is_ignored(&cursor) {
            return Ok(Prepared::of(Action::Nothing));
        }
        return Ok(Prepared::command(format!("ALTER ROLE {quoted} {setting}")));
    }
    let options = UserOptions::read(&mut cursor, Verb::Alter)?;
    Ok(Prepared::command(format!("ALTER ROLE {quoted}{}", options.postgres(role))))
}

/// `ADD USER u, …` or `DROP USER u, …`. To PostgreSQL, members of a group have been granted its
/// role.
fn alter_group(group: &str, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let text = if cursor.eat("add user") {
        format!("GRANT {group} TO {}", IdentityKind::User.identities(&mut cursor)?.join(", "))
    } else {
        cursor.expect("drop user")?;
        format!("REVOKE {group} FROM {}", IdentityKind::User.identities(&mut cursor)?.join(", "))
    };
    cursor.expect_end()?;
    Ok(Prepared::command(text))
}

/// `DROP USER|GROUP|ROLE`, after these words.
pub(super) fn drop(kind: IdentityKind, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let if_exists =
        if kind == IdentityKind::User && cursor.eat("if exists") { "IF EXISTS " } else { "" };
    let roles = match kind {
        IdentityKind::User => cursor.list(|cursor| kind.identity(cursor))?,
        IdentityKind::Group | IdentityKind::Role => vec![kind.identity(&mut cursor)?],
    };
    let is_forced = kind == IdentityKind::Role && cursor.eat("force");
    if kind == IdentityKind::Role && !is_forced {
        cursor.eat("restrict");
    }
    cursor.expect_end()?;
    let preparations: String = roles.iter().map(|role| before_drop(role, is_forced)).collect();
    let roles: Vec<String> = roles.iter().map(|role| quote(role)).collect();
    Ok(Prepared::command(format!("{preparations}DROP ROLE {if_exists}{}", roles.join(", "))))
}

/// The statements that run before a role can be dropped.
// They run in one transaction with the DROP ROLE behind them, so a refused drop undoes them. With
// FORCE they also drop the objects that the role owns, which would otherwise block the drop.
fn before_drop(role: &str, is_forced: bool) -> String {
    let call = helper::call("before_drop", &[&literal(role), &is_forced.to_string()]);
    let owned = if is_forced { format!("DROP OWNED BY {}; ", quote(role)) } else { String::new() };
    format!("{call}; {owned}")
}

/// `GRANT ROLE r, … TO u [WITH ADMIN OPTION], ROLE r2, …`, after ROLE.
pub(super) fn grant_role(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let roles = IdentityKind::Role.identities(&mut cursor)?.join(", ");
    cursor.expect("to")?;
    // Redshift gives the admin option to single members, PostgreSQL to a whole list. So each member
    // gets a GRANT of its own.
    let grants = cursor.list(|cursor| {
        let (kind, member) = member(cursor)?;
        let may_grant = kind == IdentityKind::User && cursor.eat("with admin option");
        let option = if may_grant { " WITH ADMIN OPTION" } else { "" };
        Ok(format!("GRANT {roles} TO {member}{option}"))
    })?;
    cursor.expect_end()?;
    Ok(Prepared::command(grants.join("; ")))
}

/// `REVOKE [ADMIN OPTION FOR] ROLE r, … FROM u, ROLE r2, …`, after ROLE.
pub(super) fn revoke_role(mut cursor: Cursor<'_>, option_only: bool) -> Result<Prepared, SqlError> {
    let roles = IdentityKind::Role.identities(&mut cursor)?.join(", ");
    cursor.expect("from")?;
    let members = cursor.list(|cursor| Ok(member(cursor)?.1))?.join(", ");
    cursor.expect_end()?;
    let option = if option_only { "ADMIN OPTION FOR " } else { "" };
    Ok(Prepared::command(format!("REVOKE {option}{roles} FROM {members}")))
}

/// `u` or `ROLE r`; the name is quoted.
fn member(cursor: &mut Cursor<'_>) -> Result<(IdentityKind, String), SqlError> {
    let kind = if cursor.eat("role") { IdentityKind::Role } else { IdentityKind::User };
    Ok((kind, quote(&kind.identity(cursor)?)))
}
