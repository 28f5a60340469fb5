//! A GRANT or a REVOKE, and its PostgreSQL text. In: the privileges, object and grantees that were
//! read. Out: PostgreSQL text, and a call that records the privileges that only Redshift has. In
//! PostgreSQL the option to grant stands behind a whole list of grantees, so Redshift's list is
//! split in two. (`GRANT SELECT ON t TO a WITH GRANT OPTION, b` becomes one GRANT to `b` and one to
//! `a`.)

use crate::sql::helper;
use crate::sql::quoting::{literal, quote};

/// Privileges that PostgreSQL does not have.
pub(super) const EXTRA_PRIVILEGES: [&str; 2] = ["drop", "alter"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Grant,
    Revoke,
}

/// The objects that the privileges are on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// Quoted names.
    Tables(Vec<String>),
    /// All tables of schemas, by their quoted names.
    AllTables(Vec<String>),
    Schemas(Vec<String>),
    Databases(Vec<String>),
    /// TABLES, of default privileges.
    FutureTables,
}

impl Object {
    /// The text behind ON.
    fn postgres(&self) -> String {
        match self {
            Object::Tables(names) => format!("TABLE {}", names.join(", ")),
            Object::AllTables(schemas) => format!("ALL TABLES IN SCHEMA {}", schemas.join(", ")),
            Object::Schemas(names) => format!("SCHEMA {}", names.join(", ")),
            Object::Databases(names) => format!("DATABASE {}", names.join(", ")),
            Object::FutureTables => "TABLES".to_owned(),
        }
    }

    /// The tables, or the schemas (then `true`), as an argument; `None` where DROP and ALTER are
    /// not done.
    // The casts (`E'"t"'::regclass`) look the names up when the call runs, on the user's search
    // path and in the user's transaction. So a table that the batch has just created is found too.
    fn recorded(&self) -> Option<(String, bool)> {
        let (names, cast, is_schemas) = match self {
            Object::Tables(names) => (names, "::regclass", false),
            Object::AllTables(schemas) => (schemas, "::regnamespace", true),
            Object::Schemas(_) | Object::Databases(_) | Object::FutureTables => return None,
        };
        let objects = helper::array(names.iter().map(|name| format!("{}{cast}", literal(name))));
        Some((format!("{objects}::oid[]"), is_schemas))
    }
}

/// One privilege and its columns, quoted. Without columns it is on the whole object.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Privilege {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// The identity that gets or loses a privilege; PostgreSQL's name, not quoted. `None` is PUBLIC.
pub(super) struct Grantee {
    pub(super) role: Option<String>,
    pub(super) may_grant: bool,
}

impl Grantee {
    fn postgres(&self) -> String {
        self.role.as_ref().map_or_else(|| "PUBLIC".to_owned(), |role| quote(role))
    }
}

/// A GRANT or a REVOKE.
pub(super) struct GrantChange {
    pub(super) verb: Verb,
    /// REVOKE GRANT OPTION FOR.
    pub(super) option_only: bool,
    /// Empty for ALL.
    pub(super) privileges: Vec<Privilege>,
    pub(super) object: Object,
    pub(super) grantees: Vec<Grantee>,
    pub(super) is_cascade: bool,
}

impl GrantChange {
    /// The statements, each behind `head`, which is empty or `ALTER DEFAULT PRIVILEGES … `.
    pub(super) fn postgres(&self, head: &str) -> String {
        let mut statements = Vec::new();
        for may_grant in [false, true] {
            let grantees: Vec<&Grantee> =
                self.grantees.iter().filter(|grantee| grantee.may_grant == may_grant).collect();
            if grantees.is_empty() {
                continue;
            }
            if let Some(privileges) = self.native() {
                statements
                    .push(format!("{head}{}", self.statement(&privileges, &grantees, may_grant)));
            }
            statements.extend(self.record(&grantees, may_grant));
        }
        statements.join("; ")
    }

    /// The privileges that PostgreSQL has too.
    // `None` leaves the statement out: of `GRANT DROP ON t TO a` only the record is left.
    fn native(&self) -> Option<String> {
        if self.privileges.is_empty() {
            return Some("ALL".to_owned());
        }
        let native: Vec<String> = self
            .privileges
            .iter()
            .filter(|privilege| !EXTRA_PRIVILEGES.contains(&privilege.name.as_str()))
            .map(|privilege| match privilege.columns.join(", ") {
                columns if columns.is_empty() => privilege.name.to_uppercase(),
                columns => format!("{} ({columns})", privilege.name.to_uppercase()),
            })
            .collect();
        (!native.is_empty()).then(|| native.join(", "))
    }

    fn statement(&self, privileges: &str, grantees: &[&Grantee], may_grant: bool) -> String {
        let object = self.object.postgres();
        let grantees: Vec<String> = grantees.iter().map(|grantee| grantee.postgres()).collect();
        let grantees = grantees.join(", ");
        match self.verb {
            Verb::Grant => {
                let option = if may_grant { " WITH GRANT OPTION" } else { "" };
                format!("GRANT {privileges} ON {object} TO {grantees}{option}")
            }
            Verb::Revoke => {
                let option = if self.option_only { "GRANT OPTION FOR " } else { "" };
                let behaviour = if self.is_cascade { " CASCADE" } else { "" };
                format!("REVOKE {option}{privileges} ON {object} FROM {grantees}{behaviour}")
            }
        }
    }

    /// The call that records DROP and ALTER, which come with ALL too.
    // The procedure knows PUBLIC as the empty name, which no identity can have.
    fn record(&self, grantees: &[&Grantee], may_grant: bool) -> Option<String> {
        let (objects, is_schemas) = self.object.recorded()?;
        let extra = self.extra();
        if extra.is_empty() {
            return None;
        }
        let verb = match (self.verb, self.option_only) {
            (Verb::Grant, _) => "grant",
            (Verb::Revoke, false) => "revoke",
            (Verb::Revoke, true) => "revoke option",
        };
        let extra = helper::array(extra.iter().map(|name| literal(&name.to_uppercase())));
        let grantees = grantees.iter().map(|grantee| grantee.role.as_deref().unwrap_or_default());
        let arguments = [
            literal(verb),
            objects,
            is_schemas.to_string(),
            extra,
            helper::array(grantees.map(literal)),
            may_grant.to_string(),
        ];
        Some(helper::call("record_privileges", &arguments.each_ref().map(String::as_str)))
    }

    /// The privileges that only Redshift has.
    fn extra(&self) -> Vec<&'static str> {
        let is_meant = |extra: &&str| {
            self.privileges.is_empty() || self.privileges.iter().any(|own| own.name == **extra)
        };
        EXTRA_PRIVILEGES.into_iter().filter(is_meant).collect()
    }
}
