//! What Redshift has and PostgreSQL has not, as SQL that runs once per database when it is first
//! used and may be repeated. In order: a file may use what an earlier one makes. Each file grants
//! what it makes to PUBLIC itself, where users may see it.

use tokio_postgres::error::SqlState;

use crate::session::Session;
use crate::sql::engine_error;

/// All helper files as one script; it runs as one transaction.
const HELPERS: &str = concat!(
    include_str!("helpers/schema.sql"),
    include_str!("helpers/names.sql"),
    include_str!("helpers/identities.sql"),
    include_str!("helpers/base.sql"),
    include_str!("helpers/views.sql"),
    include_str!("helpers/alter.sql"),
    include_str!("helpers/grants.sql"),
    include_str!("helpers/keys.sql"),
    include_str!("helpers/key_views.sql"),
    include_str!("helpers/varbyte.sql"),
    include_str!("helpers/writes.sql"),
);

/// Views of an earlier version of the program may have other columns, and then cannot be replaced.
const DROP_VIEWS: &str = include_str!("helpers/drop_views.sql");

/// Makes the objects, or brings those that are there up to date.
pub(super) async fn make(session: &Session) -> Result<(), String> {
    let made = session.client.batch_execute(HELPERS).await;
    let has_old_views =
        |error: &tokio_postgres::Error| error.code() == Some(&SqlState::INVALID_TABLE_DEFINITION);
    let made = match made {
        Err(error) if has_old_views(&error) => {
            session.client.batch_execute(&format!("{DROP_VIEWS}{HELPERS}")).await
        }
        other => other,
    };
    made.map_err(|error| engine_error(&error))
}
