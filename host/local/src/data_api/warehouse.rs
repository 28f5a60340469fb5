//! The warehouse behind the API: PostgreSQL, the objects that COPY reads, and what was executed.
//! In: how to connect; out: connections to databases that have what Redshift has and PostgreSQL has
//! not.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio_postgres::Config;

use super::helpers;
use super::names::Names;
use super::registry::Registry;
use crate::clock::now_millis;
use crate::error::LocalError;
use crate::objects::Objects;
use crate::session::Session;

/// The database that every new warehouse has.
const FIRST_DATABASE: &str = "dev";

/// The warehouse behind the API: PostgreSQL, the objects that COPY reads, and what was executed.
pub(crate) struct Warehouse {
    postgres: Config,
    pub(super) objects: Objects,
    pub(super) registry: Registry,
    query_ids: AtomicI64,
    pub(super) names: Names,
    /// Databases that have the helper objects.
    ready: tokio::sync::Mutex<HashSet<String>>,
}

impl Warehouse {
    /// Sets up the database `dev` (created when missing) and what Redshift has and PostgreSQL has
    /// not.
    pub(crate) async fn start(
        postgres: Config,
        objects: Objects,
    ) -> Result<Arc<Warehouse>, LocalError> {
        let warehouse = Arc::new(Warehouse {
            postgres,
            objects,
            registry: Registry::default(),
            // Query ids grow over restarts, as the load errors in the database carry them.
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

    /// A new connection to a database that has the helper objects, as `user` or as the superuser.
    pub(super) async fn connect(
        &self,
        database: &str,
        user: Option<&str>,
    ) -> Result<Session, String> {
        self.set_up(database).await?;
        Session::connect(&self.postgres, database, user).await
    }

    async fn set_up(&self, database: &str) -> Result<(), String> {
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
