//! The end of an examination: everything that it made goes, in the warehouse and in the bucket,
//! also after a signal. What could not be removed is named.

use std::time::Duration;

use loader_model::error::{Error, Kind, Result};
use loader_warehouse::checkup::scratch::{self, Named};

use super::finding::{Ailment, Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use super::scratch::Scratch;
use crate::cli::Part;

/// How often a removal is tried, and the pause between two tries.
const MOST_TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Removes everything. `is_connected`: whether the warehouse has answered; if not, nothing was made
/// there. `scratch`: the schema that was worked in.
pub(super) async fn last(
    patient: &Patient,
    is_connected: bool,
    scratch: Option<&Scratch>,
    findings: &mut Findings<'_>,
) {
    let patient = patient.to_the_end();
    let removed = removed(&patient, is_connected, scratch);
    findings.probe_to_the_end(Part::CleanUp, "nothing is left behind", removed).await;
}

async fn removed(patient: &Patient, is_connected: bool, scratch: Option<&Scratch>) -> Probed {
    let mut left = Vec::new();
    if let Some(scratch) = scratch.filter(|scratch| scratch.is_given) {
        left.extend(emptied(patient, scratch).await.err());
    }
    if is_connected {
        left.extend(dropped(patient).await.err());
    }
    let mut objects = 0;
    for place in patient.places() {
        match with_retries(patient, async || patient.store.delete_all(&place).await).await {
            Ok(deleted) => objects += deleted,
            Err(error) => {
                left.push(Left { error, remedy: format!("delete what is below {place}") })
            }
        }
    }
    match left.into_iter().reduce(Left::and) {
        None => Ok(Verdict::passed(format!("{objects} objects and all tables are gone"))),
        Some(Left { error, remedy }) => Err(Ailment { error, remedy }),
    }
}

/// Tries a removal again where the failure may pass. A later examination has another name, and would
/// not find what is left.
async fn with_retries<T>(
    patient: &Patient,
    mut remove: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    for _ in 1..MOST_TRIES {
        match remove().await {
            Err(error) if matches!(error.kind(), Kind::Transient | Kind::OutcomeUnknown) => {
                tracing::debug!(%error, "removing it again");
                patient.api.pause(PAUSE).await?;
            }
            ended => return ended,
        }
    }
    remove().await
}

/// Something that could not be removed.
struct Left {
    error: Error,
    remedy: String,
}

impl Left {
    fn and(self, other: Left) -> Left {
        let fact = format!("{}; {}", self.error, other.error);
        let error = Error::new(Kind::Config, fact);
        Left { error, remedy: format!("{}; {}", self.remedy, other.remedy) }
    }
}

async fn emptied(patient: &Patient, scratch: &Scratch) -> Result<(), Left> {
    let remedy = format!("drop what is left in the schema {}", scratch.schema);
    let emptied = with_retries(patient, async || scratch.empty(patient).await).await;
    emptied.map_err(|error| Left { error, remedy })
}

/// Drops all that is named as ours is: the schema that was worked in, and what cases had for
/// themselves.
async fn dropped(patient: &Patient) -> Result<(), Left> {
    let name = &patient.name;
    type Drop = fn(&str) -> String;
    let kinds: [(String, Drop); 2] = [
        (scratch::schemas_query(name), scratch::drop_schema),
        (scratch::databases_query(name), scratch::drop_database),
    ];
    for (query, drop) in kinds {
        // What an answer that was lost has dropped is not found again.
        let found = with_retries(patient, async || drop_all(patient, &query, drop).await).await;
        let remedy = || format!("look for it and drop it: {}", drop(name));
        found.map_err(|error| Left { error, remedy: remedy() })?;
    }
    Ok(())
}

/// Drops what a query names.
async fn drop_all(patient: &Patient, query: &str, drop: fn(&str) -> String) -> Result<()> {
    let named = patient.rows("looking for what to drop", query).await?;
    for Named(name) in named.decode()? {
        patient.execute("dropping what was made", &drop(&name)).await?;
    }
    Ok(())
}
