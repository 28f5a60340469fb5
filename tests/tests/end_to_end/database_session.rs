//! A session of the database beside the program under test: a dashboard that reads, or another
//! program that writes. Transactions stay open over several statements.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::operation::describe_statement::DescribeStatementOutput;
use aws_sdk_redshiftdata::types::{StatementStatusString, StatusString};
use loader_tests::world;
use tokio::runtime::Runtime;

const PAUSE: Duration = Duration::from_millis(20);
/// How long a state is waited for before the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A session, which lives as long as the stand-in keeps it.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    id: String,
}

/// A statement that was sent and may still run.
pub(crate) struct Running(String);

impl Session {
    /// Opens a session in a database.
    pub(crate) fn open(database: &str) -> Session {
        let runtime = Runtime::new().expect("a runtime");
        let client = runtime.block_on(client());
        let request = client.execute_statement().sql("SELECT 1").database(database);
        let request = request.workgroup_name("local").session_keep_alive_seconds(3600);
        let opened = runtime.block_on(request.send()).expect("a session");
        let id = opened.session_id.expect("its id");
        let session = Session { runtime, client, id };
        session.end_of(&Running(opened.id.expect("an id"))).expect("SELECT 1 works");
        session
    }

    /// Runs a statement to its end; the database's words when it fails.
    pub(crate) fn run(&self, sql: &str) -> Result<(), String> {
        self.end_of(&self.start(sql))
    }

    /// Sends a statement and does not wait for its end.
    pub(crate) fn start(&self, sql: &str) -> Running {
        let request = self.client.execute_statement().sql(sql).session_id(&self.id);
        let sent = self.runtime.block_on(request.send()).expect("the session is free");
        Running(sent.id.expect("an id"))
    }

    /// Whether a statement has not ended.
    pub(crate) fn is_running(&self, statement: &Running) -> bool {
        !has_ended(&self.describe(&statement.0))
    }

    /// Waits for the end of a statement.
    pub(crate) fn end_of(&self, statement: &Running) -> Result<(), String> {
        let ended = self.until(|| Some(self.describe(&statement.0)).filter(has_ended));
        match ended.status() {
            Some(StatusString::Finished) => Ok(()),
            _ => Err(ended.error().unwrap_or_default().to_owned()),
        }
    }

    /// Waits until a batch of any client is at a statement that begins so.
    pub(crate) fn wait_for_batch_at(&self, beginning: &str) {
        self.until(|| {
            let request = self.client.list_statements().status(StatusString::Started);
            let running = self.runtime.block_on(request.send()).expect("a list").statements;
            let ids = running.into_iter().map(|statement| statement.id);
            ids.map(|id| self.describe(&id)).find(|batch| is_at(batch, beginning))
        });
    }

    fn describe(&self, id: &str) -> DescribeStatementOutput {
        let request = self.client.describe_statement().id(id);
        self.runtime.block_on(request.send()).expect("the statement is known")
    }

    fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let started = std::time::Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "what is waited for does not come");
            std::thread::sleep(PAUSE);
        }
    }
}

fn has_ended(statement: &DescribeStatementOutput) -> bool {
    use StatusString::{Aborted, Failed, Finished};
    matches!(statement.status(), Some(Aborted | Failed | Finished))
}

fn is_at(batch: &DescribeStatementOutput, beginning: &str) -> bool {
    batch.sub_statements().iter().any(|statement| {
        statement.status() == Some(&StatementStatusString::Started)
            && statement.query_string().is_some_and(|sql| sql.starts_with(beginning))
    })
}

async fn client() -> Client {
    let local = world().endpoints();
    let (key, secret) = (&local.key.access_key_id, &local.key.secret_access_key);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new(key, secret, None, None, "stand-in"))
        .region(Region::new(local.region.clone()))
        .load()
        .await;
    let config = aws_sdk_redshiftdata::config::Builder::from(&config);
    Client::from_conf(config.endpoint_url(&local.redshift_data).build())
}
