//! What no public source says about Redshift, asked of the user's own warehouse: the cases of
//! `loader-contract` that are not confirmed. An answer that is otherwise is told, and no failure.

use std::time::Duration;

use loader_aws::stop::Stop;
use loader_contract::{Bench, Case, Outcome};
use loader_model::error::{Error, Kind};

use super::finding::{Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scene::Scene;
use super::scratch::Scratch;
use crate::cli::Part;

const PART: Part = Part::Answers;
/// How long a case may take. Most end within seconds; one that waits for a lock might not.
const PATIENCE: Duration = Duration::from_secs(90);

/// Asks for every case that is not confirmed.
pub(super) async fn examine(scene: &Scene<'_>, scratch: &Scratch, findings: &mut Findings<'_>) {
    if !scene.bucket_works {
        findings.skip(PART, "all", "no file can be staged");
        return;
    }
    let cases = match loader_contract::cases() {
        Ok(cases) => cases,
        Err(error) => {
            findings.probe(PART, "all", async { Err(error.into()) }).await;
            return;
        }
    };
    let bench = bench(scene.patient, scratch);
    for case in cases.iter().filter(|case| !case.is_confirmed()) {
        let name = case.name();
        if case.needs_superuser() && !scene.connection.superuser {
            findings.skip(PART, &name, "only a superuser can ask");
            continue;
        }
        findings.probe(PART, &name, asked(scene.patient, scratch, &bench, case)).await;
    }
}

fn bench(patient: &Patient, scratch: &Scratch) -> Bench {
    Bench {
        requests: patient.api.requests(),
        store: patient.store.clone(),
        bucket: patient.checkup.bucket.clone(),
        folder: patient.place("data/staging/").key,
        role: patient.checkup.warehouse.iam_role.clone(),
        prefix: patient.name.clone(),
        schema: scratch.is_given.then(|| scratch.schema.clone()),
    }
}

async fn asked(patient: &Patient, scratch: &Scratch, bench: &Bench, case: &Case) -> Probed {
    if scratch.is_given {
        scratch.empty(patient).await?;
    }
    let outcome = loader_contract::run(bench, case, until(patient.stop.clone())).await;
    match outcome {
        Ok(outcome) => Ok(verdict(&outcome, case)),
        Err(error) if matches!(error.kind(), Kind::Interrupted(_)) => Err(error.into()),
        Err(error) => Ok(Verdict::told(format!("no answer: {error}"))),
    }
}

fn verdict(outcome: &Outcome, case: &Case) -> Verdict {
    match &outcome.difference {
        Some(difference) => {
            let seen = format!("{} gives {}", difference.statement, difference.found);
            Verdict::told(seen).instead_of(&difference.expected, case.source())
        }
        None if outcome.words.is_empty() => Verdict::passed("as expected"),
        None => {
            Verdict::passed(format!("as expected, in these words: {}", outcome.words.join("; ")))
        }
    }
}

/// When a case has to end: at a signal, or after a while.
async fn until(stop: Stop) -> Error {
    tokio::select! {
        error = stop.wanted() => error,
        () = tokio::time::sleep(PATIENCE) => {
            Error::new(Kind::Transient, format!("it took longer than {} s", PATIENCE.as_secs()))
        }
    }
}
