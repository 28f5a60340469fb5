//! The Amazon Redshift Data API over PostgreSQL. In: AWS JSON 1.1 requests. Out: what the service
//! would answer; SQL runs on connections of its own, each statement as Redshift would run it
//! (`sql`), COPY by Redshift's rules (`copy`).
//!
//! It does: Execute and BatchExecute (both modes), Describe with sub-statements and long polls,
//! results with paging (JSON and CSV), cancel, lists of statements, databases, schemas and tables,
//! DescribeTable; client tokens, parameters, and the service's limits. It does not: check
//! signatures or passwords (`DbUser` is taken at its word, and without it everyone is the superuser
//! `loader`), keep sessions (refused), send events, name the table behind a result's column,
//! survive a restart with its statements. Of Redshift's engine it has no procedures, UNLOAD, ALTER
//! TABLE APPEND, SHOW TABLE and its like, QUALIFY, PIVOT, navigation in SUPER. Distribution, sort
//! order, encodings and keys are recorded and shown, nothing more; trailing blanks count where
//! VARCHAR is compared; writers of one table wait for each other only where they lock it or change
//! the same rows.
//!
//! Views are bound, late-binding or materialized. A bound one blocks what Redshift says it blocks:
//! ALTER COLUMN TYPE of any column of its table, DROP of the table and of columns it uses; it
//! follows a renamed table or column. A late-binding one is looked up by names when it is read,
//! blocks nothing, has no columns in the catalog, no edges in `pg_depend`, and cannot be read by
//! the other two kinds or by MERGE; its query runs with the rights of who reads it, where Redshift
//! takes its owner's. OR REPLACE does not change a view's kind. A materialized one is PostgreSQL's:
//! `pg_class.relkind` is `m` (`v` in Redshift), its columns are not in `svv_columns`, it follows
//! renamed columns where Redshift's could not be refreshed any more, and AUTO REFRESH, keys and
//! BACKUP do nothing. There is no `pg_get_late_binding_view_cols()`, `svv_mv_info` or SHOW VIEW.

mod catalog;
mod describe;
mod execute;
mod execution;
mod helpers;
mod history;
mod late_binding;
mod names;
mod protocol;
mod registry;
mod result;
mod run;
mod session;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio_postgres::Config;

use crate::error::LocalError;
use crate::objects::Objects;
pub(crate) use execution::Execution;
use names::Names;
use protocol::ApiError;
pub(crate) use protocol::now_millis;
use registry::Registry;
pub(crate) use session::Session;

/// The service's limit is 100 KB a statement and 40 of them; more than this is no request.
const MAX_BODY_BYTES: usize = 8 << 20;
/// The database that every new warehouse has.
const FIRST_DATABASE: &str = "dev";

/// The warehouse behind the API: PostgreSQL, the objects that COPY reads, and what was executed.
pub(crate) struct Warehouse {
    postgres: Config,
    objects: Objects,
    registry: Registry,
    query_ids: AtomicI64,
    names: Names,
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
            query_ids: AtomicI64::new(protocol::now_millis()),
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
    async fn connect(&self, database: &str, user: Option<&str>) -> Result<Session, String> {
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

    fn next_query_id(&self) -> i64 {
        self.query_ids.fetch_add(1, Ordering::Relaxed)
    }
}

/// Answers one request.
pub(crate) async fn handle(
    warehouse: Arc<Warehouse>,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let request_id = uuid::Uuid::now_v7().to_string();
    let answer = answer(warehouse, request).await;
    protocol::respond(answer, &request_id)
}

async fn answer(
    warehouse: Arc<Warehouse>,
    request: Request<Incoming>,
) -> Result<serde_json::Value, ApiError> {
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let operation = target.strip_prefix("RedshiftData.").unwrap_or_default().to_owned();
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await;
    let body = body
        .map_err(|_| {
            ApiError::validation(format!("the request is larger than {MAX_BODY_BYTES} bytes"))
        })?
        .to_bytes();
    match operation.as_str() {
        "ExecuteStatement" => execute::execute(&warehouse, protocol::parse(&body)?).await,
        "BatchExecuteStatement" => execute::batch(&warehouse, protocol::parse(&body)?).await,
        "DescribeStatement" => describe::describe(&warehouse, protocol::parse(&body)?).await,
        "GetStatementResult" => {
            describe::result(&warehouse, protocol::parse(&body)?, describe::Format::Json).await
        }
        "GetStatementResultV2" => {
            describe::result(&warehouse, protocol::parse(&body)?, describe::Format::Csv).await
        }
        "CancelStatement" => describe::cancel(&warehouse, protocol::parse(&body)?).await,
        "ListStatements" => describe::list(&warehouse, &protocol::parse(&body)?),
        "ListDatabases" => catalog::databases(&warehouse, protocol::parse(&body)?).await,
        "ListSchemas" => catalog::schemas(&warehouse, protocol::parse(&body)?).await,
        "ListTables" => catalog::tables(&warehouse, protocol::parse(&body)?).await,
        "DescribeTable" => catalog::describe_table(&warehouse, protocol::parse(&body)?).await,
        "ListSessions" => {
            Err(ApiError::validation("sessions are not supported by the local stand-in"))
        }
        _ => Err(ApiError::unknown_operation()),
    }
}
