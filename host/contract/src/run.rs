//! Runs one case on one warehouse: a schema, its objects, its steps, and everything gone again.
//! Out: the first thing that is not as the case says, with the statement, what was expected and
//! what was found.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use loader_aws::data_api::requests::{Answer, Mode, Place, Request, Requests};
use loader_aws::s3::Store;
use loader_model::error::{Error, Kind, Result};
use loader_model::names::S3Uri;

use crate::case::{Case, Expected, Item, Step};
use crate::request::{Attempt, Difference, Stopped};
use crate::values::Values;

/// How long something may take to be so that becomes so in a moment, or when a keep-alive is over.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A warehouse behind the Data API, and the S3 that it copies from.
pub struct Bench {
    pub requests: Requests,
    pub store: Store,
    pub bucket: String,
    /// What stands before the key of every object, such as `data/staging/x/`; may be empty.
    pub folder: String,
    /// The role that COPY names; `default` for the cluster's own.
    pub role: String,
    /// The beginning of the names of schemas and databases that a case has for itself. They are
    /// gone afterwards.
    pub prefix: String,
    /// A schema that is there and empty, for cases to make their tables in. The caller empties it
    /// afterwards. `None`: each case has a schema of its own.
    pub schema: Option<String>,
}

/// Where a case makes what it needs.
struct Home {
    schema: String,
    /// Whether the case makes the schema.
    is_own: bool,
    /// The case's own database; `None` for the bench's.
    database: Option<String>,
}

impl Home {
    // In a database of its own a case finds no schema but those of every database.
    fn of(bench: &Bench, case: &Case) -> Home {
        let fresh = fresh_name(&bench.prefix, case.area());
        match (&bench.schema, case.isolation()) {
            (_, Some(_)) => Home { schema: fresh.clone(), is_own: true, database: Some(fresh) },
            (Some(given), None) => Home { schema: given.clone(), is_own: false, database: None },
            (None, None) => Home { schema: fresh, is_own: true, database: None },
        }
    }

    fn place(&self) -> Place<'_> {
        Place { database: self.database.as_deref(), ..Place::default() }
    }
}

/// What a run of a case showed.
pub struct Outcome {
    /// `None` when all is as the case says.
    pub difference: Option<Difference>,
    /// Errors that the case expects without knowing their words.
    pub words: Vec<String>,
}

/// Runs the case. When `until` is ready first, the case ends there, and its value is the error.
/// Errors: also those of a warehouse that could not be asked.
// However the case ends, what it has made goes: its requests are cancelled first, because a
// statement that waits for a lock would keep the schema from being dropped.
pub async fn run(
    bench: &Bench,
    case: &Case,
    until: impl Future<Output = Error>,
) -> Result<Outcome> {
    let home = Home::of(bench, case);
    let values = values(bench, case, &home);
    let mut story = Story::new(bench, &home, case, &values);
    let tried = tokio::select! {
        tried = story.tried() => tried,
        error = until => Err(Stopped::Failed(error)),
    };
    story.cancel().await;
    story.close_sessions().await;
    let words = std::mem::take(&mut story.words);
    let ended = story.removed().await;
    match tried.and(ended) {
        Ok(()) => Ok(Outcome { difference: None, words }),
        Err(Stopped::Otherwise(difference)) => Ok(Outcome { difference: Some(difference), words }),
        Err(Stopped::Failed(error)) => Err(error),
    }
}

/// A name that no other case and no other run has.
fn fresh_name(prefix: &str, area: &str) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(1);
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{area}_{:x}_{number}", since.as_secs())
}

fn values(bench: &Bench, case: &Case, home: &Home) -> Values {
    let top = format!("{}/{}", bench.bucket, bench.folder);
    let database = home.database.as_deref().unwrap_or(bench.requests.database());
    Values(vec![
        ("schema", home.schema.clone()),
        ("database", database.to_owned()),
        ("bucket", top.trim_end_matches('/').to_owned()),
        ("folder", bench.folder.clone()),
        ("role", bench.role.clone()),
        ("region", bench.store.own_region().to_owned()),
        ("elsewhere", elsewhere(bench.store.own_region()).to_owned()),
        ("compression", case.compression().unwrap_or_default().to_owned()),
    ])
}

/// A Region that is not this one.
fn elsewhere(region: &str) -> &'static str {
    if region == "eu-north-1" { "us-west-2" } else { "eu-north-1" }
}

/// A case on its way.
struct Story<'a> {
    bench: &'a Bench,
    home: &'a Home,
    requests: &'a Requests,
    case: &'a Case,
    values: &'a Values,
    /// The ids of the case's sessions, by the case's names.
    sessions: BTreeMap<&'a str, String>,
    /// Requests that were started and not awaited yet, by the case's names.
    started: BTreeMap<&'a str, (Attempt<'a>, String)>,
    /// The request that is waited for.
    running: Option<String>,
    words: Vec<String>,
}

impl<'a> Story<'a> {
    fn new(bench: &'a Bench, home: &'a Home, case: &'a Case, values: &'a Values) -> Story<'a> {
        let (sessions, started) = (BTreeMap::new(), BTreeMap::new());
        let (requests, running, words) = (&bench.requests, None, Vec::new());
        Story { bench, home, requests, case, values, sessions, started, running, words }
    }

    async fn tried(&mut self) -> Result<(), Stopped> {
        for (key, object) in &self.case.objects {
            self.bench.store.write(&self.uri(key), object.bytes(self.values)?).await?;
        }
        if let Some(level) = self.case.isolation() {
            let create = format!("CREATE DATABASE {} ISOLATION LEVEL {level}", self.home.schema);
            self.all(Place::default(), vec![create], Mode::AutoCommit).await?;
        }
        let create = self.home.is_own.then(|| self.fill("CREATE SCHEMA {schema}"));
        let setup = create.into_iter().chain(self.case.setup.iter().map(|sql| self.fill(sql)));
        self.all(self.home.place(), setup.collect(), Mode::Transaction).await?;
        for step in &self.case.steps {
            self.step(step).await?;
        }
        Ok(())
    }

    fn uri(&self, key: &str) -> S3Uri {
        let key = format!("{}{}", self.bench.folder, self.values.fill(key));
        S3Uri::new(&self.bench.bucket, key)
    }

    // `default` is a keyword of COPY and stands without quotes.
    fn fill(&self, sql: &str) -> String {
        self.values.fill(sql).replace("IAM_ROLE 'default'", "IAM_ROLE default")
    }

    /// Statements that just have to work.
    async fn all(
        &mut self,
        place: Place<'_>,
        statements: Vec<String>,
        mode: Mode,
    ) -> Result<(), Stopped> {
        if statements.is_empty() {
            return Ok(());
        }
        let expected = vec![Expected::default(); statements.len()];
        let parameters = &BTreeMap::new();
        let attempt =
            Attempt { statements, expected, mode, parameters, refused: None, is_cancelled: false };
        match attempt.submit(self.requests, place).await? {
            Some(submitted) => self.ended(&attempt, submitted.id).await,
            None => Ok(()),
        }
    }

    async fn step(&mut self, step: &'a Step) -> Result<(), Stopped> {
        if let Some(name) = &step.cancels {
            let (_, id) = self.started.get(name.as_str()).ok_or_else(|| unknown(name))?;
            return Ok(self.requests.cancel(id).await?);
        }
        if let Some(name) = &step.awaits {
            let started = self.started.remove(name.as_str());
            let (attempt, id) = started.ok_or_else(|| unknown(name))?;
            return self.ended(&attempt, id).await;
        }
        match (&step.session_is, &step.session) {
            (Some(status), Some(session)) => self.session_becomes(session, status).await,
            _ => self.sent(step).await,
        }
    }

    /// Sends a request, and again where it may take a moment until it ends as the case says.
    async fn sent(&mut self, step: &'a Step) -> Result<(), Stopped> {
        let (since, mut pause) = (Instant::now(), SHORTEST_PAUSE);
        loop {
            match self.send(step).await {
                Err(Stopped::Otherwise(_)) if step.eventually && since.elapsed() < PATIENCE => {}
                ended => return ended,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn send(&mut self, step: &'a Step) -> Result<(), Stopped> {
        let attempt = self.attempt(step);
        let session = step.session.as_deref().map(|name| self.sessions.get(name));
        let makes_session = session == Some(None);
        let place = Place {
            session: session.flatten().map(String::as_str),
            keep_alive: step.keep_alive.or(makes_session.then_some(60)),
            names_database: step.names_database,
            ..self.home.place()
        };
        let Some(submitted) = attempt.submit(self.requests, place).await? else { return Ok(()) };
        if let Some(name) = step.session.as_deref().filter(|_| makes_session) {
            let fact = "the Data API gave a new session no id";
            let session = submitted.session.ok_or_else(|| Error::new(Kind::Internal, fact))?;
            self.sessions.insert(name, session);
        }
        if let Some(name) = &step.starts {
            self.started.insert(name, (attempt, submitted.id));
            return Ok(());
        }
        self.ended(&attempt, submitted.id).await
    }

    fn attempt(&self, step: &'a Step) -> Attempt<'a> {
        let (mut statements, mut expected) = (Vec::new(), Vec::new());
        let mut add = |sql: &str, times: usize, outcome: &Expected| {
            statements.extend(std::iter::repeat_n(self.fill(sql), times));
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
        let items = step.transaction.iter().chain(&step.auto_commit).flatten();
        for (sql, times, outcome) in items.map(Item::parts) {
            add(sql, times, &outcome);
        }
        let is_cancelled = self
            .case
            .steps
            .iter()
            .any(|other| other.cancels.is_some() && other.cancels == step.starts);
        let (parameters, refused) = (&step.parameters, step.refused.as_deref());
        Attempt { statements, expected, mode, parameters, refused, is_cancelled }
    }

    /// Waits for the end of a request, which has to be as the case says.
    async fn ended(&mut self, attempt: &Attempt<'_>, id: String) -> Result<(), Stopped> {
        self.running = Some(id.clone());
        let answer: Answer = self.requests.ended(&id, attempt.mode).await?;
        self.running = None;
        Ok(attempt.check(&answer, &mut self.words)?)
    }

    /// Waits for a status of a session: it is another one for a moment at most.
    async fn session_becomes(&self, name: &str, status: &str) -> Result<(), Stopped> {
        let id = self.sessions.get(name).ok_or_else(|| unknown(name))?;
        let (since, mut pause) = (Instant::now(), SHORTEST_PAUSE);
        loop {
            let found = self.requests.session_status(id).await?;
            if found == status {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                return Err(Difference::of_session(name, status, &found).into());
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Cancels what still runs. A request that has ended already refuses this.
    async fn cancel(&mut self) {
        let started = std::mem::take(&mut self.started).into_values().map(|(_, id)| id);
        for id in started.chain(self.running.take()) {
            let _ = self.requests.cancel(&id).await;
        }
    }

    /// Ends the case's sessions: a transaction that is still open would keep the schema from being
    /// dropped. Sessions that are closed already refuse this.
    async fn close_sessions(&self) {
        for id in self.sessions.values() {
            let place = Place { session: Some(id), keep_alive: Some(0), ..Place::default() };
            let statements = &["ROLLBACK".to_owned()];
            let request =
                Request { statements, mode: Mode::Execute, parameters: &BTreeMap::new(), place };
            if let Ok(submitted) = self.requests.submit(&request).await {
                let _ = self.requests.ended(&submitted.id, Mode::Execute).await;
            }
        }
    }

    /// Removes the case's schema or database, what it made outside of it, and its objects.
    async fn removed(&mut self) -> Result<(), Stopped> {
        let Home { schema, is_own, database } = self.home;
        let drop = match database {
            Some(database) => Some(format!("DROP DATABASE {database}")),
            None => is_own.then(|| format!("DROP SCHEMA {schema} CASCADE")),
        };
        let teardown = self.case.teardown.iter().map(|sql| self.fill(sql));
        let ending: Vec<String> = drop.into_iter().chain(teardown).collect();
        let dropped = self.all(Place::default(), ending, Mode::AutoCommit).await;
        for key in self.case.objects.keys() {
            self.bench.store.delete_all(&self.uri(key)).await?;
        }
        dropped
    }
}

fn unknown(name: &str) -> Error {
    Error::new(Kind::Internal, format!("the case has no {name:?} at this step"))
}
