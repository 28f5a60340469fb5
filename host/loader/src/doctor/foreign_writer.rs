//! Whether another program that merges into the target at the same time may double a key, with and
//! without `--lock-target`. Without it the database's isolation level decides, so what happens is
//! told; with it a key that has two rows is a failure.
//!
//! The other program has deleted and inserted its row of a key, and not yet committed. Then the
//! load reads the table and merges its own row of that key. Once the load is at its DELETE or has
//! ended, the other program commits. (It must not wait for the end: Redshift keeps the load waiting
//! until the other program has committed.)

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use loader_aws::data_api::requests::{Answer, Mode, Place, Request, Requests};
use loader_model::error::{Error, Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::checkup::foreign_writer::{self as statements, RowsOfKey};
use loader_warehouse::refusal::{self, StatementFailure};

use super::finding::{Ailment, Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scene::Scene;
use super::scratch::Scratch;
use crate::cli::Part;

const PART: Part = Part::Loads;
/// How long the load may take to get to its DELETE.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Lets the two programs meet twice.
pub(super) async fn examine(scene: &Scene<'_>, scratch: &Scratch, findings: &mut Findings<'_>) {
    for (probe, table, locked) in [
        ("foreign writer", "met", false),
        ("foreign writer, with --lock-target", "met_with_lock", true),
    ] {
        let table = scratch.table(table);
        findings.probe(PART, probe, meeting(scene.patient, &table, locked)).await;
    }
}

async fn meeting(patient: &Patient, table: &TableName, locked: bool) -> Probed {
    let doing = "making a table for two programs";
    patient.transact(doing, &statements::table_statements(table)).await?;
    let requests = patient.api.requests();
    let mut other = OtherProgram { requests: &requests, session: None };
    let met = met(patient, &mut other, table, locked).await;
    // Does nothing after the COMMIT.
    other.end().await;
    let (answer, committed) = met?;
    let query = statements::rows_query(table);
    let RowsOfKey(rows) = patient.first("counting the rows of a key", &query).await?;
    match locked && rows > 1 {
        false => Ok(Verdict::told(told(&answer, &committed, rows))),
        true => Err(Ailment::new(
            Kind::Internal,
            told(&answer, &committed, rows),
            "let no other program merge into a target while loads run, and report it to the \
             project, with the file of --save",
        )),
    }
}

/// What became of the load, and of the other program's COMMIT.
async fn met(
    patient: &Patient,
    other: &mut OtherProgram<'_>,
    table: &TableName,
    locked: bool,
) -> Result<(Answer, Result<()>)> {
    for sql in statements::others_begin(table) {
        other.run(&sql).await?;
    }
    let requests = other.requests;
    let load = submit(requests, &statements::load(table, locked)).await?;
    until_it_merges(patient, requests, &load, locked).await?;
    let committed = other.run("COMMIT").await;
    Ok((requests.ended(&load, Mode::Transaction).await?, committed))
}

fn told(load: &Answer, committed: &Result<()>, rows: i64) -> String {
    let failed = load.statements.iter().find(|statement| statement.status == "FAILED");
    match (failed, committed, rows) {
        (Some(failed), _, _) => {
            let failure = StatementFailure::new(String::new(), 0, failed.error.clone(), 0);
            let words = refusal::headline(&failure.message);
            let refusal = failure.refusal;
            format!("the load's merge is refused ({refusal}: {words}), so it is repeated")
        }
        (None, Err(error), _) => format!("the other program's merge is refused: {error}"),
        (None, Ok(()), 1) => "a key that both write has one row afterwards".to_owned(),
        (None, Ok(()), rows) => format!("a key that both write has {rows} rows afterwards"),
    }
}

/// Another program, in a session of its own.
struct OtherProgram<'a> {
    requests: &'a Requests,
    session: Option<String>,
}

impl OtherProgram<'_> {
    async fn run(&mut self, sql: &str) -> Result<()> {
        let statements = [sql.to_owned()];
        let keep_alive = self.session.is_none().then_some(120);
        let session = self.session.as_deref();
        let place = Place { session, keep_alive, ..Place::default() };
        let parameters = &BTreeMap::new();
        let request = Request { statements: &statements, mode: Mode::Execute, parameters, place };
        let submitted = self.requests.submit(&request).await?;
        if submitted.session.is_some() {
            self.session = submitted.session;
        }
        let answer = self.requests.ended(&submitted.id, Mode::Execute).await?;
        match answer.statements.iter().find(|statement| !statement.error.is_empty()) {
            None => Ok(()),
            Some(failed) => {
                let failure = StatementFailure::new(submitted.id, 0, failed.error.clone(), 0);
                Err(refusal::explain("another program's statement", &failure))
            }
        }
    }

    async fn end(&mut self) {
        if self.session.is_some() {
            let _ = self.run("ROLLBACK").await;
        }
    }
}

async fn submit(requests: &Requests, statements: &[String]) -> Result<String> {
    let (parameters, place) = (&BTreeMap::new(), Place::default());
    let request = Request { statements, mode: Mode::Transaction, parameters, place };
    Ok(requests.submit(&request).await?.id)
}

/// Waits until the load has taken its snapshot: it waits for a lock, is at its DELETE, or has
/// ended.
async fn until_it_merges(
    patient: &Patient,
    requests: &Requests,
    load: &str,
    locked: bool,
) -> Result<()> {
    let since = Instant::now();
    loop {
        patient.stop.check()?;
        let so_far = requests.so_far(load).await?;
        if has_ended(&so_far) || is_at_merge(&so_far, locked) {
            return Ok(());
        }
        if since.elapsed() > PATIENCE {
            let fact = "a transaction did not get to its DELETE within a minute";
            return Err(Error::new(Kind::Transient, fact));
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn has_ended(answer: &Answer) -> bool {
    ["FINISHED", "FAILED", "ABORTED"].contains(&answer.status.as_str())
}

/// Whether the load waits for its lock, or without one is past the query that takes the snapshot.
fn is_at_merge(answer: &Answer, locked: bool) -> bool {
    let first = usize::from(!locked);
    answer.statements.iter().skip(first).any(|statement| statement.status == "STARTED")
}
