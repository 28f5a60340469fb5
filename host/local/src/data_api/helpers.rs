//! The system tables, views and functions that Redshift has and PostgreSQL lacks, as SQL. It runs
//! in each database when the server first uses it, so it must be repeatable (for example `CREATE OR
//! REPLACE VIEW`). Each file grants to PUBLIC what users may see of its objects.

use tokio_postgres::error::SqlState;

use crate::session::Session;
use crate::sql::engine_error;

/// All helper files as one script, which PostgreSQL runs as one transaction.
// The order matters, because a file may use what an earlier file makes: `views.sql` calls
// `loader_local.full_name`, which `names.sql` makes. `schema.sql` is first and takes the lock.
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
    include_str!("helpers/blanks.sql"),
    include_str!("helpers/writes.sql"),
    include_str!("helpers/machine.sql"),
);

/// Drops the helper views. A view that an earlier version of the program made may have other
/// columns, and PostgreSQL cannot replace it then.
const DROP_VIEWS: &str = include_str!("helpers/drop_views.sql");

/// Makes the helper objects, or brings existing ones up to date.
pub(super) async fn make(session: &Session) -> Result<(), String> {
    let made = session.client.batch_execute(HELPERS).await;
    let has_old_views =
        |error: &tokio_postgres::Error| error.code() == Some(&SqlState::INVALID_TABLE_DEFINITION);
    // The failed script has left nothing, as it was one transaction; so the whole of it runs again.
    let made = match made {
        Err(error) if has_old_views(&error) => {
            session.client.batch_execute(&format!("{DROP_VIEWS}{HELPERS}")).await
        }
        other => other,
    };
    made.map_err(|error| engine_error(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Postgres;

    #[tokio::test]
    async fn views_of_an_earlier_version_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(dir.path(), None).await.unwrap();
        let session = Session::connect(postgres.config(), "dev", None).await.unwrap();
        make(&session).await.unwrap();
        // Another column than today's, as an earlier version might have had it.
        session.command("DROP VIEW loader_local.pg_table_def").await.unwrap();
        session
            .command("CREATE VIEW loader_local.pg_table_def AS SELECT 1 AS older")
            .await
            .unwrap();
        make(&session).await.unwrap();
        let question = "SELECT tablename FROM loader_local.pg_table_def WHERE \"column\" = 'c'";
        assert!(session.rows(question).await.unwrap().is_empty());
        drop(session);
        postgres.stop().await.unwrap();
    }
}
