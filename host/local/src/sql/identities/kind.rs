//! Users, groups and roles as roles of PostgreSQL. In: the kind and a name as typed. Out: the name
//! of the role that stands for it. PostgreSQL has one kind for all three, so the names of groups
//! and roles carry their kind (`group:readers`, `role:etl`). A user, a group and a role of one name
//! are therefore three roles.

use crate::sql::cursor::Cursor;
use crate::sql::error::SqlError;
use crate::sql::quoting::quote;

/// The kind of an identity. All three can be granted privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum IdentityKind {
    User,
    Group,
    Role,
}

impl IdentityKind {
    /// The beginning of the role's name in PostgreSQL.
    fn prefix(self) -> &'static str {
        match self {
            IdentityKind::User => "",
            IdentityKind::Group => "group:",
            IdentityKind::Role => "role:",
        }
    }

    fn word(self) -> &'static str {
        match self {
            IdentityKind::User => "user",
            IdentityKind::Group => "group",
            IdentityKind::Role => "role",
        }
    }

    /// Takes `USER`, `GROUP` or `ROLE`, if one comes next.
    pub(in crate::sql) fn eat(cursor: &mut Cursor<'_>) -> Option<IdentityKind> {
        [IdentityKind::User, IdentityKind::Group, IdentityKind::Role]
            .into_iter()
            .find(|kind| cursor.eat(kind.word()))
    }

    /// The kind and the name of a role of PostgreSQL: `group:readers` is `("group", "readers")`.
    pub(in crate::sql) fn split(role: &str) -> (&'static str, &str) {
        for kind in [IdentityKind::Group, IdentityKind::Role] {
            if let Some(name) = role.strip_prefix(kind.prefix()) {
                return (kind.word(), name);
            }
        }
        (IdentityKind::User.word(), role)
    }

    /// Reads a name; returns the name of its role in PostgreSQL, not quoted.
    pub(in crate::sql) fn identity(self, cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
        let name = cursor.identifier()?;
        let role = format!("{}{name}", self.prefix());
        // A user named `group:g` would be the same role as the group `g`.
        if self == IdentityKind::User && IdentityKind::split(&name).0 != "user" {
            return Err(SqlError::unsupported(&format!(
                "user name \"{name}\", which begins with \"group:\" or \"role:\","
            )));
        }
        if name == "public" {
            return Err(SqlError::new("role name \"public\" is reserved"));
        }
        Ok(role)
    }

    /// Reads `name, name …`; returns the names of their roles in PostgreSQL, quoted.
    pub(in crate::sql) fn identities(
        self,
        cursor: &mut Cursor<'_>,
    ) -> Result<Vec<String>, SqlError> {
        cursor.list(|cursor| Ok(quote(&self.identity(cursor)?)))
    }
}
