//! Which database user runs our statements, and whether it is a superuser.

use loader_model::error::Result;

use crate::rows::{FromRow, Row};

/// The query for the user of the connection, which always has one row.
pub fn query() -> String {
    "SELECT current_user AS user_name, usesuper FROM pg_user WHERE usename = current_user"
        .to_owned()
}

/// The database user that runs our statements.
#[derive(Clone, Debug, Default)]
pub struct CurrentUser {
    pub name: String,
    pub superuser: bool,
}

impl FromRow for CurrentUser {
    fn from_row(row: Row<'_>) -> Result<CurrentUser> {
        Ok(CurrentUser { name: row.text("user_name")?, superuser: row.boolean("usesuper")? })
    }
}
