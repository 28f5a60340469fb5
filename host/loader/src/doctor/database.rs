//! What the database and its user's defaults mean for a load: told, never a failure.

use loader_aws::data_api::Outcome;
use loader_model::error::Result;
use loader_warehouse::checkup::connection::{self, Isolation};
use loader_warehouse::refusal;

use super::finding::{Probed, Verdict};
use super::findings::Findings;
use super::patient::Patient;
use crate::cli::Part;

const PART: Part = Part::Warehouse;

/// Asks what the database is like.
pub(super) async fn examine(patient: &Patient, findings: &mut Findings<'_>) {
    findings.probe(PART, "isolation level", isolation(patient)).await;
    findings.probe(PART, "defaults of the user", defaults(patient)).await;
}

async fn isolation(patient: &Patient) -> Probed {
    let sql = connection::isolation_query(&patient.checkup.warehouse.database.name);
    let rows = match patient.api.execute(&sql).await? {
        Outcome::Finished(executed) => patient.api.rows(&executed, None).await?,
        Outcome::Failed(failure) => {
            let error = refusal::explain("asking for the isolation level", &failure);
            return Ok(Verdict::told(format!("unknown: {error}")));
        }
    };
    let level = rows.decode()?.into_iter().next().unwrap_or(Isolation::Unknown);
    Ok(Verdict::told(meaning_of_level(level)))
}

fn meaning_of_level(level: Isolation) -> &'static str {
    match level {
        Isolation::Snapshot => {
            "SNAPSHOT: loads of one table wait for each other; where another program merges into \
             the table at the same time, a key may get two rows without --lock-target"
        }
        Isolation::Serializable => {
            "SERIALIZABLE: Redshift ends one of two transactions that meet (error 1023), and the \
             loader then repeats its merge, not its COPY"
        }
        Isolation::Unknown => "unknown: the warehouse names no level that is known",
    }
}

/// What sessions of this user begin with. The loader sets what it relies on, in each transaction.
async fn defaults(patient: &Patient) -> Probed {
    let mut others = Vec::new();
    for (setting, default) in connection::SETTINGS {
        match shown(patient, setting).await? {
            Some(value) if value.eq_ignore_ascii_case(default) => {}
            Some(value) => others.push(format!("{setting} is {value}{}", meaning(setting))),
            None => others.push(format!("{setting} is not known here")),
        }
    }
    Ok(Verdict::told(match others.is_empty() {
        true => "as for a new user".to_owned(),
        false => others.join("; "),
    }))
}

async fn shown(patient: &Patient, setting: &str) -> Result<Option<String>> {
    match patient.api.execute(&connection::show(setting)).await? {
        Outcome::Failed(_) => Ok(None),
        Outcome::Finished(executed) => {
            let rows = patient.api.rows(&executed, None).await?;
            Ok(rows.rows.first().and_then(|row| row.first()).map(|cell| cell.to_text()))
        }
    }
}

fn meaning(setting: &str) -> &'static str {
    match setting {
        "timezone" => " (the loader sets UTC where it writes)",
        "statement_timeout" => " ms (--statement-timeout overrides it in a load)",
        "enable_case_sensitive_identifier" => {
            " (names with upper-case letters are refused as targets)"
        }
        _ => " (the loader does not depend on it)",
    }
}
