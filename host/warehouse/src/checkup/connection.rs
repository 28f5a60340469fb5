//! Who is connected to what: the version of the warehouse, the user, and what the user's sessions
//! begin with.

use loader_model::error::Result;

use crate::rows::{FromRow, Row};
use crate::sql::text;

/// The query for the warehouse's version and the user of the connection.
pub fn query() -> String {
    "SELECT version() AS version, current_user AS user_name, usesuper FROM pg_user WHERE usename = \
     current_user"
        .to_owned()
}

/// The answer to [`query`].
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// As the warehouse writes it, such as `PostgreSQL 8.0.2 on i686-pc-linux-gnu, …, Redshift
    /// 1.0.12345`.
    pub version: String,
    pub user: String,
    pub superuser: bool,
}

impl FromRow for Connection {
    fn from_row(row: Row<'_>) -> Result<Connection> {
        Ok(Connection {
            version: row.text("version")?,
            user: row.text("user_name")?,
            superuser: row.boolean("usesuper")?,
        })
    }
}

/// The query for the isolation level of a database.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/r_STV_DB_ISOLATION_LEVEL.html>
pub fn isolation_query(database: &str) -> String {
    format!("SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = {}", text(database))
}

/// The answer to [`isolation_query`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    Snapshot,
    Serializable,
    Unknown,
}

impl FromRow for Isolation {
    fn from_row(row: Row<'_>) -> Result<Isolation> {
        let level = row.text("isolation_level")?.to_lowercase();
        Ok(match () {
            () if level.contains("snapshot") => Isolation::Snapshot,
            () if level.contains("serializable") => Isolation::Serializable,
            () => Isolation::Unknown,
        })
    }
}

/// Settings of a session that a user may have a default of their own for, and that change what
/// statements mean. Each with the value that a new user has.
/// Source: <https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html>
pub const SETTINGS: [(&str, &str); 5] = [
    ("timezone", "UTC"),
    ("datestyle", "ISO, MDY"),
    ("statement_timeout", "0"),
    ("search_path", "\"$user\", public"),
    ("enable_case_sensitive_identifier", "off"),
];

/// The query for a setting of the session.
pub fn show(setting: &str) -> String {
    format!("SHOW {setting}")
}
