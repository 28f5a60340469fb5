//! What the tests stand on: a stand-in of their own, the program's clients for it, and small
//! values. Everything is gone when a test has stopped its world.

use std::path::Path;
use std::time::Duration;

use loader::redshift::dependents;
use loader::redshift::restore::{Present, Settling};
use loader_aws::connect::{self, Aws, AwsAccess};
use loader_aws::data_api::{Compute, DataApi, Database, Outcome};
use loader_aws::s3::Store;
use loader_aws::stop::Stop;
use loader_local::{LocalOptions, Server};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping;
use loader_warehouse::evolution::journal::{Journal, JournalKey};
use loader_warehouse::refusal::StatementFailure;
use loader_warehouse::saved_view::SavedView;
use tempfile::TempDir;

pub(crate) const BUCKET: &str = "bucket";

/// A warehouse, a bucket, and the program's own clients for them.
pub(crate) struct World {
    dir: TempDir,
    server: Server,
    pub(crate) api: DataApi,
    pub(crate) store: Store,
}

impl World {
    pub(crate) async fn new() -> World {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let options = LocalOptions { dir: dir.path().to_path_buf(), ..LocalOptions::default() };
        let server = Server::start(options).await.expect("the stand-in starts");
        let aws = connect(dir.path()).await;
        let api = data_api(&aws, Compute::Workgroup("local".into()));
        let store = Store::new(&aws, Stop::never());
        store.create_bucket(BUCKET).await.expect("a bucket can be made");
        World { dir, server, api, store }
    }

    pub(crate) async fn stop(self) {
        let World { dir, server, api, store } = self;
        drop((api, store));
        server.stop().await.expect("the stand-in stops");
        drop(dir);
    }

    pub(crate) async fn execute(&self, statements: &[&str]) {
        for sql in statements {
            match self.api.execute(sql).await.expect("the service answers") {
                Outcome::Finished(_) => {}
                Outcome::Failed(failure) => panic!("{sql}: {}", failure.message),
            }
        }
    }

    /// The Data API as another database user.
    pub(crate) async fn api_of(&self, user: &str) -> DataApi {
        let compute = Compute::Cluster { identifier: "local".into(), db_user: Some(user.into()) };
        data_api(&connect(self.dir.path()).await, compute)
    }

    /// All rows of a query, one a line.
    pub(crate) async fn rows(&self, sql: &str) -> String {
        let Outcome::Finished(executed) = self.api.execute(sql).await.expect("the service answers")
        else {
            panic!("{sql} failed");
        };
        let rows = self.api.rows(&executed, None).await.expect("it has rows").rows;
        rows.iter()
            .map(|row| row.iter().map(|cell| cell.to_text()).collect::<Vec<_>>().join("|") + "\n")
            .collect()
    }

    pub(crate) async fn user(&self) -> String {
        dependents::current_user(&self.api).await.expect("we are somebody")
    }

    /// Leaves rows in the journal as a run does before it drops these views.
    pub(crate) async fn leave_journal(
        &self,
        run_id: &str,
        target: &TableName,
        views: &[SavedView],
        age: Duration,
    ) -> Journal {
        self.batch(&bookkeeping::ddl(target)).await.expect("tables of the loader");
        // Fails when there is a fence already.
        let _ = self.batch(&bookkeeping::make_fence(target, false, true)).await;
        let key = JournalKey { target: target.clone(), run_id: run_id.to_owned() };
        let journal = Journal { key, views: views.to_vec() };
        for transaction in journal.write_sql().expect("it is JSON") {
            self.batch(&transaction).await.expect("rows can be written");
        }
        let seconds = age.as_secs();
        let aged = format!(
            "UPDATE public.loader_dropped_views SET written_at = DATEADD(second, -{seconds}, \
             written_at) WHERE run_id = '{run_id}'"
        );
        self.execute(&[&aged]).await;
        journal
    }

    /// Which views the journal has, `run view` a line.
    pub(crate) async fn in_journal(&self) -> String {
        let rows = "SELECT run_id, view_name FROM public.loader_dropped_views WHERE part = 1 ORDER \
                    BY run_id, place";
        self.rows(rows).await.replace('|', " ")
    }

    /// Runs statements as one transaction.
    pub(crate) async fn batch(&self, statements: &[String]) -> Result<(), StatementFailure> {
        match self.api.execute_batch(statements).await.expect("the service answers") {
            Outcome::Finished(_) => Ok(()),
            Outcome::Failed(failure) => Err(failure),
        }
    }

    /// Settles a journal for good, as the run that has written it does.
    pub(crate) async fn settle(
        &self,
        journal: &Journal,
    ) -> loader_model::error::Result<Vec<TableName>> {
        let (api, user) = (&self.api, &self.user().await);
        let settling = Settling { api, user, present: Present::Forget };
        settling.settle(journal).await
    }
}

/// Joins the server that runs on the folder, so no other program is started.
async fn connect(dir: &Path) -> Aws {
    let access = AwsAccess::new(None, Some(dir.to_path_buf()));
    connect::connect(&access).await.expect("the stand-in can be joined")
}

fn data_api(aws: &Aws, compute: Compute) -> DataApi {
    let database = Database { compute, name: "dev".into(), secret_arn: None };
    DataApi::new(aws, &database, "test", Stop::never())
}

pub(crate) fn name(schema: &str, table: &str) -> TableName {
    TableName::new(schema, table).expect("a valid name")
}

pub(crate) fn view(user: &str, name: TableName, definition: &str) -> SavedView {
    let (kind, create) = SavedView::read_definition(&name, definition);
    let owner = user.to_owned();
    SavedView {
        name,
        kind,
        create,
        owner,
        grants: Vec::new(),
        comment: None,
        column_comments: Vec::new(),
    }
}
