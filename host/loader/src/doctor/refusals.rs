//! The words in which the warehouse refuses a statement. The Data API gives no codes, so the loader
//! reads what a refusal means from its text, and decides by it; each text is provoked here.

use loader_aws::data_api::Outcome;
use loader_model::error::{Kind, Result};
use loader_model::names::TableName;
use loader_warehouse::bookkeeping;
use loader_warehouse::checkup::refusals::{self, Provocation};
use loader_warehouse::refusal::{self, Refusal, StatementFailure};

use super::finding::{Ailment, Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scene::Scene;
use super::scratch::Scratch;
use crate::cli::Part;

const PART: Part = Part::Refusals;

/// Provokes each refusal.
pub(super) async fn examine(scene: &Scene<'_>, scratch: &Scratch, findings: &mut Findings<'_>) {
    let (patient, table) = (scene.patient, scratch.table("refused"));
    let prepared = async {
        let doing = "making a table and a view";
        patient.transact(doing, &refusals::prepare(&table)).await?;
        Ok(Verdict::passed("a table and a view are made"))
    };
    if !findings.probe(PART, "table to provoke with", prepared).await {
        return;
    }
    for provocation in refusals::provocations(&table) {
        findings.probe(PART, provocation.name, provoked(patient, &provocation)).await;
    }
    let denied = refusals::denied();
    match scene.connection.superuser {
        true => findings.skip(PART, denied.name, "nothing is denied to a superuser"),
        false => {
            findings.probe(PART, denied.name, provoked(patient, &denied)).await;
        }
    }
    findings.probe(PART, "cancelled", cancelled(patient, &table)).await;
}

async fn provoked(patient: &Patient, provocation: &Provocation) -> Probed {
    match patient.api.execute(&provocation.statement).await? {
        Outcome::Finished(_) => Err(misread(
            format!("{} is carried out, and not refused", provocation.statement),
            provocation.decides,
        )),
        Outcome::Failed(failure) if provocation.is_read(failure.refusal) => {
            Ok(Verdict::passed(words(&failure)))
        }
        Outcome::Failed(failure) => Err(misread(
            format!("{} is read from these words: {}", failure.refusal, failure.message),
            provocation.decides,
        )),
    }
}

/// A statement that waits for a lock until its timeout.
async fn cancelled(patient: &Patient, table: &TableName) -> Probed {
    let Some(waited) = waited_for_lock(patient, table).await? else {
        return Ok(Verdict::skipped("the Data API opened no session"));
    };
    match waited {
        Outcome::Failed(failure) if failure.refusal == Refusal::Cancelled => {
            Ok(Verdict::passed(words(&failure)))
        }
        Outcome::Failed(failure) => Err(misread(
            format!("{} is read from these words: {}", failure.refusal, failure.message),
            "that a statement took too long",
        )),
        Outcome::Finished(_) => {
            Ok(Verdict::told("statement_timeout does not end a statement that waits for a lock"))
        }
    }
}

/// What becomes of a statement that waits for a lock, which a session holds meanwhile. `None`: no
/// session stays open.
async fn waited_for_lock(patient: &Patient, table: &TableName) -> Result<Option<Outcome>> {
    let doing = "beginning a transaction in a session";
    let session = match patient.api.opening_session().execute("BEGIN").await? {
        Outcome::Finished(executed) => executed.session_id,
        Outcome::Failed(failure) => return Err(refusal::explain(doing, &failure)),
    };
    let Some(session) = session else { return Ok(None) };
    let holder = patient.api.within_session(&session);
    let waited = async {
        match holder.execute(&bookkeeping::lock(table)).await? {
            Outcome::Finished(_) => {}
            Outcome::Failed(failure) => return Err(refusal::explain("locking", &failure)),
        }
        patient.api.execute_batch(&refusals::waits_too_long(table)).await
    };
    let waited = waited.await;
    holder.to_the_end().execute("ROLLBACK").await?;
    waited.map(Some)
}

fn words(failure: &StatementFailure) -> String {
    format!("{}: {}", failure.refusal, refusal::reason(&failure.message))
}

fn misread(fact: String, decides: &str) -> Ailment {
    Ailment::new(
        Kind::Internal,
        fact,
        format!(
            "report it to the project, with the file of --save: from such words a load decides \
             {decides}"
        ),
    )
}
