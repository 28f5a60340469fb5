//! The options of CREATE USER and ALTER USER. In: a statement's tokens behind the name. Out: the
//! options in PostgreSQL's words.
//!
//! Passwords are read and forgotten, because the Data API needs none. VALID UNTIL and SESSION
//! TIMEOUT are taken and have no effect. EXTERNALID is refused.

use super::kind::IdentityKind;
use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;
use crate::sql::helper;
use crate::sql::quoting::{literal, quote};

/// PostgreSQL's own role whose members see the activity of every user; Redshift calls this SYSLOG
/// ACCESS UNRESTRICTED.
const SEES_EVERYTHING: &str = "pg_read_all_stats";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Alter,
}

/// Options without an argument, and PostgreSQL's words for them.
// CREATEUSER is not the right to create users: in Redshift it makes a superuser, who has that right
// among others (`UserOptions::postgres` gives the rest).
const SWITCHES: [(&str, &str); 4] = [
    ("createuser", " CREATEROLE"),
    ("nocreateuser", " NOCREATEROLE"),
    ("createdb", " CREATEDB"),
    ("nocreatedb", " NOCREATEDB"),
];

/// The options of CREATE USER and ALTER USER, in PostgreSQL's words.
#[derive(Default)]
pub(super) struct UserOptions {
    pub(super) has_password: bool,
    /// PostgreSQL's words, each with a blank in front.
    options: String,
    /// Quoted.
    groups: Vec<String>,
    sees_everything: Option<bool>,
    is_superuser: Option<bool>,
}

impl UserOptions {
    /// Reads options up to the statement's end.
    pub(super) fn read(cursor: &mut Cursor<'_>, verb: Verb) -> Result<UserOptions, SqlError> {
        let mut options = UserOptions::default();
        while !cursor.is_at_end() {
            let is_read = options.switch(cursor)
                || options.with_argument(cursor)?
                || options.of_verb(cursor, verb)?;
            if !is_read && cursor.peeks("externalid") {
                return Err(SqlError::unsupported("EXTERNALID"));
            }
            if !is_read {
                return Err(cursor.syntax_error());
            }
        }
        Ok(options)
    }

    /// Reads an option without an argument, if one comes next.
    fn switch(&mut self, cursor: &mut Cursor<'_>) -> bool {
        if let Some((word, postgres)) = SWITCHES.iter().find(|(word, _)| cursor.eat(word)) {
            self.options.push_str(postgres);
            if word.ends_with("createuser") {
                self.is_superuser = Some(*word == "createuser");
            }
        } else if cursor.eat("syslog access unrestricted") {
            self.sees_everything = Some(true);
        } else if cursor.eat("syslog access restricted") {
            self.sees_everything = Some(false);
        } else {
            return false;
        }
        true
    }

    /// Reads an option with an argument, if one comes next.
    fn with_argument(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, SqlError> {
        if cursor.eat("password") {
            if !cursor.eat("disable") {
                cursor.literal()?;
            }
            self.has_password = true;
        } else if cursor.eat("valid until") {
            self.options.push_str(&format!(" VALID UNTIL {}", literal(cursor.literal()?)));
        } else if cursor.eat("connection limit") {
            let limit = match cursor.eat("unlimited") {
                true => "-1".to_owned(),
                false => cursor.number()?.to_string(),
            };
            self.options.push_str(&format!(" CONNECTION LIMIT {limit}"));
        } else if cursor.eat("session timeout") {
            cursor.number()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads an option that only one of the two statements has, if one comes next.
    fn of_verb(&mut self, cursor: &mut Cursor<'_>, verb: Verb) -> Result<bool, SqlError> {
        match verb {
            Verb::Create if cursor.eat("in group") => {
                self.groups.extend(IdentityKind::Group.identities(cursor)?);
                Ok(true)
            }
            Verb::Create => Ok(false),
            // SESSION TIMEOUT never had an effect, so there is nothing to reset.
            Verb::Alter => Ok(cursor.eat("reset session timeout")),
        }
    }

    /// The text behind `CREATE ROLE r` or `ALTER ROLE r`, with further statements for SYSLOG ACCESS
    /// and superusers. (`SYSLOG ACCESS UNRESTRICTED` becomes `; GRANT pg_read_all_stats TO "r"`.)
    pub(super) fn postgres(&self, role: &str) -> String {
        let quoted = quote(role);
        let groups = match self.groups.is_empty() {
            true => String::new(),
            false => format!(" IN ROLE {}", self.groups.join(", ")),
        };
        let sees = match self.sees_everything {
            Some(true) => format!("; GRANT {SEES_EVERYTHING} TO {quoted}"),
            Some(false) => format!("; REVOKE {SEES_EVERYTHING} FROM {quoted}"),
            None => String::new(),
        };
        let superuser = self.is_superuser.map(|is_superuser| {
            let arguments = [&literal(role), &is_superuser.to_string()];
            format!("; {}", helper::call("change_superuser", &arguments.map(String::as_str)))
        });
        format!("{}{groups}{sees}{}", self.options, superuser.unwrap_or_default())
    }
}
