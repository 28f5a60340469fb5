//! Runs one case on one warehouse: a fresh schema, its objects, its steps, and everything gone
//! again. Out: the first thing that is not as the case says, with the statement, what was expected
//! and what was found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::case::{Case, Expected, Item, Step, Values};
use crate::request::{Difference, Request};
use crate::warehouse::{Mode, Place, Sent, Submitted, Warehouse};

/// How long something may take to be so that becomes so in a moment, or when a keep-alive is over.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// A name that no other case and no other run has.
fn fresh_schema(area: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("loader_{area}_{:x}_{}", since.as_secs(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A Region that is not this one.
fn elsewhere(region: &str) -> &'static str {
    if region == "eu-north-1" { "us-west-2" } else { "eu-north-1" }
}

/// What a run of a case showed.
pub(crate) struct Outcome {
    /// `None` when all is as the case says.
    pub(crate) difference: Option<Difference>,
    /// Errors that the case expects without knowing their words.
    pub(crate) words: Vec<String>,
}

/// Runs the case.
pub(crate) async fn run(warehouse: &Warehouse, case: &Case) -> Outcome {
    let schema = fresh_schema(&case.area);
    let own_database = case.isolation.as_ref().map(|_| schema.as_str());
    let database = own_database.unwrap_or(&warehouse.database);
    let values = Values(vec![
        ("schema", schema.clone()),
        ("database", database.to_owned()),
        ("bucket", warehouse.bucket.clone()),
        ("role", warehouse.role.clone()),
        ("region", warehouse.region.clone()),
        ("elsewhere", elsewhere(&warehouse.region).to_owned()),
        ("compression", case.compression.clone().unwrap_or_default()),
    ]);
    let main = Place::plain(&warehouse.database);
    let mut ending = vec![format!("DROP SCHEMA {schema} CASCADE")];
    if let Some(level) = &case.isolation {
        let create = format!("CREATE DATABASE {schema} ISOLATION LEVEL {level}");
        if let Err(difference) = all(warehouse, main, &[create], Mode::AutoCommit).await {
            return Outcome { difference: Some(difference), words: Vec::new() };
        }
        ending = vec![format!("DROP DATABASE {schema}")];
    }
    ending.extend(case.teardown.iter().map(|sql| values.fill(sql)));
    let (tried, words) = Story::new(warehouse, Place::plain(database), case, &values).told().await;
    let ended = all(warehouse, main, &ending, Mode::AutoCommit).await;
    Outcome { difference: tried.and(ended).err(), words }
}

/// Statements that just have to work.
async fn all(
    warehouse: &Warehouse,
    place: Place<'_>,
    statements: &[String],
    mode: Mode,
) -> Result<(), Difference> {
    let request = Request {
        statements: statements.to_vec(),
        expected: vec![Expected::default(); statements.len()],
        mode,
        parameters: &BTreeMap::new(),
        refused: None,
        is_cancelled: false,
    };
    let submitted = request.submit(warehouse, place).await?;
    let id = submitted.and_then(|submitted| submitted.id).unwrap_or_default();
    request.ended(warehouse, &id, &mut Vec::new()).await
}

/// A case on its way.
struct Story<'a> {
    warehouse: &'a Warehouse,
    place: Place<'a>,
    case: &'a Case,
    values: &'a Values,
    /// The ids of the case's sessions, by the case's names.
    sessions: BTreeMap<&'a str, String>,
    /// Requests that were started and not awaited yet, by the case's names.
    started: BTreeMap<&'a str, (Request<'a>, String)>,
    words: Vec<String>,
}

impl<'a> Story<'a> {
    fn new(
        warehouse: &'a Warehouse,
        place: Place<'a>,
        case: &'a Case,
        values: &'a Values,
    ) -> Story<'a> {
        let (sessions, started) = (BTreeMap::new(), BTreeMap::new());
        Story { warehouse, place, case, values, sessions, started, words: Vec::new() }
    }

    async fn told(mut self) -> (Result<(), Difference>, Vec<String>) {
        let tried = self.tried().await;
        self.close_sessions().await;
        (tried, self.words)
    }

    async fn tried(&mut self) -> Result<(), Difference> {
        for (key, object) in &self.case.objects {
            self.warehouse.put(&self.values.fill(key), object.bytes(self.values)).await;
        }
        let mut setup = vec![self.values.fill("CREATE SCHEMA {schema}")];
        setup.extend(self.case.setup.iter().map(|sql| self.values.fill(sql)));
        all(self.warehouse, self.place, &setup, Mode::Transaction).await?;
        for step in &self.case.steps {
            self.step(step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &'a Step) -> Result<(), Difference> {
        if let Some(name) = &step.cancels {
            let id = self.started.get(name.as_str()).map(|(_, id)| id);
            self.warehouse.cancel(id.expect("only what was started is cancelled")).await;
            return Ok(());
        }
        if let Some(name) = &step.awaits {
            let (request, id) =
                self.started.remove(name.as_str()).expect("only what was started is awaited");
            return request.ended(self.warehouse, &id, &mut self.words).await;
        }
        if let (Some(status), Some(session)) = (&step.session_is, &step.session) {
            return self.session_becomes(session, status).await;
        }
        let since = Instant::now();
        loop {
            let sent = self.send(step).await;
            if sent.is_ok() || !step.eventually || since.elapsed() > PATIENCE {
                return sent;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn send(&mut self, step: &'a Step) -> Result<(), Difference> {
        let request = self.request(step);
        let session = step.session.as_deref().map(|name| self.sessions.get(name));
        let makes_session = session == Some(None);
        let place = Place {
            session: session.flatten().map(String::as_str),
            keep_alive: step.keep_alive.or(makes_session.then_some(60)),
            names_database: step.names_database,
            ..self.place
        };
        let Some(submitted) = request.submit(self.warehouse, place).await? else { return Ok(()) };
        let id = submitted.id.expect("a request has an id");
        if let Some(name) = step.session.as_deref().filter(|_| makes_session) {
            self.sessions.insert(name, submitted.session.expect("a new session has an id"));
        }
        if let Some(name) = &step.starts {
            self.started.insert(name, (request, id));
            return Ok(());
        }
        request.ended(self.warehouse, &id, &mut self.words).await
    }

    fn request(&self, step: &'a Step) -> Request<'a> {
        let (mut statements, mut expected) = (Vec::new(), Vec::new());
        let mut add = |sql: &str, times: usize, outcome: &Expected| {
            statements.extend(std::iter::repeat_n(self.values.fill(sql), times));
            expected.extend(std::iter::repeat_n(outcome.filled(self.values), times));
        };
        let mode = match (&step.execute, &step.transaction) {
            (Some(sql), _) => {
                add(sql, 1, &step.expected().unwrap_or_default());
                Mode::Execute
            }
            (None, Some(_)) => Mode::Transaction,
            (None, None) => Mode::AutoCommit,
        };
        for (sql, times, outcome) in
            step.transaction.iter().chain(&step.auto_commit).flatten().map(Item::parts)
        {
            add(sql, times, &outcome);
        }
        let is_cancelled = self
            .case
            .steps
            .iter()
            .any(|other| other.cancels.is_some() && other.cancels == step.starts);
        let (parameters, refused) = (&step.parameters, step.refused.as_deref());
        Request { statements, expected, mode, parameters, refused, is_cancelled }
    }

    /// Waits for a status of a session: it is another one for a moment at most.
    async fn session_becomes(&self, name: &str, status: &str) -> Result<(), Difference> {
        let id = self.sessions.get(name).expect("a session that the case has made");
        let since = Instant::now();
        loop {
            let found = self.warehouse.session_status(id).await;
            if found == status {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                return Err(Difference::of_session(name, status, &found));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Ends the case's sessions: a transaction that is still open would keep the schema from being
    /// dropped. Sessions that are closed already refuse this.
    async fn close_sessions(&self) {
        for id in self.sessions.values() {
            let place = Place { session: Some(id), keep_alive: Some(0), ..self.place };
            let statements = &["ROLLBACK".to_owned()];
            let sent =
                Sent { statements, mode: Mode::Execute, parameters: &BTreeMap::new(), place };
            if let Ok(Submitted { id: Some(id), .. }) = self.warehouse.submit(&sent).await {
                self.warehouse.ended(&id, Mode::Execute).await;
            }
        }
    }
}
