//! Users, groups and roles by Redshift's grammar. PostgreSQL has one kind for all three; here a
//! user is a role that can log in, and the names of groups and roles carry their kind
//! (`group:readers`, `role:etl`), so that a user, a group and a role of one name are three. In:
//! CREATE, ALTER, DROP USER/GROUP/ROLE, GRANT ROLE, REVOKE ROLE. Out: PostgreSQL text. The kinds
//! come off again in the views (`data_api/helpers/identities.sql`) and in errors (`engine_error`).
//!
//! Passwords are read and forgotten: the Data API needs none. Without effect: VALID UNTIL, SESSION
//! TIMEOUT. Not done: EXTERNALID, owners of roles, system permissions of roles.

use super::cursor::{Cursor, quote};
use super::{Action, Prepared, SqlError, literal};

/// PostgreSQL's own role whose members see what concerns others; what Redshift calls SYSLOG ACCESS
/// UNRESTRICTED.
const SEES_EVERYTHING: &str = "pg_read_all_stats";

/// What may be granted something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Group,
    Role,
}

impl Kind {
    /// In front of the name in PostgreSQL.
    fn prefix(self) -> &'static str {
        match self {
            Kind::User => "",
            Kind::Group => "group:",
            Kind::Role => "role:",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Group => "group",
            Kind::Role => "role",
        }
    }

    /// The kind and the name of a role of PostgreSQL.
    pub(super) fn split(role: &str) -> (&'static str, &str) {
        for kind in [Kind::Group, Kind::Role] {
            if let Some(name) = role.strip_prefix(kind.prefix()) {
                return (kind.word(), name);
            }
        }
        (Kind::User.word(), role)
    }

    /// Reads a name; returns PostgreSQL's for it, not quoted.
    pub(super) fn identity(self, cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
        let name = cursor.identifier()?;
        let role = format!("{}{name}", self.prefix());
        if self == Kind::User && Kind::split(&name).0 != "user" {
            return Err(SqlError::unsupported(&format!(
                "user name \"{name}\" (\"group:\" and \"role:\" in front)"
            )));
        }
        if name == "public" {
            return Err(SqlError::new("role name \"public\" is reserved"));
        }
        Ok(role)
    }

    /// Reads `name, name …`; returns PostgreSQL's names, quoted.
    pub(super) fn identities(self, cursor: &mut Cursor<'_>) -> Result<Vec<String>, SqlError> {
        let mut roles = vec![quote(&self.identity(cursor)?)];
        while cursor.eat(",") {
            roles.push(quote(&self.identity(cursor)?));
        }
        Ok(roles)
    }
}

fn command(text: String) -> Result<Prepared, SqlError> {
    Ok(Prepared::of(Action::Command(text)))
}

/// Reads `USER`, `GROUP` or `ROLE`.
pub(super) fn kind(cursor: &mut Cursor<'_>) -> Option<Kind> {
    [Kind::User, Kind::Group, Kind::Role].into_iter().find(|kind| cursor.eat(kind.word()))
}

/// `CREATE USER|GROUP|ROLE`, from the name on.
pub(super) fn create(kind: Kind, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let role = kind.identity(&mut cursor)?;
    match kind {
        Kind::User => {
            cursor.eat("with");
            let options = UserOptions::read(&mut cursor, Verb::Create)?;
            if !options.has_password {
                // Redshift's synopsis has it outside the brackets; its words are not known.
                return Err(cursor
                    .syntax_error()
                    .with_hint("CREATE USER needs PASSWORD 'text' or PASSWORD DISABLE"));
            }
            command(format!("CREATE ROLE {} LOGIN{}", quote(&role), options.postgres(&role)))
        }
        Kind::Group => {
            cursor.eat("with");
            let members = match cursor.eat("user") {
                true => format!(" ROLE {}", Kind::User.identities(&mut cursor)?.join(", ")),
                false => String::new(),
            };
            cursor.expect_end()?;
            command(format!("CREATE ROLE {} NOLOGIN{members}", quote(&role)))
        }
        Kind::Role => {
            if cursor.peeks("externalid") {
                return Err(SqlError::unsupported("CREATE ROLE EXTERNALID"));
            }
            cursor.expect_end()?;
            command(format!("CREATE ROLE {} NOLOGIN", quote(&role)))
        }
    }
}

/// `ALTER USER|GROUP|ROLE`, from the name on.
pub(super) fn alter(kind: Kind, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let role = kind.identity(&mut cursor)?;
    let quoted = quote(&role);
    if kind != Kind::Group {
        cursor.eat("with");
    }
    if cursor.eat("rename to") {
        let name = kind.identity(&mut cursor)?;
        cursor.expect_end()?;
        return command(format!("ALTER ROLE {quoted} RENAME TO {}", quote(&name)));
    }
    match kind {
        Kind::User if cursor.peeks("set") || cursor.peeks("reset") => {
            let setting = cursor.rest();
            cursor.skip();
            if super::other::IGNORED_SETTINGS.contains(&cursor.text().to_ascii_lowercase().as_str())
            {
                return Ok(Prepared::of(Action::Nothing));
            }
            command(format!("ALTER ROLE {quoted} {setting}"))
        }
        Kind::User => {
            let options = UserOptions::read(&mut cursor, Verb::Alter)?;
            command(format!("ALTER ROLE {quoted}{}", options.postgres(&role)))
        }
        Kind::Group => {
            let text = if cursor.eat("add user") {
                format!("GRANT {quoted} TO {}", Kind::User.identities(&mut cursor)?.join(", "))
            } else {
                cursor.expect("drop user")?;
                format!("REVOKE {quoted} FROM {}", Kind::User.identities(&mut cursor)?.join(", "))
            };
            cursor.expect_end()?;
            command(text)
        }
        Kind::Role if cursor.peeks("owner") || cursor.peeks("externalid") => Err(
            SqlError::unsupported(&format!("ALTER ROLE {}", cursor.text().to_ascii_uppercase())),
        ),
        Kind::Role => Err(cursor.syntax_error()),
    }
}

/// `DROP USER|GROUP|ROLE`, after these words.
pub(super) fn drop(kind: Kind, mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let if_exists = if kind == Kind::User && cursor.eat("if exists") { "IF EXISTS " } else { "" };
    let mut roles = vec![kind.identity(&mut cursor)?];
    while kind == Kind::User && cursor.eat(",") {
        roles.push(kind.identity(&mut cursor)?);
    }
    let is_forced = kind == Kind::Role && cursor.eat("force");
    if kind == Kind::Role && !is_forced {
        cursor.eat("restrict");
    }
    cursor.expect_end()?;
    let mut text = String::new();
    for role in &roles {
        text.push_str(&format!(
            "CALL {}.before_drop({}, {is_forced}); ",
            super::HELPER_SCHEMA,
            literal(role)
        ));
        if is_forced {
            text.push_str(&format!("DROP OWNED BY {}; ", quote(role)));
        }
    }
    let roles: Vec<String> = roles.iter().map(|role| quote(role)).collect();
    command(format!("{text}DROP ROLE {if_exists}{}", roles.join(", ")))
}

/// `GRANT ROLE r, … TO u [WITH ADMIN OPTION], ROLE r2, …`, after ROLE.
pub(super) fn grant_role(mut cursor: Cursor<'_>) -> Result<Prepared, SqlError> {
    let roles = Kind::Role.identities(&mut cursor)?.join(", ");
    cursor.expect("to")?;
    let mut grants = Vec::new();
    loop {
        let kind = if cursor.eat("role") { Kind::Role } else { Kind::User };
        let member = quote(&kind.identity(&mut cursor)?);
        let option = if kind == Kind::User && cursor.eat("with admin option") {
            " WITH ADMIN OPTION"
        } else {
            ""
        };
        grants.push(format!("GRANT {roles} TO {member}{option}"));
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect_end()?;
    command(grants.join("; "))
}

/// `REVOKE [ADMIN OPTION FOR] ROLE r, … FROM u, ROLE r2, …`, after ROLE.
pub(super) fn revoke_role(mut cursor: Cursor<'_>, option_only: bool) -> Result<Prepared, SqlError> {
    let roles = Kind::Role.identities(&mut cursor)?.join(", ");
    cursor.expect("from")?;
    let mut members = Vec::new();
    loop {
        let kind = if cursor.eat("role") { Kind::Role } else { Kind::User };
        members.push(quote(&kind.identity(&mut cursor)?));
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect_end()?;
    let option = if option_only { "ADMIN OPTION FOR " } else { "" };
    command(format!("REVOKE {option}{roles} FROM {}", members.join(", ")))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Create,
    Alter,
}

/// The options of CREATE USER and ALTER USER, in PostgreSQL's words.
#[derive(Default)]
struct UserOptions {
    has_password: bool,
    options: String,
    sees_everything: Option<bool>,
}

impl UserOptions {
    fn read(cursor: &mut Cursor<'_>, verb: Verb) -> Result<UserOptions, SqlError> {
        let mut read = UserOptions::default();
        let mut groups = Vec::new();
        while !cursor.is_at_end() {
            if cursor.eat("password") {
                if !cursor.eat("disable") {
                    cursor.literal()?;
                }
                read.has_password = true;
            } else if cursor.eat("createuser") {
                read.options.push_str(" SUPERUSER");
            } else if cursor.eat("nocreateuser") {
                read.options.push_str(" NOSUPERUSER");
            } else if cursor.eat("createdb") {
                read.options.push_str(" CREATEDB");
            } else if cursor.eat("nocreatedb") {
                read.options.push_str(" NOCREATEDB");
            } else if cursor.eat("syslog access unrestricted") {
                read.sees_everything = Some(true);
            } else if cursor.eat("syslog access restricted") {
                read.sees_everything = Some(false);
            } else if verb == Verb::Create && cursor.eat("in group") {
                groups.extend(Kind::Group.identities(cursor)?);
            } else if cursor.eat("valid until") {
                read.options.push_str(&format!(" VALID UNTIL {}", literal(cursor.literal()?)));
            } else if cursor.eat("connection limit") {
                let limit = if cursor.eat("unlimited") {
                    "-1".to_owned()
                } else {
                    cursor.number()?.to_string()
                };
                read.options.push_str(&format!(" CONNECTION LIMIT {limit}"));
            } else if cursor.eat("session timeout") {
                cursor.number()?;
            } else if verb == Verb::Alter && cursor.eat("reset session timeout") {
                // It never had an effect.
            } else if cursor.peeks("externalid") {
                return Err(SqlError::unsupported("EXTERNALID"));
            } else {
                return Err(cursor.syntax_error());
            }
        }
        if !groups.is_empty() {
            read.options.push_str(&format!(" IN ROLE {}", groups.join(", ")));
        }
        Ok(read)
    }

    fn postgres(&self, role: &str) -> String {
        let role = quote(role);
        let sees = match self.sees_everything {
            Some(true) => format!("; GRANT {SEES_EVERYTHING} TO {role}"),
            Some(false) => format!("; REVOKE {SEES_EVERYTHING} FROM {role}"),
            None => String::new(),
        };
        format!("{}{sees}", self.options)
    }
}
