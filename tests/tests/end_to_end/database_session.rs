//! Somebody else in the database: a session of the Data API that stays open, and so can hold a
//! transaction and its locks while the program runs.

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::error::DisplayErrorContext;
use aws_sdk_redshiftdata::types::{StatementStatusString, StatusString};
use loader_tests::{Place, world};
use tokio::runtime::Runtime;

/// How long the session outlives its last statement, in seconds.
const KEEP_ALIVE: i32 = 600;

/// An open session, in which `{s}` is the place's schema.
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
    schema: String,
    id: String,
}

impl Session {
    pub(crate) fn open(place: &Place) -> Session {
        Session::in_database("dev", &place.schema())
    }

    pub(crate) fn in_database(database: &str, schema: &str) -> Session {
        let runtime = Runtime::new().expect("a runtime");
        let client = runtime.block_on(client());
        let opened = runtime.block_on(async {
            let request = client.execute_statement().sql("SELECT 1").database(database);
            let request = request.workgroup_name("local").session_keep_alive_seconds(KEEP_ALIVE);
            request.send().await
        });
        let opened = opened.unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)));
        let id = opened.session_id().expect("a session").to_owned();
        let session = Session { runtime, client, schema: schema.to_owned(), id };
        session.wait(opened.id().expect("a statement")).expect("SELECT 1 works");
        session
    }

    /// Runs a statement. After `BEGIN`, all belong to one transaction until `COMMIT`.
    pub(crate) fn execute(&self, sql: &str) {
        let ended = self.wait(&self.start(sql));
        ended.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Sends a statement, does not wait for its end, and returns its id.
    pub(crate) fn start(&self, sql: &str) -> String {
        let sql = sql.replace("{s}", &self.schema);
        let request = self.client.execute_statement().sql(&sql).session_id(&self.id);
        let sent = self.runtime.block_on(request.send());
        let sent = sent.unwrap_or_else(|error| panic!("{sql}: {}", DisplayErrorContext(error)));
        sent.id().expect("a statement").to_owned()
    }

    /// Whether a statement has not ended.
    pub(crate) fn is_running(&self, id: &str) -> bool {
        let described = self.runtime.block_on(self.client.describe_statement().id(id).send());
        let described = described.unwrap_or_else(|e| panic!("{id}: {}", DisplayErrorContext(e)));
        use StatusString::{Aborted, Failed, Finished};
        !matches!(described.status(), Some(Aborted | Failed | Finished))
    }

    /// Runs statements as one transaction. The error is that of the statement that failed.
    pub(crate) fn transaction(&self, statements: &[String]) -> Result<(), String> {
        let request = self.client.batch_execute_statement().session_id(&self.id);
        let request = request.set_sqls(Some(statements.to_vec()));
        let sent = self.runtime.block_on(request.send());
        let sent = sent.unwrap_or_else(|error| panic!("{}", DisplayErrorContext(error)));
        self.wait(sent.id().expect("a statement"))
    }

    /// Waits until some client's batch is at a statement that begins so, and returns the whole batch.
    pub(crate) fn running(&self, beginning: &str) -> Vec<String> {
        self.all_running(beginning, 1).remove(0)
    }

    /// Waits until so many batches are at such a statement at once, and returns them.
    pub(crate) fn all_running(&self, beginning: &str, count: usize) -> Vec<Vec<String>> {
        let beginning = beginning.replace("{s}", &self.schema);
        loop {
            let running = self.client.list_statements().status(StatusString::Started);
            let running = self.runtime.block_on(running.send());
            let running = running.unwrap_or_else(|e| panic!("{}", DisplayErrorContext(e)));
            let ids = running.statements().iter().map(|statement| statement.id().to_owned());
            let batches: Vec<_> = ids.filter_map(|id| self.is_at(&id, &beginning)).collect();
            if batches.len() >= count {
                return batches;
            }
        }
    }

    /// The statements of a batch that is at a statement which begins so.
    fn is_at(&self, id: &str, beginning: &str) -> Option<Vec<String>> {
        let described = self.runtime.block_on(self.client.describe_statement().id(id).send());
        let described = described.unwrap_or_else(|e| panic!("{id}: {}", DisplayErrorContext(e)));
        let subs = described.sub_statements();
        let is_at = subs.iter().any(|sub| {
            let sql = sub.query_string().unwrap_or_default();
            sub.status() == Some(&StatementStatusString::Started) && sql.starts_with(beginning)
        });
        let statements = subs.iter().filter_map(|sub| sub.query_string());
        is_at.then(|| statements.map(str::to_owned).collect())
    }

    /// Waits for the end of a statement. The error is the database's.
    pub(crate) fn wait(&self, id: &str) -> Result<(), String> {
        loop {
            let request = self.client.describe_statement().id(id).wait_time_seconds(20);
            let described = self.runtime.block_on(request.send());
            let described =
                described.unwrap_or_else(|error| panic!("{id}: {}", DisplayErrorContext(error)));
            match described.status() {
                Some(StatusString::Finished) => return Ok(()),
                Some(StatusString::Failed | StatusString::Aborted) => {
                    let mut subs = described.sub_statements().iter();
                    let failed =
                        subs.find(|sub| sub.status() == Some(&StatementStatusString::Failed));
                    let error = failed.and_then(|sub| sub.error()).or(described.error());
                    return Err(error.unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
    }
}

// A session outlives its client. The locks of a test that failed would keep others waiting.
impl Drop for Session {
    fn drop(&mut self) {
        let request = self.client.execute_statement().sql("ROLLBACK").session_id(&self.id);
        let _ = self.runtime.block_on(request.send());
    }
}

async fn client() -> Client {
    let local = world().endpoints();
    let (key, secret) = (&local.key.access_key_id, &local.key.secret_access_key);
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new(key, secret, None, None, "stand-in"))
        .region(Region::new(local.region.clone()))
        .endpoint_url(&local.redshift_data);
    Client::new(&config.load().await)
}
