//! The warehouse behind the API: PostgreSQL, the objects that COPY reads, and the executions. In:
//! how to connect to PostgreSQL; out: connections to databases that have the helper objects (see
//! `helpers`).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio_postgres::Config;

use super::helpers;
use super::kept::Sessions;
use super::names::Names;
use super::registry::Registry;
use crate::clock::now_millis;
use crate::error::LocalError;
use crate::objects::Objects;
use crate::policy::Policy;
use crate::roles::{FIRST_USER, OWNER};
use crate::session::Session;

/// The database that every new warehouse has.
const FIRST_DATABASE: &str = "dev";

/// The warehouse behind the API: PostgreSQL, the objects that COPY reads, and the executions.
pub(crate) struct Warehouse {
    postgres: Config,
    pub(super) objects: Objects,
    /// What the role of a COPY may read.
    pub(super) role: Policy,
    pub(super) registry: Registry,
    pub(super) sessions: Sessions,
    query_ids: AtomicI64,
    pub(super) names: Names,
    /// Databases that this server has made or updated the helper objects of.
    ready: tokio::sync::Mutex<HashSet<String>>,
}

impl Warehouse {
    /// Creates the database `dev` when it is missing, and makes its helper objects.
    pub(crate) async fn start(
        postgres: Config,
        objects: Objects,
        role: Policy,
    ) -> Result<Arc<Warehouse>, LocalError> {
        let warehouse = Arc::new(Warehouse {
            postgres,
            objects,
            role,
            registry: Registry::default(),
            sessions: Sessions::default(),
            // Load errors in the database carry query ids, so ids must not repeat after a restart.
            // The clock is ahead of the last id unless a server ran 1,000 statements a second.
            query_ids: AtomicI64::new(now_millis()),
            names: Names::default(),
            ready: tokio::sync::Mutex::default(),
        });
        warehouse.create_first_database().await.map_err(LocalError::Warehouse)?;
        warehouse.set_up(FIRST_DATABASE).await.map_err(LocalError::Warehouse)?;
        Ok(warehouse)
    }

    async fn create_first_database(&self) -> Result<(), String> {
        let session = Session::connect(&self.postgres, "postgres", None).await?;
        let found = session
            .query(&format!("SELECT 1 FROM pg_database WHERE datname = '{FIRST_DATABASE}'"))
            .await?;
        if found.rows == 0 {
            session.command(&format!("CREATE DATABASE {FIRST_DATABASE}")).await?;
        }
        Ok(())
    }

    /// A new connection to a database that has the helper objects, as `user` or as the first user.
    pub(super) async fn connect(
        &self,
        database: &str,
        user: Option<&str>,
    ) -> Result<Session, String> {
        let user = user.unwrap_or(FIRST_USER);
        if user == OWNER {
            return Err(format!("FATAL: user \"{OWNER}\" does not exist"));
        }
        self.set_up(database).await?;
        Session::connect(&self.postgres, database, Some(user)).await
    }

    /// A database was dropped: one that is made with its name has no helper objects yet.
    pub(super) async fn forget(&self, database: &str) {
        self.ready.lock().await.remove(database);
        self.names.forget(database);
    }

    /// Cancels the statement that runs on the connection with this `pid`.
    pub(super) async fn cancel_backend(&self, pid: i32) -> Result<(), String> {
        let session = Session::connect(&self.postgres, FIRST_DATABASE, None).await?;
        session.command(&format!("SELECT pg_cancel_backend({pid})")).await?;
        Ok(())
    }

    async fn set_up(&self, database: &str) -> Result<(), String> {
        // Held over the set-up, so that a second connection to a new database waits for it. A
        // database that could not be set up is not entered: the next connection tries again.
        let mut ready = self.ready.lock().await;
        if !ready.contains(database) {
            let session = Session::connect(&self.postgres, database, None).await?;
            helpers::make(&session).await?;
            self.names.load(&session, database).await?;
            ready.insert(database.to_owned());
        }
        Ok(())
    }

    pub(super) fn next_query_id(&self) -> i64 {
        self.query_ids.fetch_add(1, Ordering::Relaxed)
    }
}
